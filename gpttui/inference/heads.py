"""What a head is like, in four numbers and a small map: previous token, first token, duplicate, induction.

Each score is the mean attention that goes where such a head would look, over the queries that have such a place
(Olsson et al. 2022, "In-context Learning and Induction Heads"). Two texts are measured: the one at hand, and a
standard probe of random tokens said twice, where copying is all that helps; a score without its text means little, so
they are never mixed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gpttui.inference.attention import pattern_rows, without_first
from gpttui.inference.trace import Trace, record
from gpttui.model.gpt import GPT, GPTConfig
from gpttui.model.taps import PlacedTap, placed
from gpttui.records import Array, frozen

SCORES = ("previous token", "first token", "duplicate token", "induction")
PROBE_HALF = 32
"""Random tokens of the probe's first half, context permitting."""
PROBE_DRAWS = 4
CHUNK_ROWS = 128


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """All heads of some layers over one text."""

    scores: Array
    """`[layer, head, 4]` float32 in the order of `SCORES`; nan where no query has such a place."""
    maps: Array
    """`[layer, head, side, side]` float32: each pattern, long texts reduced by taking the largest weight of a patch."""


def key_sites(config: GPTConfig) -> frozenset[str]:
    """The queries and keys of every layer."""
    return frozenset(f"blocks.{i}.attn.{x}" for i in range(config.n_layer) for x in "qk")


@torch.inference_mode()
def survey(
    trace: Trace,
    *,
    side: int = 24,
    layers: Sequence[int] | None = None,
    hide_first: bool = False,
    changes: PlacedTap | None = None,
) -> Survey:
    """The heads of `layers` (None: all) over the trace's window; `hide_first`: maps of patterns `without_first`.

    The trace must hold `key_sites` of them, made with `changes` where there are any.
    """
    config, T = trace.config, len(trace)
    side, layers = min(side, T), range(config.n_layer) if layers is None else layers
    ids, patch = torch.tensor(trace.ids), torch.arange(T) * side // T  # the row or column of the map of each position
    sums = torch.zeros(len(layers), config.n_head, len(SCORES))
    counts = torch.zeros(len(SCORES))
    maps = torch.zeros(len(layers), config.n_head, side, side)
    for first in range(0, T, CHUNK_ROWS):
        end = min(T, first + CHUNK_ROWS)
        places = _places(ids, first, end)  # [4, rows, end]
        counts += places.any(dim=-1).sum(dim=-1)
        weights, columns = places.float(), patch[:end].expand(config.n_head, end)
        for n, layer in enumerate(layers):
            pattern = pattern_rows(trace, layer, first, end, changes)[1].float().cpu()  # [head, rows, end]
            sums[n] += pattern.flatten(1) @ weights.flatten(1).T
            pattern = without_first(pattern) if hide_first else pattern
            for row in sorted(set(patch[first:end].tolist())):
                tallest = pattern[:, patch[first:end] == row].amax(dim=1)  # [head, end]
                maps[n, :, row].scatter_reduce_(1, columns, tallest, "amax")
    return Survey(frozen((sums / torch.where(counts > 0, counts, torch.nan)).numpy()), frozen(maps.numpy()))


def _places(ids: Tensor, first: int, end: int) -> Tensor:
    """`[4, rows, end]`: for each score and query, true at the keys such a head would look at."""
    query = torch.arange(first, end)[:, None]
    key = torch.arange(end)[None, :]
    same = ids[first:end, None] == ids[None, :end]
    after_same = torch.roll(same, 1, dims=1)
    return torch.stack(
        (
            key == query - 1,
            (key == 0) & (query > 0),
            same & (key < query),
            after_same & (key > 0) & (key < query),
        )
    )


def probe_ids(config: GPTConfig, seed: int) -> list[int]:
    """The standard probe: random tokens, then the same again; one for all models of this vocabulary and context."""
    half = max(1, min(PROBE_HALF, config.context // 2))
    draw = torch.randint(config.vocab_size, (half,), generator=torch.Generator().manual_seed(seed)).tolist()
    return [*draw, *draw]


@torch.inference_mode()
def probe_draw(model: GPT, seed: int, *, changes: PlacedTap | None = None) -> Array:
    """`[layer, head, 4]`: scores on one draw of the standard probe."""
    trace = record(model, probe_ids(model.config, seed), key_sites(model.config), tap=placed(changes, 0))
    return survey(trace, side=1, changes=changes).scores


def mean_scores(draws: Sequence[Array]) -> Array:
    """Of draws that have such a place; nan where none has."""
    return frozen(torch.from_numpy(np.stack(draws)).nanmean(dim=0).numpy())
