"""GPT-BigCode and SantaCoder (Ben Allal et al. 2023): GPT-2 with one key and value head, matrices `[out, in]`."""

from typing import Self

from gpttui.storage.families.family import Shape, plain_fields
from gpttui.storage.families.gpt2 import GPT2, NAMES
from gpttui.storage.families.ops import Op, Table, Take, Unwoven


class GPTBigCode(GPT2, frozen=True, kw_only=True, rename=NAMES):
    MODEL_TYPE = "gpt_bigcode"
    CLASS = "GPTBigCodeForCausalLM"

    activation: str = "gelu_pytorch_tanh"
    multi_query: bool = True

    def shape(self) -> Shape:
        return super().shape() | {"n_kv_head": 1 if self.multi_query else None}

    def block(self, layer: int) -> Table:
        found = super().block(layer)
        if not self.multi_query:
            for part in ("weight", "bias"):
                found[f"attn.c_attn.{part}"] = Unwoven(found[f"attn.c_attn.{part}"], self.n_head)
        return found

    @classmethod
    def of(cls, shape: Shape) -> Self | None:
        return cls(**plain_fields(shape), multi_query=shape["n_kv_head"] == 1)

    def matrix(self, name: str) -> Op:
        return Take(name)
