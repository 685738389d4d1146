"""From a `TrainConfig` to a model's shape, its parameter count and the memory that a step takes."""

import math
from collections.abc import Mapping
from typing import Any

import torch

from gpttui.errors import UserError, one_line
from gpttui.model.gpt import GATED, GPT, GPTConfig
from gpttui.model.memory import free_memory_bytes
from gpttui.runs.config import TrainConfig, changed

OF_THE_BASE = tuple("arch layers heads width kv_heads mlp_width activation qk_gain norm_place embed_scale tied".split())
"""What a run that fine-tunes takes from the model it starts from."""


ACTIVATIONS = {"gpt2": "gelu_tanh", "modern": "relu2", "llama": "swiglu"}
"""Each architecture's own."""


def model_shape(config: TrainConfig, vocab_size: int) -> GPTConfig:
    """The shape that the run trains. Raises UserError, in one line, for one that cannot be."""
    activation = config.activation or ACTIVATIONS[config.arch]
    if config.qk_gain and config.arch != "modern":
        raise UserError("only heads of --arch modern learn how sharply they look; leave out --qk-gain")
    if config.arch == "llama" and activation not in GATED:
        raise UserError(f"a llama's MLPs have a gate: --activation swiglu or geglu, not {activation}")
    shared: dict[str, Any] = {
        "vocab_size": vocab_size,
        "context": config.context,
        "n_layer": config.layers,
        "n_head": config.heads,
        "d_model": config.width,
        "d_mlp": config.mlp_width,
        "dropout": config.dropout,
        "pattern_dropout": None if config.pattern_dropout else 0.0,
        "activation": activation,
    }
    if config.arch == "gpt2" and (config.norm_place != "before" or config.embed_scale):
        raise UserError("a GPT-2 has no norms behind its parts and no embedding scale; use --arch modern")
    try:
        if config.arch == "gpt2":
            return GPTConfig(**shared, tied=config.tied is not False)
        return GPTConfig(
            **shared,
            n_kv_head=config.kv_heads,
            norm="rmsnorm",
            positions="rope",
            qk_norm=config.arch == "modern",
            qk_gain=config.qk_gain,
            norm_place=config.norm_place,
            embed_scale=math.sqrt(config.width) if config.embed_scale else 1.0,
            bias=False,
            tied=config.tied is True,
            zero_init_outputs=config.norm_place == "before",
        )
    except (TypeError, ValueError) as error:
        raise UserError(one_line(error)) from error


def like_base(config: TrainConfig, base: GPTConfig, asked: Mapping[str, Any] | None = None) -> TrainConfig:
    """The config of a run that fine-tunes a model of shape `base`: that shape, and no more context than it has.

    `asked`: the fields that a person named; None: the context alone. Raises UserError where they contradict the base.
    """
    asked = {"context": config.context} if asked is None else asked
    own: dict[str, Any] = {
        "arch": "gpt2" if base.norm == "layernorm" else "modern" if base.qk_norm else "llama",
        "layers": base.n_layer,
        "heads": base.n_head,
        "width": base.d_model,
        "kv_heads": base.kv_heads,
        "mlp_width": base.mlp_width,
        "activation": base.activation,
        "qk_gain": base.qk_gain,
        "norm_place": base.norm_place,
        "embed_scale": base.embed_scale != 1,
        "tied": base.tied,
    }
    for name in OF_THE_BASE:
        if name in asked and asked[name] != own[name]:
            option = f"--{name.replace('_', '-')}"
            raise UserError(
                f"the model to start from has {name.replace('_', ' ')} {own[name]}, not {asked[name]}; leave out "
                f"{option}: fine-tuning keeps the shape"
            )
    if "tokenizer" in asked:
        raise UserError("fine-tuning keeps the tokenizer of the model to start from; leave out --tokenizer")
    context = asked.get("context", min(config.context, base.context))
    if context > base.context:
        raise UserError(
            f"the model to start from sees {base.context} tokens; choose a context of {base.context} or less"
        )
    if base.kv_heads == base.n_head:
        own["kv_heads"] = None
    if base.mlp_width == 4 * base.d_model:
        own["mlp_width"] = None
    return changed(config, **own, context=context)


def count_params(shape: GPTConfig) -> int:
    """Parameters of a model of this shape, without making one."""
    with torch.device("meta"):
        return GPT(shape).n_params


def step_memory_bytes(shape: GPTConfig, batch: int) -> int:
    """About what a training step needs: weights, gradients, two moments, and what backward waits for."""
    tokens = batch * shape.context
    per_token = shape.n_layer * (14 * shape.d_model + 3 * shape.mlp_width) + 4 * shape.vocab_size
    if shape.dropout and shape.pattern_dropout is None:
        per_token += shape.n_layer * 3 * shape.n_head * shape.context
    return 4 * (4 * count_params(shape) + tokens * per_token)


def refuse_if_too_big(shape: GPTConfig, batch: int, device: torch.device) -> None:
    """Raises UserError, before the machine swaps, where a step cannot fit into memory."""
    needed = step_memory_bytes(shape, batch)
    free = free_memory_bytes(device)
    if free and needed > 0.9 * free:
        raise UserError(
            f"a step needs about {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB are free; "
            "use a smaller --batch (and --accumulation), --context or model"
        )
