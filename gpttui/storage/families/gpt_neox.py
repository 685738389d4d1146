"""GPT-NeoX and Pythia (Black et al. 2022; Biderman et al. 2023): parallel blocks, a quarter of each head rotated."""

from typing import Annotated, Any, Self

from msgspec import Meta

from gpttui.storage.families.family import (
    MODERN_NAMES,
    Base,
    Family,
    Shape,
    Share,
    Size,
    activation,
    norm,
    plain_fields,
    rotary,
)
from gpttui.storage.families.llama import written_rotary
from gpttui.storage.families.ops import Op, Table, Take, Unwoven, Zeros


class GPTNeoX(Family, frozen=True, kw_only=True, rename=MODERN_NAMES | {"norm_eps": "layer_norm_eps"}):
    MODEL_TYPE = "gpt_neox"
    CLASS = "GPTNeoXForCausalLM"
    PREFIX = "gpt_neox."
    SKIPPED = r"attention\.(masked_)?bias$|inv_freq$"

    vocab_size: Size = 50_432
    n_layer: Size = 44
    n_head: Size = 64
    d_model: Size = 6144
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
                f"attn.c_attn.{part}": Unwoven(self.attention(f"{at}attention.query_key_value", part), self.n_head),
                f"attn.c_proj.{part}": self.attention(f"{at}attention.dense", part),
                f"mlp.c_fc.{part}": Take(f"{at}mlp.dense_h_to_4h.{part}"),
                f"mlp.c_proj.{part}": Take(f"{at}mlp.dense_4h_to_h.{part}"),
            }
        return found

    def attention(self, name: str, part: str) -> Op:
        """A matrix of attention, or its bias."""
        return Zeros(Take(f"{name}.weight")) if part == "bias" and not self.attention_bias else Take(f"{name}.{part}")

    @classmethod
    def of(cls, shape: Shape) -> Self | None:
        bases = [base for base in shape["rope_bases"] if base]
        rotations = written_rotary(bases[0] if bases else 1.0, shape["rope_scaling"])
        return cls(
            **plain_fields(shape),
            rotary_pct=shape["rotary_share"],
            rope_parameters=rotations | {"partial_rotary_factor": shape["rotary_share"]},
            use_parallel_residual=shape["parallel"],
        )
