"""A tokenizer.json by its declared types, and which of them are opened. No torch, no library.

Opened is what the library reads: byte-level BPE, SentencePiece's BPE and Unigram, WordPiece, closed vocabularies.
Refused in one line are parts that make the library panic, run for ever or take all memory. Hugging Face's format; see
https://huggingface.co/docs/tokenizers.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta

from gpttui.errors import UserError
from gpttui.files import LARGE, from_json, read_bytes
from gpttui.storage import gguf, gguf_tokenizer
from gpttui.storage.gguf import is_gguf
from gpttui.storage.model_config import LARGEST
from gpttui.text import safe_text

TokenId = Annotated[int, Meta(ge=0, lt=LARGEST)]
MOST_GROWTH = 64
"""A normalizer may make a text this many times as long; NFKD's worst is 18."""
MOST_AROUND = 16
"""Tokens that may be put before a text, or behind it."""
LONGEST_WORD = 1000
"""Characters of a word that WordPiece looks up piece by piece; its own files say 100."""
_NORMALIZERS = frozenset(
    "NFC NFD NFKC NFKD Lowercase Nmt Strip StripAccents BertNormalizer ByteLevel Prepend Replace Precompiled "
    "Sequence".split()
)
_SPLITTERS = frozenset(
    "ByteLevel Split Digits Punctuation UnicodeScripts Metaspace Whitespace WhitespaceSplit BertPreTokenizer "
    "Sequence".split()
)
_DECODERS = frozenset("ByteLevel Fuse Replace ByteFallback Strip Metaspace WordPiece BPEDecoder Sequence".split())
_MODELS = frozenset("BPE WordLevel WordPiece Unigram".split())
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
    stop: int = 0
    precompiled_charsmap: str | None = None
    normalizers: "list[Part]" = []
    pretokenizers: "list[Part]" = []
    decoders: "list[Part]" = []

    def parts(self) -> "Iterator[Part]":
        """This one and all within it."""
        yield self
        for part in (*self.normalizers, *self.pretokenizers, *self.decoders):
            yield from part.parts()


Scored = tuple[str, Annotated[float, Meta(ge=-1e9, le=1e9)]]


class Model(msgspec.Struct, frozen=True):
    """How a stretch of text becomes tokens."""

    vocab: dict[str, TokenId] | list[Scored]
    """By name; of Unigram a list, with the logarithm of each piece's probability."""
    type: str = "BPE"
    """Old files leave it out: BPE."""
    unk_token: str | None = None
    unk_id: TokenId | None = None
    dropout: float | None = None
    continuing_subword_prefix: str | None = None
    max_input_chars_per_word: int = 100

    @property
    def names(self) -> Iterable[str]:
        return (name for name, _ in self.vocab) if isinstance(self.vocab, list) else self.vocab

    @property
    def unknown(self) -> str | None:
        """The name of the token that stands for what the vocabulary does not have."""
        if isinstance(self.vocab, list):
            return None if self.unk_id is None else self.vocab[self.unk_id][0]
        return self.unk_token or {"WordLevel": "<unk>", "WordPiece": "[UNK]"}.get(self.type)


class TokenizerFile(msgspec.Struct, frozen=True):
    """What of a tokenizer.json is looked at. Padding and truncation are not for a text that is read."""

    model: Model
    added_tokens: list[Added] = []
    normalizer: Part | None = None
    pre_tokenizer: Part | None = None
    decoder: Part | None = None

    @property
    def byte_level(self) -> bool:
        return any(part.type == "ByteLevel" for part in (*_all(self.pre_tokenizer), *_all(self.decoder)))

    @property
    def byte_fallback(self) -> bool:
        """Whether a token `<0xE6>` is the byte E6."""
        return any(part.type == "ByteFallback" for part in _all(self.decoder))

    @property
    def size(self) -> int:
        """One more than the highest id, which is what a model needs rows for."""
        vocab = self.model.vocab
        ids = range(len(vocab)) if isinstance(vocab, list) else vocab.values()
        return 1 + max(max(ids, default=-1), max((token.id for token in self.added_tokens), default=-1))

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


class _Kind(msgspec.Struct):
    vocab: msgspec.Raw
    type: str = "BPE"


class _Outline(msgspec.Struct):
    model: _Kind


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
    model = from_json(data, _Outline, str(file)).model
    names = from_json(model.vocab, dict[str, int], str(file)) if model.type == "WordLevel" else ()
    return in_a_word(model.type, b'"ByteLevel"' in data, names, vocab_size)


def in_a_word(model: str, byte_level: bool, names: Iterable[str], size: int) -> str:
    """`byte-level BPE 3072`, `BPE 32000`, `characters`, `words`; `names` matter to closed vocabularies alone."""
    if model == "WordLevel" and not byte_level:
        return "characters" if all(len(name) == 1 for name in names) else "words"
    return f"{'byte-level ' if byte_level else ''}{safe_text(model[:40])} {size}"


def _refusal(file: TokenizerFile) -> str:
    """Why a tokenizer is not opened, to go behind its name; empty for one that is."""
    model = file.model
    if model.type not in _MODELS or isinstance(model.vocab, list) != (model.type == "Unigram"):
        return f"is of the kind {model.type[:40]!r}; gpttui opens {', '.join(sorted(_MODELS))}"
    if isinstance(model.vocab, list):
        if model.unk_id is None or model.unk_id >= len(model.vocab):
            return "lacks its own unknown token: its unk_id is that of none"
        if not all(name for name, _ in model.vocab):
            return "has a token without a name"
    elif model.unknown is not None and model.unknown not in model.vocab:
        return f"lacks its own unknown token, {model.unknown[:40]!r}: add it to the vocabulary"
    if model.dropout:
        return "splits at random (dropout); set its model's dropout to null"
    if model.type == "BPE" and model.continuing_subword_prefix:
        return "marks parts of words in the manner of WordPiece, and is BPE; gpttui does not open that"
    if model.max_input_chars_per_word > LONGEST_WORD:
        return f"takes words of {model.max_input_chars_per_word:,} characters apart; that would take for ever"
    growth = 1
    for kind, known, parts in (
        ("normalizer", _NORMALIZERS, _all(file.normalizer)),
        ("splitter", _SPLITTERS, _all(file.pre_tokenizer)),
        ("decoder", _DECODERS, _all(file.decoder)),
    ):
        for part in parts:
            pattern = "".join((part.pattern or {}).values())
            if part.type not in known:
                return f"has the {kind} {part.type[:40]}, which gpttui does not open"
            endless = not pattern or len(pattern) > 2000 or (_ENDLESS.search(pattern) and pattern != WORD)
            if part.type in ("Split", "Replace") and endless:
                return f"has a {kind} whose pattern is empty, or repeats in a way that may never end"
            if part.type == "Precompiled" and not _sound(part.precompiled_charsmap or ""):
                return "has the normalizer Precompiled, whose table of characters is damaged"
            if part.type == "Strip" and kind == "decoder" and part.stop:
                return "has the decoder Strip at the end of a text, which gpttui does not open"
            if part.type == "Replace":
                growth *= max(1, -(-len(part.content) // (1 if "Regex" in (part.pattern or {}) else len(pattern))))
            growth *= 18 if part.type in ("NFKC", "NFKD", "Precompiled") else 2 if part.type == "NFD" else 1
            if growth > MOST_GROWTH or len(part.prepend) > MOST_GROWTH:
                return f"has a {kind} that makes a text {growth:,} times as long; gpttui does not open it"
    return ""


def _sound(table: str) -> bool:
    """Whether a SentencePiece table of characters leads nowhere outside itself: the library would panic.

    A double-array trie in units of 32 bits (the size in bytes, then the units), and texts that end with NUL, to which
    its values point. From unit n with offset o the children lie at (n ^ o) ^ byte. See darts-clone.
    """
    try:
        data = base64.b64decode(table, validate=True)
    except (binascii.Error, ValueError):
        return False
    size = int.from_bytes(data[:4], "little")
    if len(data) < 4 or size % 4 or not 4 <= size <= len(data) - 4:
        return False
    units = np.frombuffer(data, "<u4", size // 4, 4).astype(np.int64)
    texts = data[4 + size :]
    leads = np.arange(len(units)) ^ ((units >> 10) << ((units & (1 << 9)) >> 6))
    inner = units < 1 << 31
    if ((leads[inner] | 0xFF) >= len(units)).any():
        return False
    ends = np.unique(units[leads[inner & (units & (1 << 8) != 0)]] & 0x7FFFFFFF)
    starts_a_character = np.frombuffer(texts, np.uint8) & 0xC0 != 0x80
    try:
        texts.decode()
    except UnicodeDecodeError:
        return False
    return not len(ends) or bool(ends[-1] < len(texts) and starts_a_character[ends].all())


def _all(part: Part | None) -> Iterator[Part]:
    return part.parts() if part is not None else iter(())
