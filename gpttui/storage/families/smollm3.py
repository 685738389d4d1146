"""SmolLM3 (Bakouch et al. 2025): Llama whose every fourth layer does not rotate."""

from typing import Annotated, Self

import msgspec
from msgspec import Meta

from gpttui.storage.families.family import MODERN_NAMES, Shape, Size
from gpttui.storage.families.qwen2 import Qwen2


class SmolLM3(Qwen2, frozen=True, kw_only=True, rename=MODERN_NAMES):
    MODEL_TYPE = "smollm3"
    CLASS = "SmolLM3ForCausalLM"

    vocab_size: Size = 128_256
    n_layer: Size = 36
    n_head: Size = 16
    d_model: Size = 2048
    d_mlp: Size = 11_008
    n_kv_head: Size | None = 4
    tied: bool = True
    no_rope_layers: tuple[int, ...] | None = None
    """1 where a layer rotates."""
    no_rope_layer_interval: Annotated[int, Meta(ge=1)] = 4

    def biased(self) -> tuple[bool, bool]:
        return self.attention_bias, self.mlp_bias

    def shape(self) -> Shape:
        shape = super().shape()
        if self.rope_parameters is None and self.rope_theta is None:
            shape["rope_base"] = 2_000_000.0
        turns = self.no_rope_layers or tuple(
            int((layer + 1) % self.no_rope_layer_interval != 0) for layer in range(self.n_layer)
        )
        bases = tuple(shape["rope_base"] if turn else 0.0 for turn in turns)
        return shape | {"qkv_bias": None, "rope_bases": bases}

    @classmethod
    def of(cls, shape: Shape) -> Self | None:
        plain = super().of(shape)
        return plain and msgspec.structs.replace(plain, no_rope_layers=tuple(int(b > 0) for b in shape["rope_bases"]))
