"""Neurons: what an MLP asks of a vector, which neurons answered, what one promotes, and what fires it.

An MLP is a list of questions (rows of the first matrix), answers (activations) and what each answer writes (columns of
the second). A neuron's question is best read from the texts that fire it most: `search` runs the model's own training
text and keeps them, all neurons of a layer at once. Geva et al. 2021, "Feed-Forward Layers Are Key-Value Memories".
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gpttui.errors import UserError
from gpttui.inference.arrays import array, wide
from gpttui.inference.contributions import frozen_gain, neuron_contributions
from gpttui.inference.recorder import showing
from gpttui.inference.trace import Trace, blocks, mlp_of
from gpttui.interventions import Mode
from gpttui.model.gpt import GPT, Norm
from gpttui.model.taps import Recorder
from gpttui.protocol.parts import MLPActivity, Neuron
from gpttui.records import Array, frozen

PASSAGES_KEPT = 10
"""Passages remembered for each neuron."""
BATCH_TOKENS = 1024
"""Tokens of one slice of a search: what a request may have to wait for."""


@torch.inference_mode()
def token_neurons(
    model: GPT,
    trace: Trace,
    position: int,
    layer: int,
    k: int = 10,
    *,
    silenced: Iterable[int] = (),
    held: Mode | None = None,
    token_id: int = -1,
) -> MLPActivity:
    """What the MLP of `layer` did at text position `position`, and its `k` neurons that write most.

    `silenced`: neurons to be listed behind those; `held`: how the MLP as a whole is silenced, so that nothing of them
    arrives. With a `token_id` their shares of its logit come along, for which the trace must hold
    `contribution_sites`; without, the layer's `mlp` sites and `ln2.normalized`.
    """
    mlp, row, site = mlp_of(model, layer), trace.row(position), f"blocks.{layer}."
    post = trace.tensors[site + "mlp.post"][row]
    gain = frozen_gain(blocks(model)[layer].ln_2_post, mlp.c_proj(post)).unsqueeze(-1)
    written = wide(post).abs() * (wide(mlp.c_proj.weight) * gain).norm(dim=0)
    strongest = array(written.topk(min(k, len(written))).indices)
    top = np.asarray([*strongest, *sorted(set(silenced) - set(strongest.tolist()))], dtype=np.int32)
    arrives = np.float32(0.0 if held else 1.0)
    shares = neuron_contributions(model, trace, position, token_id, layer)[top] if token_id >= 0 else np.empty(0)
    return MLPActivity(
        layer=layer,
        position=trace.start + row,
        read=array(trace.tensors[site + "ln2.normalized"][row]),
        pre=array(trace.tensors[site + "mlp.pre"][row]),
        post=array(post),
        out=array(trace.tensors[site + "mlp.out"][row]),
        top=frozen(top),
        top_written=frozen(array(written)[top] * arrives),
        top_shares=frozen(shares.astype(np.float32) * arrives),
        token_id=token_id,
        held=held,
    )


@torch.inference_mode()
def promotes(model: GPT, layer: int, neuron: int, k: int = 10) -> Neuron:
    """The tokens that a neuron's column, read by the head, raises and lowers most. UserError for no such neuron.

    A change of the logit for each unit of activation and of 1 / the final norm's scale: the norm's weights are applied.
    """
    mlp = mlp_of(model, layer)
    check_neuron(mlp.c_proj.in_features, neuron)
    norm = model.transformer.ln_f
    written = wide(mlp.c_proj.weight[:, neuron])
    if isinstance(behind := blocks(model)[layer].ln_2_post, Norm):
        written = written * behind.weight
    written = written if norm.rms else written - written.mean()
    effect = model.lm_head(written * norm.weight)
    k = min(k, len(effect))
    up, down = effect.topk(k), effect.topk(k, largest=False)
    return Neuron(layer, neuron, array(up.indices), array(up.values), array(down.indices), array(down.values))


def check_neuron(width: int, neuron: int) -> None:
    if not 0 <= neuron < width:
        raise UserError(f"there is no neuron {neuron + 1}; each layer's are 1 to {width}")


@dataclass(frozen=True, slots=True, eq=False)
class Passages:
    """Where in a text the neurons of one layer fired most, as far as it has been read."""

    activations: Array
    """`[d_mlp, kept]` float32, highest first; -inf where fewer passages have been read."""
    positions: Array
    """`[d_mlp, kept]` int64: the token of the text that fired it; -1 where there is none."""
    tokens_read: int
    tokens_total: int

    @property
    def done(self) -> bool:
        return self.tokens_read >= self.tokens_total


def search(model: GPT, text: Sequence[int] | Array, layer: int, *, window: int | None = None) -> Iterator[Passages]:
    """Read ids `text` in windows, and yield what has been found after each slice; the last one is the answer.

    At most one place a window counts for a neuron, so that the passages differ. Close the iterator to cancel. Raises
    UserError for a layer that is not there, a model without MLPs, or an empty text.
    """
    width = mlp_of(model, layer).c_proj.in_features
    ids = torch.as_tensor(text, dtype=torch.long)
    if not len(ids):
        raise UserError("there is no text to search; give one that the model may have learned from")
    length = min(window or 128, model.config.context, len(ids))
    rows = ids[: len(ids) // length * length].view(-1, length)
    return _search(model, rows, layer, width)


def _search(model: GPT, rows: Tensor, layer: int, width: int) -> Iterator[Passages]:
    length = rows.size(1)
    best = torch.full((width, PASSAGES_KEPT), -torch.inf)
    places = torch.full((width, PASSAGES_KEPT), -1)
    at_once = max(1, BATCH_TOKENS // length)
    for first in range(0, len(rows), at_once):
        found, where = _fired(model, rows[first : first + at_once], layer)  # [d_mlp, rows] each
        where = where + (first + torch.arange(found.size(1))) * length
        best, order = torch.cat((best, found), dim=1).topk(PASSAGES_KEPT, dim=1)
        places = torch.cat((places, where), dim=1).gather(1, order)
        read = min(first + at_once, len(rows)) * length
        yield Passages(frozen(best.numpy().copy()), frozen(places.numpy().copy()), read, rows.numel())


@torch.inference_mode()
def _fired(model: GPT, rows: Tensor, layer: int) -> tuple[Tensor, Tensor]:
    """Each neuron's highest activation in each row of ids `[rows, T]`, and where in the row."""
    site = f"blocks.{layer}.mlp.post"
    recorder = Recorder([site])
    with showing(model):
        x, rotary = model.embed(rows.to(model.lm_head.weight.device))
        for block in blocks(model)[: layer + 1]:
            x = block(x, rotary, None, recorder)
    highest = recorder.sites[site].float().max(dim=1)
    return highest.values.T.cpu().clone(), highest.indices.T.cpu().clone()
