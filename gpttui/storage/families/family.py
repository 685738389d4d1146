"""What every family says of itself: how its config.json reads as a `GPTConfig`, and where its tensors go.

A family that only renames is a subclass with its names and a table. Fields are held to their declared types and
ranges; a field that a file leaves out has the value that `transformers` would give it.
"""

import math
import re
from collections.abc import Collection, Iterable
from typing import Annotated, Any, ClassVar, Self

import msgspec
from msgspec import Meta

from gpttui.storage.families.ops import Table, Take


class NotComputed(Exception):
    """What a model has and gpttui does not compute, as words that follow "it has"."""


LARGEST = 10_000_000
"""No width, depth or vocabulary is larger than this."""
Size = Annotated[int, Meta(ge=1, le=LARGEST)]
Share = Annotated[float, Meta(ge=0, lt=1)]
Base = Annotated[float, Meta(gt=0, lt=1e30)]

HEADS_OF_OTHERS = re.compile(r"^(score|v_head|classifier|value_head)\.")
"""What programs for classification and reinforcement learning put on top."""
WRAPPERS = re.compile(r"^(module\.|_orig_mod\.|language_model\.)+")
"""Put before every name by DistributedDataParallel, torch.compile, and models of text and pictures."""

Shape = dict[str, Any]
"""`GPTConfig`'s arguments."""

ACTIVATIONS = {
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_python_tanh": "gelu_tanh",
    "gelu": "gelu",
    "quick_gelu": "gelu_quick",
    "silu": "silu",
    "swish": "silu",
    "relu": "relu",
    "relu2": "relu2",
}
"""What Hugging Face's names compute."""
GATED = {"silu": "swiglu", "gelu_tanh": "geglu", "relu": "reglu"}
"""What an activation is called where a gate is multiplied with it."""
WRITTEN = {ours: theirs for theirs, ours in reversed(ACTIVATIONS.items())}
WRITTEN_GATED = {kind: WRITTEN[plain] for plain, kind in GATED.items()}
"""What ours are called in a config that is written."""

MODERN_NAMES = {
    "context": "max_position_embeddings",
    "n_layer": "num_hidden_layers",
    "n_head": "num_attention_heads",
    "n_kv_head": "num_key_value_heads",
    "head_size": "head_dim",
    "d_model": "hidden_size",
    "d_mlp": "intermediate_size",
    "norm_eps": "rms_norm_eps",
    "activation": "hidden_act",
    "tied": "tie_word_embeddings",
}
"""What most families since Llama call the same things."""

SPECIAL_IDS = ("bos_token_id", "eos_token_id", "pad_token_id")
"""Written as null: those that `transformers` has by default are of other vocabularies."""
SAME = (
    "vocab_size", "context", "n_layer", "n_head", "n_kv_head", "head_size", "d_model", "d_mlp", "norm_eps", "tied",
)  # fmt: skip


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """One family's config.json. Subclasses add fields, `rename` them, and name the class `transformers` opens."""

    MODEL_TYPE: ClassVar[str]
    CLASS: ClassVar[str] = ""
    """Of `transformers`; empty: no other program can express it."""
    PREFIX: ClassVar[str] = "model."
    """Of every tensor's name but the head's; files written without it are understood."""
    SKIPPED: ClassVar[str] = r"rotary_emb\.inv_freq$"
    """A pattern of stored names that are no weights."""

    vocab_size: Size
    context: Size
    n_layer: Size
    n_head: Size
    d_model: Size
    tied: bool = True
    """Whether the head is the embedding."""

    @property
    def arch(self) -> str:
        """What the shelf calls it."""
        return self.MODEL_TYPE

    def shape(self) -> Shape:
        """As `GPTConfig`'s arguments. Raises ValueError for what cannot be, NotComputed for what is not computed."""
        raise NotImplementedError

    def same(self) -> Shape:
        """The sizes that `GPTConfig` calls by the same names."""
        return {name: getattr(self, name) for name in SAME if name in self.__struct_fields__}

    def ends(self) -> Table:
        """Tensors outside the blocks."""
        raise NotImplementedError

    def block(self, layer: int) -> Table:
        """A block's tensors, ours without `transformer.h.N.`."""
        raise NotImplementedError

    def tables(self, stored: Collection[str]) -> Table:
        """All of our names; `stored` are the file's: it holds no more blocks than names."""
        blocks = ((f"transformer.h.{n}.", self.block(n)) for n in range(min(self.n_layer, len(stored))))
        return self.ends() | {at + ours: op for at, block in blocks for ours, op in block.items()}

    def renamed(self, names: Iterable[str]) -> dict[str, str]:
        """The file's names as the family writes them → as they stand in the file (wrapped, or without the prefix)."""
        found = {}
        for name in names:
            plain = WRAPPERS.sub("", name)
            top = plain.startswith((self.PREFIX, "lm_head.", "embed_out.")) or HEADS_OF_OTHERS.match(plain)
            found[plain if top else self.PREFIX + plain] = name
        return found

    def counts(self, name: str) -> bool:
        """Whether a tensor, by the name that the family gives it, is a weight of the language model."""
        return not (HEADS_OF_OTHERS.match(name) or re.search(self.SKIPPED, name))

    @classmethod
    def of(cls, shape: Shape) -> Self | None:
        """The config of this family that is nearest to a shape: a `GPTConfig`'s fields, none left to its default.

        Whoever asks compares, so what a family has no word for is simply left out. None: it is not written.
        """
        return None

    def written(self) -> dict[str, Any]:
        """What config.json holds when it is written."""
        fields: dict[str, Any] = msgspec.to_builtins(self)
        return {"model_type": self.MODEL_TYPE, "architectures": [self.CLASS], **fields} | dict.fromkeys(SPECIAL_IDS)


def rotary(parameters: dict[str, Any] | None, old_scaling: dict[str, Any] | None, old_base: float | None) -> Shape:
    """`rope_base` and `rope_scaling` out of either of transformers' ways to say them.

    Raises ValueError, and NotComputed for other scalings.
    """
    found = {**(old_scaling or {}), **(parameters or {})}
    kind = found.get("rope_type", found.get("type", "default"))
    shape: Shape = {"rope_base": float(found.get("rope_theta", old_base or 10_000.0))}
    if not 0 < shape["rope_base"] < 1e30:
        raise ValueError(f"rope_theta is {shape['rope_base']}")
    if kind == "linear":
        shape["rope_scaling"] = (_number(found, "factor"), 0.0, 0.0, 0)
    elif kind == "llama3":
        low, high = _number(found, "low_freq_factor"), _number(found, "high_freq_factor")
        if not low < high:
            raise ValueError("low_freq_factor is not below high_freq_factor")
        context = int(_number(found, "original_max_position_embeddings"))
        shape["rope_scaling"] = (_number(found, "factor"), low, high, context)
    elif kind != "default":
        raise NotComputed(f"rotary positions of the type {str(kind)[:40]!r}")
    return shape


FULL, LOCAL = "full_attention", "sliding_attention"
"""Kinds of layers, in the words of `layer_types`."""


def layer_types(shape: Shape) -> tuple[str, ...]:
    """Which layers of a shape see a window."""
    return tuple(LOCAL if window else FULL for window in shape["windows"])


def _number(found: dict[str, Any], name: str) -> float:
    value = found.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
        raise ValueError(f"rope_scaling has no fitting {name}")
    return float(value)


def activation(name: str) -> str:
    """What a Hugging Face activation computes. Raises NotComputed."""
    if name not in ACTIVATIONS:
        raise NotComputed(f"the activation {name[:40]!r}")
    return ACTIVATIONS[name]


def gated(name: str) -> str:
    """The same of an MLP with a gate. Raises NotComputed."""
    if (kind := GATED.get(activation(name))) is None:
        raise NotComputed(f"gated MLPs with the activation {name[:40]!r}")
    return kind


def plain_fields(shape: Shape) -> Shape:
    """What the configs of GPT-2 and its relatives say of a shape."""
    same = ("vocab_size", "context", "n_layer", "n_head", "d_model", "norm_eps", "tied")
    return {name: shape[name] for name in same} | {
        "d_mlp": shape["d_mlp"] or None,
        "activation": WRITTEN.get(shape["activation"], "gelu_new"),
    }


def norm(ours: str, theirs: str, *, bias: bool) -> Table:
    """A norm's weight and, for a LayerNorm, its bias."""
    return {f"{ours}.{part}": Take(f"{theirs}.{part}") for part in (("weight", "bias") if bias else ("weight",))}
