"""Runs the command line in this process, on small random models and with a home of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from gpttui.cli import main
from gpttui.model import checkpoint
from gpttui.model.gpt import GPT, GPTConfig
from gpttui.tokenizers import Tokenizer, train_bpe, train_characters


class Result(NamedTuple):
    code: int
    out: str
    err: str


Cli = Callable[..., Result]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh home for settings, models, texts and logs."""
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Cli:
    """`cli("tokens", "hi")` → exit code, stdout, stderr."""

    def call(*args: str | Path) -> Result:
        capfd.readouterr()
        code = main.run([str(arg) for arg in args])
        return Result(code, *capfd.readouterr())

    return call


def make_model(path: Path, tokenizer: Tokenizer, **changes: object) -> Path:
    torch.manual_seed(0)
    shape = {"vocab_size": tokenizer.vocab_size, "context": 16, "n_layer": 2, "n_head": 2, "d_model": 8}
    checkpoint.save(GPT(GPTConfig(**shape | changes)), path)  # type: ignore[arg-type]
    (path / "tokenizer.json").write_text(tokenizer.to_json(), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def bpe_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Byte-level BPE with a few merges, context 16."""
    return make_model(tmp_path_factory.mktemp("models") / "bpe", train_bpe(["hello hello world"] * 3, 262))


@pytest.fixture(scope="session")
def char_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The letters of `hello world`, context 16."""
    return make_model(tmp_path_factory.mktemp("models") / "char", train_characters(["hello world\n"]))


@pytest.fixture(scope="session")
def modern_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What GPT-2's format cannot express."""
    tokenizer = train_characters(["hello world\n"])
    path = tmp_path_factory.mktemp("models") / "modern"
    return make_model(path, tokenizer, norm="rmsnorm", positions="rope", bias=False, activation="swiglu", n_kv_head=1)
