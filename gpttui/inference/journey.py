"""One token's way through the model: its vector at every stop of the residual stream, and what each stop added.

The map a newcomer keeps coming back to. The lens at each stop says what the model would predict if it ended there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from gpttui.inference.lens import Lens, lens
from gpttui.inference.trace import Trace, stops
from gpttui.model.gpt import GPT
from gpttui.records import Array, frozen


@dataclass(frozen=True, slots=True, eq=False)
class Journey:
    """Needs a trace with `stop_sites`."""

    stops: tuple[str, ...]
    """`embed`, `0 attn`, `0 mlp`, …"""
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
def journey(model: GPT, trace: Trace, position: int, *, k: int = 5, watched: Sequence[int] = ()) -> Journey:
    """The journey of the token at text position `position`. Raises UserError where it is outside the trace."""
    row = trace.row(position)
    stream = trace.residual(slice(row, row + 1))[:, 0]  # [stop, C]
    added = torch.diff(stream, dim=0, prepend=torch.zeros_like(stream[:1]))
    turned = torch.cosine_similarity(stream[1:], stream[:-1], dim=-1)
    return Journey(
        stops=tuple(stop.name for stop in stops(model.config)),
        vectors=_array(stream),
        norms=_array(stream.norm(dim=-1)),
        added_norms=_array(added.norm(dim=-1)),
        turned=_array(torch.cat((torch.ones_like(turned[:1]), turned))),
        lens=lens(model, stream, k=k, watched=watched),
    )


def _array(x: torch.Tensor) -> Array:
    return frozen(x.float().cpu().numpy())
