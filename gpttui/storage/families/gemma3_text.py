"""Gemma 3, its text part (Gemma Team 2025): norms before and after, windows in five layers of six, weighted QK-norm.

Norms are stored less one; the scale of scores is not 1 / sqrt(D), and is folded into the queries' norm.
"""

import math
from typing import Annotated, Any, Self

from msgspec import Meta

from gpttui.storage.families.family import (
    FULL,
    LOCAL,
    MODERN_NAMES,
    NotComputed,
    Shape,
    Size,
    layer_types,
    norm,
    rotary,
)
from gpttui.storage.families.llama import Llama, written_fields, written_rotary
from gpttui.storage.families.ops import Plus, Table, Take, Times


class Gemma3(Llama, frozen=True, kw_only=True, rename=MODERN_NAMES | {"activation": "hidden_activation"}):
    MODEL_TYPE = "gemma3_text"
    CLASS = "Gemma3ForCausalLM"

    vocab_size: Size = 262_208
    d_model: Size = 2304
    d_mlp: Size = 9216
    n_layer: Size = 26
    n_head: Size = 8
    n_kv_head: Size | None = 4
    head_size: Size | None = 256
    context: Size = 131_072
    activation: str = "gelu_pytorch_tanh"
    tied: bool = True
    query_pre_attn_scalar: Annotated[float, Meta(gt=0)] = 256.0
    sliding_window: Size = 4096
    layer_types: tuple[str, ...] | None = None
    sliding_window_pattern: Size = 6
    rope_local_base_freq: Annotated[float, Meta(gt=0, lt=1e30)] = 10_000.0
    final_logit_softcapping: Annotated[float, Meta(gt=0)] | None = None
    attn_logit_softcapping: float | None = None

    def shape(self) -> Shape:
        if self.attn_logit_softcapping is not None:
            raise NotComputed("soft-capped scores")
        kinds = self.layer_types or tuple(
            LOCAL if (layer + 1) % self.sliding_window_pattern else FULL for layer in range(self.n_layer)
        )
        bases = self.bases()
        shape = super().shape() | bases[FULL]
        local = bases[LOCAL]["rope_base"]
        return shape | {
            "norm_place": "both",
            "qk_norm": True,
            "qk_weight": "head",
            "embed_scale": math.sqrt(self.d_model),
            "windows": tuple(self.sliding_window if kind == LOCAL else 0 for kind in kinds),
            "logit_cap": self.final_logit_softcapping or 0.0,
            "rope_bases": tuple(local if kind == LOCAL else shape["rope_base"] for kind in kinds),
        }

    def bases(self) -> dict[str, Shape]:
        """Rotations of the two kinds of layers, from either of transformers' ways to say them."""
        given: dict[str, Any] = self.rope_parameters or {}
        if FULL in given or LOCAL in given:
            return {kind: rotary(given.get(kind), None, None) for kind in (FULL, LOCAL)}
        return {
            FULL: rotary(self.rope_parameters, self.rope_scaling, self.rope_theta or 1_000_000.0),
            LOCAL: rotary(None, None, self.rope_local_base_freq),
        }

    def biased(self) -> tuple[bool, bool]:
        return self.attention_bias, False

    def ends(self) -> Table:
        return super().ends() | {"transformer.ln_f.weight": Plus(Take("model.norm.weight"), 1.0)}

    def block(self, layer: int) -> Table:
        at = f"model.layers.{layer}."
        scale = math.sqrt((self.head_size or self.d_model // self.n_head) / self.query_pre_attn_scalar)
        norms = {
            **norm("ln_1", at + "input_layernorm", bias=False),
            **norm("ln_1_post", at + "post_attention_layernorm", bias=False),
            **norm("ln_2", at + "pre_feedforward_layernorm", bias=False),
            **norm("ln_2_post", at + "post_feedforward_layernorm", bias=False),
            **norm("attn.q_norm", at + "self_attn.q_norm", bias=False),
            **norm("attn.k_norm", at + "self_attn.k_norm", bias=False),
        }
        table = super().block(layer) | {ours: Plus(op, 1.0) for ours, op in norms.items()}
        return table | {"attn.q_norm.weight": Times(table["attn.q_norm.weight"], scale)}

    @classmethod
    def of(cls, shape: Shape) -> Self | None:
        bases = dict(zip(layer_types(shape), shape["rope_bases"], strict=True))
        rotations = {
            FULL: written_rotary(bases.get(FULL, 1_000_000.0), shape["rope_scaling"]),
            LOCAL: written_rotary(bases.get(LOCAL, 10_000.0)),
        }
        return cls(
            **written_fields(shape) | {"rope_parameters": rotations},
            attention_bias=shape["bias"],
            layer_types=layer_types(shape),
            sliding_window=max(shape["windows"]) or 4096,
            query_pre_attn_scalar=shape["head_size"],
            final_logit_softcapping=shape["logit_cap"] or None,
        )
