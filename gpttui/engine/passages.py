"""A search in the background: which passages of a model's own training text fire its neurons most.

Done in slices, so that requests are answered in between; what was read is kept for every neuron of the layer, and on
disk under the cache folder, named by the weights themselves. Where a model's training text is not known or not here,
Python's own documentation stands in, and is called so.
"""

import contextlib
import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from gpttui import locations
from gpttui.corpora import datasets
from gpttui.corpora.registry import PREFIX, corpus_spec, open_corpus, spec_of
from gpttui.errors import UserError, one_line
from gpttui.files import open_regular
from gpttui.inference.neurons import Passages as Found
from gpttui.inference.neurons import search
from gpttui.inference.trace import blocks, mlp_of
from gpttui.model.gpt import GPT
from gpttui.protocol.parts import Passage, Passages
from gpttui.records import Array, frozen
from gpttui.storage import gallery
from gpttui.tokenizers import Tokenizer
from gpttui.training.data import Encoder
from gpttui.training.source import file_of, source_of
from gpttui.training.text import open_text

STAND_IN = "corpus:python-docs"
BEFORE, AFTER = 24, 8
"""Tokens shown around the place that fired."""
CHARS_A_SLICE = 50_000
NEWS_EVERY_S = 0.25


class Search:
    """One reading of a text for one layer's neurons."""

    def __init__(
        self,
        model: GPT,
        tokenizer: Tokenizer,
        model_dir: Path | None,
        layer: int,
        neuron: int,
        file: Path | None,
        tokens: int,
    ) -> None:
        self.model, self.layer, self.neuron = model, layer, neuron
        self.file, self.tokens = file, max(1, tokens)
        self.source, texts = training_text(model_dir) if file is None else (file.name, file_text(file))
        self.fingerprint = fingerprint(model, layer)
        self.found: Found | None = None
        self.ids: Array = np.empty(0, dtype=np.int64)
        self.running = True
        self._told_s = 0.0
        key = f"{self.fingerprint}|{layer}|{self.source}|{self.tokens}".encode()
        self._kept = locations.cache_dir() / "passages" / f"{hashlib.sha256(key).hexdigest()[:24]}.npz"
        if file is None and self._load():
            self.running = False
        self._work = self._read(texts, Encoder(tokenizer))

    @property
    def done(self) -> bool:
        return self.found is not None and self.found.done

    def covers(self, model: GPT, layer: int) -> bool:
        """Whether this search is about that layer, the weights being what they were."""
        return layer == self.layer and self.fingerprint == fingerprint(model, layer)

    def is_same(self, model: GPT, layer: int, file: Path | None, tokens: int) -> bool:
        """Whether this is the very search asked for."""
        return (file, tokens) == (self.file, self.tokens) and self.covers(model, layer)

    def slice(self) -> Passages | None:
        """Do a little. What is known by now, where it is time to tell; always when it is done."""
        try:
            next(self._work)
        except StopIteration:
            self.running = False
        except UserError as error:
            self.running = False
            self.source = one_line(error)
        now_s = time.perf_counter()
        if self.running and now_s - self._told_s < NEWS_EVERY_S:
            return None
        self._told_s = now_s
        return self.passages(self.neuron)

    def _read(self, texts: Iterator[str], encoder: Encoder) -> Iterator[None]:
        parts: list[Array] = []
        count = 0
        for text in texts:
            parts.append(encoder.encode(text).astype(np.int64))
            count += len(parts[-1])
            yield
            if count >= self.tokens:
                break
        self.ids = np.concatenate(parts)[: self.tokens] if parts else self.ids
        for found in search(self.model, self.ids, self.layer):
            self.found = found
            yield
        if self.file is None:
            self._keep()

    def passages(self, neuron: int) -> Passages:
        """What is known of one neuron."""
        found: list[Passage] = []
        if self.found is not None:
            for activation, position in zip(self.found.activations[neuron], self.found.positions[neuron], strict=True):
                if position >= 0:
                    first = max(0, int(position) - BEFORE)
                    around = frozen(self.ids[first : int(position) + AFTER + 1].astype(np.int32))
                    found.append(Passage(around, int(position) - first, float(activation)))
        return Passages(
            layer=self.layer,
            neuron=neuron,
            found=tuple(found),
            tokens_read=0 if self.found is None else self.found.tokens_read,
            tokens_total=self.tokens if self.found is None else self.found.tokens_total,
            running=self.running,
            source=self.source,
        )

    def _load(self) -> bool:
        try:
            with open_regular(self._kept) as file, np.load(file, allow_pickle=False) as kept:
                ids, total = kept["ids"].astype(np.int64), int(kept["total"])
                activations, positions = frozen(kept["activations"]), frozen(kept["positions"])
                width = mlp_of(self.model, self.layer).c_proj.in_features
                if len(activations) != width or activations.shape != positions.shape or positions.max() >= len(ids):
                    return False
        except Exception:  # nothing kept, or not whole, which numpy and zip tell in many ways: it is read again
            return False
        self.ids, self.found = ids, Found(activations, positions, total, total)
        return True

    def _keep(self) -> None:
        if self.found is None:
            return
        found, beside = self.found, self._kept.with_suffix(".tmp")
        try:
            self._kept.parent.mkdir(parents=True, exist_ok=True)
            with beside.open("wb") as handle:
                np.savez_compressed(
                    handle,
                    ids=self.ids.astype(np.int32),
                    total=np.asarray(found.tokens_total),
                    activations=found.activations,
                    positions=found.positions,
                )
            beside.replace(self._kept)
        except OSError:  # a cache that cannot be written costs another reading, nothing else
            beside.unlink(missing_ok=True)


def fingerprint(model: GPT, layer: int) -> str:
    """A hash of the layer's questions and of what they read, which any training changes."""
    mlp = mlp_of(model, layer)
    digest = hashlib.sha256()
    for weight in (mlp.c_fc.weight, blocks(model)[0].attn.c_attn.weight):
        digest.update(weight.detach().cpu().contiguous().float().numpy().tobytes())
    return digest.hexdigest()


def training_text(model_dir: Path | None) -> tuple[str, Iterator[str]]:
    """What the model of a directory learned from, in words, and its text in pieces."""
    source = source_of(model_dir) if model_dir is not None else None
    if model_dir is not None and source is not None:
        corpus = spec_of(source.data)
        if corpus is not None and datasets.is_ready(corpus.name):
            return f"{corpus.title}, its training text", corpus_text(source.data)
        with contextlib.suppress(UserError):  # not on this machine
            name = gallery.told(model_dir).data or file_of(source).name
            return f"{name}, its training text", file_text(file_of(source), source.text_field)
    return f"{corpus_spec(STAND_IN.removeprefix(PREFIX)).title}, not what it learned from", corpus_text(STAND_IN)


def corpus_text(data: str) -> Iterator[str]:
    """The documents of `corpus:NAME` as training sees them, many to a piece."""
    piece, size = [], 0
    for document in open_corpus(data.removeprefix(PREFIX))(0):
        piece.append(document + "\n")
        size += len(document) + 1
        if size >= CHARS_A_SLICE:
            yield "".join(piece)
            piece, size = [], 0
    yield "".join(piece)


def file_text(file: Path, text_field: str = "") -> Iterator[str]:
    source = open_text(str(file), Path(), text_field)
    return (text[a : a + CHARS_A_SLICE] for _, _, text in source.blocks() for a in range(0, len(text), CHARS_A_SLICE))
