"""GPT-NeoX and Pythia (Black et al. 2022; Biderman et al. 2023): parallel blocks, a quarter of each head rotated."""

from typing import Annotated, Any

from msgspec import Meta

from gpttui.storage.families.family import MODERN_NAMES, Base, Family, Shape, Share, Size, activation, norm, rotary
from gpttui.storage.families.ops import Table, Take, Unwoven


class GPTNeoX(Family, frozen=True, kw_only=True, rename=MODERN_NAMES | {"norm_eps": "layer_norm_eps"}):
    MODEL_TYPE = "gpt_neox"
    CLASS = "GPTNeoXForCausalLM"
    PREFIX = "gpt_neox."
    SKIPPED = r"attention\.(masked_)?bias$|inv_freq$"

    vocab_size: Size
    n_layer: Size
    n_head: Size
    d_model: Size
    context: Size = 2048
    d_mlp: Size = 24_576
    norm_eps: Share = 1e-5
    activation: str = "gelu"
    tied: bool = False
    use_parallel_residual: bool = True
    attention_bias: bool = True
    rotary_pct: Annotated[float, Meta(gt=0, le=1)] = 0.25
    rotary_emb_base: Base | None = None
    rope_theta: Base | None = None
    rope_scaling: dict[str, Any] | None = None
    rope_parameters: dict[str, Any] | None = None

    def shape(self) -> Shape:
        if not self.attention_bias:
            raise ValueError("attention without biases beside an MLP with them is not computed")
        share = (self.rope_parameters or {}).get("partial_rotary_factor", self.rotary_pct)
        return {
            **self.same(),
            "positions": "rope",
            "rotary_share": float(share),
            "activation": activation(self.activation),
            "parallel": self.use_parallel_residual,
            **rotary(self.rope_parameters, self.rope_scaling, self.rope_theta or self.rotary_emb_base),
        }

    def ends(self) -> Table:
        return {
            "transformer.wte.weight": Take("gpt_neox.embed_in.weight"),
            **norm("transformer.ln_f", "gpt_neox.final_layer_norm", bias=True),
            "lm_head.weight": Take("embed_out.weight"),
        }

    def block(self, layer: int) -> Table:
        at = f"gpt_neox.layers.{layer}."
        found: Table = {
            **norm("ln_1", at + "input_layernorm", bias=True),
            **norm("ln_2", at + "post_attention_layernorm", bias=True),
        }
        for part in ("weight", "bias"):
            found |= {
                f"attn.c_attn.{part}": Unwoven(Take(f"{at}attention.query_key_value.{part}"), self.n_head),
                f"attn.c_proj.{part}": Take(f"{at}attention.dense.{part}"),
                f"mlp.c_fc.{part}": Take(f"{at}mlp.dense_h_to_4h.{part}"),
                f"mlp.c_proj.{part}": Take(f"{at}mlp.dense_4h_to_h.{part}"),
            }
        return found
