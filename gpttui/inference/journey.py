"""One token's way through the model: its vector at every stop of the residual stream, and what each stop added.

The map a newcomer keeps coming back to. The lens at each stop says what the model would predict if it ended there.
"""

from collections.abc import Sequence

import numpy as np
import torch

from gpttui.inference.arrays import array
from gpttui.inference.attention import pattern_rows
from gpttui.inference.lens import lens
from gpttui.inference.trace import Trace, stops
from gpttui.model.gpt import GPT
from gpttui.model.taps import PlacedTap
from gpttui.protocol.stream import Journey
from gpttui.records import Array, frozen

TOKEN = "token"
"""Name of the stop before `embed`, where the token's vector is still without that of its place."""


@torch.inference_mode()
def journey(
    model: GPT,
    trace: Trace,
    position: int,
    *,
    k: int = 5,
    watched: Sequence[int] = (),
    token_apart: bool = False,
    changes: PlacedTap | None = None,
) -> Journey:
    """The journey of the token at text position `position`. Raises UserError where it is outside the trace.

    `token_apart`: where a vector for the place is learned, a stop before it is added (`TOKEN`). The trace must hold
    `stop_sites`, and queries and keys, made with `changes` where there are any.
    """
    row = trace.row(position)
    names = tuple(stop.name for stop in stops(model.config))
    stream = trace.residual(slice(row, row + 1))[:, 0]  # [stop, C]
    if token_apart and model.config.positions == "learned":
        token = model.transformer.wte.weight[trace.ids[row]].to(stream)
        names, stream = (TOKEN, *names), torch.cat((token[None], stream))
    added = torch.diff(stream, dim=0, prepend=torch.zeros_like(stream[:1]))
    turned = torch.cosine_similarity(stream[1:], stream[:-1], dim=-1)
    at, weights = looked_at(trace, position, changes=changes)
    return Journey(
        position=trace.start + row,
        token_id=trace.ids[row],
        stops=names,
        vectors=array(stream),
        norms=array(stream.norm(dim=-1)),
        added_norms=array(added.norm(dim=-1)),
        turned=array(torch.cat((torch.ones_like(turned[:1]), turned))),
        **lens(model, stream, k=k, watched=watched)._asdict(),
        looked_at=at,
        looked=weights,
        positions=model.config.positions,
    )


@torch.inference_mode()
def looked_at(trace: Trace, position: int, *, k: int = 3, changes: PlacedTap | None = None) -> tuple[Array, Array]:
    """Whom each layer's heads look at from `position`: text positions `[layer, k]` and weights, heaviest first.

    A weight is the mean over the layer's heads. -1 and 0 where fewer tokens can be seen. The trace must hold queries
    and keys, made with `changes` where there are any.
    """
    row = trace.row(position)
    positions = np.full((trace.config.n_layer, k), -1, dtype=np.int32)
    weights = np.zeros((trace.config.n_layer, k), dtype=np.float32)
    for layer in range(trace.config.n_layer):
        _, pattern = pattern_rows(trace, layer, row, row + 1, changes)
        top = pattern[:, 0].float().mean(dim=0).topk(min(k, row + 1))
        positions[layer, : row + 1] = trace.start + top.indices.cpu().numpy()
        weights[layer, : row + 1] = top.values.cpu().numpy()
    return frozen(positions), frozen(weights)
