"""OPT (Zhang et al. 2022): GPT-2 with ReLU, and positions that begin two rows down. Not OPT-350m, whose norms stand
after."""

from gpttui.storage.families.family import MODERN_NAMES, Family, NotComputed, Shape, Size, activation, norm
from gpttui.storage.families.ops import From, Table, Take, qkv

NAMES = MODERN_NAMES | {"d_mlp": "ffn_dim", "activation": "activation_function"}


class OPT(Family, frozen=True, kw_only=True, rename=NAMES):
    MODEL_TYPE = "opt"
    CLASS = "OPTForCausalLM"
    PREFIX = "model."

    vocab_size: Size = 50_272
    n_layer: Size = 12
    n_head: Size = 12
    d_model: Size = 768
    context: Size = 2048
    d_mlp: Size = 3072
    activation: str = "relu"
    tied: bool = True
    do_layer_norm_before: bool = True
    word_embed_proj_dim: Size | None = None
    enable_bias: bool = True
    layer_norm_elementwise_affine: bool = True
    remove_final_layer_norm: bool = False

    def shape(self) -> Shape:
        if not self.do_layer_norm_before:
            raise NotComputed("LayerNorms behind attention and MLPs (OPT-350m)")
        if self.word_embed_proj_dim not in (None, self.d_model):
            raise NotComputed("embeddings of another width than the stream")
        if not (self.enable_bias and self.layer_norm_elementwise_affine) or self.remove_final_layer_norm:
            raise NotComputed("blocks without biases or norms")
        return {
            **self.same(),
            "activation": activation(self.activation),
        }

    def ends(self) -> Table:
        return {
            "transformer.wte.weight": Take("model.decoder.embed_tokens.weight"),
            "transformer.wpe.weight": From(Take("model.decoder.embed_positions.weight"), 2),
            **norm("transformer.ln_f", "model.decoder.final_layer_norm", bias=True),
            "lm_head.weight": Take("lm_head.weight"),
        }

    def block(self, layer: int) -> Table:
        at = f"model.decoder.layers.{layer}."
        found: Table = {
            **norm("ln_1", at + "self_attn_layer_norm", bias=True),
            **norm("ln_2", at + "final_layer_norm", bias=True),
        }
        for part in ("weight", "bias"):
            found |= {
                f"attn.c_attn.{part}": qkv(at + "self_attn.", part),
                f"attn.c_proj.{part}": Take(f"{at}self_attn.out_proj.{part}"),
                f"mlp.c_fc.{part}": Take(f"{at}fc1.{part}"),
                f"mlp.c_proj.{part}": Take(f"{at}fc2.{part}"),
            }
        return found
