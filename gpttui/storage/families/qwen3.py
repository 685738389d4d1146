"""Qwen3 (Yang et al. 2025): Llama with a free head size and weighted QK-norm."""

from gpttui.storage.families.family import MODERN_NAMES, Shape, Size, norm
from gpttui.storage.families.ops import Table
from gpttui.storage.families.qwen2 import Qwen2


class Qwen3(Qwen2, frozen=True, kw_only=True, rename=MODERN_NAMES):
    MODEL_TYPE = "qwen3"
    CLASS = "Qwen3ForCausalLM"

    head_size: Size | None = 128

    def biased(self) -> tuple[bool, bool]:
        return self.attention_bias, False

    def shape(self) -> Shape:
        return super().shape() | {"qk_norm": True, "qk_weight": "head", "qkv_bias": None}

    def block(self, layer: int) -> Table:
        at = f"model.layers.{layer}.self_attn."
        more = norm("attn.q_norm", at + "q_norm", bias=False) | norm("attn.k_norm", at + "k_norm", bias=False)
        return super().block(layer) | more
