"""Text to tokens on disk, once; then batches whose position is a pure function of (seed, step).

Two layouts. A stream: all text end to end, rows cut from it at a shift that changes each epoch, every token once an
epoch (nanoGPT's `train.bin`, minus its draws with replacement); or, with `from_starts`, each row from where a document
begins, each document's beginning once an epoch (what nanochat does), or a share of the rows so, the others from
anywhere. Rows: one document each, padded, so that a task
such as `12+30=42` always starts at position 0. In all, what step n sees depends on the seed and n alone: resuming needs
no stored position, and processes take disjoint slices of the same batch.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gpttui.corpora.registry import PREFIX, WORDS_AMONG, corpus_spec, open_corpus, vocabulary_words
from gpttui.corpora.splits import HELD_OUT_FROM_SEED
from gpttui.errors import UserError
from gpttui.files import read_json, write_whole
from gpttui.records import Array
from gpttui.runs import rundir
from gpttui.runs.config import TrainConfig
from gpttui.tokenizers import Tokenizer, guarded, train_bpe, train_characters, train_words
from gpttui.training.text import TextSource, open_text
from gpttui.training.token_file import Encoded, TokenWriter, open_tokens, token_dtype

IGNORED = -100
"""Target of padding: what `cross_entropy` skips."""
BPE_TRAINING_CHARS = 100_000_000
META = "data.json"


@dataclass(frozen=True)
class Batch:
    """Rows of one pass: `inputs`, `targets` `[rows, context]` int64; `weights` alike, or None: all count the same."""

    inputs: Tensor
    targets: Tensor
    weights: Tensor | None = None


class TokenFile:
    """One side (training or validation) of the encoded data."""

    def __init__(
        self,
        array: Array,
        context: int,
        *,
        marker: int = -1,
        prompt_weight: float = 1.0,
        newline: int = -1,
        starts_share: float = 1.0,
    ) -> None:
        self.array, self.context = array, context
        self.is_rows = array.ndim == 2
        self.pad = int(np.iinfo(array.dtype).max)
        self.marker, self.prompt_weight = marker, prompt_weight
        self.newlines = np.flatnonzero(array[: len(array) - context - 1] == newline) if newline >= 0 else None
        """Where the documents that rows may begin with begin: at the newline before each; None: rows begin anywhere."""
        self._others: TokenFile | None = None
        """Where some rows begin with a document and some do not: the same tokens, cut anywhere."""
        self._starts_share = Fraction(starts_share).limit_denominator(100)
        if self.newlines is not None and starts_share < 1:
            self._others = TokenFile(array, context)
        self.n_rows = len(array) if self.is_rows else max(1, (len(array) - context) // context)
        if self.newlines is not None:
            self.n_rows = len(self.newlines)
        self._orders: dict[tuple[int, int], Array] = {}

    @property
    def tokens(self) -> int:
        """Tokens, padding aside."""
        return int((self.array != self.pad).sum()) if self.is_rows else len(self.array)

    def draw(self, seed: int, first: int, count: int) -> Batch:
        """Rows `first … first + count` of the endless sequence of epochs that `seed` gives."""
        return self._rows([self._place(seed, n) for n in range(first, first + count)])

    def _place(self, seed: int, n: int) -> int:
        """Where row `n` begins."""
        if self._others is None:
            return self._pick(seed, n)
        before, then = int(n * self._starts_share), int((n + 1) * self._starts_share)
        return self._pick(seed, before) if then > before else self._others._pick(seed, n - before)

    def _pick(self, seed: int, n: int) -> int:
        epoch, place = divmod(n, self.n_rows)
        if (seed, epoch) not in self._orders:
            rng = np.random.Generator(np.random.Philox(key=[seed, epoch]))
            if self.newlines is not None:  # every other row without the newline: prompts come both ways
                order = rng.permutation(self.newlines) + np.arange(self.n_rows) % 2
            elif self.is_rows:
                order = rng.permutation(self.n_rows)
            else:
                shift = int(rng.integers(min(self.context, len(self.array) - self.context)))
                order = rng.permutation(self.n_rows) * self.context + shift
            last = self._orders.get((seed, epoch - 1))
            self._orders = {(seed, epoch): order} | ({} if last is None else {(seed, epoch - 1): last})
        return int(self._orders[seed, epoch][place])

    def spread(self, tokens: int) -> list[int]:
        """Starts of rows spread evenly, without overlap, enough for about `tokens` tokens: what an evaluation reads."""
        anywhere = not self.is_rows and self.newlines is None
        places = max(1, (len(self.array) - 1) // self.context) if anywhere else self.n_rows
        wanted = max(1, min(places, tokens // self.context))
        found = np.linspace(0, places - 1, wanted).astype(int)
        if anywhere:
            found = found * self.context
        elif self.newlines is not None:
            found = self.newlines[found]
        return [int(start) for start in found]

    def at(self, starts: list[int]) -> Batch:
        """The rows that begin at `starts` (for a row layout: the rows of these numbers)."""
        return self._rows(starts)

    def _rows(self, picks: list[int]) -> Batch:
        T = self.context
        if self.is_rows:
            block = self.array[picks].astype(np.int64)  # [rows, T + 1]
        else:
            block = np.stack([self.array[p : p + T + 1] for p in picks]).astype(np.int64)
        inputs, targets = block[:, :-1].copy(), block[:, 1:].copy()
        if not self.is_rows:
            return Batch(torch.from_numpy(inputs), torch.from_numpy(targets))
        targets[targets == self.pad] = IGNORED
        inputs[inputs == self.pad] = 0  # never attended to by what counts: it only ever follows
        weights = None
        if self.marker >= 0 and self.prompt_weight != 1.0:
            answered = np.cumsum(inputs == self.marker, axis=1) > 0
            weights = torch.from_numpy(np.where(answered, 1.0, self.prompt_weight).astype(np.float32))
        return Batch(torch.from_numpy(inputs), torch.from_numpy(targets), weights)


@dataclass(frozen=True)
class Data:
    """Everything a run reads: tokenizer, training and validation tokens, and what to tell of them."""

    tokenizer: Tokenizer
    train: TokenFile
    val: TokenFile
    val_bytes: int
    """Of the validation text; 0 where only a part of it was encoded."""
    notes: list[str]


def prepare(config: TrainConfig, path: Path, tokenizer: Tokenizer | None = None) -> Data:
    """Encode the run's data into `path/data`, or open what the run has there. `tokenizer`: a given one (fine-tuning).

    What lies there without a run is what a start left that was killed, of whatever text: it is made anew.
    """
    folder = path / "data"
    if not (folder / META).exists() or not rundir.is_run(path):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / META).unlink(missing_ok=True)
            meta = _encode(config, folder, tokenizer, path / rundir.TOKENIZER)
            write_whole(folder / META, json.dumps(meta))
        except OSError as error:
            raise UserError(f"cannot write the encoded text: {rundir.one_line_os(error, folder)}") from error
    return open_data(config, path)


def open_data(config: TrainConfig, path: Path) -> Data:
    """The encoded data of run `path`, memory-mapped."""
    folder = path / "data"
    try:
        meta = read_json(folder / META, Encoded)
        arrays = [open_tokens(folder / f"{side}.npy") for side in ("train", "val")]
    except (OSError, ValueError, UserError) as error:
        raise UserError(f"the encoded text in {folder} is missing or damaged; start the run anew") from error
    tokenizer = Tokenizer.open(path)
    newline = _newline(tokenizer) if config.from_starts and not config.documents else -1
    sides = [
        TokenFile(
            array,
            config.context,
            marker=meta.marker,
            prompt_weight=config.prompt_weight,
            newline=newline,
            starts_share=config.starts_share,
        )
        for array in arrays
    ]
    if any(side.n_rows == 0 for side in sides):
        raise UserError(
            "no line of the text begins a whole context before its end; use more text, or leave from_starts out"
        )
    return Data(tokenizer, sides[0], sides[1], meta.val_bytes, meta.notes)


def _newline(tokenizer: Tokenizer) -> int:
    """The one token that ends a document."""
    ids = tokenizer.encode("\n")
    if len(ids) != 1:
        raise UserError("rows can begin where documents do only if a newline is one token; leave from_starts out")
    return ids[0]


def _encode(config: TrainConfig, folder: Path, tokenizer: Tokenizer | None, tokenizer_file: Path) -> dict[str, Any]:
    corpus = config.data.removeprefix(PREFIX) if config.data.startswith(PREFIX) else ""
    if corpus or config.documents:
        return _encode_documents(config, corpus, folder, tokenizer, tokenizer_file)
    return _encode_stream(config, folder, tokenizer, tokenizer_file)


def _encode_stream(config: TrainConfig, folder: Path, tokenizer: Tokenizer | None, file: Path) -> dict[str, Any]:
    source = open_text(config.data, folder / "stdin.txt", config.text_field)
    if tokenizer is None:
        tokenizer = learn_tokenizer(config.tokenizer, source, config.val_fraction)
    file.write_text(tokenizer.to_json(), encoding="utf-8")
    encoder = Encoder(tokenizer)
    writers = [TokenWriter(folder / f"{side}.npy", tokenizer.vocab_size) for side in ("train", "val")]
    val_bytes = 0
    for side, text in in_lines(source.split(config.val_fraction)):
        writers[side].append(encoder.encode(text))
        val_bytes += len(text.encode()) if side else 0
    counts = [writer.close() for writer in writers]
    _check_length(counts, config, tokenizer)
    return {"marker": -1, "val_bytes": val_bytes, "notes": source.notes + encoder.notes()}


def _check_length(counts: list[int], config: TrainConfig, tokenizer: Tokenizer) -> None:
    for count, what in zip(counts, ("training", "validation"), strict=True):
        if count < config.context + 1:
            raise UserError(f"the text is too short: its {what} part has {count} tokens, one context and the token "
                            f"after it are {config.context + 1}; use more text or a smaller --context")  # fmt: skip


def in_lines(parts: Iterator[tuple[bool, str]]) -> Iterator[tuple[bool, str]]:
    """The same text in pieces that end at a line's end where they can, so that no word is cut in two."""
    held, side = "", False
    for is_val, text in parts:
        if is_val != side and held:
            yield side, held
            held = ""
        side = is_val
        cut = text.rfind("\n") + 1
        if not cut and len(held) < (1 << 22):
            held += text
            continue
        yield side, held + text[:cut]
        held = text[cut:]
    if held:
        yield side, held


def learn_tokenizer(kind: str, source: TextSource, val_fraction: float) -> Tokenizer:
    """A tokenizer for the text. Characters: all that occur. BPE and words: from the training part only."""
    if kind == "char":
        return train_characters(text for _, _, text in source.blocks())
    texts = (text for is_val, text in in_lines(source.split(val_fraction)) if not is_val)
    return learn_from(kind, texts)


def learn_from(kind: str, texts: Iterator[str]) -> Tokenizer:
    if kind in ("char", "symbols"):
        return train_characters(texts)
    if kind == "word":
        return train_words(_up_to(texts, BPE_TRAINING_CHARS))
    name, _, size = kind.partition(":")
    if name == "bpe" and size.isdecimal():
        return train_bpe(_up_to(texts, BPE_TRAINING_CHARS), int(size))
    raise UserError(f"no tokenizer is called {kind!r}: use char, word, or bpe:N (bpe:1024, say)")


def _up_to(texts: Iterator[str], chars: int) -> Iterator[str]:
    for text in texts:
        if chars <= 0:
            return
        chars -= len(text)
        yield text


def _encode_documents(
    config: TrainConfig, corpus: str, folder: Path, tokenizer: Tokenizer | None, file: Path
) -> dict[str, Any]:
    train, val, notes = _documents(config, corpus, folder)
    if tokenizer is None:
        kind = corpus_spec(corpus).tokenizer if corpus and config.tokenizer == "char" else config.tokenizer
        tokenizer = learn_from(kind, _tokenizer_texts(corpus, [*train, *val] if kind == "char" else train))
    file.write_text(tokenizer.to_json(), encoding="utf-8")
    encoder = Encoder(tokenizer)
    marker = tokenizer.encode(config.answer_after) if config.answer_after else []
    if config.answer_after and len(marker) != 1:
        raise UserError(f"the marker {config.answer_after!r} is {len(marker)} tokens; answer_after needs one")
    counts, whole = [], True
    for side, documents in (("train", train), ("val", val)):
        if config.documents:
            rows, cut = encoder.rows(documents, config.context)
            notes += [f"{cut:,} {side} documents are longer than the context and were cut"] * (cut > 0)
            whole = not cut
            np.save(folder / f"{side}.npy", rows)
            counts.append(rows.size)
        else:
            writer = TokenWriter(folder / f"{side}.npy", tokenizer.vocab_size)
            for start in range(0, len(documents), 1000):
                writer.append(encoder.encode("".join(d + "\n" for d in documents[start : start + 1000])))
            counts.append(writer.close())
    _check_length(counts, config, tokenizer)
    val_bytes = sum(len(document.encode()) + 1 for document in val) if whole else 0
    return {"marker": marker[0] if marker else -1, "val_bytes": val_bytes, "notes": notes + encoder.notes()}


def _tokenizer_texts(corpus: str, documents: list[str]) -> Iterator[str]:
    """What a vocabulary is learned from: the documents, and the words that their corpus wants in it."""
    words = list(vocabulary_words(corpus)) if corpus else []
    for n, document in enumerate(documents):
        if n % WORDS_AMONG == 0:
            yield from (line + "\n" for line in words)
        yield document + "\n"


def _documents(config: TrainConfig, corpus: str, folder: Path) -> tuple[list[str], list[str], list[str]]:
    """Training and validation documents, notes. A corpus holds out its own; lines of a text are split by position."""
    if corpus:
        draw, n = open_corpus(corpus), config.corpus_documents
        held_out = list(draw(HELD_OUT_FROM_SEED + config.seed, max(20, n // 20)))
        return list(draw(config.seed % HELD_OUT_FROM_SEED, n)), held_out, []
    source = open_text(config.data, folder / "stdin.txt", config.text_field)
    sides: tuple[list[str], list[str]] = ([], [])
    for is_val, text in in_lines(source.split(config.val_fraction)):
        sides[is_val].extend(line for line in text.splitlines() if line.strip())
    if not sides[0] or not sides[1]:
        raise UserError(f"{config.data} has too few lines to split into training and validation documents")
    return *sides, source.notes


class Encoder:
    """Text to an array of ids; single characters by one table lookup, all else by the tokenizer."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.dtype = token_dtype(tokenizer.vocab_size)
        self.unknown = 0
        self._table = self._character_table() if tokenizer.one_by_one else None

    def _character_table(self) -> Array:
        unknown = self.tokenizer.unknown_id or 0
        table = np.full(0x110000, unknown, dtype=self.dtype)
        for name, i in self.tokenizer.backend.get_vocab().items():
            table[ord(name)] = i
        return table

    def encode(self, text: str) -> Array:
        if self._table is not None:
            points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
            ids = self._table[points]
        else:
            pieces = [text[a : a + 100_000] for a in range(0, len(text), 100_000)] if len(text) > 400_000 else [text]
            with guarded("the text cannot be split into tokens"):
                parts = self.tokenizer.backend.encode_batch_fast(pieces, add_special_tokens=False)
            ids = np.concatenate([np.asarray(part.ids, dtype=self.dtype) for part in parts])
        if self.tokenizer.unknown_id is not None:
            self.unknown += int((ids == self.tokenizer.unknown_id).sum())
        return ids

    def rows(self, documents: list[str], context: int) -> tuple[Array, int]:
        """`[documents, context + 1]`, each with a newline behind it, padded; and how many had to be cut."""
        pad, cut = np.iinfo(self.dtype).max, 0
        rows = np.full((len(documents), context + 1), pad, dtype=self.dtype)
        for row, document in zip(rows, documents, strict=True):
            ids = self.encode(document + "\n")[: context + 2]
            cut += len(ids) > context + 1
            row[: len(ids)] = ids[: context + 1]
        return rows, cut

    def notes(self) -> list[str]:
        return [f"{self.unknown:,} tokens are unknown to the vocabulary"] if self.unknown else []
