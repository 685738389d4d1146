"""A tokenizer.json out of its parts: what every other form of a tokenizer becomes here, so that one way reads them all.

For: `gguf_tokenizer`, `sentencepiece`, `slow_tokenizer`. Not for: judging one (`tokenizer_file`). No torch, no library.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec

Part = dict[str, Any]
BYTE_LEVEL: Part = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
SPACE = "▁"
"""What SentencePiece writes for a space."""


def document(
    model: Part,
    *,
    added: Sequence[Part] = (),
    normalizer: Part | None = None,
    splitter: Part | None = None,
    decoder: Part | None = None,
    before: Sequence[tuple[str, int]] = (),
    after: Sequence[tuple[str, int]] = (),
) -> str:
    """The whole file; `before` and `after` are tokens, by name and id, that are put around a text."""
    whole = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": normalizer,
        "pre_tokenizer": splitter, "post_processor": _around(before, after), "decoder": decoder, "model": model,
    }  # fmt: skip
    return msgspec.json.encode(whole).decode()


def added_token(number: int, content: str, *, special: bool, normalized: bool = False, **options: bool) -> Part:
    """A token that is found in a text before it is split."""
    plain = {"single_word": False, "lstrip": False, "rstrip": False}
    return {"id": number, "content": content, "special": special, "normalized": normalized} | plain | options


def bpe(vocab: dict[str, int], merges: Iterable[tuple[str, str]], **options: Any) -> Part:
    """Merges, the first to be applied first."""
    plain = {"unk_token": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False}
    return {"type": "BPE", "dropout": None, "vocab": vocab, "merges": list(merges)} | plain | options


def byte_level(*patterns: str, digits: bool = False) -> Part:
    """A splitter by these patterns, each within what the one before left, else by GPT-2's; then bytes by its alphabet.

    `digits`: each digit alone, first of all.
    """
    alone = [{"type": "Digits", "individual_digits": True}] if digits else []
    cuts = [_split(pattern) for pattern in patterns]
    return {"type": "Sequence", "pretokenizers": [*alone, *cuts, BYTE_LEVEL | {"use_regex": not patterns}]}


def _split(pattern: str) -> Part:
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}


def spaces(first: Literal["first", "always", "never"]) -> dict[str, Part]:
    """Splitter and decoder of SentencePiece: spaces are ▁, of which one is put before the text; bytes are `<0xE6>`."""
    replaced = {"type": "Replace", "pattern": {"String": SPACE}, "content": " "}
    cut = [] if first == "never" else [{"type": "Strip", "content": " ", "start": 1, "stop": 0}]
    joined = [replaced, {"type": "ByteFallback"}, {"type": "Fuse"}, *cut]
    return {
        "splitter": {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": first, "split": False},
        "decoder": {"type": "Sequence", "decoders": joined},
    }


def _around(before: Sequence[tuple[str, int]], after: Sequence[tuple[str, int]]) -> Part | None:
    if not (before or after):
        return None

    def parts(text: str, kind: int) -> list[Part]:
        first, last = (
            [{"SpecialToken": {"id": name, "type_id": kind}} for name, _ in side] for side in (before, after)
        )
        return [*first, {"Sequence": {"id": text, "type_id": kind}}, *last]

    names = {name: {"id": name, "ids": [number], "tokens": [name]} for name, number in (*before, *after)}
    one = parts("A", 0)
    return {"type": "TemplateProcessing", "single": one, "pair": [*one, *parts("B", 1)], "special_tokens": names}
