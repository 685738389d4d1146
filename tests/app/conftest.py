"""A home of its own and a small text to learn from, for the tests of training."""

import random
from pathlib import Path

import pytest
import torch

from gpttui.engine import estimate


@pytest.fixture
def text(tmp_path: Path) -> Path:
    rng = random.Random(0)
    words = "the king and queen of ink sat down to think while rain fell on the town".split()
    file = tmp_path / "words.txt"
    file.write_text("".join(" ".join(rng.choices(words, k=8)) + ".\n" for _ in range(150)), encoding="utf-8")
    return file


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(estimate, "TIMED_TOKENS", 64)
    torch.set_num_threads(1)
    return tmp_path
