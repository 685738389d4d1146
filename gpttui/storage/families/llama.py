"""Llama (Touvron et al. 2023): RMSNorm, rotary positions, SwiGLU, grouped queries. SmolLM2 and TinyLlama are Llamas."""

from typing import Any, Self

from gpttui.storage.families.family import (
    MODERN_NAMES,
    WRITTEN_GATED,
    Base,
    Family,
    Shape,
    Share,
    Size,
    gated,
    norm,
    rotary,
)
from gpttui.storage.families.ops import Table, Take, Zeros, qkv


class Llama(Family, frozen=True, kw_only=True, rename=MODERN_NAMES):
    MODEL_TYPE = "llama"
    CLASS = "LlamaForCausalLM"

    vocab_size: Size = 32_000
    n_layer: Size = 32
    n_head: Size = 32
    d_model: Size = 4096
    context: Size = 2048
    d_mlp: Size = 11008
    n_kv_head: Size | None = None
    head_size: Size | None = None
    norm_eps: Share = 1e-6
    activation: str = "silu"
    tied: bool = False
    attention_bias: bool = False
    mlp_bias: bool = False
    rope_theta: Base | None = None
    rope_scaling: dict[str, Any] | None = None
    rope_parameters: dict[str, Any] | None = None

    def biased(self) -> tuple[bool, bool]:
        """Whether attention and MLPs have biases."""
        return self.attention_bias, self.mlp_bias

    def shape(self) -> Shape:
        return {
            **self.same(),
            "norm": "rmsnorm",
            "positions": "rope",
            "activation": gated(self.activation),
            "bias": any(self.biased()),
            **rotary(self.rope_parameters, self.rope_scaling, self.rope_theta),
        }

    def ends(self) -> Table:
        return {
            "transformer.wte.weight": Take("model.embed_tokens.weight"),
            "transformer.ln_f.weight": Take("model.norm.weight"),
            "lm_head.weight": Take("lm_head.weight"),
        }

    def block(self, layer: int) -> Table:
        at = f"model.layers.{layer}."
        found: Table = {
            **norm("ln_1", at + "input_layernorm", bias=False),
            **norm("ln_2", at + "post_attention_layernorm", bias=False),
        }
        for part in ("weight", "bias"):
            found |= {
                f"attn.c_attn.{part}": qkv(at + "self_attn.", part),
                f"attn.c_proj.{part}": Take(f"{at}self_attn.o_proj.{part}"),
                f"mlp.c_fc.{part}": Take(f"{at}mlp.gate_proj.{part}"),
                f"mlp.c_gate.{part}": Take(f"{at}mlp.up_proj.{part}"),
                f"mlp.c_proj.{part}": Take(f"{at}mlp.down_proj.{part}"),
            }
        biased = dict(zip(("attn", "mlp"), self.biased(), strict=True))
        lacking = [part for part in biased if any(biased.values()) and not biased[part]]
        names = [name for name in found if name.endswith(".bias") and name.startswith(tuple(lacking))]
        return found | {name: Zeros(found[name.replace(".bias", ".weight")]) for name in names}

    @classmethod
    def of(cls, shape: Shape) -> Self | None:
        return cls(**written_fields(shape), attention_bias=shape["qkv_bias"], mlp_bias=shape["bias"])


def written_fields(shape: Shape) -> Shape:
    """What the configs of Llama and its relatives say of a shape."""
    bases = set(shape["rope_bases"]) - {0.0}
    same = ("vocab_size", "context", "n_layer", "n_head", "n_kv_head", "head_size", "d_model", "d_mlp", "tied")
    return {name: shape[name] for name in (*same, "norm_eps")} | {
        "activation": WRITTEN_GATED.get(shape["activation"], "silu"),
        "rope_parameters": written_rotary(next(iter(bases), shape["rope_base"]), shape["rope_scaling"]),
    }


def written_rotary(base: float, scaling: tuple[float, ...] | None = None) -> Shape:
    """`rope_parameters` of a config."""
    parameters: Shape = {"rope_type": "default", "rope_theta": base}
    if scaling is not None:
        names = ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings")
        parameters |= dict(zip(names, scaling, strict=True)) if scaling[-1] else {"factor": scaling[0]}
        parameters["rope_type"] = "llama3" if scaling[-1] else "linear"
    return parameters
