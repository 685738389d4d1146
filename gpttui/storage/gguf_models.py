"""GGUF files as the families know them: their keys as a config.json's fields, their tensors under its names.

llama.cpp's converter renames, and for some architectures rearranges: queries and keys of `llama` have the two halves of
each head interleaved, norms of `gemma3` are stored with the one that the original leaves out, matrices of `gpt2` are
stored `[out, in]`. Here that is undone, a tensor at a time as it is asked for. No torch.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from gpttui.errors import UserError
from gpttui.records import Array
from gpttui.storage.families.family import Family
from gpttui.storage.families.registry import REFUSED
from gpttui.storage.gguf import GGUF, Listed, Stored
from gpttui.text import safe_text

MODEL_TYPES = {"llama": "llama", "qwen2": "qwen2", "qwen3": "qwen3", "gemma3": "gemma3_text", "gpt2": "gpt2"}
"""What `general.architecture` is called in a config.json."""
GEMMA_27B_LAYERS = 62
"""The one Gemma 3 whose scores are scaled by width / heads instead of the size of a head; no key says it."""
LLAMA3 = {"low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
"""Of every Llama since 3.1. The file has what they make of the rotations, and not them."""

PLAIN = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
BLOCK = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
GEMMA_BLOCK = BLOCK | {
    "ffn_norm": "pre_feedforward_layernorm",
    "post_attention_norm": "post_attention_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
}
GPT2_PLAIN = {
    "token_embd": "transformer.wte",
    "position_embd": "transformer.wpe",
    "output_norm": "transformer.ln_f",
    "output": "lm_head",
}
GPT2_BLOCK = {
    "attn_norm": "ln_1",
    "ffn_norm": "ln_2",
    "attn_qkv": "attn.c_attn",
    "attn_output": "attn.c_proj",
    "ffn_up": "mlp.c_fc",
    "ffn_down": "mlp.c_proj",
}
NO_WEIGHTS = re.compile(r"(^|\.)(rope_freqs|attn_rot_embd)\.weight$")
NAME = re.compile(r"(?:blk\.(\d{1,5})\.)?(\w+)\.(weight|bias)")


def architecture(file: GGUF) -> str:
    """Raises UserError for one that gpttui does not compute."""
    arch = file.text("general.architecture")
    if arch not in MODEL_TYPES:
        bare = re.sub(r"[_-]", "", arch)
        has = next((has for name, has in REFUSED.items() if re.sub(r"[_-]", "", name) == bare), "")
        why = f"it has {has}, which gpttui does not compute" if has else f"gpttui opens {', '.join(MODEL_TYPES)}"
        raise UserError(f"{file.path} is of the architecture {safe_text(arch[:40])!r}; {why}")
    if file.whole(f"{arch}.expert_count", 0):
        raise UserError(f"{file.path} has a mixture of experts, which gpttui does not compute")
    return arch


def fields(file: GGUF) -> dict[str, Any]:
    """The model's config.json. Raises UserError for what gpttui does not compute."""
    arch = architecture(file)
    embedding = file.tensors.get("token_embd.weight")
    if embedding is None:
        raise UserError(f"{file.path} lacks the tensor token_embd.weight; is it a language model, and complete?")
    about: dict[str, Any] = {"model_type": MODEL_TYPES[arch], "vocab_size": embedding.shape[0]}
    tied = {"tie_word_embeddings": "output.weight" not in file.tensors}
    return about | tied | (_gpt2_fields(file) if arch == "gpt2" else _modern_fields(file, arch))


def _gpt2_fields(file: GGUF) -> dict[str, Any]:
    return {
        "n_positions": file.whole("gpt2.context_length"),
        "n_embd": file.whole("gpt2.embedding_length"),
        "n_layer": file.whole("gpt2.block_count"),
        "n_head": file.whole("gpt2.attention.head_count"),
        "n_inner": file.whole("gpt2.feed_forward_length"),
        "layer_norm_epsilon": file.number("gpt2.attention.layer_norm_epsilon"),
    }


def _modern_fields(file: GGUF, arch: str) -> dict[str, Any]:
    width, heads = file.whole(f"{arch}.embedding_length"), file.whole(f"{arch}.attention.head_count")
    size = file.whole(f"{arch}.attention.key_length", width // max(1, heads))
    for key in ("attention.value_length", "rope.dimension_count"):
        if file.whole(f"{arch}.{key}", size) != size:
            raise UserError(f"{file.path}: its {arch}.{key} is not the size of a head, {size}; that is not computed")
    fields = {
        "max_position_embeddings": file.whole(f"{arch}.context_length"),
        "hidden_size": width,
        "num_hidden_layers": file.whole(f"{arch}.block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": file.whole(f"{arch}.attention.head_count_kv", heads),
        "head_dim": size,
        "intermediate_size": file.whole(f"{arch}.feed_forward_length"),
        "rms_norm_eps": file.number(f"{arch}.attention.layer_norm_rms_epsilon"),
        "rope_theta": file.number(f"{arch}.rope.freq_base", 10_000.0),
        "rope_scaling": _rope_scaling(file, arch, size),
    }
    if arch == "llama":
        biases = {"attention_bias": "attn_output", "mlp_bias": "ffn_gate"}
        fields |= {name: f"blk.0.{part}.bias" in file.tensors for name, part in biases.items()}
    return fields | (_gemma_fields(file, width, heads, size) if arch == "gemma3" else {})


def _gemma_fields(file: GGUF, width: int, heads: int, size: int) -> dict[str, Any]:
    largest = file.whole("gemma3.block_count") == GEMMA_27B_LAYERS
    capped = {f"{name}_logit_softcapping": f"gemma3.{name}_logit_softcapping" for name in ("attn", "final")}
    return {
        "sliding_window": file.whole("gemma3.attention.sliding_window"),
        **_pattern(file, "gemma3.attention.sliding_window_pattern"),
        "rope_theta": file.number("gemma3.rope.freq_base", 1_000_000.0),
        "rope_local_base_freq": file.number("gemma3.rope.freq_base_swa", 10_000.0),
        "query_pre_attn_scalar": width / max(1, heads) if largest else size,
        **{name: file.number(key) for name, key in capped.items() if key in file.values},
    }


def _pattern(file: GGUF, key: str) -> dict[str, Any]:
    """Which layers see a window: all but each so-manieth, or a truth value for each."""
    if not isinstance(file.values.get(key), Listed):
        return {"sliding_window_pattern": file.whole(key, 6)}
    kinds = ("full_attention", "sliding_attention")
    return {"layer_types": [kinds[bool(seen)] for seen in file.numbers(key)]}


def _rope_scaling(file: GGUF, arch: str, size: int) -> dict[str, Any] | None:
    """In the words of a config.json. Raises UserError for factors that are not Llama 3's."""
    if (stored := file.tensors.get("rope_freqs.weight")) is None:
        kind = file.text(f"{arch}.rope.scaling.type", "none")
        if kind == "none" and f"{arch}.rope.scale_linear" not in file.values:
            return None
        older = file.number(f"{arch}.rope.scale_linear", 1.0)
        factor = file.number(f"{arch}.rope.scaling.factor", older)
        return {"rope_type": "linear" if kind == "none" else kind, "factor": factor}
    if stored.packing.name != "F32" or stored.shape != (size // 2,):
        raise UserError(f"{file.path}: its rope_freqs.weight does not fit a head of {size}")
    factors = Tensor(file, stored, stored.shape).array()
    rates = file.number(f"{arch}.rope.freq_base", 10_000.0) ** (-np.arange(0, size, 2) / size)
    low, high, context = LLAMA3.values()
    mix = np.clip((context * rates / (2 * np.pi) - low) / (high - low), 0, 1)
    most = float(factors.max(initial=1))
    if not np.allclose(factors, 1 / ((1 - mix) / most + mix), rtol=1e-3):
        raise UserError(f"{file.path} slows its rotations down (rope_freqs.weight) otherwise than Llama 3 does")
    return {"rope_type": "llama3", "factor": most, **LLAMA3}


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor as a safetensors file of the same model holds it."""

    file: GGUF
    stored: Stored
    shape: tuple[int, ...]
    undo: Callable[[Array], Array] = lambda x: x

    def array(self) -> Array:
        """Its numbers in float32, `[rows, columns]`, in memory of their own."""
        data = np.frombuffer(self.file.bytes_at(self.stored.start, self.stored.size_bytes), np.uint8)
        return self.undo(unpacked(data, self.stored).reshape(self.stored.shape))


def unpacked(data: Array, stored: Stored) -> Array:
    """Numbers out of a tensor's bytes, one behind the other."""
    packing = stored.packing
    if packing.name == "F32":
        return data.view(np.float32)
    quants = import_module("gguf.quants")  # not before weights are wanted: it takes a while
    kind = quants.GGMLQuantizationType[packing.name]
    blocks = len(data) // packing.size_bytes
    row = (blocks & -blocks).bit_length() - 1  # the library takes sixteen rows at a time: long ones are quicker
    with np.errstate(all="ignore"):  # whoever takes the weights looks for numbers that are none
        found: Array = quants.dequantize(data.reshape(-1, packing.size_bytes << min(row, 6)), kind)
    return found.reshape(-1)


def tensors(file: GGUF, config: Family) -> dict[str, Tensor]:
    """Every weight by the name that the family gives it. Raises UserError for one that is not of such a model."""
    arch = file.text("general.architecture")
    found = {}
    for name, stored in file.tensors.items():
        if NO_WEIGHTS.search(name):
            continue
        theirs = _name(name, arch)
        if theirs is None:
            raise UserError(f"{file.path} holds the tensor {safe_text(name[:80])}, which no {arch} model has")
        found[theirs] = _tensor(file, stored, theirs, config)
    return found


def _name(name: str, arch: str) -> str | None:
    plain, block, at = {
        "gpt2": (GPT2_PLAIN, GPT2_BLOCK, "transformer.h."),
        "gemma3": (PLAIN, GEMMA_BLOCK, "model.layers."),
    }.get(arch, (PLAIN, BLOCK, "model.layers."))
    parts = NAME.fullmatch(name)
    if parts is None or (theirs := (plain if parts[1] is None else block).get(parts[2])) is None:
        return None
    return f"{theirs}.{parts[3]}" if parts[1] is None else f"{at}{int(parts[1])}.{theirs}.{parts[3]}"


def _tensor(file: GGUF, stored: Stored, name: str, config: Family) -> Tensor:
    arch, shape = file.text("general.architecture"), stored.shape
    if arch == "gemma3" and name.endswith("norm.weight"):
        return Tensor(file, stored, shape, lambda x: x - np.float32(1))
    if arch == "gpt2" and re.search(r"\.c_\w+\.weight$", name) and len(shape) == 2:
        return Tensor(file, stored, shape[::-1], lambda x: x.T)
    if arch == "llama" and (part := re.search(r"\.([qk])_proj\.", name)):
        heads = config.n_head if part[1] == "q" else getattr(config, "n_kv_head", None) or config.n_head
        if shape[0] % (2 * heads):
            raise UserError(f"{file.path}: {name} has {shape[0]} rows, which do not divide into {heads} heads")
        return Tensor(file, stored, shape, lambda x: _halves(x, heads))
    return Tensor(file, stored, shape)


def _halves(x: Array, heads: int) -> Array:
    """Rows of each head, which have its two halves interleaved, half by half: `[H, D/2, 2, …]` to `[H, 2, D/2, …]`."""
    return x.reshape(heads, -1, 2, *x.shape[1:]).swapaxes(1, 2).reshape(x.shape)


def packing_in_words(file: GGUF) -> str:
    """How most of the weights are stored."""
    counts: dict[str, int] = {}
    for stored in file.tensors.values():
        counts[stored.packing.name] = counts.get(stored.packing.name, 0) + int(np.prod(stored.shape))
    return max(counts, key=counts.__getitem__) if counts else ""
