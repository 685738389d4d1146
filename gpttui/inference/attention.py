"""One head, stage by stage, and all heads at a glance: q·k, scaled, masked, softmax.

Everything comes from the queries and keys of one pass, computed for just the rows that are looked at, so that a text
of a thousand tokens costs a viewport and not a square for each of 144 heads. The numbers are those of
`Attention.spelled_out`.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gpttui.inference.trace import Trace, check_layer
from gpttui.model.gpt import causal_mask
from gpttui.model.taps import PlacedTap, placed
from gpttui.records import Array, frozen


@dataclass(frozen=True, slots=True, eq=False)
class Stages:
    """Rows `first_query …` and columns `first_key …` of one head, all float32 `[query, key]`."""

    first_query: int
    """In the text, as `first_key`."""
    first_key: int
    raw: Array
    """q·k, the future included."""
    scaled: Array
    """Divided by sqrt(d_head)."""
    masked: Array
    """-inf where a query may not look (the future, and edges that an intervention forbids)."""
    pattern: Array
    """Softmax over all keys, those outside these columns too."""


@dataclass(frozen=True, slots=True, eq=False)
class CellProducts:
    """One query meets one key, dimension by dimension."""

    query: Array
    """`[d_head]`"""
    key: Array
    """`[d_head]`"""
    products: Array
    """`[d_head]`: query times key; they sum to q·k."""


@torch.inference_mode()
def stages(
    trace: Trace,
    layer: int,
    head: int,
    *,
    queries: slice = slice(None),
    keys: slice = slice(None),
    changes: PlacedTap | None = None,
) -> Stages:
    """The stages of one head for rows `queries` and columns `keys` of the trace's window (slices without step).

    The trace must hold the layer's `attn.q` and `attn.k`, made with `changes` where there are any. Raises UserError for
    a layer or head that is not there.
    """
    check_layer(trace.config, layer, head)
    first, end, _ = queries.indices(len(trace))
    left, right, _ = keys.indices(len(trace))
    q, k = heads_of(trace, layer)
    raw = q[head, first:end] @ k[head].T  # [rows, T]
    scaled = raw * (1.0 / math.sqrt(q.size(-1)))
    if changes is None:
        masked, pattern = (x[0] for x in pattern_rows(trace, layer, first, end, heads=slice(head, head + 1)))
    else:  # a tap is given all heads, as in a pass
        masked, pattern = (x[head] for x in pattern_rows(trace, layer, first, end, changes))  # [rows, end]
    pad, beyond = torch.nn.functional.pad, (0, len(trace) - end)
    masked, pattern = pad(masked, beyond, value=-math.inf), pad(pattern, beyond)
    cut = slice(left, right)
    return Stages(
        trace.start + first,
        trace.start + left,
        *(_array(x[:, cut]) for x in (raw, scaled, masked, pattern)),
    )


@torch.inference_mode()
def cell(trace: Trace, layer: int, head: int, query: int, key: int) -> CellProducts:
    """How text position `query` meets `key` in one head, dimension by dimension."""
    check_layer(trace.config, layer, head)
    q, k = heads_of(trace, layer)
    asks, answers = q[head, trace.row(query)], k[head, trace.row(key)]
    return CellProducts(_array(asks), _array(answers), _array(asks * answers))


def heads_of(trace: Trace, layer: int) -> tuple[Tensor, Tensor]:
    """One layer's queries and keys, `[n_head, T, d_head]` each: keys repeated where heads share them."""
    q, k = trace.tensors[f"blocks.{layer}.attn.q"], trace.tensors[f"blocks.{layer}.attn.k"]
    return q, k if len(k) == len(q) else k.repeat_interleave(len(q) // len(k), dim=0)


def pattern_rows(
    trace: Trace,
    layer: int,
    first: int,
    end: int,
    changes: PlacedTap | None = None,
    *,
    heads: slice = slice(None),
) -> tuple[Tensor, Tensor]:
    """Masked scores and pattern of a layer's `heads`, rows `[first, end)` of the window: `[n_head, rows, end]` each.

    Keys from `end` on are not there: no such row may look at them.
    """
    q, k = heads_of(trace, layer)
    tap, site = placed(changes, trace.start + first), f"blocks.{layer}.attn."
    scores = q[heads, first:end] @ k[heads, :end].transpose(-2, -1) * (1.0 / math.sqrt(q.size(-1)))
    window = trace.config.windows[layer] if trace.config.windows else 0
    scores = scores.masked_fill_(~causal_mask(end - first, end, q.device, window), -math.inf)[None]
    scores = scores if tap is None else tap(site + "scores", scores)
    pattern = scores.softmax(dim=-1)
    pattern = pattern if tap is None else tap(site + "pattern", pattern)
    return scores[0], pattern[0]


def _array(x: Tensor) -> Array:
    return frozen(x.float().cpu().contiguous().numpy())
