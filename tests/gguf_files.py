"""GGUF files of tiny models, written by the `gguf` library as llama.cpp's converter does: for tests of reading them."""

import json
import re
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
import transformers
from torch import Tensor

from gpttui.storage import gguf_models
from gpttui.tokenizers import Tokenizer, byte_level_backend, train_bpe
from tests import fakes


def converted(name: str, x: Tensor, model_type: str, config: Any) -> Tensor:
    """A tensor as the converter rearranges it."""
    if model_type == "llama" and (part := re.search(r"\.([qk])_proj\.", name)):
        heads = config.num_attention_heads if part[1] == "q" else config.num_key_value_heads
        return x.reshape(heads, 2, -1, *x.shape[1:]).swapaxes(1, 2).reshape(x.shape)
    if model_type == "gemma3_text" and name.endswith("norm.weight"):
        return x + 1
    if model_type == "gpt2" and re.search(r"\.c_\w+\.weight$", name):
        return x.T
    return x


def renamed(name: str, arch: str) -> str:
    plain, block, at = {
        "gpt2": (gguf_models.GPT2_PLAIN, gguf_models.GPT2_BLOCK, "transformer.h."),
        "gemma3": (gguf_models.PLAIN, gguf_models.GEMMA_BLOCK, "model.layers."),
    }.get(arch, (gguf_models.PLAIN, gguf_models.BLOCK, "model.layers."))
    stem, _, kind = name.rpartition(".")
    if stem.startswith(at):
        number, _, part = stem.removeprefix(at).partition(".")
        theirs = {value: key for key, value in block.items()}[part]
        return f"blk.{number}.{theirs}.{kind}"
    return f"{({value: key for key, value in plain.items()})[stem]}.{kind}"


def write(
    model: Any, file: Path, *, tokenizer: Tokenizer | None = None, pre: str = "gpt-2", packing: str = "F32", **more: Any
) -> Path:
    """A model of `transformers` as a GGUF file; matrices packed as `packing` where their rows fit. `more`: keys."""
    config = model.config
    model_type = config.model_type
    arch = next(arch for arch, name in gguf_models.MODEL_TYPES.items() if name == model_type)
    writer = gguf.GGUFWriter(str(file), arch)
    _add_shape(writer, config, arch)
    if tokenizer is not None:
        _add_tokenizer(writer, tokenizer, pre)
    for key, value in more.items():
        _add(writer, key.replace("__", "."), value)
    kind = gguf.GGMLQuantizationType[packing]
    block = gguf.GGML_QUANT_SIZES[kind][0]
    tied = bool(config.tie_word_embeddings)
    for name, x in model.state_dict().items():
        if (tied and name == "lm_head.weight") or name.endswith((".attn.bias", ".attn.masked_bias")):
            continue
        data = np.ascontiguousarray(converted(name, x.float(), model_type, config).numpy())
        if data.ndim == 2 and data.shape[1] % block == 0 and packing != "F32":
            writer.add_tensor(renamed(name, arch), gguf.quantize(data, kind), raw_dtype=kind)
        else:
            writer.add_tensor(renamed(name, arch), data)
    if config.model_type == "llama" and config.rope_parameters["rope_type"] == "llama3":
        rates, _ = transformers.modeling_rope_utils.ROPE_INIT_FUNCTIONS["llama3"](config, torch.device("cpu"))
        D, base = 2 * len(rates), config.rope_parameters["rope_theta"]
        plain = base ** (-np.arange(0, D, 2) / D)
        writer.add_tensor("rope_freqs.weight", (plain / rates.numpy()).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def _add(writer: Any, key: str, value: Any) -> None:
    kinds = {bool: writer.add_bool, int: writer.add_uint32, float: writer.add_float32, str: writer.add_string}
    kinds.get(type(value), writer.add_array)(key, value)


def _add_shape(writer: Any, config: Any, arch: str) -> None:
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_head_count(config.num_attention_heads)
    if arch == "gpt2":
        writer.add_feed_forward_length(4 * config.hidden_size)
        writer.add_layer_norm_eps(config.layer_norm_epsilon)
        return
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_key_length(size)
    writer.add_value_length(size)
    parameters = config.rope_parameters
    writer.add_rope_freq_base(parameters.get("full_attention", parameters)["rope_theta"])
    if arch == "llama":
        writer.add_rope_dimension_count(size)
    if arch == "gemma3":
        writer.add_sliding_window(config.sliding_window)
    if parameters.get("rope_type") == "linear":
        writer.add_string(f"{arch}.rope.scaling.type", "linear")
        writer.add_rope_scaling_factor(parameters["factor"])


def _add_tokenizer(writer: Any, tokenizer: Tokenizer, pre: str) -> None:
    raw = json.loads(tokenizer.to_json())
    added = {token["id"]: token for token in raw["added_tokens"]}
    names = {number: name for name, number in raw["model"]["vocab"].items()} | {
        n: t["content"] for n, t in added.items()
    }
    kinds = [1 if n not in added else 3 if added[n]["special"] else 4 for n in range(len(names))]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list([names[n] for n in range(len(names))])
    writer.add_token_types(kinds)
    writer.add_token_merges([" ".join(pair) for pair in raw["model"]["merges"]])
    if added:
        writer.add_bos_token_id(min(added))
        writer.add_eos_token_id(min(added))


def words(pre: str = "gpt-2") -> Tokenizer:
    """Byte-level BPE with two tokens that are found in a text before it is split."""
    backend = Tokenizer.from_json(train_bpe(["123\n1234\n1234\n" * 9 + fakes.TEXT], 300).to_json()).backend
    backend.pre_tokenizer = byte_level_backend(backend.model).pre_tokenizer
    backend.add_special_tokens(["<|end|>"])
    backend.add_tokens(["<tool>"])
    return Tokenizer(backend)


def tiny_llama(file: Path, **more: Any) -> Path:
    """A whole little Llama, with a tokenizer and a chat template."""
    tokenizer = words()
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=tokenizer.vocab_size, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64,
    )  # fmt: skip
    template = "{% for message in messages %}{{ message.role }}: {{ message.content }}<|end|>{% endfor %}"
    model = transformers.LlamaForCausalLM(config)
    return write(model, file, tokenizer=tokenizer, packing="Q8_0", tokenizer__chat_template=template, **more)
