"""The recorded curve of a run, thinned for the screen: what a model's history.json holds. No torch."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gpttui.records import LossHistory, frozen
from gpttui.runs import rundir
from gpttui.runs import summary as run_summary
from gpttui.runs.summary import RunSummary

HISTORY_POINTS = 500
NUMBERS = {2: "two", 3: "three", 4: "four"}


def loss_history(run: Path, title: str, last_step: int) -> dict[str, Any]:
    """The run's curve up to `last_step`, training losses averaged in bins, as `history.json` keeps it."""
    recorded = run_summary.read(run)
    recorded.forget_after(last_step)
    return _thinned(recorded, title)


def _thinned(recorded: RunSummary, title: str) -> dict[str, Any]:
    train, val = recorded.train, recorded.validation
    bins = np.array_split(np.arange(train.size), min(HISTORY_POINTS, train.size)) if train.size else []
    return {
        "title": title,
        "steps": [int(train.x[b[-1]]) for b in bins],
        "losses_nats": [round(float(train.y[b].mean(dtype=np.float64)), 4) for b in bins],
        "val_steps": [int(step) for step in val.x],
        "val_losses_nats": [round(float(loss), 4) for loss in val.y],
        "prompt_counts": recorded.prompt_counts,
        "baselines": [[name, round(nats, 4)] for name, nats in recorded.baselines],
    }


def joined(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The curve of a model trained in stages: its base's, then its own, the steps counted on.

    Of the held-out losses only the last stage's: the stages may cut what is held out into other rows.
    """
    done = before["steps"][-1] if before["steps"] else 0
    stages = before.get("stages", 1) + 1
    return {
        "title": f"{after['title']}, in {NUMBERS.get(stages, stages)} stages",
        "stages": stages,
        "steps": before["steps"] + [done + step for step in after["steps"]],
        "losses_nats": before["losses_nats"] + after["losses_nats"],
        "val_steps": [done + step for step in after["val_steps"]],
        "val_losses_nats": after["val_losses_nats"],
        "prompt_counts": after["prompt_counts"],
        "baselines": after.get("baselines", []),
    }


def curve(run: Path) -> LossHistory:
    """The whole curve of the run in `run`, under its name; empty where nothing was recorded."""
    recorded = run_summary.read(run)
    raw = _thinned(recorded, run.name)
    names = ("steps", "losses_nats", "val_steps", "val_losses_nats")
    steps, losses, val_steps, val_losses = (frozen(np.asarray(raw[name], dtype=np.float64)) for name in names)
    return replace(
        recorded.history(run.name), steps=steps, losses_nats=losses, val_steps=val_steps, val_losses_nats=val_losses
    )


def one_unit(runs: Sequence[LossHistory]) -> list[float] | None:
    """What to multiply the losses of each run by, so that all are of one unit.

    1 where all have the same tokenizer: nats a token. Else nats a byte, which need the bytes of their tokens; None
    where some are not known.
    """
    if len({run.tokenizer for run in runs}) == 1 and runs[0].tokenizer:
        return [1.0] * len(runs)
    return [1 / run.bytes_per_token for run in runs] if all(run.bytes_per_token for run in runs) else None


def ended_runs(folders: Iterable[Path]) -> list[Path]:
    """Runs in these folders that nothing is training now, the one written last first."""
    return [path for path in rundir.runs_in(folders) if not rundir.is_locked(path)]
