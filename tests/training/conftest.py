"""A tiny text, a tiny config, and a run of it: shared by the training tests."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from gpttui.runs.config import TrainConfig
from gpttui.runs.events import Event
from gpttui.training import run as runs
from tests import fakes

TINY: dict[str, Any] = {
    "layers": 2, "heads": 2, "width": 16, "context": 16, "batch": 4, "steps": 12, "warmup": 2, "eval_every": 6,
    "eval_tokens": 256, "sample_every": 0, "checkpoint_every": 4, "device": "cpu", "threads": 1, "lr": 3e-3,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def text_file(tmp_path: Path) -> Path:
    return fakes.text_file(tmp_path)


@pytest.fixture
def tiny(text_file: Path) -> Callable[..., TrainConfig]:
    """A config that trains in a blink; fields can be changed."""
    return lambda **fields: TrainConfig(**({"data": str(text_file)} | TINY | fields))


def train(config: TrainConfig, path: Path) -> list[Event]:
    """Run to the end; every event."""
    with runs.start(config, path) as run:
        return [event for event in run.trainer.events() if event is not None]
