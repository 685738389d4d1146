"""A model directory becomes a model and its tokenizer, or one clear line that says why not. No screen."""

from pathlib import Path

import torch

from gpttui.errors import UserError
from gpttui.model import checkpoint
from gpttui.model.gpt import GPT
from gpttui.tokenizers import Tokenizer


def open_model(path: Path, *, dtype: torch.dtype = torch.float32, device: str = "cpu") -> tuple[GPT, Tokenizer]:
    """The model in directory `path` and its tokenizer. Raises UserError where either is broken or they do not fit."""
    config = checkpoint.read_config(path)
    tokenizer = Tokenizer.open(path)
    if tokenizer.vocab_size > config.vocab_size:
        raise UserError(
            f"{path}: the tokenizer has {tokenizer.vocab_size} tokens, the model {config.vocab_size};"
            " tokenizer.json belongs to another model"
        )
    return checkpoint.load(path, dtype=dtype, device=device), tokenizer
