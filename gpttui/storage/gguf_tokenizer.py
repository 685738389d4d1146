"""The tokenizer in a GGUF file, as the tokenizer.json that it was made of. No torch.

The file has the tokens, their kinds and the merges, and of the rest a name: how the text is split before the merges
(`tokenizer.ggml.pre`). What that name stands for is written down here, as in the tokenizers that llama.cpp's converter
knows it from.
"""

from typing import Any

import msgspec

from gpttui.errors import UserError
from gpttui.storage.gguf import GGUF
from gpttui.text import safe_text

CONTROL, USER_DEFINED = 3, 4
"""Kinds of tokens that are found in a text before it is split."""
OTHERS = {"llama": "SentencePiece", "t5": "Unigram", "bert": "WordPiece", "rwkv": "RWKV", "plamo2": "PLaMo-2"}

_BYTES: dict[str, Any] = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}


def _split(pattern: str) -> dict[str, Any]:
    cut = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
    return {"type": "Sequence", "pretokenizers": [cut, _BYTES | {"use_regex": False}]}


_DIGITS = {"type": "Digits", "individual_digits": True}
_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
    r"\s+(?!\S)|\s+"
)
GPT2: dict[str, Any] = {"pre_tokenizer": _BYTES}
SMOLLM: dict[str, Any] = {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [_DIGITS, _BYTES]}}
LLAMA3: dict[str, Any] = {"pre_tokenizer": _split(_LLAMA3), "ignore_merges": True, "add_bos": True}
QWEN2: dict[str, Any] = {
    "pre_tokenizer": _split(_LLAMA3.replace("{1,3}", "")),
    "normalizer": {"type": "NFC"},
}
SPLITS = {
    "gpt-2": GPT2, "smollm": SMOLLM, "llama-bpe": LLAMA3, "llama3": LLAMA3, "llama-v3": LLAMA3, "qwen2": QWEN2,
    "deepseek-r1-qwen": QWEN2,
}  # fmt: skip


def kind(file: GGUF, vocab_size: int) -> str:
    """In words, as `Tokenizer.kind` says it."""
    model = file.text("tokenizer.ggml.model", "none")
    return f"byte-level BPE {vocab_size}" if model == "gpt2" else OTHERS.get(model, safe_text(model[:40]))


def to_json(file: GGUF) -> str:
    """Its tokenizer.json. Raises UserError, one line, where gpttui does not open such a tokenizer."""
    where, model = file.path, file.text("tokenizer.ggml.model", "none")
    if model == "none":
        raise UserError(f"{where} holds no tokenizer; download a file that has one")
    if model != "gpt2":
        what = OTHERS.get(model, safe_text(model[:40]))
        raise UserError(f"{where} has a {what} tokenizer, which gpttui does not open yet; it opens byte-level BPE")
    tokens, kinds = file.texts("tokenizer.ggml.tokens"), file.numbers("tokenizer.ggml.token_type").tolist()
    ids = {token: n for n, token in enumerate(tokens)}
    if len(ids) != len(tokens):
        twice = next(token for n, token in enumerate(tokens) if ids[token] != n)
        raise UserError(f"{where}: its vocabulary has {safe_text(twice[:40])!r} twice; download it again")
    if len(kinds) not in (0, len(tokens)):
        raise UserError(f"{where}: it has {len(tokens)} tokens and the kinds of {len(kinds)}; download it again")
    split = _split_of(file)
    added = [
        {"id": n, "content": tokens[n], "special": of == CONTROL, "normalized": False} | dict.fromkeys(_ODD, False)
        for n, of in enumerate(kinds)
        if of in (CONTROL, USER_DEFINED) and tokens[n]
    ]
    bpe = {
        "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
        "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
        "ignore_merges": split.get("ignore_merges", False), "vocab": ids, "merges": _merges(file),
    }  # fmt: skip
    whole = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
        "normalizer": split.get("normalizer"), "pre_tokenizer": split["pre_tokenizer"],
        "post_processor": _begins_with(file, tokens, split.get("add_bos", False)),
        "decoder": {**_BYTES, "add_prefix_space": True}, "model": bpe,
    }  # fmt: skip
    return msgspec.json.encode(whole).decode()


_ODD = ("single_word", "lstrip", "rstrip")


def _split_of(file: GGUF) -> dict[str, Any]:
    """How a text is split before merges. Old files of GPT-2 do not say, and there is one way."""
    name = file.text("tokenizer.ggml.pre", "gpt-2" if file.text("general.architecture") == "gpt2" else "")
    if name not in SPLITS:
        named = f"named {safe_text(name[:40])!r}" if name else "that it does not name"
        raise UserError(f"{file.path} splits texts in a way {named}; gpttui knows {', '.join(SPLITS)}")
    return SPLITS[name]


def _merges(file: GGUF) -> list[tuple[str, str]]:
    pairs = []
    for line in file.texts("tokenizer.ggml.merges"):
        at = line.find(" ", 1)  # a token may itself be a space
        if at < 0:
            raise UserError(f"{file.path}: its merge {safe_text(line[:40])!r} is no pair; download it again")
        pairs.append((line[:at], line[at + 1 :]))
    return pairs


def _begins_with(file: GGUF, tokens: list[str], default: bool) -> dict[str, Any] | None:
    """What puts the token for the beginning before a text, where the model was trained so."""
    if not file.flag("tokenizer.ggml.add_bos_token", default) or "tokenizer.ggml.bos_token_id" not in file.values:
        return None
    number = file.whole("tokenizer.ggml.bos_token_id")
    if not 0 <= number < len(tokens):
        raise UserError(f"{file.path}: its first token has the id {number} of {len(tokens)}; download it again")
    name = tokens[number]
    first, a = {"SpecialToken": {"id": name, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}
    b = [{"SpecialToken": {"id": name, "type_id": 1}}, {"Sequence": {"id": "B", "type_id": 1}}]
    special = {name: {"id": name, "ids": [number], "tokens": [name]}}
    return {"type": "TemplateProcessing", "single": [first, a], "pair": [first, a, *b], "special_tokens": special}
