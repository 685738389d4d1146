"""Name tables: Hugging Face's GPT-2 to our model and back, and `config.json` in either dialect.

A model that GPT-2's architecture can express is written the way `transformers` reads it (`"model_type": "gpt2"`,
matrices stored `[in, out]` as its Conv1D keeps them); any other is written in our own dialect (`"model_type":
"gpttui"`, matrices as `nn.Linear` keeps them). So import and export are a rename and a transpose, and nothing else.
"""

import dataclasses
import re
from typing import Any

import msgspec
import torch
from torch import Tensor

from gpttui.errors import UserError
from gpttui.model.gpt import Activation, GPTConfig
from gpttui.storage import model_config
from gpttui.storage.model_config import FORMAT

_ACTIVATIONS: dict[str, Activation] = {
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu": "gelu",
    "relu": "relu",
}
_TO_HF_ACTIVATION = {"gelu_tanh": "gelu_new", "gelu": "gelu", "relu": "relu"}
_CONV1D = re.compile(r"\.(c_attn|c_proj|c_fc)\.weight$")
_MASK_BUFFER = re.compile(r"\.attn\.(masked_)?bias$")  # causal masks that old exports carry along


def is_gpt2(config: GPTConfig) -> bool:
    """True where GPT-2 as `transformers` knows it can express this shape."""
    return (
        config.norm == "layernorm"
        and config.positions == "learned"
        and config.activation in _TO_HF_ACTIVATION
        and config.kv_heads == config.n_head
        and config.mlp_width > 0
        and config.bias
        and not config.qk_norm
    )


def config_to_dict(config: GPTConfig) -> dict[str, Any]:
    """The content of `config.json`."""
    if not is_gpt2(config):
        return {"model_type": "gpttui", "format": FORMAT, **dataclasses.asdict(config)}
    return {
        "model_type": "gpt2",
        "architectures": ["GPT2LMHeadModel"],
        "vocab_size": config.vocab_size,
        "n_positions": config.context,
        "n_ctx": config.context,
        "n_embd": config.d_model,
        "n_layer": config.n_layer,
        "n_head": config.n_head,
        "n_inner": config.d_mlp,
        "activation_function": _TO_HF_ACTIVATION[config.activation],
        "layer_norm_epsilon": config.norm_eps,
        "tie_word_embeddings": config.tied,
        "attn_pdrop": config.dropout,
        "embd_pdrop": config.dropout,
        "resid_pdrop": config.dropout,
        "bos_token_id": None,
        "eos_token_id": None,
    }


def config_from_dict(raw: dict[str, Any]) -> GPTConfig:
    """The shape that a `config.json` describes. Raises UserError for unknown families and impossible sizes."""
    return to_shape(model_config.convert(raw))


def to_shape(config: model_config.Config, where: str = "config.json") -> GPTConfig:
    """The shape that our code builds. Raises UserError for what it cannot."""
    fields = msgspec.structs.asdict(config)
    try:
        if isinstance(config, model_config.Gpt2):
            if config.activation not in _ACTIVATIONS:
                raise ValueError(f"activation {config.activation[:40]!r} is not one of {', '.join(_ACTIVATIONS)}")
            if fields.pop("scale_attn_by_inverse_layer_idx") or not fields.pop("scale_attn_weights"):
                raise ValueError("attention scaled by layer is not GPT-2's; gpttui does not compute it")
            if fields.pop("add_cross_attention"):
                raise ValueError("cross attention needs an encoder; gpttui opens decoders only")
            fields["activation"] = _ACTIVATIONS[config.activation]
        return GPTConfig(**fields)
    except ValueError as error:
        raise UserError(f"{where} describes an impossible model: {error}") from error


def field_name(name: str, config: GPTConfig) -> str:
    """What `config.json` calls the field `name` of `config`."""
    return model_config.GPT2_NAMES.get(name, name) if is_gpt2(config) else name


def state_to_disk(state: dict[str, Tensor], config: GPTConfig) -> dict[str, Tensor]:
    """Our parameters as the file keeps them: contiguous, no second copy of a tied head."""
    if config.tied:
        state = {name: x for name, x in state.items() if name != "lm_head.weight"}
    if is_gpt2(config):
        state = {name: x.t() if _CONV1D.search(name) else x for name, x in state.items()}
    return {name: x.detach().contiguous() for name, x in state.items()}


def state_from_disk(stored: dict[str, Tensor], config: GPTConfig) -> dict[str, Tensor]:
    """The file's tensors under our names; Hugging Face's variants (no prefix, mask buffers) are understood.

    Raises UserError where a tied model comes with a head of its own.
    """
    state: dict[str, Tensor] = {}
    gpt2 = is_gpt2(config)
    for name, x in stored.items():
        if _MASK_BUFFER.search(name) and "c_attn" not in name:
            continue
        if not name.startswith(("transformer.", "lm_head.")):
            name = "transformer." + name
        state[name] = x.t() if gpt2 and x.dim() == 2 and _CONV1D.search(name) else x
    if config.tied and (embedding := state.get("transformer.wte.weight")) is not None:
        head = state.setdefault("lm_head.weight", embedding)
        if head is not embedding and not (head.shape == embedding.shape and torch.equal(head, embedding)):
            raise UserError(
                "lm_head.weight differs from wte.weight, yet config.json says that they are one matrix;"
                f' set "{field_name("tied", config)}": false there'
            )
        state["lm_head.weight"] = embedding
    return state
