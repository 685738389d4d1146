"""OLMo 2 (Walsh et al. 2025): norms behind attention and MLP only; all heads' queries normalised as one, keys too."""

from typing import Self

from gpttui.storage.families.family import MODERN_NAMES, Shape, Share, Size, norm
from gpttui.storage.families.llama import Llama, written_fields
from gpttui.storage.families.ops import Table


class Olmo2(Llama, frozen=True, kw_only=True, rename=MODERN_NAMES):
    MODEL_TYPE = "olmo2"
    CLASS = "Olmo2ForCausalLM"

    vocab_size: Size = 50_304
    norm_eps: Share = 1e-5

    def biased(self) -> tuple[bool, bool]:
        return self.attention_bias, False

    def shape(self) -> Shape:
        return super().shape() | {"norm_place": "after", "qk_norm": True, "qk_weight": "projection"}

    def block(self, layer: int) -> Table:
        at = f"model.layers.{layer}."
        table = {ours: op for ours, op in super().block(layer).items() if not ours.startswith("ln_")}
        return table | {
            **norm("ln_1_post", at + "post_attention_layernorm", bias=False),
            **norm("ln_2_post", at + "post_feedforward_layernorm", bias=False),
            **norm("attn.q_norm", at + "self_attn.q_norm", bias=False),
            **norm("attn.k_norm", at + "self_attn.k_norm", bias=False),
        }

    @classmethod
    def of(cls, shape: Shape) -> Self | None:
        return cls(**written_fields(shape), attention_bias=shape["bias"])
