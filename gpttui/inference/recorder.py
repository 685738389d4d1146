"""What the model did over one window of text, row by row: grows by a step, shrinks by a back, never rewrites.

Causal attention never changes an earlier row, so one position costs one row: residual stream, keys and values,
attention, logits. Attention rows and logits, the two that grow large, are kept newest first within a budget of bytes;
what fell out is computed again from what stays: queries from the residual stream, attention from them and the cache's
keys, logits from the last vector. No sampling, no text here; `session.py` has those.
"""

import contextlib
import ctypes
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor

from gpttui.inference.arrays import wide
from gpttui.inference.row import RowStep
from gpttui.inference.sampling import LOWEST
from gpttui.model.gpt import GPT, Block, GPTConfig, causal_mask
from gpttui.model.kv_cache import grown
from gpttui.model.taps import Recorder, Tap, chain, placed, tapped
from gpttui.records import Array, frozen

PREFILL_BYTES = {"cpu": 64 << 20, "cuda": 2 << 30}
"""Scratch space that one pass over a prompt may take, by device; a prompt that needs more goes through in chunks."""
LEAST_ROWS = 32
ATTENTION_BYTES = 16 << 20
LOGIT_BYTES = 8 << 20
_LARGE_BYTES = 64 << 20
_CHUNK_ELEMENTS = 1 << 20
_LN2 = math.log(2.0)


@contextlib.contextmanager
def showing(model: GPT) -> Iterator[None]:
    """No dropout in what is shown, though the model be in the middle of its training."""
    training = model.training
    if training:
        model.eval()
    try:
        yield
    finally:
        if training:
            model.train()


@dataclass(frozen=True, slots=True, eq=False)
class AttentionBlock:
    """The pattern of rows `first` and on."""

    first: int
    weights: Array
    """`[layer, head, row, key]`"""

    @property
    def end(self) -> int:
        return self.first + int(self.weights.shape[2])


class RowTap:
    """The lean recorder of one pass: keeps a reference to each tensor that `Window` files away.

    With `fused`, attention stays fused and its patterns are not seen; where another tap wants them, they are let go.
    """

    fused = False

    def __init__(self, n_layer: int) -> None:
        blocks = [f"blocks.{layer}." for layer in range(n_layer)]
        self.layers: dict[str, list[Tensor]] = {}
        by_site = {"embed": "embed", "pos_embed": "pos_embed", "ln_final.normalized": "final"}
        for block in blocks:
            by_site |= {block + "attn.pattern": "pattern"}
            by_site |= {block + "resid_mid": "residual", block + "resid_post": "residual"}
        self.kept = by_site
        self.reset()

    def reset(self) -> None:
        self.layers = {name: [] for name in ("embed", "pos_embed", "pattern", "residual", "final")}

    def __call__(self, site: str, x: Tensor) -> Tensor:
        name = self.kept.get(site)
        if name is not None and not (self.fused and name == "pattern"):
            self.layers[name].append(x)
        return x


def window_start(length: int, context: int) -> int:
    """The first position that the model still sees of a text of `length` tokens.

    0 until the context is full; then it moves in leaps of a quarter context, so that most steps stay one row.
    """
    leap = max(1, context // 4)
    return -(-max(0, length - context) // leap) * leap


class Window:
    """A run of tokens inside the model's context, and all that was recorded of them.

    Row numbers count from the window's start. `surprisal_bits[0]` is the owner's to fill in (nan: not known).
    """

    def __init__(self, model: GPT, ids: Sequence[int] | Array, *, start: int = 0, tap: Tap | None = None) -> None:
        config, parameter = model.config, next(model.parameters())
        self.model, self.start, self.tap = model, start, tap
        self.device, self.dtype = parameter.device, parameter.dtype
        self.cache = model.new_cache()
        rows = config.context
        self.ids = np.zeros(rows, dtype=np.int32)
        self.residual = torch.empty((self.cache.held, 2 * config.n_layer + 1, config.d_model), dtype=self.dtype)
        self.final = torch.empty((self.cache.held, config.d_model), dtype=self.dtype)
        self.surprisal_bits = np.full(rows, math.nan, dtype=np.float32)
        self.entropy_bits = np.full(rows, math.nan, dtype=np.float32)
        self.log_totals = np.zeros(rows)
        self.blocks: list[AttentionBlock] = []
        self.attention_bytes = 0
        self.logits: dict[int, Array] = {}
        self.logits_kept = max(8, LOGIT_BYTES // (4 * config.vocab_size))
        self.row_tap = RowTap(config.n_layer)
        self.row_step = RowStep(model, self.cache) if tap is None else None
        self._traced: tuple[int, Array] | None = None
        rows = prefill_rows(config, self.device.type, tapped=tap is not None)
        for first in range(0, len(ids), rows):
            self.extend(ids[first : first + rows])
            if self.size_bytes > _LARGE_BYTES:
                give_memory_back()

    @property
    def length(self) -> int:
        return self.cache.length

    @property
    def room(self) -> int:
        """Rows that still fit."""
        return self.model.config.context - self.cache.length

    @property
    def size_bytes(self) -> int:
        """Memory of the filled rows, roughly: cache, residual stream, attention, logits."""
        per_row = sum(x[0].numel() * x.element_size() for x in (self.residual, self.final))
        logits = len(self.logits) * 4 * self.model.config.vocab_size
        return self.cache.size_bytes + per_row * self.length + self.attention_bytes + logits

    @torch.inference_mode()
    def extend(self, ids: Sequence[int] | Array) -> None:
        """Run the model over `ids`, which follow what is here, and record their rows."""
        with showing(self.model):
            if len(ids) == 1 and self.row_step is not None:
                self._extend_by_one(self.row_step, int(ids[0]))
            else:
                self._extend_by_many(np.asarray(ids, dtype=np.int64))
        self._traced = None

    def _make_room(self, end: int) -> None:
        """For rows up to `end`, in the blocks in which the cache grows."""
        self.cache.make_room(end)
        if len(self.residual) < self.cache.held:
            self.residual, self.final = (grown(x, self.cache.held, 0) for x in (self.residual, self.final))

    def _extend_by_one(self, step: RowStep, token_id: int) -> None:
        row, got = self.length, step(token_id)
        self._make_room(row + 1)
        self.ids[row] = token_id
        self.residual[row] = got.residual
        self.final[row] = got.final[0]
        self._keep_attention(AttentionBlock(row, frozen(_array(got.pattern[:, :, None]))))
        self._keep_logits(row, got.logits)

    def _extend_by_many(self, ids: Array) -> None:
        first, end = self.length, self.length + len(ids)
        config = self.model.config
        self.row_tap.reset()
        self.row_tap.fused = 4 * config.n_layer * config.n_head * len(ids) * end > ATTENTION_BYTES
        idx = torch.tensor(ids[None], device=self.device)
        taps = chain(placed(self.tap, self.start + first), self.row_tap)
        logits = self.model(idx, cache=self.cache, tap=taps)[0]  # [T, V]
        self._make_room(end)
        self.ids[first:end] = ids
        got = self.row_tap.layers
        start = got["embed"][0] + got["pos_embed"][0] if got["pos_embed"] else got["embed"][0]
        self.residual[first:end] = torch.cat((start, *got["residual"])).transpose(0, 1)
        self.final[first:end] = got["final"][0][0]
        if got["pattern"]:
            pattern = _array(torch.cat(got["pattern"]))  # [layer, head, T, S]
            self._keep_attention(AttentionBlock(first, frozen(pattern)))
        else:
            self.blocks.clear()
            self.attention_bytes = 0
        self.row_tap.reset()
        self._keep_logits(first, logits)

    def _keep_attention(self, block: AttentionBlock) -> None:
        self.blocks.append(block)
        self.attention_bytes += block.weights.nbytes
        while self.attention_bytes > ATTENTION_BYTES and self.blocks:
            self.attention_bytes -= self.blocks.pop(0).weights.nbytes

    def _keep_logits(self, first: int, logits: Tensor) -> None:
        count, vocab = logits.shape
        if first:
            told = float(self.row_logits(first - 1)[self.ids[first]])
            self.surprisal_bits[first] = (self.log_totals[first - 1] - told) / _LN2
        for a in range(0, count, max(1, _CHUNK_ELEMENTS // vocab)):
            x = logits[a : a + max(1, _CHUNK_ELEMENTS // vocab)].cpu().double().numpy()
            self._measure(first + a, x, last=a + len(x) == count)
        kept = _array(logits[-self.logits_kept :])
        if len(kept) < count:
            kept = kept.copy()
        self.logits.update(enumerate(frozen(kept), start=first + count - len(kept)))
        while len(self.logits) > self.logits_kept:
            del self.logits[next(iter(self.logits))]

    def _measure(self, first: int, x: Array, *, last: bool) -> None:
        """Entropy after each row of logits `x` `[T, V]`, and surprisal of the token that follows it."""
        top = x.max(axis=1)
        with np.errstate(invalid="ignore"):
            shifted = x - top[:, None]
        probs = np.exp(shifted)
        totals = probs.sum(axis=1)
        means = np.einsum("tv,tv->t", probs, np.maximum(shifted, LOWEST, out=shifted)) / totals
        end = first + len(x)
        self.entropy_bits[first:end] = np.maximum(np.log(totals) - means, 0.0) / _LN2
        self.log_totals[first:end] = top + np.log(totals)
        told = end - first - 1 if last else end - first
        if told:
            found = x[np.arange(told), self.ids[first + 1 : first + 1 + told]]
            self.surprisal_bits[first + 1 : first + 1 + told] = (self.log_totals[first : first + told] - found) / _LN2

    def truncate(self, length: int) -> None:
        """Drop every row from `length` on; the others stay as they are, bit for bit."""
        for row in range(length, self.length):
            self.logits.pop(row, None)
        self.cache.truncate(length)
        while self.blocks and self.blocks[-1].end > length:
            block = self.blocks.pop()
            self.attention_bytes -= block.weights.nbytes
            if block.first < length:
                part = frozen(block.weights[:, :, : length - block.first, :length].copy())
                self.blocks.append(AttentionBlock(block.first, part))
                self.attention_bytes += part.nbytes
        self._traced = None

    @torch.inference_mode()
    def row_logits(self, row: int) -> Array:
        """`[vocab]` float32: the logits after `row`."""
        if row in self.logits:
            return self.logits[row]
        x = self.final[row : row + 1].to(self.device)
        logits = tapped(placed(self.tap, self.start + row), "logits", self.model.lm_head(x)[None])
        return frozen(logits[0, 0].float().cpu().numpy())

    @torch.inference_mode()
    def queries(self, layer: int, first: int, end: int) -> Tensor:
        """`[n_head, rows, d_head]`: a layer's queries in rows `[first, end)`, computed again from what it read."""
        block, tap = cast("Block", self.model.transformer.h[layer]), placed(self.tap, self.start + first)
        x = self.residual[first:end, 2 * layer][None].to(self.device)
        read = tapped(tap, block.site + "ln1.normalized", block.ln_1(x))
        rotary = None if self.model.rotary is None else self.model.rotary[:, :, first:end]
        return block.attn.qkv(read, rotary, tap)[0][0].cpu()

    def attention(self, layer: int, head: int, first: int = 0) -> Array:
        """`[rows, keys]` float32: one head's pattern, rows `first` to the last."""
        weights = np.zeros((self.length - first, self.length), dtype=np.float32)
        held = self.blocks[0].first if self.blocks else self.length
        if first < held:
            weights[: held - first, :held] = self._attention_again(layer, head, first, held)
        for block in self.blocks:
            if block.end > first:
                a = max(first, block.first)
                weights[a - first : block.end - first, : block.end] = block.weights[layer, head, a - block.first :]
        return frozen(weights)

    @torch.inference_mode()
    def _attention_again(self, layer: int, head: int, first: int, end: int) -> Array:
        """Rows `[first, end)` of a pattern that is no longer kept, over `end` keys."""
        if self.tap is not None:  # a change may sit anywhere in the pass: run it all
            if self._traced is None or self._traced[0] != layer:
                site = f"blocks.{layer}.attn.pattern"
                self._traced = (layer, self.trace([site])[site])
            return np.asarray(self._traced[1][head, first:end, :end])
        config = self.model.config
        keys = wide(self.cache.keys[layer, 0, head // (config.n_head // config.kv_heads), :end].cpu())
        scores = wide(self.queries(layer, first, end)[head]) @ keys.T * (1.0 / math.sqrt(config.d_head))
        window = config.windows[layer] if config.windows else 0
        seen = causal_mask(end - first, end, scores.device, window)
        return np.asarray(scores.masked_fill_(~seen, -math.inf).float().softmax(dim=-1).numpy())

    @torch.inference_mode()
    def trace(self, sites: Sequence[str] | None = None) -> dict[str, Array]:
        """One tapped pass over the whole window: site → array without its batch axis; all sites by default."""
        recorder = Recorder(sites)
        if self.length:
            idx = torch.tensor(self.ids[None, : self.length], dtype=torch.int64, device=self.device)
            self.model(idx, tap=chain(placed(self.tap, self.start), recorder))
        return {site: frozen(_array(x[0])) for site, x in recorder.sites.items()}


def prefill_rows(config: GPTConfig, device: str, *, tapped: bool) -> int:
    """Rows of a prompt that go through the model in one pass: all of it, unless its scratch space is too large.

    What grows with the rows is logits, in parts and put together, the MLP's hidden layer and, where a tap keeps
    attention from being fused, scores and patterns of one layer. All bundled models take a full context in one pass.
    GPT-2 small's 1,024 tokens take 547 MB beside the model in one pass, and 192 MB in the chunks of 157 that they go
    through in. On a CPU one pass is hardly quicker (3.8 s of one core against 4.3 s), for the matrices are large enough
    either way. On a GPU, which waits between small
    passes, there is room for a whole one.
    """
    per_row = 8 * config.vocab_size + 4 * 8 * config.d_model
    if tapped:
        per_row += 4 * 3 * config.n_head * config.context
    return max(LEAST_ROWS, PREFILL_BYTES.get(device, PREFILL_BYTES["cpu"]) // per_row)


def give_memory_back() -> None:
    """Freed scratch space to the system: glibc would keep hundreds of megabytes of it for a next time."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _array(x: Tensor) -> Array:
    """`x` as float32 numpy; without a copy where it is that already."""
    return np.asarray(x.float().cpu().numpy())
