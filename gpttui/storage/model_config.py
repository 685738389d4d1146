"""A model's config.json in either dialect, each value held to its declared type and range. No torch.

`Gpt2` is what Hugging Face's transformers writes, `Own` what no other program can express. Both carry our names for
the same things, so whoever reads them asks one way; `GPTConfig` (`gpttui.model.families`) is made of either.
"""

import json
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta

from gpttui.errors import UserError
from gpttui.files import in_words, json_object

FORMAT = 1
"""Version of our own dialect; a larger one in a file means: written by a newer gpttui."""
LARGEST = 10_000_000
"""No width, depth or vocabulary is larger than this."""

Size = Annotated[int, Meta(ge=1, le=LARGEST)]
Share = Annotated[float, Meta(ge=0, lt=1)]

GPT2_NAMES = {
    "context": "n_positions",
    "d_model": "n_embd",
    "d_mlp": "n_inner",
    "norm_eps": "layer_norm_epsilon",
    "activation": "activation_function",
    "tied": "tie_word_embeddings",
}


class Gpt2(msgspec.Struct, frozen=True, kw_only=True, rename=GPT2_NAMES):
    """`"model_type": "gpt2"`."""

    vocab_size: Size
    context: Size
    n_layer: Size
    n_head: Size
    d_model: Size
    d_mlp: Size | None = None
    norm_eps: Share = 1e-5
    activation: str = "gelu_new"
    tied: bool = True
    scale_attn_weights: bool = True
    scale_attn_by_inverse_layer_idx: bool = False
    add_cross_attention: bool = False

    arch = "gpt2"


class Own(msgspec.Struct, frozen=True, kw_only=True):
    """`"model_type": "gpttui"`: the fields of `GPTConfig`."""

    vocab_size: Size
    context: Size
    n_layer: Size
    n_head: Size
    d_model: Size
    n_kv_head: Size | None = None
    d_mlp: Annotated[int, Meta(ge=0, le=LARGEST)] | None = None
    norm: Literal["layernorm", "rmsnorm"] = "layernorm"
    norm_eps: Share = 1e-5
    positions: Literal["learned", "rope", "none"] = "learned"
    rope_base: Annotated[float, Meta(gt=0, lt=1e30)] = 10_000.0
    activation: Literal["gelu", "gelu_tanh", "relu", "relu2", "swiglu"] = "gelu_tanh"
    qk_norm: bool = False
    qk_gain: bool = False
    bias: bool = True
    tied: bool = True
    zero_init_outputs: bool = False
    dropout: Share = 0.0
    pattern_dropout: Annotated[float, Meta(ge=0, le=1)] | None = None

    @property
    def arch(self) -> str:
        return "modern" if self.norm == "rmsnorm" else "gpttui"


Config = Gpt2 | Own
_DIALECTS: dict[str, type[Gpt2] | type[Own]] = {"gpt2": Gpt2, "gpttui": Own}


def read(file: Path) -> Config:
    """The model's shape as its file tells it. Raises UserError, naming the field, for all that cannot be."""
    return convert(json_object(file), str(file))


def convert(raw: dict[str, Any], where: str = "config.json") -> Config:
    """`read`, of what the file holds; `where` names it."""
    kind = raw.get("model_type")
    dialect = _DIALECTS.get(kind) if isinstance(kind, str) else None
    if dialect is None:
        raise UserError(f"{where} names the model type {_shown(kind)}; gpttui opens 'gpt2' and its own 'gpttui'")
    version = raw.get("format", 0)
    if dialect is Own and (type(version) is not int or version > FORMAT):
        if type(version) is int:
            raise UserError(f"{where} was written by a newer gpttui; upgrade gpttui to open this model")
        raise UserError(f"{where} describes an impossible model: format is {_shown(version)}, not a whole number")
    try:
        return msgspec.convert(raw, dialect)
    except msgspec.ValidationError as error:
        name, expected = in_words(error)
        if not name:
            raise UserError(f"{where} {expected}; is the file complete?") from error
        field = next((field for field in msgspec.structs.fields(dialect) if field.encode_name == name), None)
        if field is not None and get_origin(field.type) is Literal:
            expected = f"expected one of {', '.join(get_args(field.type))}"
        says = expected.partition(", got")[0].replace("expected", "not", 1)
        raise UserError(f"{where} describes an impossible model: {name} is {_shown(raw.get(name))}, {says}") from error


def _shown(value: Any) -> str:
    """A value of a JSON file as the file has it, a long one cut."""
    text = repr(value) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
