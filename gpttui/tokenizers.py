"""Text to token ids and back: a thin face over Hugging Face's `tokenizers`, plus what each token is in bytes.

Three kinds are made here: single characters, whole words and byte-level BPE (Sennrich et al. 2016; GPT-2's byte
alphabet). Opened is any `tokenizer.json`, and what `gpttui.storage` makes one of: GPT-2's two files, SentencePiece's, a
GGUF file. Light enough for the UI process, which re-splits the prompt on every keystroke. No torch, no screen.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from functools import cached_property, lru_cache
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import msgspec
from tokenizers import AddedToken, Encoding, Regex, decoders, models, pre_tokenizers, trainers
from tokenizers import Tokenizer as Backend

from gpttui.errors import UserError, one_line
from gpttui.files import LARGE, read_json, read_text
from gpttui.storage import gguf, gguf_tokenizer
from gpttui.storage.gguf import is_gguf
from gpttui.storage.tokenizer_file import (
    CHARACTER,
    MOST_AROUND,
    WORD,
    Added,
    TokenId,
    TokenizerFile,
    in_a_word,
    parse,
)
from gpttui.text import safe_text, whole

UNKNOWN = "\ufffd"
"""The token that stands for a character or word outside a closed vocabulary. Never seen in training."""


class Piece(NamedTuple):
    """One token of a text: its id and the half-open range of the text's UTF-8 bytes that it covers."""

    id: int
    start: int
    end: int


class Tokenizer:
    """One vocabulary: encode, decode, and look at single tokens."""

    def __init__(
        self, backend: Backend, text: str = "", file: TokenizerFile | None = None, name: str = "this tokenizer.json"
    ) -> None:
        """`text` is the tokenizer.json that `backend` was made of, `file` what it says, `name` what it is called."""
        self.backend, self._json = backend, text or str(backend.to_str())
        file = file or parse(self._json, name)
        self.byte_level, self._byte_fallback, self.unknown = file.byte_level, file.byte_fallback, file.model.unknown
        self.vocab_size = file.size
        """One more than the highest id, which is what a model needs rows for."""
        self.kind = in_a_word(file.model.type, file.byte_level, file.model.names, self.vocab_size)
        self.one_by_one = self.kind == "characters" and file.one_by_one
        """Whether every character is a token by itself, whatever stands beside it."""
        self._added = {token.id: token.content for token in file.added_tokens}
        for number, content in self._added.items():
            if (found := backend.token_to_id(content)) != number:
                raise UserError(f"{name} gives {content[:40]!r} the id {number}; it must be {found}")
        self.before, self.after = self._told = self._around(file, name)
        """Ids that are put before and behind a text that a model is to go on with (`prompt`): BOS, and rarely EOS."""
        self.is_bare = False
        self._bytes: dict[int, bytes] = {}

    def _around(self, file: TokenizerFile, name: str) -> tuple[list[int], list[int]]:
        """What the library puts around a text: asked once, of the first text that is not nothing."""
        texts = itertools.chain(("a", " "), itertools.islice(file.model.names, 100), ("",))
        text, plain = next((text, plain) for text in texts if (plain := self.encode(text)) or not text)
        ids = list(self.backend.encode(text).ids)
        self.backend.post_processor = None
        at = next((n for n in range(len(ids)) if ids[n : n + len(plain)] == plain), 0)
        before, after = ids[:at], ids[at + len(plain) :]
        if ids[at : at + len(plain)] != plain or max(len(before), len(after)) > MOST_AROUND:
            raise UserError(f"{name} does more with a text than to put up to {MOST_AROUND} tokens before and behind it")
        if max(before + after, default=0) >= self.vocab_size:
            raise UserError(f"{name} puts the token {max(before + after)} around a text; it has {self.vocab_size}")
        return before, after

    def encode(self, text: str) -> list[int]:
        """Token ids of `text` alone. A lone surrogate, which no encoding of text can carry, counts as U+FFFD."""
        return list(self._encoding(text).ids)

    def prompt(self, text: str) -> list[int]:
        """What a model is to go on with: `text`, and what the tokenizer puts around it."""
        return [*self.before, *self.encode(text), *self.after]

    def bare(self, bare: bool = True) -> "Tokenizer":
        """The same tokenizer, which puts nothing around a text; with `bare` False, one that does as it was read."""
        if self.is_bare == bare:
            return self
        other = copy(self)
        other.before, other.after = ([], []) if bare else self._told
        other.is_bare = bare
        return other

    def _encoding(self, text: str) -> Encoding:
        with guarded("the text cannot be split into tokens"):
            return self.backend.encode(whole(text), add_special_tokens=False)

    def pieces(self, text: str) -> list[Piece]:
        """The tokens of `text` with the bytes each covers, in order, and adjacent where they spell the text.

        Where the tokenizer rewrites the text (lower case, say), a token covers what it was made of, as the library
        tells it; of a character that became several tokens, each then covers all of it.
        """
        encoding, data = self._encoding(text), whole(text).encode()
        tokens = [self.token_bytes(i) for i in encoding.ids]
        spelled = b"".join(tokens)
        lead = len(spelled) - len(data)  # a space that the tokenizer puts before the text is none of its bytes
        if lead in (0, 1) and spelled == b" " * lead + data:
            ends = [max(0, end - lead) for end in accumulate(map(len, tokens), initial=0)]
            return [Piece(i, start, end) for i, start, end in zip(encoding.ids, ends, ends[1:], strict=False)]
        ends = list(accumulate((len(char.encode()) for char in whole(text)), initial=0))
        return [Piece(i, ends[a], ends[b]) for i, (a, b) in zip(encoding.ids, encoding.offsets, strict=True)]

    def unknown_parts(self, text: str) -> list[str]:
        """What of `text` becomes the unknown token, or, where there is none, no token at all; in order."""
        if self.byte_level:
            return (
                [char for char in whole(text) if not self._lacking.isdisjoint(char.encode())] if self._lacking else []
            )
        pieces, data = self.pieces(text), whole(text).encode()
        if self.unknown_id is not None:
            return [data[start:end].decode() for i, start, end in pieces if i == self.unknown_id]
        edges = [0, *(edge for piece in pieces for edge in piece[1:]), len(data)]
        gaps = (data[a:b].decode().strip() for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b)
        return [gap for gap in gaps if gap]

    @cached_property
    def _lacking(self) -> frozenset[int]:
        """Bytes that a byte-level vocabulary leaves out, which only one learned without all of them does."""
        return frozenset(byte for char, byte in BYTES.items() if self.backend.token_to_id(char) is None)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of `ids`; bytes that do not make up a character (a cut one, say) come out as U+FFFD."""
        if self.byte_level:
            return b"".join(map(self.token_bytes, ids)).decode("utf-8", errors="replace")
        known = [int(i) for i in ids if 0 <= i < self.vocab_size]
        with guarded("the tokens cannot be joined to a text"):
            return str(self.backend.decode(known, skip_special_tokens=False))

    def has(self, token_id: int) -> bool:
        """Whether this id is of a token: models often have rows for more than there are."""
        return 0 <= token_id < self.vocab_size and self.backend.id_to_token(token_id) is not None

    def token_bytes(self, token_id: int) -> bytes:
        """The bytes that one token stands for behind others; empty for an id that the vocabulary does not have."""
        if token_id not in self._bytes:
            self._bytes[token_id] = self._bytes_of(token_id) if self.has(token_id) else b""
        return self._bytes[token_id]

    def _bytes_of(self, token_id: int) -> bytes:
        name = str(self.backend.id_to_token(token_id))
        if self.byte_level:
            raw_bytes = token_id not in self._added and all(char in BYTES for char in name)
            return bytes(BYTES[char] for char in name) if raw_bytes else name.encode()
        if self._byte_fallback and (byte := FALLBACK.fullmatch(name)):
            return bytes.fromhex(byte[1])
        with guarded("a token has no text"):
            first, second, between = (self._joined(names) for names in (["x"], ["x", "x"], ["x", name, "x"]))
        return between[len(first) : len(between) - len(second) + len(first)].encode()

    def _joined(self, names: list[str]) -> str:
        decoder = self.backend.decoder
        return " ".join(names) if decoder is None else str(decoder.decode(names))

    @cached_property
    def unknown_id(self) -> int | None:
        """The id that closed vocabularies give to what they do not know; None for byte-level ones, which know all."""
        return None if self.byte_level or self.unknown is None else self.backend.token_to_id(self.unknown)

    def to_json(self) -> str:
        return self._json

    @classmethod
    @lru_cache(maxsize=1)  # of a model that opens, the client reads it to check it, and each screen for itself
    def from_json(cls, text: str, name: str = "this tokenizer.json") -> "Tokenizer":
        """Raises UserError for a text that is no tokenizer, or one that is not opened; see `tokenizer_file`."""
        file = parse(text, name)
        with guarded(f"{name} cannot be read"):
            backend = Backend.from_str(text)
            backend.no_padding()
            backend.no_truncation()
            return cls(backend, text, file, name)

    @classmethod
    def open(cls, path: Path) -> "Tokenizer":
        """The tokenizer in model directory or GGUF file `path`. Raises UserError where there is none that opens."""
        if is_gguf(path):
            return cls.from_json(gguf_tokenizer.to_json(gguf.read(path)), str(path))
        if (path / "tokenizer.json").exists():
            return cls.from_json(read_text(path / "tokenizer.json", LARGE), str(path / "tokenizer.json"))
        if (path / "vocab.json").exists() and (path / "merges.txt").exists():
            return from_gpt2_files(path / "vocab.json", path / "merges.txt")
        raise UserError(f"{path} holds no tokenizer.json (nor GPT-2's vocab.json and merges.txt); copy it there")


@contextmanager
def guarded(what: str) -> Iterator[None]:
    """The library's failures as a UserError that begins with `what`. Its panics are no Exception."""
    try:
        yield
    except (UserError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        raise UserError(f"{what}: {safe_text(one_line(error)[:200])}") from error


def byte_alphabet() -> dict[int, str]:
    """GPT-2's printable stand-in for each of the 256 bytes."""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in set(visible)]
    return {byte: chr(byte) for byte in visible} | {byte: chr(256 + n) for n, byte in enumerate(hidden)}


BYTES = {char: byte for byte, char in byte_alphabet().items()}
FALLBACK = re.compile("<0x([0-9A-F]{2})>")
"""The name of a token that is one byte, in vocabularies of characters that fall back to bytes."""


def from_gpt2_files(vocab: Path, merges: Path) -> Tokenizer:
    """GPT-2's own two files as a tokenizer, with the tokens that the files beside them add.

    Those are tokenizer_config.json or added_tokens.json, as transformers writes them for its slow tokenizers. Raises
    UserError where one of the files cannot be read, or a token's id leaves a gap.
    """
    names = read_json(vocab, dict[str, TokenId], LARGE)
    lines = read_text(merges, LARGE).split("\n")
    pairs = []
    for line in (line for line in lines if line.strip() and not line.startswith("#version")):
        first, _, second = line.strip("\r\n ").partition(" ")
        if not second or " " in second:
            raise UserError(f"{merges} cannot be read: {line[:40]!r} is no pair; copy or download it again")
        pairs.append((first, second))
    config = _slow_config(vocab.parent / "tokenizer_config.json")
    with guarded(f"{vocab} and {merges.name} cannot be read"):
        backend = byte_level_backend(models.BPE(names, pairs), add_prefix_space=config.add_prefix_space)
        if backend.token_to_id("<|endoftext|>") is not None:
            backend.add_special_tokens(["<|endoftext|>"])
        for token in sorted(_added(vocab.parent, config), key=lambda token: token.id):
            options = {name: getattr(token, name) for name in ("single_word", "lstrip", "rstrip", "normalized")}
            backend.add_tokens([AddedToken(token.content, special=token.special, **options)])
            if (found := backend.token_to_id(token.content)) != token.id:
                raise UserError(
                    f"{vocab.parent}: the added token {token.content[:40]!r} has the id {token.id}; it must be {found}"
                )
    return Tokenizer(backend)


class _Described(msgspec.Struct, frozen=True):
    content: str
    single_word: bool = False
    lstrip: bool = False
    rstrip: bool = False
    normalized: bool = True
    special: bool = False


class _SlowConfig(msgspec.Struct, frozen=True):
    """What of a tokenizer_config.json changes how a text is split."""

    add_prefix_space: bool = False
    added_tokens_decoder: dict[str, _Described] = {}


def _slow_config(file: Path) -> _SlowConfig:
    return read_json(file, _SlowConfig) if file.exists() else _SlowConfig()


def _added(path: Path, config: _SlowConfig) -> list[Added]:
    """The tokens that a directory adds to its vocabulary."""
    if config.added_tokens_decoder:
        return [
            Added(int(number) if number.isdecimal() else -1, **msgspec.structs.asdict(token))
            for number, token in config.added_tokens_decoder.items()
        ]
    older = path / "added_tokens.json"
    return [
        Added(number, name) for name, number in (read_json(older, dict[str, TokenId]) if older.exists() else {}).items()
    ]


def byte_level_backend(model: models.Model, *, add_prefix_space: bool = False) -> Backend:
    backend = Backend(model)
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space, use_regex=True)
    backend.decoder = decoders.ByteLevel()
    return backend


def train_bpe(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """Byte-level BPE learned from `texts`: the 256 bytes, then the most frequent merges up to `vocab_size`."""
    if vocab_size < 256:
        raise UserError(f"a byte-level BPE needs at least 256 tokens, one for each byte; {vocab_size} were asked for")
    backend = byte_level_backend(models.BPE())
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, initial_alphabet=alphabet, show_progress=False)
    backend.train_from_iterator((whole(text) for text in texts), trainer)
    return Tokenizer(backend)


def train_characters(texts: Iterable[str]) -> Tokenizer:
    """One token for each character that occurs, in code-point order; the unknown token last."""
    seen: set[str] = set()
    for text in texts:
        seen.update(whole(text))
    return closed_vocabulary(sorted(seen), CHARACTER)


def characters_alone(text: str) -> Tokenizer:
    """One token for each character of `text`, in code-point order, and none for others: what is unknown is dropped.

    As nanoGPT and minGPT number them, whose models have no row for an unknown token.
    """
    names = sorted(set(whole(text)))
    backend = Backend(models.BPE({name: i for i, name in enumerate(names)}, []))
    backend.decoder = decoders.Fuse()
    return Tokenizer(backend)


def train_words(texts: Iterable[str], vocab_size: int = 50_000) -> Tokenizer:
    """One token for each word (with the space before it) and each mark; the rarest beyond `vocab_size` are unknown."""
    splitter = pre_tokenizers.Split(Regex(WORD), "isolated")
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(word for word, _ in splitter.pre_tokenize_str(whole(text)))
    kept = [word for word, _ in counts.most_common(vocab_size - 1)]
    return closed_vocabulary(sorted(kept), WORD)


def closed_vocabulary(tokens: Sequence[str], pattern: str) -> Tokenizer:
    """Whole matches of `pattern` are tokens if listed in `tokens`, unknown otherwise."""
    names = [*dict.fromkeys(token for token in tokens if token != UNKNOWN), UNKNOWN]
    backend = Backend(models.WordLevel({name: i for i, name in enumerate(names)}, unk_token=UNKNOWN))
    backend.pre_tokenizer = pre_tokenizers.Split(Regex(pattern), "isolated")
    backend.decoder = decoders.Fuse()
    return Tokenizer(backend)
