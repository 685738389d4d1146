"""Mistral (Jiang et al. 2023): Llama whose queries see a window."""

from typing import Self

from gpttui.storage.families.family import MODERN_NAMES, Shape, Size
from gpttui.storage.families.llama import Llama, written_fields


class Mistral(Llama, frozen=True, kw_only=True, rename=MODERN_NAMES):
    MODEL_TYPE = "mistral"
    CLASS = "MistralForCausalLM"

    context: Size = 131_072
    d_mlp: Size = 14_336
    n_kv_head: Size | None = 8
    sliding_window: Size | None = 4096

    def biased(self) -> tuple[bool, bool]:
        return False, False

    def shape(self) -> Shape:
        seen = self.sliding_window if self.sliding_window is not None and self.sliding_window < self.context else 0
        return super().shape() | {"windows": (seen,) * self.n_layer if seen else ()}

    @classmethod
    def of(cls, shape: Shape) -> Self | None:
        return cls(**written_fields(shape), sliding_window=shape["windows"][0] or None)
