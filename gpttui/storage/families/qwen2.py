"""Qwen2 and Qwen2.5 (Yang et al. 2024): Llama with biases on queries, keys and values."""

from typing import Annotated

from msgspec import Meta

from gpttui.storage.families.family import MODERN_NAMES, Shape, Size
from gpttui.storage.families.llama import Llama


class Qwen2(Llama, frozen=True, kw_only=True, rename=MODERN_NAMES):
    MODEL_TYPE = "qwen2"
    CLASS = "Qwen2ForCausalLM"

    context: Size = 32_768
    d_mlp: Size = 22_016
    n_kv_head: Size | None = 32
    use_sliding_window: bool = False
    sliding_window: Size | None = 4096
    max_window_layers: Annotated[int, Meta(ge=0)] = 28
    layer_types: tuple[str, ...] | None = None

    def shape(self) -> Shape:
        return super().shape() | {"qkv_bias": True, "windows": self.windows()}

    def windows(self) -> tuple[int, ...]:
        """Of each layer; the first `max_window_layers` see everything, unless `layer_types` says which."""
        if not self.use_sliding_window or self.sliding_window is None:
            return ()
        kinds = self.layer_types or tuple(
            "full_attention" if layer < self.max_window_layers else "sliding_attention" for layer in range(self.n_layer)
        )
        return tuple(self.sliding_window if kind == "sliding_attention" else 0 for kind in kinds)
