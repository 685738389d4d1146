"""The tokenizer in a GGUF file, as the tokenizer.json that it was made of. No torch.

The file has the tokens, their kinds, and merges (byte-level BPE) or scores (SentencePiece). Of the rest it has a name:
how the text is split before the merges (`tokenizer.ggml.pre`). What such a name stands for is written down here, as in
the tokenizers that llama.cpp's converter knows it from.
"""

from collections.abc import Callable

import numpy as np

from gpttui.errors import UserError
from gpttui.records import Array
from gpttui.storage import sentencepiece
from gpttui.storage.gguf import GGUF
from gpttui.storage.tokenizer_json import SPACE, Part, added_token, bpe, byte_level, document, spaces
from gpttui.text import safe_text

UNKNOWN, CONTROL, USER_DEFINED = 2, 3, 4
"""Kinds of tokens that are found in a text before it is split."""
OTHERS = {"t5": "Unigram", "bert": "WordPiece", "rwkv": "RWKV", "plamo2": "PLaMo-2"}

_CLITICS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_ENDS = r"\s*[\r\n]+|\s+(?!\S)|\s+"
_LLAMA3 = rf"{_CLITICS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{_ENDS}"
_QWEN2 = _LLAMA3.replace("{1,3}", "")
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_CASED = r"[^\r\n\p{L}\p{N}]?" + f"{_UPPER}*{_LOWER}+%s|" + r"[^\r\n\p{L}\p{N}]?" + f"{_UPPER}+{_LOWER}*%s|"
_CASED_ENDS = r" ?[^\s\p{L}\p{N}]+[\r\n/]*|" + _ENDS
_TEKKEN = _CASED.replace("%s", "") + rf"\p{{N}}|{_CASED_ENDS}"
_GPT4O = _CASED.replace("%s", f"{_CLITICS}?") + rf"\p{{N}}{{1,3}}|{_CASED_ENDS}"
_PUNCTUATION = r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]"""
_DEEPSEEK3 = (
    r"\p{N}{1,3}", "[一-龥\u3040-ゟ゠-ヿ]+",
    rf"{_PUNCTUATION}[A-Za-z]+|[^\r\n\p{{L}}\p{{P}}\p{{S}}]?[\p{{L}}\p{{M}}]+| ?[\p{{P}}\p{{S}}]+[\r\n]*|{_ENDS}",
)  # fmt: skip
_CJK = "[一-龥\u0800-一가-\ud7ff]+"
_DEEPSEEK_LLM = (
    r"[\r\n]", r"\s?[\p{Lu}\p{Ll}\p{Lt}]+", "\\s?[!-/:-~！-／：-～‘-‟\u3000-。]+", r"\s+$", _CJK, r"\p{N}+",
)  # fmt: skip
_DEEPSEEK_CODER = (r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", _CJK, r"\p{N}")
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_FALCON = (r"[\p{P}\$\+<=>\^~\|`]+", _GPT2, "[0-9][0-9][0-9]")
_BLOOM = r" ?[^(\s|.,!?…。，、।۔،)]+"
_SEED = _QWEN2.replace(r"\p{N}]+[\r\n]*", r"\p{N}\r\n]+")

NFC: Part = {"type": "NFC"}


class Split:
    """How a text is cut before merges, and what goes with it."""

    def __init__(
        self, names: str, splitter: Part, *, nfc: bool = False, whole: bool = False, bos: bool = False
    ) -> None:
        """`whole`: a stretch that is a token is one, whatever the merges say; `bos`: texts begin with a token."""
        self.names, self.splitter, self.normalizer = names.split(), splitter, NFC if nfc else None
        self.ignore_merges, self.add_bos = whole, bos


_ALL = (
    Split("gpt-2 default phi-2 mpt olmo jais trillion granite-docling jina-es jina-de jina-v2-es jina-v2-de gigachat "
          "a.x-4.0 mellum modern-bert exaone4", byte_level()),
    Split("smollm starcoder refact command-r codeshell exaone minerva-7b mellum2", byte_level(digits=True)),
    Split("llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano", byte_level(_LLAMA3),
          whole=True, bos=True),
    Split("dbrx smaug-bpe glm4 chatglm-bpe", byte_level(_LLAMA3)),
    Split("qwen2 deepseek-r1-qwen kormo f2llmv2 megrez", byte_level(_QWEN2), nfc=True),
    Split("stablelm2 hunyuan solar-open grok-2", byte_level(_QWEN2)),
    Split("qwen35", byte_level(_QWEN2.replace(r"\p{L}+", r"[\p{L}\p{M}]+").replace(r"\s\p{L}", r"\s\p{L}\p{M}")),
          nfc=True),
    Split("tekken", byte_level(_TEKKEN), whole=True, bos=True),
    Split("gpt-4o llama4 kanana2 talkie minimax-m2", byte_level(_GPT4O)),
    Split("deepseek-llm", byte_level(*_DEEPSEEK_LLM)),
    Split("deepseek-coder", byte_level(*_DEEPSEEK_CODER)),
    Split("deepseek-v3 hunyuan-dense joyai-llm hy_v4", byte_level(*_DEEPSEEK3)),
    Split("falcon", byte_level(*_FALCON)),
    Split("poro-chat bloom gpt3-finnish", byte_level(_BLOOM)),
    Split("viking", byte_level(_BLOOM, r"\p{N}")),
    Split("seed-coder", byte_level(_SEED)),
)  # fmt: skip
SPLITS = {name: split for split in _ALL for name in split.names}
"""By what `tokenizer.ggml.pre` says."""


def kind(file: GGUF, vocab_size: int) -> str:
    """In words, as `Tokenizer.kind` says it."""
    model = file.text("tokenizer.ggml.model", "none")
    known = {"gpt2": f"byte-level BPE {vocab_size}", "llama": f"BPE {vocab_size}"} | OTHERS
    return known.get(model, safe_text(model[:40]))


def to_json(file: GGUF) -> str:
    """Its tokenizer.json. Raises UserError, one line, where gpttui does not open such a tokenizer."""
    model = file.text("tokenizer.ggml.model", "none")
    if model == "none":
        raise UserError(f"{file.path} holds no tokenizer; download a file that has one")
    make: dict[str, Callable[[GGUF], str]] = {"gpt2": _byte_level, "llama": _sentencepiece}
    if model not in make:
        what = OTHERS.get(model, safe_text(model[:40]))
        raise UserError(f"{file.path} has a {what} tokenizer, which gpttui does not open; it opens BPE")
    return make[model](file)


def _byte_level(file: GGUF) -> str:
    tokens = file.texts("tokenizer.ggml.tokens")
    split, kinds = _split_of(file), _kinds(file, tokens)
    found = [
        added_token(n, tokens[n], special=of == CONTROL)
        for n, of in enumerate(kinds)
        if of in (CONTROL, USER_DEFINED) and tokens[n]
    ]
    return document(
        bpe(_ids(file, tokens), _merges(file), ignore_merges=split.ignore_merges),
        added=found,
        normalizer=split.normalizer,
        splitter=split.splitter,
        decoder={**split.splitter["pretokenizers"][-1], "add_prefix_space": True, "use_regex": True},
        before=_put(file, tokens, "bos", split.add_bos),
        after=_put(file, tokens, "eos", False),
    )


def _sentencepiece(file: GGUF) -> str:
    """Gemma's files write runs of spaces as they are, and number tokens in the order of their merges."""
    gemma = file.text("general.architecture").startswith("gemma")
    plain = file.texts("tokenizer.ggml.tokens")
    tokens = [SPACE * len(name) if gemma and name and not name.strip(" ") else name for name in plain]
    ids, kinds = _ids(file, tokens), _kinds(file, tokens)
    order = -np.arange(len(tokens)) if gemma else _scores(file, len(tokens))
    found = [
        added_token(n, name, special=of != USER_DEFINED)
        for n, (name, of) in enumerate(zip(tokens, kinds, strict=False))
        if of in (UNKNOWN, CONTROL, USER_DEFINED) and name == plain[n] and name
    ]
    unknown = _named(file, tokens, "unknown")
    pairs = _merges(file) or sentencepiece.merges(tokens, order, str(file.path))
    first = file.flag("tokenizer.ggml.add_space_prefix", not gemma)
    return document(
        bpe(ids, pairs, unk_token=unknown[0] if unknown else None, fuse_unk=True, byte_fallback=True),
        added=found,
        **spaces("first" if first else "never"),
        before=_put(file, tokens, "bos", True),
        after=_put(file, tokens, "eos", False),
    )


# ── What the file has of it ───────────────────────────────────────────────────────────────────────────────────────


def _ids(file: GGUF, tokens: list[str]) -> dict[str, int]:
    ids = {token: n for n, token in enumerate(tokens)}
    if len(ids) != len(tokens):
        twice = next(token for n, token in enumerate(tokens) if ids[token] != n)
        raise UserError(f"{file.path}: its vocabulary has {safe_text(twice[:40])!r} twice; download it again")
    return ids


def _kinds(file: GGUF, tokens: list[str]) -> list[int]:
    kinds: list[int] = file.numbers("tokenizer.ggml.token_type").tolist()
    if len(kinds) not in (0, len(tokens)):
        raise UserError(f"{file.path}: it has {len(tokens)} tokens and the kinds of {len(kinds)}; download it again")
    return kinds


def _scores(file: GGUF, count: int) -> Array:
    scores = file.numbers("tokenizer.ggml.scores")
    if len(scores) != count or not np.isfinite(scores).all():
        raise UserError(f"{file.path}: it has {count} tokens and not a score for each; download it again")
    return scores


def _split_of(file: GGUF) -> Split:
    """How a text is split before merges. Old files of GPT-2 do not say, and there is one way."""
    name = file.text("tokenizer.ggml.pre", "gpt-2" if file.text("general.architecture") == "gpt2" else "")
    if name not in SPLITS:
        named = f"named {safe_text(name[:40])!r}" if name else "that it does not name"
        known = ", ".join(split.names[0] for split in _ALL)
        raise UserError(f"{file.path} splits texts in a way {named}; gpttui knows {known} and others")
    return SPLITS[name]


def _merges(file: GGUF) -> list[tuple[str, str]]:
    pairs = []
    for line in file.texts("tokenizer.ggml.merges"):
        at = line.find(" ", 1)  # a token may itself be a space
        if at < 0:
            raise UserError(f"{file.path}: its merge {safe_text(line[:40])!r} is no pair; download it again")
        pairs.append((line[:at], line[at + 1 :]))
    return pairs


def _put(file: GGUF, tokens: list[str], role: str, default: bool) -> list[tuple[str, int]]:
    """The token that is put before or behind a text, where the model was trained so."""
    found = _named(file, tokens, role) if file.flag(f"tokenizer.ggml.add_{role}_token", default) else None
    return [] if found is None else [found]


def _named(file: GGUF, tokens: list[str], role: str) -> tuple[str, int] | None:
    """The token that the file names for a role, and its id."""
    key = f"tokenizer.ggml.{role}_token_id"
    if key not in file.values:
        return None
    number = file.whole(key)
    if not 0 <= number < len(tokens):
        raise UserError(f"{file.path}: its {role} token has the id {number} of {len(tokens)}; download it again")
    return tokens[number], number
