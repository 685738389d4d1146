"""GPT-2 (Radford et al. 2019): what `GPTConfig` is without any switch. Matrices are stored `[in, out]`."""

import math
from typing import Any

from gpttui.storage.families.family import Family, Shape, Share, Size, activation, norm
from gpttui.storage.families.ops import Op, Table, Take, Times, Transposed

NAMES = {
    "context": "n_positions",
    "d_model": "n_embd",
    "d_mlp": "n_inner",
    "norm_eps": "layer_norm_epsilon",
    "activation": "activation_function",
    "tied": "tie_word_embeddings",
}
WRITTEN_ACTIVATIONS = {
    "gelu_tanh": "gelu_new", "gelu": "gelu", "relu": "relu", "silu": "silu", "gelu_quick": "quick_gelu",
}  # fmt: skip
OF_GPT2: Shape = {
    "norm": "layernorm", "norm_place": "before", "parallel": False, "positions": "learned", "windows": (),
    "embed_scale": 1.0, "bias": True, "qkv_bias": None, "qk_norm": False,
}  # fmt: skip
"""What sets GPT-2's shape apart from others, in the words of `GPTConfig`."""


class GPT2(Family, frozen=True, kw_only=True, rename=NAMES):
    MODEL_TYPE = "gpt2"
    CLASS = "GPT2LMHeadModel"
    PREFIX = "transformer."
    SKIPPED = r"\.attn\.(masked_)?bias$"

    vocab_size: Size
    n_layer: Size
    n_head: Size
    d_model: Size
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
            raise ValueError("cross attention needs an encoder; gpttui opens decoders only")
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
    def of(cls, shape: Shape) -> "Family | None":
        plain = all(shape[name] == value for name, value in OF_GPT2.items()) and shape["d_mlp"] != 0
        free = shape["head_size"] not in (None, shape["d_model"] // shape["n_head"])
        if not plain or free or shape["kv_heads"] != shape["n_head"] or shape["activation"] not in WRITTEN_ACTIVATIONS:
            return None
        same = ("vocab_size", "context", "n_layer", "n_head", "d_model", "d_mlp", "norm_eps", "tied")
        activation_ = WRITTEN_ACTIVATIONS[shape["activation"]]
        return cls(**{name: shape[name] for name in same}, activation=activation_, resid_pdrop=shape["dropout"])

    def written(self) -> dict[str, Any]:
        more = {"n_ctx": self.context, "attn_pdrop": self.resid_pdrop, "embd_pdrop": self.resid_pdrop}
        return super().written() | more | {"bos_token_id": None, "eos_token_id": None}
