"""A tokenizer.json by its declared types, and which of them are opened. No torch, no library.

Opened are those whose tokens, one behind the other, spell the text: byte-level BPE, and closed vocabularies that keep
every character. Others (WordPiece, SentencePiece, splitters that throw spaces away) are refused in one line: what the
screen would show under a token is not what the model read. So are parts that make the library panic, run for ever or
take all memory. Hugging Face's format; see https://huggingface.co/docs/tokenizers.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from gpttui.errors import UserError
from gpttui.files import LARGE, from_json, read_bytes
from gpttui.storage import gguf, gguf_tokenizer
from gpttui.storage.gguf import is_gguf
from gpttui.storage.model_config import LARGEST

TokenId = Annotated[int, Meta(ge=0, lt=LARGEST)]
MOST_GROWTH = 64
"""A normalizer may make a text this many times as long; NFKD's worst is 18."""
_NORMALIZERS = frozenset(
    "NFC NFD NFKC NFKD Lowercase Nmt Strip StripAccents BertNormalizer ByteLevel Prepend Replace Sequence".split()
)
_SPLITTERS = frozenset("ByteLevel Split Digits Punctuation UnicodeScripts Sequence".split())
_DECODERS = frozenset("ByteLevel Fuse Sequence".split())
WORD = r"'s\b| ?[^\W_]+(?:-[^\W_]+)*(?:['’](?!s\b))?| ?[^\w\s]|\s|_"
"""A word with the space before it (French elisions keep their apostrophe: ` l'`), a possessive, a mark, or a blank."""
CHARACTER = r"[\s\S]"
_ENDLESS = re.compile(r"[+*}]\??\)(?:[+*]|\{\d+,\})|\([^()]*\|[^()]*\)(?:[+*]|\{\d+,\})|\.[+*].*\.[+*]")
"""A repetition of what repeats or of alternatives, or two that take anything: time may grow out of all bounds."""


class Added(msgspec.Struct, frozen=True):
    """A token beside the vocabulary, found in a text before anything else is."""

    id: TokenId
    content: Annotated[str, Meta(min_length=1, max_length=1000)]
    single_word: bool = False
    lstrip: bool = False
    rstrip: bool = False
    normalized: bool = False
    special: bool = False


class Part(msgspec.Struct, frozen=True):
    """A normalizer, splitter or decoder, with those options that decide whether it is opened."""

    type: str
    add_prefix_space: bool = False
    pattern: dict[Literal["String", "Regex"], str] | None = None
    behavior: str = ""
    content: str = ""
    prepend: str = ""
    normalizers: "list[Part]" = []
    pretokenizers: "list[Part]" = []
    decoders: "list[Part]" = []

    def parts(self) -> "Iterator[Part]":
        """This one and all within it."""
        yield self
        for part in (*self.normalizers, *self.pretokenizers, *self.decoders):
            yield from part.parts()


class Model(msgspec.Struct, frozen=True):
    """How a stretch of text becomes tokens."""

    vocab: dict[str, TokenId] | list[Any]
    type: str = "BPE"
    """Old files leave it out: BPE."""
    unk_token: str | None = None
    dropout: float | None = None
    continuing_subword_prefix: str | None = None
    end_of_word_suffix: str | None = None


class TokenizerFile(msgspec.Struct, frozen=True):
    """What of a tokenizer.json is looked at. Padding, truncation and what is put around a text are not used here."""

    model: Model
    added_tokens: list[Added] = []
    normalizer: Part | None = None
    pre_tokenizer: Part | None = None
    decoder: Part | None = None

    @property
    def byte_level(self) -> bool:
        return any(part.type == "ByteLevel" for part in (*_all(self.pre_tokenizer), *_all(self.decoder)))

    @property
    def one_by_one(self) -> bool:
        """Whether the text is cut into single characters, as they are."""
        split = self.pre_tokenizer
        cuts = (
            split is not None and split.pattern == {"Regex": CHARACTER} and not (self.added_tokens or self.normalizer)
        )
        return cuts and self.model.type == "WordLevel"


def parse(text: str | bytes, name: str = "tokenizer.json") -> TokenizerFile:
    """A tokenizer.json, judged. Raises UserError, one line, for all that is not opened; `name` is what it is called."""
    file = from_json(text, TokenizerFile, name)
    if refusal := _refusal(file):
        raise UserError(f"{name} {refusal[:300]}")
    return file


class _Vocabulary(msgspec.Struct):
    vocab: dict[str, int]


class _Closed(msgspec.Struct):
    model: _Vocabulary


def kind(path: Path, vocab_size: int) -> str:
    """Of the tokenizer in directory or GGUF file `path`, in words, as `Tokenizer.kind` says it, without opening it.

    "none" where there is none.
    """
    if is_gguf(path):
        return gguf_tokenizer.kind(gguf.read(path), vocab_size)
    file = path / "tokenizer.json"
    if not file.exists():
        return f"byte-level BPE {vocab_size}" if (path / "merges.txt").exists() else "none"
    data = read_bytes(file, LARGE)
    if b'"ByteLevel"' in data:
        return f"byte-level BPE {vocab_size}"
    names = from_json(data, _Closed, str(file)).model.vocab
    return "characters" if all(len(name) == 1 for name in names) else "words"


def _refusal(file: TokenizerFile) -> str:
    """Why a tokenizer is not opened, to go behind its name; empty for one that is."""
    model = file.model
    if model.type not in ("BPE", "WordLevel") or isinstance(model.vocab, list):
        return f"is of the kind {model.type[:40]!r}; gpttui opens byte-level BPE and closed vocabularies"
    if model.type == "WordLevel" and (model.unk_token or "<unk>") not in model.vocab:
        return f"lacks its own unknown token, {model.unk_token or '<unk>'!r}: add it to the vocabulary"
    if model.unk_token and model.unk_token not in model.vocab:
        return f"lacks its own unknown token, {model.unk_token!r}: add it to the vocabulary"
    if model.dropout:
        return "splits at random (dropout); set its model's dropout to null"
    if model.continuing_subword_prefix or model.end_of_word_suffix:
        return "marks word parts with signs that are not in the text; gpttui opens byte-level BPE instead"
    growth = 1
    for kind, known, parts in (
        ("normalizer", _NORMALIZERS, _all(file.normalizer)),
        ("splitter", _SPLITTERS, _all(file.pre_tokenizer)),
        ("decoder", _DECODERS, _all(file.decoder)),
    ):
        for part in parts:
            pattern = "".join((part.pattern or {}).values())
            if part.type not in known or part.behavior == "Removed":
                what = f"{part.type[:40]}{' that removes' if part.type in known else ''}"
                return f"has the {kind} {what}: its tokens would not spell the text; gpttui does not open it yet"
            endless = not pattern or len(pattern) > 2000 or (_ENDLESS.search(pattern) and pattern != WORD)
            if part.type in ("Split", "Replace") and endless:
                return f"has a {kind} whose pattern is empty, or repeats in a way that may never end"
            if part.type == "Replace":
                growth *= max(1, -(-len(part.content) // (1 if "Regex" in (part.pattern or {}) else len(pattern))))
            growth *= 18 if part.type in ("NFKC", "NFKD") else 2 if part.type == "NFD" else 1
            if growth > MOST_GROWTH or len(part.prepend) > MOST_GROWTH:
                return f"has a normalizer that makes a text {growth:,} times as long; gpttui does not open it"
    return ""


def _all(part: Part | None) -> Iterator[Part]:
    return part.parts() if part is not None else iter(())
