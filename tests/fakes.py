"""Small random models for everyone's tests: real code, real files, no training."""

import dataclasses
import json
import random
from pathlib import Path
from typing import Any, Literal

import torch

from gpttui.model import checkpoint
from gpttui.model.gpt import GPT, GPTConfig
from gpttui.tokenizers import Tokenizer, train_bpe, train_characters

Arch = Literal["gpt2", "modern"]

TEXT = "the cat sat on the mat.\nthe dog ate the log!\nA quick brown fox, naïve café — 日本 🙂\n"
"""What the fake tokenizers were made from."""


def text_file(folder: Path) -> Path:
    """About 6 kB of words in random order, to learn from."""
    rng = random.Random(0)
    words = "the king and queen of ink sat down to think while rain fell on the town".split()
    file = folder / "words.txt"
    file.write_text("".join(" ".join(rng.choices(words, k=8)) + ".\n" for _ in range(150)), encoding="utf-8")
    return file


def tiny_config(arch: Arch = "gpt2", **changes: Any) -> GPTConfig:
    """Two layers of two heads, width 16, context 32."""
    config = GPTConfig(vocab_size=64, context=32, n_layer=2, n_head=2, d_model=16)
    if arch == "modern":
        config = dataclasses.replace(
            config, n_head=4, d_model=32, n_kv_head=2, norm="rmsnorm", positions="rope", activation="swiglu",
            qk_norm=True, bias=False,
        )  # fmt: skip
    return dataclasses.replace(config, **changes)


def tiny_model(arch: Arch = "gpt2", *, seed: int = 0, scale: float = 0.3, **changes: Any) -> GPT:
    """A random model whose weights are large enough for its predictions and its heads to differ."""
    torch.manual_seed(seed)
    model = GPT(tiny_config(arch, **changes))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            centre = 1.0 if "ln_" in name and name.endswith("weight") else 0.0
            parameter.copy_(centre + scale * torch.randn_like(parameter))
    return model.requires_grad_(False).eval()


def tiny_tokenizer(kind: Literal["characters", "bpe"] = "characters") -> Tokenizer:
    """Characters of `TEXT`, or a byte-level BPE of 300 tokens made from it."""
    return train_characters([TEXT]) if kind == "characters" else train_bpe([TEXT], 300)


def tiny_model_dir(
    tmp: Path,
    arch: Arch = "gpt2",
    *,
    name: str = "tiny",
    tokenizer: Literal["characters", "bpe"] = "characters",
    seed: int = 0,
    **changes: Any,
) -> Path:
    """A complete model directory `tmp/name`: weights, config, tokenizer, card and a short loss history."""
    path = tmp / name
    words = tiny_tokenizer(tokenizer)
    checkpoint.save(tiny_model(arch, seed=seed, **({"vocab_size": words.vocab_size} | changes)), path)
    (path / "tokenizer.json").write_text(words.to_json(), encoding="utf-8")
    card = {
        "summary": "Random weights, for tests.",
        "data": "nothing",
        "metric_name": "validation loss",
        "metric_value": 3.5,
        "prompts": ["the cat", "the dog"],
        "prompt": "the cat",
    }
    (path / "card.json").write_text(json.dumps(card), encoding="utf-8")
    history = {
        "title": "a recorded run",
        "steps": [0, 10, 20, 30],
        "losses_nats": [4.0, 3.5, 3.2, 3.0],
        "val_steps": [0, 30],
        "val_losses_nats": [4.1, 3.3],
    }
    (path / "history.json").write_text(json.dumps(history), encoding="utf-8")
    (path / "README.md").write_text("# tiny\nRandom weights, for tests.\n", encoding="utf-8")
    return path
