"""Which family's config.json can say what a model computes, and how a shape is put that none has a word for.

For: writing models. A family is asked for the config nearest to a shape; what that config then computes is compared
with the shape, so no family has to list what it lacks.
"""

import dataclasses
import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import torch

from gpttui.errors import UserError
from gpttui.model.families import to_shape
from gpttui.model.gpt import GPT, GPTConfig
from gpttui.storage import model_config
from gpttui.storage.families.family import Family
from gpttui.storage.families.own import Own
from gpttui.storage.families.registry import EXPORTS, family

OF_TRAINING = frozenset({"dropout", "pattern_dropout", "zero_init_outputs"})
"""What a trained model no longer asks about."""
SAVED_AS = ("gpt2", "llama")
"""What training saves as another program's model, where it is one."""


class Nearest(NamedTuple):
    """How a family would write a shape."""

    config: Family
    lacks: tuple[str, ...]
    """What of the shape it has no word for: fields of `GPTConfig` with their values."""


def config_of(config: GPTConfig, names: Iterable[str] = SAVED_AS) -> Family:
    """The config.json of a model of this shape: of the first of the families that can say it, else our own dialect."""
    written = (found for name in names if (found := nearest(config, name)) is not None and not found.lacks)
    return next((found.config for found in written), Own.of(_fields(config)))


def export_config(config: GPTConfig) -> Family:
    """The same among all families that `transformers` has."""
    return config_of(config, EXPORTS)


def nearest(config: GPTConfig, name: str) -> Nearest | None:
    """How the family of this name would write a shape; None where it cannot write one like it at all."""
    kind = family(name)
    try:
        found = None if kind is None else kind.of(_resolved(config))
        if found is None:
            return None
        computed = compared(to_shape(model_config.convert(found.written())))
    except UserError:  # a number that such a file may not hold
        return None
    wanted = compared(config)
    differs = [field for field in wanted if wanted[field] != computed[field]]
    if "positions" in differs:
        differs = [field for field in differs if not field.startswith("ro")]
    return Nearest(found, tuple(f"{field} {wanted[field]}" for field in differs))


def lacking(config: GPTConfig) -> Nearest:
    """The family that comes nearest to a shape which none can express."""
    return min(filter(None, (nearest(config, name) for name in EXPORTS)), key=lambda found: len(found.lacks))


def _fields(config: GPTConfig) -> dict[str, Any]:
    return {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}


def _resolved(config: GPTConfig) -> dict[str, Any]:
    """A shape's fields with nothing left to a default."""
    return _fields(config) | {
        "n_kv_head": config.kv_heads,
        "head_size": config.d_head,
        "d_mlp": config.mlp_width,
        "qkv_bias": config.bias if config.qkv_bias is None else config.qkv_bias,
        "windows": config.windows or (0,) * config.n_layer,
        "rope_bases": tuple(config.layer_base(layer) for layer in range(config.n_layer)),
    }


def compared(config: GPTConfig) -> dict[str, Any]:
    """Equal for shapes that compute the same from the same weights."""
    shape = _resolved(config)
    turning = any(shape["rope_bases"])
    shape["windows"] = tuple(window if window < config.context else 0 for window in shape["windows"])
    shape["rotary_share"] = config.rotary_dims if turning else 0
    shape["rope_base"] = config.rope_base if turning and config.rope_scaling else 0.0
    if shape["positions"] == "rope" and not turning:
        shape["positions"] = "none"
    if not config.qk_norm:
        shape |= {"qk_gain": False, "qk_weight": "none"}
    return {name: value for name, value in shape.items() if name not in OF_TRAINING}


# ── Put otherwise ─────────────────────────────────────────────────────────────────────────────────────────────────


def respelled(model: GPT) -> tuple[GPT, tuple[str, ...]]:
    """A model that computes the same with switches that other programs have, and what was put otherwise, in words.

    QK-norm without weights gets weights of one; the queries and keys are scaled so that `norm_eps` counts for them what
    float32's own epsilon did. The square of a ReLU is a ReLU and its gate, both from the same matrix. No MLP is an MLP
    of one neuron that adds nothing, and no bias is one of zeros.
    """
    config, state = model.config, dict(model.state_dict())
    changes: dict[str, Any] = {}
    told: list[str] = []
    if config.qk_norm and config.qk_weight == "none" and not config.qk_gain and config.norm_eps > 0:
        changes["qk_weight"] = "head"
        told.append("QK-norm with weights of 1")
        rows = (config.n_head + config.kv_heads) * config.d_head
        for name in [name for name in state if ".attn.c_attn." in name]:
            state[name] = state[name].clone()
            state[name][:rows] *= math.sqrt(config.norm_eps / torch.finfo(torch.float32).eps)
    if config.norm == "rmsnorm" and config.activation == "relu2":
        changes |= {"activation": "reglu", "d_mlp": config.mlp_width}
        told += ["the square of a ReLU as a ReLU with an equal gate"] if config.mlp_width else []
        state |= {name.replace("c_fc", "c_gate"): x for name, x in state.items() if ".mlp.c_fc." in name}
    if not config.mlp_width:
        changes["d_mlp"] = 1
        told.append("an MLP of one neuron of zeros in each layer")
        width = state["transformer.wte.weight"].new_zeros(config.d_model, 1)
        state |= {f"transformer.h.{n}.mlp.c_proj.weight": width for n in range(config.n_layer)}
    if config.norm == "layernorm" and not config.bias:
        changes["bias"] = True
        told.append("biases of 0")
    if not changes:
        return model, ()
    same = GPT(dataclasses.replace(config, **changes))  # norms begin as ones and biases as zeros
    same.load_state_dict(state, strict=False)
    return same.requires_grad_(False).eval(), tuple(told)
