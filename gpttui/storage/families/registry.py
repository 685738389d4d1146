"""The families by the `model_type` of a config.json: a file in this folder each, found by its class's name for it.

A family is added by adding its file. What is known and not computed is refused in the words of `REFUSED`.
"""

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from gpttui.storage.families.family import Family
from gpttui.text import safe_text

FOLDER = Path(__file__).parent
SHARED = {"family", "ops", "registry"}
FILE_OF = {"gpttui": "own"}
"""Where the file is not called as the model type."""
INSIDE = {"gemma3": "gemma3_text"}
"""Model types whose language model is described in `text_config`."""

EXPERTS, RECURRENT = "a mixture of experts", "recurrent or convolutional layers"
ENCODER, BOTH_WAYS = "an encoder", "attention in both directions"
REFUSED = {
    **dict.fromkeys(("mixtral", "qwen2_moe", "qwen3_moe", "olmoe", "deepseek_v2", "deepseek_v3", "dbrx", "phimoe",
                     "granitemoe", "jamba", "llama4", "llama4_text", "grok", "arctic"), EXPERTS),
    **dict.fromkeys(("bloom", "mpt", "falcon"), "ALiBi positions or Falcon's blocks"),
    **dict.fromkeys(("mamba", "mamba2", "falcon_mamba", "rwkv", "recurrent_gemma", "rwkv7", "bamba", "zamba", "zamba2",
                     "lfm2", "lfm3", "qwen3_next", "nemotron_h", "xlstm", "falcon_h1", "olmo_hybrid", "kimi_linear"),
                    RECURRENT),
    **dict.fromkeys(("gemma3n", "gemma3n_text", "gemma4", "gemma4_text"), "embeddings for each layer"),
    **dict.fromkeys(("gpt_oss",), "a mixture of experts and attention sinks"),
    **dict.fromkeys(("gemma2", "vaultgemma"), "soft-capped scores"),
    **dict.fromkeys(("phi", "gptj", "codegen", "cohere", "cohere2"), "one norm for attention and MLP together"),
    **dict.fromkeys(("phi3", "glm", "glm4"), "fused gate and up projections"),
    **dict.fromkeys(("stablelm", "starcoder2", "nemotron", "persimmon"), "LayerNorms beside rotary positions"),
    **dict.fromkeys(("olmo3", "exaone4"), "norms behind attention together with windows"),
    **dict.fromkeys(("arcee", "apertus"), "MLPs without a gate beside RMSNorm"),
    **dict.fromkeys(("granite", "seed_oss", "helium", "ministral", "gemma", "openai-gpt"), "blocks of its own kind"),
    "olmo": "norms without weights",
    "bitnet": "weights of three values",
    **dict.fromkeys(("t5", "bart", "mt5", "mbart", "whisper", "marian", "pegasus", "led"), ENCODER),
    **dict.fromkeys(("bert", "roberta", "distilbert", "albert", "electra", "deberta", "deberta-v2", "modernbert",
                     "xlm-roberta"), BOTH_WAYS),
}  # fmt: skip
"""What a model type has, where nothing else in its config tells."""
TELLING: dict[str, str] = {
    **dict.fromkeys(("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts", "num_experts_per_tok"),
                    EXPERTS),
    **dict.fromkeys(("alibi", "use_alibi"), "ALiBi positions"),
    **dict.fromkeys(("state_size", "ssm_state_size", "mamba_d_state", "linear_num_key_heads", "conv_L_cache",
                     "lru_width"), RECURRENT),
    **dict.fromkeys(("hidden_size_per_layer_input", "vocab_size_per_layer_input"), "embeddings for each layer"),
    "num_kv_shared_layers": "layers that share keys and values",
    "kv_lora_rank": "latent attention",
    "is_encoder_decoder": ENCODER,
    "attn_logit_softcapping": "soft-capped scores",
}  # fmt: skip
"""What a field of a config tells of any model, where it is set."""


def strange(raw: Mapping[str, Any]) -> str:
    """What the model of a config.json has that no family here computes, as words; empty where nothing tells of any."""
    if isinstance(quantised := raw.get("quantization_config"), dict):
        return f"weights quantised by {safe_text(str(quantised.get('quant_method', 'another program'))[:40])}"
    kind = raw.get("model_type")
    of_fields = (has for name, has in TELLING.items() if raw.get(name) not in (None, False, 0))
    return next(of_fields, "") or (REFUSED.get(kind, "") if isinstance(kind, str) else "")


@cache
def model_types() -> dict[str, str]:
    """`model_type` → its module."""
    modules = {found.name for found in pkgutil.iter_modules([str(FOLDER)])} - SHARED - set(FILE_OF.values())
    return {name: name for name in sorted(modules)} | FILE_OF


@cache
def family(model_type: str) -> type[Family] | None:
    """The family of a model type; None where there is none."""
    if model_type not in model_types():
        return None
    module = import_module(f"gpttui.storage.families.{model_types()[model_type]}")
    kinds = (kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, Family))
    return next(kind for kind in kinds if getattr(kind, "MODEL_TYPE", "") == model_type)


EXPORTS = (
    "gpt2", "llama", "qwen3", "mistral", "qwen2", "smollm3", "olmo2", "gemma3_text",
    "gpt_neox", "gpt_bigcode", "gpt_neo",
)  # fmt: skip
"""In this order: the first that can express a shape writes it."""
