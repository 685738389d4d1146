"""A model's directory or file becomes a model and its tokenizer, or one clear line that says why not. No screen."""

import os
from pathlib import Path

import torch

from gpttui.errors import UserError
from gpttui.inference.precision import Precision, chosen
from gpttui.model import checkpoint
from gpttui.model.checkpoint import Tell
from gpttui.model.gpt import GPT
from gpttui.model.unpacking import Progress, untold
from gpttui.storage.model_config import Config
from gpttui.tokenizers import Tokenizer


def usable_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def leave_a_core(threads: int | None = None) -> None:
    """Let torch compute with `threads`, by default every core but one.

    Threads wait for each other by spinning: with none left for the screen, a step takes fifty times as long. And the
    count is the same for the playground and for `gpttui generate`, so that both round, and draw, alike.
    """
    torch.set_num_threads(threads or max(1, usable_cores() - 1))


def open_model(
    path: Path,
    config: Config | None = None,
    *,
    precision: Precision = "auto",
    device: str = "cpu",
    tell: Tell = lambda line: None,
    progress: Progress = untold,
) -> tuple[GPT, Tokenizer]:
    """The model in directory or GGUF file `path`, computed in `precision`, and its tokenizer.

    `config` is what it says of its shape, where that has been read; `tell` is as `checkpoint.load` has it;
    `progress` hears of header, tokenizer and tensors, and may raise to leave off.
    Raises UserError where either is broken, they do not fit each other, or the model not into memory.
    """
    progress("header", 0, 0)
    config = config or checkpoint.read_config(path)
    progress("tokenizer", 0, 0)
    tokenizer = Tokenizer.open(path)
    if tokenizer.vocab_size > config.vocab_size:
        raise UserError(
            f"{path}: the tokenizer has {tokenizer.vocab_size} tokens, the model {config.vocab_size};"
            f" {'tokenizer.json' if path.is_dir() else 'its vocabulary'} belongs to another model"
        )
    dtype = chosen(precision, device, beside_bytes=_stored_bytes(path))
    return checkpoint.load(path, config, dtype=dtype, device=device, tell=tell, progress=progress), tokenizer


def _stored_bytes(path: Path) -> int:
    """What is held of a directory's files while their tensors are turned into the model's; of a GGUF file, none."""
    return sum(file.stat().st_size for file in path.glob("*.safetensors")) if path.is_dir() else 0
