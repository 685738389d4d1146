"""Llama (Touvron et al. 2023): RMSNorm, rotary positions, SwiGLU, grouped queries. SmolLM2 and TinyLlama are Llamas."""

from typing import Any

from gpttui.storage.families.family import (
    MODERN_NAMES,
    Base,
    Family,
    Shape,
    Share,
    Size,
    gated,
    norm,
    rotary,
)
from gpttui.storage.families.ops import Table, Take, qkv


class Llama(Family, frozen=True, kw_only=True, rename=MODERN_NAMES):
    MODEL_TYPE = "llama"
    CLASS = "LlamaForCausalLM"

    vocab_size: Size
    n_layer: Size
    n_head: Size
    d_model: Size
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

    def shape(self) -> Shape:
        if self.attention_bias != self.mlp_bias:
            raise ValueError("biases in attention or MLP alone are not computed")
        return {
            **self.same(),
            "norm": "rmsnorm",
            "positions": "rope",
            "activation": gated(self.activation),
            "bias": self.mlp_bias,
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
        return found

    @classmethod
    def of(cls, shape: Shape) -> "Family | None":
        fits = plain_modern(shape) and not shape["qk_norm"] and shape["qkv_bias"] in (None, shape["bias"])
        return cls(**written_fields(shape)) if fits and shape["activation"] == "swiglu" else None


def plain_modern(shape: Shape) -> bool:
    """Whether a shape is Llama's but for its activation, its biases and QK-norm."""
    plain = {
        "norm": "rmsnorm", "norm_place": "before", "parallel": False, "positions": "rope", "rope_bases": (),
        "rotary_share": 1.0, "windows": (), "embed_scale": 1.0,
    }  # fmt: skip
    return shape["d_mlp"] != 0 and all(shape[name] == value for name, value in plain.items())


def written_fields(shape: Shape) -> Shape:
    """A config's fields for a shape that is `plain_modern`."""
    scaling = shape["rope_scaling"]
    parameters: dict[str, Any] = {"rope_type": "default", "rope_theta": shape["rope_base"]}
    if scaling is not None:
        factor, *_, context = scaling
        names = ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings")
        parameters |= dict(zip(names, scaling, strict=True)) if context else {"factor": factor}
        parameters["rope_type"] = "llama3" if context else "linear"
    same = ("vocab_size", "context", "n_layer", "n_head", "d_model", "norm_eps", "tied")
    return {name: shape[name] for name in same} | {
        "d_mlp": shape["mlp_width"],
        "n_kv_head": shape["kv_heads"],
        "head_size": shape["d_head"],
        "activation": "silu",
        "attention_bias": shape["bias"],
        "mlp_bias": shape["bias"],
        "rope_parameters": parameters,
    }
