"""Our own dialect: every field of `GPTConfig` by its name, every tensor by ours. For shapes of no other program."""

from collections.abc import Collection
from typing import Annotated, Any, Literal, Self

import msgspec
from msgspec import Meta

from gpttui.storage.families.family import LARGEST, Base, Family, Shape, Share, Size
from gpttui.storage.families.ops import Table, Take

FORMAT = 1
"""Version of the dialect; a larger one in a file means: written by a newer gpttui."""


class Own(Family, frozen=True, kw_only=True, omit_defaults=True):
    MODEL_TYPE = "gpttui"
    PREFIX = "transformer."

    n_kv_head: Size | None = None
    head_size: Size | None = None
    d_mlp: Annotated[int, Meta(ge=0, le=LARGEST)] | None = None
    norm: Literal["layernorm", "rmsnorm"] = "layernorm"
    norm_eps: Share = 1e-5
    norm_place: Literal["before", "after", "both"] = "before"
    parallel: bool = False
    positions: Literal["learned", "rope", "none"] = "learned"
    rope_base: Base = 10_000.0
    rope_bases: tuple[Annotated[float, Meta(ge=0, lt=1e30)], ...] = ()
    rope_scaling: tuple[float, float, float, int] | None = None
    rotary_share: Annotated[float, Meta(gt=0, le=1)] = 1.0
    windows: tuple[Annotated[int, Meta(ge=0, le=LARGEST)], ...] = ()
    embed_scale: Annotated[float, Meta(gt=0, lt=1e6)] = 1.0
    activation: Literal["gelu", "gelu_tanh", "gelu_quick", "silu", "relu", "relu2", "swiglu", "geglu", "reglu"] = (
        "gelu_tanh"
    )
    qk_norm: bool = False
    qk_gain: bool = False
    qk_weight: Literal["none", "head", "projection"] = "none"
    logit_cap: Annotated[float, Meta(ge=0, lt=1e6)] = 0.0
    bias: bool = True
    qkv_bias: bool | None = None
    tied: bool = True
    zero_init_outputs: bool = False
    dropout: Share = 0.0
    pattern_dropout: Annotated[float, Meta(ge=0, le=1)] | None = None

    @property
    def arch(self) -> str:
        return "modern" if self.norm == "rmsnorm" else "gpttui"

    def shape(self) -> Shape:
        return msgspec.structs.asdict(self)

    def tables(self, stored: Collection[str]) -> Table:
        return {name: Take(name) for name in stored}

    @classmethod
    def of(cls, shape: Shape) -> Self:
        return cls(**{field.name: shape[field.name] for field in msgspec.structs.fields(cls)})

    def written(self) -> dict[str, Any]:
        return {"model_type": self.MODEL_TYPE, "format": FORMAT, **msgspec.to_builtins(self)}
