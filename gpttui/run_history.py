"""The recorded curve of a run, thinned for the screen: what a model's history.json holds. No torch."""

from pathlib import Path
from typing import Any

import numpy as np

from gpttui import rundir
from gpttui.train_protocol import EvalDone, StepDone

HISTORY_POINTS = 500


def loss_history(run: Path, title: str, last_step: int) -> dict[str, Any]:
    """The run's curve up to `last_step`, training losses averaged in bins, as `history.json` keeps it."""
    losses: dict[int, float] = {}
    val: dict[int, float] = {}
    for event in rundir.read_events(run):
        if isinstance(event, StepDone) and event.step <= last_step:
            losses[event.step] = event.loss_nats
        elif isinstance(event, EvalDone) and event.step <= last_step:
            val[event.step] = event.val_loss_nats
    steps = np.array(sorted(losses))
    bins = np.array_split(steps, min(HISTORY_POINTS, len(steps))) if len(steps) else []
    return {
        "title": title,
        "steps": [int(b[-1]) for b in bins],
        "losses_nats": [round(float(np.mean([losses[int(s)] for s in b])), 4) for b in bins],
        "val_steps": sorted(val),
        "val_losses_nats": [round(val[s], 4) for s in sorted(val)],
    }
