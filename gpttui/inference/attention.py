"""One head, stage by stage, and all heads at a glance: q·k, scaled, masked, softmax.

Everything comes from the queries and keys of one pass, computed for just the rows that are looked at, so that a text
of a thousand tokens costs a viewport and not a square for each of 144 heads. The numbers are those of
`Attention.spelled_out`.
"""

import math

import torch
from torch import Tensor

from gpttui.inference.arrays import array, wide
from gpttui.inference.trace import Trace, check_layer
from gpttui.model.gpt import causal_mask
from gpttui.model.taps import PlacedTap, placed
from gpttui.protocol.parts import Stages


@torch.inference_mode()
def stages(
    trace: Trace,
    layer: int,
    head: int,
    *,
    queries: slice = slice(None),
    keys: slice = slice(None),
    cell: tuple[int, int] = (-1, -1),
    hide_first: bool = False,
    changes: PlacedTap | None = None,
) -> Stages:
    """The stages of one head for rows `queries` and columns `keys` of the trace's window (slices without step).

    `cell`: row and column of one meeting to be told dimension by dimension; a negative column is the one that the row
    looks at most, a negative row none. `hide_first`: patterns `without_first`, but for the cell's. The trace must hold
    the layer's `attn.q` and `attn.k`, made with `changes` where there are any. Raises UserError for a layer or head
    that is not there.
    """
    check_layer(trace.config, layer, head)
    config, k = trace.config, keys_of(trace, layer)[head]

    def rows(first: int, end: int) -> tuple[Tensor, ...]:
        """Raw, scaled, masked, pattern: `[rows, T]` each."""
        q = trace.queries(layer, first, end)[head]
        raw = q @ k.T
        if changes is None:
            masked, pattern = (x[0] for x in pattern_rows(trace, layer, first, end, heads=slice(head, head + 1)))
        else:  # a tap is given all heads, as in a pass
            masked, pattern = (x[head] for x in pattern_rows(trace, layer, first, end, changes))  # [rows, end]
        pad, beyond = torch.nn.functional.pad, (0, len(trace) - end)
        return raw, raw * (1.0 / math.sqrt(q.size(-1))), pad(masked, beyond, value=-math.inf), pad(pattern, beyond)

    first, end, _ = queries.indices(len(trace))
    left, right, _ = keys.indices(len(trace))
    stages_ = rows(first, end)
    raw, scaled, masked = (array(x[:, left:right]) for x in stages_[:3])
    pattern = array((without_first(stages_[3]) if hide_first else stages_[3])[:, left:right])
    (row, column), at = cell, (-1, -1)
    query = key = met = torch.empty(0)
    if row >= 0:
        one = torch.cat(rows(row, row + 1))  # [4, T]
        column = column if column >= 0 else int((without_first(one[-1:])[0] if hide_first else one[-1]).argmax())
        query, key, met = trace.queries(layer, row, row + 1)[head, 0], k[column], one[:, column]
        at = trace.start + row, trace.start + column
    return Stages(
        layer=layer,
        head=head,
        first_query=trace.start + first,
        first_key=trace.start + left,
        raw=raw,
        scaled=scaled,
        masked=masked,
        pattern=pattern,
        cell=at,
        query=array(query),
        key=array(key),
        products=array(query * key),
        met=array(met),
        qk_norm=config.qk_norm,
        qk_gain=config.qk_norm and config.qk_gain,
        rope=config.positions == "rope",
    )


def without_first(pattern: Tensor) -> Tensor:
    """`[…, key]` without the first key, the rest of each row made to sum to 1 again; a row with nothing else is 0."""
    rest = pattern.clone()
    rest[..., :1] = 0
    return rest / rest.sum(dim=-1, keepdim=True).clamp_min(1e-6)


def keys_of(trace: Trace, layer: int) -> Tensor:
    """One layer's keys, `[n_head, T, d_head]`: repeated where heads share them."""
    k, shared_by = wide(trace.tensors[f"blocks.{layer}.attn.k"]), trace.config.n_head // trace.config.kv_heads
    return k if shared_by == 1 else k.repeat_interleave(shared_by, dim=0)


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
    q, k = trace.queries(layer, first, end), keys_of(trace, layer)
    tap, site = placed(changes, trace.start + first), f"blocks.{layer}.attn."
    scores = q[heads] @ k[heads, :end].transpose(-2, -1) * (1.0 / math.sqrt(q.size(-1)))
    window = trace.config.windows[layer] if trace.config.windows else 0
    scores = scores.masked_fill_(~causal_mask(end - first, end, q.device, window), -math.inf)[None]
    scores = scores if tap is None else tap(site + "scores", scores)
    pattern = scores.softmax(dim=-1)
    pattern = pattern if tap is None else tap(site + "pattern", pattern)
    return scores[0], pattern[0]
