"""Every activation of one forward pass, as frozen arrays under the tap sites' names.

A trace is what all inside views read: one tapped pass over the positions of the current window, keeping just the sites
that a view asks for. Arrays are views of the pass's own tensors (nothing is copied on a CPU). Not for stepping: the
session keeps its own rows. The idea is TransformerLens' `run_with_cache`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gpttui.errors import UserError, no_such
from gpttui.inference.arrays import wide
from gpttui.inference.recorder import Window, showing
from gpttui.model.gpt import GPT, MLP, Block, GPTConfig, Norm
from gpttui.model.kv_cache import KVCache
from gpttui.model.taps import Recorder, Tap, chain
from gpttui.records import Array, frozen

Part = Literal["embed", "attn", "mlp"]


@dataclass(frozen=True, slots=True)
class Stop:
    """One place where the residual stream can be looked at: after the embeddings, or after an attention or an MLP."""

    name: str
    """`embed`, `0 attn`, `0 mlp`, …"""
    layer: int
    """-1 for the embeddings."""
    part: Part
    site: str
    """Where the vector is; the embeddings' stop adds `pos_embed` to it where there is one."""


def stops(config: GPTConfig) -> tuple[Stop, ...]:
    """The residual stream's stops in order: `1 + 2 * n_layer`, or `1 + n_layer` without MLPs."""
    found = [Stop("embed", -1, "embed", "embed")]
    for i in range(config.n_layer):
        found.append(Stop(f"{i} attn", i, "attn", f"blocks.{i}.resid_mid"))
        if config.mlp_width:
            found.append(Stop(f"{i} mlp", i, "mlp", f"blocks.{i}.resid_post"))
    return tuple(found)


def layer_ends(config: GPTConfig) -> tuple[int, ...]:
    """The numbers of those stops after which a layer is done, the embeddings' first: `1 + n_layer`."""
    last = "mlp" if config.mlp_width else "attn"
    return tuple(n for n, stop in enumerate(stops(config)) if stop.part in ("embed", last))


def blocks(model: GPT) -> list[Block]:
    """The model's blocks, first to last."""
    return [block for block in model.transformer.h if isinstance(block, Block)]


def mlp_of(model: GPT, layer: int) -> MLP:
    """One layer's MLP. Raises UserError where there is no such layer, or no MLPs at all."""
    check_layer(model.config, layer)
    mlp = blocks(model)[layer].mlp
    if mlp is None:
        raise UserError("this model has attention only; it has no MLPs and no neurons")
    return mlp


def check_layer(config: GPTConfig, layer: int, head: int = 0) -> None:
    """Raises UserError where the model has no such layer, or the layer no such head."""
    if not 0 <= layer < config.n_layer:
        raise UserError(f"there is no layer {layer + 1}; this model's are 1 to {config.n_layer}")
    if not 0 <= head < config.n_head:
        raise UserError(f"there is no head {head + 1}; this model's are 1 to {config.n_head}")


def all_sites(config: GPTConfig) -> tuple[str, ...]:
    """Every site of a model of this shape, in the order a pass reaches them."""
    block = ["ln1.normalized", *(f"attn.{x}" for x in ("q", "k", "v", "scores", "pattern", "z", "out")), "resid_mid"]
    if config.mlp_width:
        block += ["ln2.normalized", "mlp.pre", "mlp.post", "mlp.out"]
    block.append("resid_post")
    start = ["embed", "pos_embed"] if config.positions == "learned" else ["embed"]
    layers = [f"blocks.{i}.{name}" for i in range(config.n_layer) for name in block]
    return (*start, *layers, "ln_final.normalized", "logits")


def norm_sites(model: GPT) -> dict[str, tuple[Norm, Stop]]:
    """Site → the norm that it is of, and where the residual stream is that this norm reads.

    `blocks.i.ln1.standardized` and so on, `[T, d_model]`: what a norm makes of a vector before its weight and bias;
    `….normalized` is after them. A LayerNorm's has mean 0 and variance 1, an RMSNorm's a mean square of 1.
    """
    here, ends = stops(model.config), layer_ends(model.config)
    found: dict[str, tuple[Norm, Stop]] = {}
    for i, block in enumerate(blocks(model)):
        if isinstance(block.ln_1, Norm):
            found[f"blocks.{i}.ln1.standardized"] = block.ln_1, here[ends[i]]
        if isinstance(block.ln_2, Norm):
            found[f"blocks.{i}.ln2.standardized"] = block.ln_2, here[ends[i] + (0 if block.parallel else 1)]
    return found | {"ln_final.standardized": (model.transformer.ln_f, here[-1])}


def stop_sites(config: GPTConfig) -> frozenset[str]:
    """The sites that `Trace.residual` needs."""
    sites = {stop.site for stop in stops(config)}
    return frozenset(sites | {"pos_embed"} if config.positions == "learned" else sites)


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """One pass over `ids`: `trace[site]` is an array without the batch axis, read-only."""

    config: GPTConfig
    ids: tuple[int, ...]
    start: int
    """Position in the whole text of the first row (above 0 once the window has slid)."""
    tensors: Mapping[str, Tensor]
    """The same without the batch axis, for further computation."""

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, site: str) -> Array:
        """`[n_head, T, …]` or `[T, …]`, as `gpttui.model.taps` lists them without B."""
        if site not in self.tensors:
            raise KeyError(f"{site} is not in this trace")
        tensor = self.tensors[site].cpu()
        return frozen((tensor.float() if tensor.dtype in (torch.bfloat16, torch.float16) else tensor).numpy())

    @property
    def sites(self) -> tuple[str, ...]:
        """What was kept, in the order the pass reached it."""
        return tuple(self.tensors)

    def row(self, position: int) -> int:
        """The row of text position `position` (negative: from the end). Raises UserError outside the window."""
        row = position + len(self) if position < 0 else position - self.start
        if not 0 <= row < len(self):
            place = position + 1 if position >= 0 else position
            seen = f"{self.start + 1} to {self.start + len(self)}"
            raise UserError(f"there is no token {place} in view; the model sees tokens {seen} of the text")
        return row

    def queries(self, layer: int, first: int, end: int) -> Tensor:
        """`[n_head, rows, d_head]`: a layer's queries in rows `[first, end)`."""
        return wide(self.tensors[f"blocks.{layer}.attn.q"][:, first:end])

    def stop(self, stop: Stop) -> Tensor:
        """The residual stream at one stop: `[T, d_model]`."""
        x = self.tensors[stop.site]
        if stop.part == "embed" and "pos_embed" in self.tensors:
            x = x + self.tensors["pos_embed"]
        return wide(x)

    def residual(self, rows: slice = slice(None), numbers: Sequence[int] | None = None) -> Tensor:
        """The residual stream at every stop (or at those of `numbers`): `[stop, T, d_model]`, of `rows` only."""
        here = stops(self.config)
        return torch.stack([self.stop(here[n])[rows] for n in (range(len(here)) if numbers is None else numbers)])

    def save(self, file: Path) -> None:
        """Write `tokens` and every site as an .npz archive. Raises UserError where the file cannot be written."""
        arrays = {site: self[site] for site in self.sites}
        try:
            with file.open("wb") as handle:
                np.savez(handle, tokens=np.asarray(self.ids, dtype=np.int32), **arrays)  # type: ignore[arg-type]
        except OSError as error:
            raise UserError(f"{file} cannot be written: {error.strerror}; choose another --out") from error


@torch.inference_mode()
def record(
    model: GPT,
    ids: Sequence[int],
    sites: Iterable[str] | None = None,
    *,
    tap: Tap | None = None,
    start: int = 0,
) -> Trace:
    """One pass over `ids`, keeping `sites`, with `tap`'s changes applied before they are recorded.

    By default all sites of the pass; those of `norm_sites` are computed from them where they are asked for. The head is
    computed only for `logits` or `ln_final.normalized`; attention stays fused where no score or pattern is asked for or
    changed. Raises UserError for an empty text, one that is longer than the context, ids outside the vocabulary, or a
    site that the model does not have.
    """
    config = model.config
    check_ids(config, ids)
    known, norms = all_sites(config), norm_sites(model)
    wanted = frozenset(known if sites is None else sites)
    if unknown := wanted - {*known, *norms}:
        raise UserError(no_such("site", min(unknown), (*known, *norms), f"this model has embed … {known[-1]}"))
    read = stop_sites(config) if wanted & norms.keys() else frozenset[str]()
    recorder = Recorder((wanted - norms.keys()) | read)
    every: Tap | None = chain(tap, recorder)
    weight = model.transformer.wte.weight
    with showing(model):
        x, rotary = model.embed(torch.tensor([list(ids)], device=weight.device), 0, every)
        for block in blocks(model):
            x = block(x, rotary, None, every)
        if wanted & {"logits", "ln_final.normalized"}:
            model.unembed(x, every)
    kept = {site: recorder.sites[site][0] for site in known if site in recorder.sites}
    trace = Trace(config, tuple(int(i) for i in ids), start, kept)
    if not read:
        return trace
    computed = {site: _standardized(norm, trace.stop(stop)) for site, (norm, stop) in norms.items() if site in wanted}
    return replace(trace, tensors={site: x for site, x in kept.items() if site in wanted} | computed)


def _standardized(norm: Norm, x: Tensor) -> Tensor:
    if norm.rms:
        return F.rms_norm(x, norm.shape, eps=norm.eps)
    return F.layer_norm(x, norm.shape, eps=norm.eps)


class PeekCache(KVCache):
    """A cache seen at an earlier length, for one pass that leaves it as it was."""

    def __init__(self, cache: KVCache, length: int) -> None:
        self.keys, self.values = cache.keys, cache.values
        self.capacity, self.length = cache.capacity, length

    def extend(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """All keys and values up to and with rows `k`, `v`; nothing is written."""
        keys, values = self.keys[layer][:, :, : self.length], self.values[layer][:, :, : self.length]
        return torch.cat((keys, k), dim=2), torch.cat((values, v), dim=2)


@torch.inference_mode()
def record_row(
    model: GPT,
    cache: KVCache,
    token_id: int,
    row: int,
    *,
    tap: Tap | None = None,
    start: int = 0,
) -> Trace:
    """Every site of one row of a window that has been run: a pass over one token, against the keys and values before
    it.

    `row` counts in the window, `start` is the text position of the window, `tap` is placed at `start + row`. The trace
    has that one row: `[…, 1, …]`, patterns `[n_head, 1, row + 1]`.
    """
    recorder = Recorder()
    idx = torch.tensor([[token_id]], device=cache.keys.device)
    with showing(model):
        model(idx, cache=PeekCache(cache, row), tap=chain(tap, recorder))
    kept = {site: x[0] for site, x in recorder.sites.items()}
    return Trace(model.config, (token_id,), start + row, kept)


@dataclass(frozen=True, slots=True, eq=False)
class WindowTrace(Trace):
    """Of a session's window; `attn.q` is not among its tensors, `queries` has the rows that are asked for."""

    window: Window

    def queries(self, layer: int, first: int, end: int) -> Tensor:
        return wide(self.window.queries(layer, first, end))


def of_window(window: Window) -> Trace:
    """What a session's window holds already: the residual stream and keys of all its rows, for no pass at all.

    `embed` has the position's vector in it. Views of live memory: good until the text changes.
    """
    config, rows = window.model.config, slice(window.length)
    tensors = {"embed": window.residual[rows, 0]}
    for i in range(config.n_layer):
        tensors[f"blocks.{i}.attn.k"] = window.cache.keys[i, 0, :, rows].cpu()
        tensors[f"blocks.{i}.resid_mid"] = window.residual[rows, 2 * i + 1]
        tensors[f"blocks.{i}.resid_post"] = window.residual[rows, 2 * i + 2]
    return WindowTrace(config, tuple(window.ids[rows].tolist()), window.start, tensors, window)


def check_ids(config: GPTConfig, ids: Sequence[int]) -> None:
    """Raises UserError where `ids` cannot go through a model of this shape."""
    if not len(ids):
        raise UserError("there is no token to look at yet; type a prompt first")
    if len(ids) > config.context:
        raise UserError(f"{len(ids)} tokens do not fit this model's context of {config.context}; shorten the text")
    if not 0 <= min(ids) <= max(ids) < config.vocab_size:
        raise UserError(f"token {max(ids)} is outside this model's vocabulary of {config.vocab_size}")
