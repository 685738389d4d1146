"""Tiny random models of every family that gpttui opens, made by `transformers`."""

from typing import Any

import torch
import transformers

SMALL: dict[str, Any] = {
    "vocab_size": 61, "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 32, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
GPT2: dict[str, Any] = {
    "vocab_size": 61, "n_positions": 32, "n_embd": 24, "n_layer": 3, "n_head": 4, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 500.0, "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}  # fmt: skip
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "gpt2": ("gpt2", GPT2),
    "gpt2, unscaled": ("gpt2", GPT2 | {"scale_attn_weights": False}),
    "gpt2, by layer": ("gpt2", GPT2 | {"scale_attn_by_inverse_layer_idx": True}),
    "gpt2, silu": ("gpt2", GPT2 | {"activation_function": "silu"}),
    "gpt2, quick": ("gpt2", GPT2 | {"activation_function": "quick_gelu"}),
    "gpt2, fast": ("gpt2", GPT2 | {"activation_function": "gelu_fast"}),
    "gpt2, untied": ("gpt2", GPT2 | {"tie_word_embeddings": False}),
    "gpt_bigcode": ("gpt_bigcode", GPT2),
    "gpt_bigcode, all heads": ("gpt_bigcode", GPT2 | {"multi_query": False}),
    "llama": ("llama", SMALL),
    "llama, some biases": ("llama", SMALL | {"attention_bias": True}),
    "llama, biases": ("llama", SMALL | {"attention_bias": True, "mlp_bias": True}),
    "llama, scaled": ("llama", SMALL | {"rope_parameters": LLAMA3}),
    "llama, linear": ("llama", SMALL | {"rope_parameters": {"rope_type": "linear", "rope_theta": 1e4, "factor": 2.0}}),
    "llama, free heads, tied": ("llama", SMALL | {"head_dim": 10, "tie_word_embeddings": True}),
    "mistral": ("mistral", SMALL | {"sliding_window": 5, "head_dim": 6}),
    "qwen2": ("qwen2", SMALL),
    "qwen2, windows": ("qwen2", SMALL | {"use_sliding_window": True, "sliding_window": 5, "max_window_layers": 1}),
    "qwen3": ("qwen3", SMALL | {"head_dim": 8, "tie_word_embeddings": True}),
    "smollm3": ("smollm3", SMALL | {"no_rope_layer_interval": 2}),
    "olmo2": ("olmo2", SMALL),
    "gpt_neox": ("gpt_neox", SMALL | {"rotary_pct": 0.34}),
    "gpt_neox, some biases": ("gpt_neox", SMALL | {"rotary_pct": 0.34, "attention_bias": False}),
    "gpt_neox, in turn": ("gpt_neox", SMALL | {"rotary_pct": 0.34, "use_parallel_residual": False}),
    "gpt_neo": (
        "gpt_neo",
        {"vocab_size": 61, "max_position_embeddings": 32, "hidden_size": 24, "num_layers": 4, "num_heads": 4,
         "attention_types": [[["global", "local"], 2]], "window_size": 5, "bos_token_id": 1, "eos_token_id": 2},
    ),
    "opt": ("opt", SMALL | {"ffn_dim": 40, "word_embed_proj_dim": 24}),
    "gemma3_text": (
        "gemma3_text",
        SMALL | {"hidden_size": 36, "head_dim": 10, "num_key_value_heads": 1, "sliding_window": 5,
                 "query_pre_attn_scalar": 7,
                 "layer_types": ["sliding_attention", "sliding_attention", "full_attention"]},
    ),
    "gemma3_text, capped": (
        "gemma3_text", SMALL | {"hidden_size": 36, "head_dim": 10, "final_logit_softcapping": 3.0, "sliding_window": 9,
                 "attention_bias": True},
    ),
}  # fmt: skip


def made(kind: str, seed: int, dtype: torch.dtype) -> Any:
    """A random model of `transformers`, its norms and biases random too."""
    model_type, fields = KINDS[kind]
    config = transformers.AutoConfig.for_model(model_type, **fields)
    config._attn_implementation = "eager"
    torch.manual_seed(seed)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").to(dtype).eval()
    for name, parameter in model.named_parameters():
        centre = float("norm" in name and "weight" in name and model_type != "gemma3_text")
        torch.nn.init.normal_(parameter, mean=centre, std=0.3 if parameter.dim() == 1 else 0.15)
    return model
