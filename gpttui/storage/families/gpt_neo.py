"""GPT-Neo and TinyStories (Black et al. 2021): GPT-2 with windows in every other layer, scores not scaled."""

import math
from typing import Any, Self

from gpttui.storage.families.family import Family, Shape, Share, Size, activation, norm, plain_fields
from gpttui.storage.families.ops import Table, Take, qkv

NAMES = {
    "context": "max_position_embeddings",
    "n_layer": "num_layers",
    "n_head": "num_heads",
    "d_model": "hidden_size",
    "d_mlp": "intermediate_size",
    "norm_eps": "layer_norm_epsilon",
    "activation": "activation_function",
    "tied": "tie_word_embeddings",
}


class GPTNeo(Family, frozen=True, kw_only=True, rename=NAMES):
    MODEL_TYPE = "gpt_neo"
    CLASS = "GPTNeoForCausalLM"
    PREFIX = "transformer."
    SKIPPED = r"attention\.(masked_)?bias$"

    vocab_size: Size = 50_257
    n_layer: Size = 24
    n_head: Size = 16
    d_model: Size = 2048
    context: Size = 2048
    d_mlp: Size | None = None
    norm_eps: Share = 1e-5
    activation: str = "gelu_new"
    tied: bool = True
    window_size: Size = 256
    attention_types: list[Any] | None = None
    """Pairs of kinds and how often they follow one another: `[[["global", "local"], 12]]`."""

    def shape(self) -> Shape:
        kinds = self.kinds()
        return {
            **self.same(),
            "activation": activation(self.activation),
            "qkv_bias": False,
            "windows": tuple(self.window_size if kind == "local" else 0 for kind in kinds),
        }

    def kinds(self) -> list[str]:
        """Of each layer: global or local. Raises ValueError."""
        try:
            pairs = self.attention_types or [[["global", "local"], -(-self.n_layer // 2)]]
            found = [str(kind) for names, times in pairs for _ in range(min(int(times), 10_000)) for kind in names]
        except (TypeError, ValueError) as error:
            raise ValueError("attention_types is no list of kinds and counts") from error
        found = found if self.attention_types else found[: self.n_layer]
        if len(found) != self.n_layer or not set(found) <= {"global", "local"}:
            raise ValueError(f"attention_types names {len(found)} layers of {self.n_layer}")
        return found

    def ends(self) -> Table:
        return {
            "transformer.wte.weight": Take("transformer.wte.weight"),
            "transformer.wpe.weight": Take("transformer.wpe.weight"),
            **norm("transformer.ln_f", "transformer.ln_f", bias=True),
            "lm_head.weight": Take("lm_head.weight"),
        }

    def block(self, layer: int) -> Table:
        at = f"transformer.h.{layer}."
        found: Table = {
            **norm("ln_1", at + "ln_1", bias=True),
            **norm("ln_2", at + "ln_2", bias=True),
            "attn.c_attn.weight": qkv(at + "attn.attention.", "weight", query=math.sqrt(self.d_model // self.n_head)),
        }
        for part in ("weight", "bias"):
            found |= {
                f"attn.c_proj.{part}": Take(f"{at}attn.attention.out_proj.{part}"),
                f"mlp.c_fc.{part}": Take(f"{at}mlp.c_fc.{part}"),
                f"mlp.c_proj.{part}": Take(f"{at}mlp.c_proj.{part}"),
            }
        return found

    @classmethod
    def of(cls, shape: Shape) -> Self | None:
        kinds = [[["local" if window else "global"], 1] for window in shape["windows"]]
        return cls(**plain_fields(shape), attention_types=kinds, window_size=max(shape["windows"]) or 256)
