"""The loss of a pass, what it counts for beside other passes, and when a run is lost.

Rows of different lengths, or of weighted tokens, count by what is in them: a step's loss is the mean over all counted
tokens, however the batch is split into passes and processes. Not for held-out losses (`gpttui.training.evaluate`).
"""

import math
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from gpttui.errors import UserError
from gpttui.model.gpt import GPT
from gpttui.runs import rundir
from gpttui.training.data import IGNORED, Batch

EXPLODED = 3.0
"""A loss this many times the first one means that the run is lost."""


def mean_loss(logits: Tensor, batch: Batch, smoothing: float = 0.0) -> Tensor:
    """Cross-entropy in nats, averaged over what counts in `batch`; `logits` `[rows, T, V]`."""
    flat, targets = logits.flatten(0, 1), batch.targets.to(logits.device).flatten()
    if batch.weights is None:
        return F.cross_entropy(flat, targets, ignore_index=IGNORED, label_smoothing=smoothing)
    losses = F.cross_entropy(flat, targets, ignore_index=IGNORED, label_smoothing=smoothing, reduction="none")
    weights = batch.weights.to(logits.device).flatten() * (targets != IGNORED)
    return (losses * weights).sum() / weights.sum().clamp(min=1e-9)


def counted(batch: Batch) -> float:
    """What `mean_loss` averages over: targets that are no padding, or the sum of their weights."""
    real = batch.targets != IGNORED
    return float(real.sum() if batch.weights is None else (batch.weights.double() * real).sum())


def is_lost(loss: float, first_loss: float | None) -> bool:
    """Whether a loss in nats, or the lack of one, says that these weights are worth nothing any more."""
    return not math.isfinite(loss) or loss > EXPLODED * max(1.0, first_loss or 0.0)


@torch.no_grad()
def sound_loss(model: GPT, batch: Batch, device: torch.device) -> float:
    """The loss of `batch` under weights that are about to be saved; NaN where one of them is not finite."""
    norms = torch.stack(torch._foreach_norm(list(model.parameters())))
    return float(mean_loss(model(batch.inputs.to(device)), batch)) if norms.isfinite().all() else math.nan


def lost(run: Path | None, loss: float, when: str) -> UserError:
    """What to tell of a run that is lost, and what to do with what it has left."""
    what = f"exploded to {loss:.2f}" if math.isfinite(loss) else "is not a number"
    left = "nothing was kept" if run is None else rundir.what_is_left(run)
    verb = "resume" if left.startswith(rundir.INTACT) else "start anew"
    return UserError(f"the loss {what} {when}; {left}; {verb} with a lower --lr")
