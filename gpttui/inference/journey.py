"""One token's way through the model: its vector at every stop of the residual stream, and what each stop added.

The map a newcomer keeps coming back to. The lens at each stop says what the model would predict if it ended there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from gpttui.inference.attention import pattern_rows
from gpttui.inference.lens import Lens, lens
from gpttui.inference.trace import Trace, stops
from gpttui.model.gpt import GPT
from gpttui.model.taps import PlacedTap
from gpttui.records import Array, frozen

TOKEN = "token"
"""Name of the stop before `embed`, where the token's vector is still without that of its place."""


@dataclass(frozen=True, slots=True, eq=False)
class Journey:
    """Needs a trace with `stop_sites`."""

    stops: tuple[str, ...]
    """`embed`, `0 attn`, `0 mlp`, …; `token` before them where it was wanted."""
    vectors: Array
    """`[stop, d_model]` float32: the residual stream."""
    norms: Array
    """`[stop]`: its length."""
    added_norms: Array
    """`[stop]`: the length of what this stop added (the first: of the embeddings themselves)."""
    turned: Array
    """`[stop]`: cosine with the stop before; 1 for the first."""
    lens: Lens
    """`[stop, k]`"""


@torch.inference_mode()
def journey(
    model: GPT, trace: Trace, position: int, *, k: int = 5, watched: Sequence[int] = (), token_apart: bool = False
) -> Journey:
    """The journey of the token at text position `position`. Raises UserError where it is outside the trace.

    `token_apart`: where a vector for the place is learned, a stop before it is added (`TOKEN`).
    """
    row = trace.row(position)
    names = tuple(stop.name for stop in stops(model.config))
    stream = trace.residual(slice(row, row + 1))[:, 0]  # [stop, C]
    if token_apart and model.config.positions == "learned":
        token = model.transformer.wte.weight[trace.ids[row]].to(stream)
        names, stream = (TOKEN, *names), torch.cat((token[None], stream))
    added = torch.diff(stream, dim=0, prepend=torch.zeros_like(stream[:1]))
    turned = torch.cosine_similarity(stream[1:], stream[:-1], dim=-1)
    return Journey(
        stops=names,
        vectors=_array(stream),
        norms=_array(stream.norm(dim=-1)),
        added_norms=_array(added.norm(dim=-1)),
        turned=_array(torch.cat((torch.ones_like(turned[:1]), turned))),
        lens=lens(model, stream, k=k, watched=watched),
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


def _array(x: torch.Tensor) -> Array:
    return frozen(x.float().cpu().numpy())
