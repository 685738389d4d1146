"""Name tables: Hugging Face's GPT-2 to our model and back, and `config.json` in either dialect.

A model that GPT-2's architecture can express is written the way `transformers` reads it (`"model_type": "gpt2"`,
matrices stored `[in, out]` as its Conv1D keeps them); any other is written in our own dialect (`"model_type":
"gpttui"`, matrices as `nn.Linear` keeps them). So import and export are a rename and a transpose, and nothing else.
"""

import dataclasses
import re
from typing import Any

from torch import Tensor

from gpttui.errors import UserError
from gpttui.model.gpt import Activation, GPTConfig
from gpttui.storage.model_files import FORMAT, check_config

_ACTIVATIONS: dict[str, Activation] = {
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu": "gelu",
    "relu": "relu",
}
_TO_HF_ACTIVATION = {"gelu_tanh": "gelu_new", "gelu": "gelu", "relu": "relu"}
_GPT2_FIELDS = {"context": "n_positions", "d_model": "n_embd", "d_mlp": "n_inner"}
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
    check_config(raw)
    try:
        return _own_config(raw) if raw["model_type"] == "gpttui" else _gpt2_config(raw)
    except ValueError as error:
        raise UserError(f"config.json describes an impossible model: {error}") from error


def _own_config(raw: dict[str, Any]) -> GPTConfig:
    names = {field.name for field in dataclasses.fields(GPTConfig)}
    return GPTConfig(**{name: value for name, value in raw.items() if name in names})


def _gpt2_config(raw: dict[str, Any]) -> GPTConfig:
    activation = raw.get("activation_function", "gelu_new")
    if activation not in _ACTIVATIONS:
        raise ValueError(f"activation {activation!r} is not one of {', '.join(_ACTIVATIONS)}")
    if raw.get("scale_attn_by_inverse_layer_idx") or not raw.get("scale_attn_weights", True):
        raise ValueError("attention scaled by layer is not GPT-2's; gpttui does not compute it")
    if raw.get("add_cross_attention"):
        raise ValueError("cross attention needs an encoder; gpttui opens decoders only")
    return GPTConfig(
        vocab_size=raw["vocab_size"],
        context=raw["n_positions"],
        n_layer=raw["n_layer"],
        n_head=raw["n_head"],
        d_model=raw["n_embd"],
        d_mlp=raw.get("n_inner"),
        norm_eps=raw.get("layer_norm_epsilon", 1e-5),
        activation=_ACTIVATIONS[activation],
        tied=raw.get("tie_word_embeddings", True),
    )


def field_name(name: str, config: GPTConfig) -> str:
    """What `config.json` calls the field `name` of `config`."""
    return _GPT2_FIELDS.get(name, name) if is_gpt2(config) else name


def state_to_disk(state: dict[str, Tensor], config: GPTConfig) -> dict[str, Tensor]:
    """Our parameters as the file keeps them: contiguous, no second copy of a tied head."""
    if config.tied:
        state = {name: x for name, x in state.items() if name != "lm_head.weight"}
    if is_gpt2(config):
        state = {name: x.t() if _CONV1D.search(name) else x for name, x in state.items()}
    return {name: x.detach().contiguous() for name, x in state.items()}


def state_from_disk(stored: dict[str, Tensor], config: GPTConfig) -> dict[str, Tensor]:
    """The file's tensors under our names; Hugging Face's variants (no prefix, mask buffers) are understood."""
    state: dict[str, Tensor] = {}
    gpt2 = is_gpt2(config)
    for name, x in stored.items():
        if _MASK_BUFFER.search(name) and "c_attn" not in name:
            continue
        if not name.startswith(("transformer.", "lm_head.")):
            name = "transformer." + name
        state[name] = x.t() if gpt2 and x.dim() == 2 and _CONV1D.search(name) else x
    if config.tied and "transformer.wte.weight" in state:
        state["lm_head.weight"] = state["transformer.wte.weight"]
    return state
