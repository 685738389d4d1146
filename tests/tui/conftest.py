"""A home of its own, a small text and a run of it, tokenizers learned from another."""

from pathlib import Path

import pytest
import torch

from gpttui.engine import estimate
from gpttui.runs.config import TrainConfig
from gpttui.tokenizers import Tokenizer, train_bpe, train_characters
from gpttui.training import run as runs
from tests import fakes
from tests.tui.made import Bigrams

TEXT = "the king of the north saw the king of the south and the queen of the north saw the light.\n" * 20


@pytest.fixture
def text(tmp_path: Path) -> Path:
    return fakes.text_file(tmp_path)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(estimate, "TIMED_TOKENS", 64)
    torch.set_num_threads(1)
    return tmp_path


@pytest.fixture
def run(home: Path, text: Path) -> Path:
    """A run of forty steps with a checkpoint every ten."""
    config = TrainConfig(
        data=str(text), layers=1, heads=2, width=16, context=64, batch=4, steps=40, warmup=2, eval_every=0,
        eval_tokens=256, sample_every=0, checkpoint_every=10, lr=0.01, device="cpu", threads=1,
    )  # fmt: skip
    with runs.start(config, home / "run") as started:
        list(started.trainer.events())
    return home / "run"


@pytest.fixture(scope="session")
def bpe() -> Tokenizer:
    return train_bpe([TEXT], 300)


@pytest.fixture(scope="session")
def characters() -> Tokenizer:
    return train_characters([TEXT])


@pytest.fixture(scope="session")
def bigrams(bpe: Tokenizer) -> Bigrams:
    return Bigrams(bpe, TEXT)
