"""GPT-2 (Radford et al. 2019): what `GPTConfig` is without any switch. Matrices are stored `[in, out]`."""

import math
from typing import Any, Self

from gpttui.storage.families.family import Family, NotComputed, Shape, Share, Size, activation, norm, plain_fields
from gpttui.storage.families.ops import Op, Table, Take, Times, Transposed

NAMES = {
    "context": "n_positions",
    "d_model": "n_embd",
    "d_mlp": "n_inner",
    "norm_eps": "layer_norm_epsilon",
    "activation": "activation_function",
    "tied": "tie_word_embeddings",
}


class GPT2(Family, frozen=True, kw_only=True, rename=NAMES):
    MODEL_TYPE = "gpt2"
    CLASS = "GPT2LMHeadModel"
    PREFIX = "transformer."
    SKIPPED = r"\.attn\.(masked_)?bias$"

    vocab_size: Size = 50_257
    n_layer: Size = 12
    n_head: Size = 12
    d_model: Size = 768
    context: Size = 1024
    d_mlp: Size | None = None
    norm_eps: Share = 1e-5
    activation: str = "gelu_new"
    tied: bool = True
    scale_attn_weights: bool = True
    scale_attn_by_inverse_layer_idx: bool = False
    add_cross_attention: bool = False
    resid_pdrop: Share = 0.0
    """Written for `transformers`; what is trained on from here says its own dropout."""

    def shape(self) -> Shape:
        if self.add_cross_attention:
            raise NotComputed("cross attention, which needs an encoder")
        return {
            **self.same(),
            "activation": activation(self.activation),
        }

    def ends(self) -> Table:
        return {
            "transformer.wte.weight": Take("transformer.wte.weight"),
            "transformer.wpe.weight": Take("transformer.wpe.weight"),
            **norm("transformer.ln_f", "transformer.ln_f", bias=True),
            "lm_head.weight": Take("lm_head.weight"),
        }

    def block(self, layer: int) -> Table:
        at = f"transformer.h.{layer}."
        found: Table = norm("ln_1", at + "ln_1", bias=True) | norm("ln_2", at + "ln_2", bias=True)
        for name in ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"):
            found |= {f"{name}.weight": self.matrix(f"{at}{name}.weight"), f"{name}.bias": Take(f"{at}{name}.bias")}
        scale = math.sqrt(self.d_model // self.n_head) if not self.scale_attn_weights else 1.0
        scale /= layer + 1 if self.scale_attn_by_inverse_layer_idx else 1
        if scale != 1:
            for part in ("weight", "bias"):
                found[f"attn.c_attn.{part}"] = Times(found[f"attn.c_attn.{part}"], scale, rows=self.d_model)
        return found

    def matrix(self, name: str) -> Op:
        """A matrix of a block."""
        return Transposed(Take(name))

    @classmethod
    def of(cls, shape: Shape) -> Self | None:
        inner = None if shape["d_mlp"] == 4 * shape["d_model"] else shape["d_mlp"] or None
        return cls(**plain_fields(shape) | {"d_mlp": inner, "resid_pdrop": shape["dropout"]})

    def written(self) -> dict[str, Any]:
        more = {"n_ctx": self.context, "attn_pdrop": self.resid_pdrop, "embd_pdrop": self.resid_pdrop}
        return super().written() | more
