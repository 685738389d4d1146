"""Small random models of every shape that the inside views must work for."""

from functools import cache
from typing import Any

import torch

from gpttui.model.gpt import GPT, GPTConfig

_BASE: dict[str, Any] = {"vocab_size": 61, "context": 24, "n_layer": 3, "n_head": 4, "d_model": 32}
_MODERN: dict[str, Any] = {"norm": "rmsnorm", "positions": "rope", "bias": False, "qk_norm": True}

SHAPES: dict[str, dict[str, Any]] = {
    "gpt2": {},
    "modern": {**_MODERN, "activation": "swiglu", "n_kv_head": 2, "tied": False},
    "grouped": {**_MODERN, "activation": "relu2", "n_kv_head": 1},
    "gains": {**_MODERN, "activation": "relu2", "qk_gain": True},
    "sandwich": {
        **_MODERN,
        "norm_place": "both",
        "activation": "geglu",
        "n_kv_head": 1,
        "head_size": 12,
        "qk_weight": "head",
        "embed_scale": 5.65,
        "windows": (5, 5, 0),
        "rope_bases": (100.0, 100.0, 10_000.0),
    },
    "norms-after": {**_MODERN, "norm_place": "after", "activation": "swiglu", "qk_weight": "projection"},
    "parallel": {"parallel": True, "positions": "rope", "rotary_share": 0.25, "activation": "gelu", "tied": False},
    "some-rotate": {
        **_MODERN,
        "qk_norm": False,
        "qkv_bias": True,
        "rope_bases": (50.0, 0.0, 50.0),
        "activation": "silu",
    },
    "attention-only": {"d_mlp": 0, "positions": "none", "tied": False},
    "one-layer": {"n_layer": 1, "activation": "gelu"},
}


@cache
def model(shape: str, seed: int = 0, dtype: torch.dtype = torch.float32) -> GPT:
    """The model of one of `SHAPES`, its weights large enough that everything matters, biases and norms included."""
    torch.manual_seed(seed)
    made = GPT(GPTConfig(**{**_BASE, **SHAPES[shape]}))
    for name, parameter in made.named_parameters():
        if name.endswith("qk_gain"):
            torch.nn.init.normal_(parameter, mean=2.0, std=0.5)
        elif parameter.dim() == 1:
            torch.nn.init.normal_(parameter, mean=float("ln" in name and "weight" in name), std=0.3)
        else:
            torch.nn.init.normal_(parameter, std=0.15)
    return made.to(dtype).eval().requires_grad_(False)


def ids(count: int, seed: int = 0, vocab_size: int = 61) -> list[int]:
    """Random token ids."""
    return torch.randint(0, vocab_size, (count,), generator=torch.Generator().manual_seed(seed)).tolist()
