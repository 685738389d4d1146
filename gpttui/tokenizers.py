"""Text to token ids and back: a thin face over Hugging Face's `tokenizers`, plus what each token is in bytes.

Three kinds are made here: single characters, whole words and byte-level BPE (Sennrich et al. 2016; GPT-2's byte
alphabet). Any `tokenizer.json`, or GPT-2's `vocab.json` + `merges.txt`, can be opened. Light enough for the UI process,
which re-splits the prompt on every keystroke. No torch, no screen.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from tokenizers import Regex, decoders, models, pre_tokenizers, trainers
from tokenizers import Tokenizer as Backend

from gpttui.errors import UserError, one_line
from gpttui.storage.model_files import need_file, reason
from gpttui.text import whole

UNKNOWN = "\ufffd"
"""The token that stands for a character or word outside a closed vocabulary. Never seen in training."""

_WORD = r"'s\b| ?[^\W_]+(?:-[^\W_]+)*(?:['’](?!s\b))?| ?[^\w\s]|\s|_"
"""A word with the space before it (French elisions keep their apostrophe: ` l'`), a possessive, a mark, or a blank."""


class Piece(NamedTuple):
    """One token of a text: its id and the half-open range of the text's UTF-8 bytes that it covers."""

    id: int
    start: int
    end: int


class Tokenizer:
    """One vocabulary: encode, decode, and look at single tokens."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        parts: dict[str, Any] = json.loads(backend.to_str())
        self.byte_level = "ByteLevel" in json.dumps([parts.get("pre_tokenizer"), parts.get("decoder")])
        self.kind = self._kind(parts)

    def _kind(self, parts: dict[str, Any]) -> str:
        if self.byte_level:
            return f"byte-level BPE {self.vocab_size}"
        names = self.backend.get_vocab()
        return "characters" if all(len(name) == 1 for name in names) else "words"

    @property
    def vocab_size(self) -> int:
        return int(self.backend.get_vocab_size())

    @property
    def merges(self) -> list[tuple[str, str]]:
        """BPE's merges in the order they were learned; empty for the other kinds."""
        stored = json.loads(self.backend.to_str())["model"].get("merges", [])
        return [(pair[0], pair[1]) if isinstance(pair, list) else tuple(pair.split(" ")) for pair in stored]

    def encode(self, text: str) -> list[int]:
        """Token ids of `text`. A lone surrogate, which no encoding of text can carry, counts as U+FFFD."""
        return list(self.backend.encode(whole(text), add_special_tokens=False).ids)

    def pieces(self, text: str) -> list[Piece]:
        """The tokens of `text` with the bytes each covers: adjacent, in order."""
        encoding = self.backend.encode(whole(text), add_special_tokens=False)
        if self.byte_level:
            return list(self._by_length(encoding.ids))
        ends = [0]
        for char in whole(text):
            ends.append(ends[-1] + len(char.encode()))
        return [Piece(i, ends[a], ends[b]) for i, (a, b) in zip(encoding.ids, encoding.offsets, strict=True)]

    def unknown_parts(self, text: str) -> list[str]:
        """What of `text` becomes the unknown token, in order; empty for byte-level vocabularies, which know all."""
        if self.unknown_id is None:
            return []
        data = whole(text).encode()
        return [data[start:end].decode() for i, start, end in self.pieces(text) if i == self.unknown_id]

    def _by_length(self, ids: Iterable[int]) -> Iterator[Piece]:
        start = 0
        for i in ids:
            end = start + len(self.token_bytes(i))
            yield Piece(i, start, end)
            start = end

    def decode(self, ids: Sequence[int]) -> str:
        """The text of `ids`; bytes that do not make up a character (a cut one, say) come out as U+FFFD."""
        return b"".join(map(self.token_bytes, ids)).decode("utf-8", errors="replace")

    def token_bytes(self, token_id: int) -> bytes:
        """The bytes that one token stands for; empty for an id that the vocabulary does not have."""
        return self._bytes.get(token_id, b"")

    @cached_property
    def _bytes(self) -> dict[int, bytes]:
        added = {int(i) for i in self.backend.get_added_tokens_decoder()}
        table = {char: byte for byte, char in byte_alphabet().items()}
        found = {}
        for name, i in self.backend.get_vocab(with_added_tokens=True).items():
            raw_bytes = self.byte_level and i not in added and all(char in table for char in name)
            found[i] = bytes(table[char] for char in name) if raw_bytes else name.encode()
        return found

    @cached_property
    def unknown_id(self) -> int | None:
        """The id that closed vocabularies give to what they do not know; None for byte-level ones, which know all."""
        return None if self.byte_level else self.backend.token_to_id(UNKNOWN)

    def to_json(self) -> str:
        return str(self.backend.to_str())

    @classmethod
    def from_json(cls, text: str) -> "Tokenizer":
        try:
            return cls(Backend.from_str(text))
        except Exception as error:  # the library raises bare Exception
            raise UserError(f"this tokenizer.json cannot be read: {one_line(error)}") from error

    @classmethod
    def open(cls, path: Path) -> "Tokenizer":
        """The tokenizer in model directory `path`. Raises UserError where there is none or it cannot be read."""
        if (path / "tokenizer.json").exists():
            need_file(path / "tokenizer.json")
            try:
                text = (path / "tokenizer.json").read_text(encoding="utf-8")
            except (OSError, ValueError) as error:
                raise UserError(f"{path / 'tokenizer.json'} cannot be read: {reason(error)}") from error
            return cls.from_json(text)
        if (path / "vocab.json").exists() and (path / "merges.txt").exists():
            return from_gpt2_files(path / "vocab.json", path / "merges.txt")
        raise UserError(f"{path} holds no tokenizer.json (nor GPT-2's vocab.json and merges.txt); copy it there")


def byte_alphabet() -> dict[int, str]:
    """GPT-2's printable stand-in for each of the 256 bytes."""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in set(visible)]
    return {byte: chr(byte) for byte in visible} | {byte: chr(256 + n) for n, byte in enumerate(hidden)}


def from_gpt2_files(vocab: Path, merges: Path) -> Tokenizer:
    """GPT-2's own two files as a tokenizer, `<|endoftext|>` included where the vocabulary has it."""
    try:
        model = models.BPE.from_file(str(vocab), str(merges))
    except Exception as error:  # the library raises bare Exception
        raise UserError(f"{vocab.name} and {merges.name} cannot be read: {one_line(error)}") from error
    backend = byte_level_backend(model)
    if backend.token_to_id("<|endoftext|>") is not None:
        backend.add_special_tokens(["<|endoftext|>"])
    return Tokenizer(backend)


def byte_level_backend(model: models.Model) -> Backend:
    backend = Backend(model)
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
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
    return closed_vocabulary(sorted(seen), r"[\s\S]")


def train_words(texts: Iterable[str], vocab_size: int = 50_000) -> Tokenizer:
    """One token for each word (with the space before it) and each mark; the rarest beyond `vocab_size` are unknown."""
    splitter = pre_tokenizers.Split(Regex(_WORD), "isolated")
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(word for word, _ in splitter.pre_tokenize_str(whole(text)))
    kept = [word for word, _ in counts.most_common(vocab_size - 1)]
    return closed_vocabulary(sorted(kept), _WORD)


def closed_vocabulary(tokens: Sequence[str], pattern: str) -> Tokenizer:
    """Whole matches of `pattern` are tokens if listed in `tokens`, unknown otherwise."""
    names = [*dict.fromkeys(token for token in tokens if token != UNKNOWN), UNKNOWN]
    backend = Backend(models.WordLevel({name: i for i, name in enumerate(names)}, unk_token=UNKNOWN))
    backend.pre_tokenizer = pre_tokenizers.Split(Regex(pattern), "isolated")
    backend.decoder = decoders.Fuse()
    return Tokenizer(backend)
