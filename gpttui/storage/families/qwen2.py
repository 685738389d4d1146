"""Qwen2 and Qwen2.5 (Yang et al. 2024): Llama with biases on queries, keys and values."""

from typing import Annotated, Self

from msgspec import Meta

from gpttui.storage.families.family import FULL, LOCAL, MODERN_NAMES, Shape, Size, layer_types
from gpttui.storage.families.llama import Llama, written_fields


class Qwen2(Llama, frozen=True, kw_only=True, rename=MODERN_NAMES):
    MODEL_TYPE = "qwen2"
    CLASS = "Qwen2ForCausalLM"

    vocab_size: Size = 151_936
    context: Size = 32_768
    d_mlp: Size = 22_016
    n_kv_head: Size | None = 32
    use_sliding_window: bool = False
    sliding_window: Size | None = 4096
    max_window_layers: Annotated[int, Meta(ge=0)] = 28
    layer_types: tuple[str, ...] | None = None

    def biased(self) -> tuple[bool, bool]:
        return False, False

    def shape(self) -> Shape:
        return super().shape() | {"qkv_bias": True, "windows": self.windows()}

    def windows(self) -> tuple[int, ...]:
        """Of each layer; the first `max_window_layers` see everything, unless `layer_types` says which."""
        if not self.use_sliding_window or self.sliding_window is None:
            return ()
        kinds = self.layer_types or tuple(
            FULL if layer < self.max_window_layers else LOCAL for layer in range(self.n_layer)
        )
        return tuple(self.sliding_window if kind == LOCAL else 0 for kind in kinds)

    @classmethod
    def of(cls, shape: Shape) -> Self | None:
        size = max(shape["windows"])
        windows = {"use_sliding_window": size > 0, "sliding_window": size or None}
        biases = {"attention_bias": shape["bias"]}
        return cls(**written_fields(shape), **windows, **biases, layer_types=layer_types(shape))
