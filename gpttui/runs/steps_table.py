"""A run's recorded steps as a table: one row a step, as they still count.

For: `gpttui runs export`. Not for: curves on a screen, which are thinned (`gpttui.runs.series`).
"""

from collections.abc import Iterable
from typing import Any

from gpttui.runs import events

COLUMNS = ("step", "loss_nats", "val_loss_nats", "lr", "grad_norm", "tokens_per_s", "elapsed_s")


def rows(recorded: Iterable[events.Event]) -> list[tuple[Any, ...]]:
    """`COLUMNS` of every step with a loss, ascending; None where a step has no such number. A start at step n makes
    void what was recorded of later steps before it."""
    steps: dict[int, events.StepDone] = {}
    held_out: dict[int, float] = {}
    for event in recorded:
        if isinstance(event, events.RunStarted):
            steps = {step: done for step, done in steps.items() if step <= event.step}
            held_out = {step: loss for step, loss in held_out.items() if step <= event.step}
        elif isinstance(event, events.StepDone):
            steps[event.step] = event
        elif isinstance(event, events.EvalDone):
            held_out[event.step] = event.val_loss_nats
    found = []
    for step in sorted(steps.keys() | held_out.keys()):
        done = steps.get(step)
        own = (None,) * 4 if done is None else (done.lr, done.grad_norm, done.tokens_per_s, done.elapsed_s)
        found.append((step, None if done is None else done.loss_nats, held_out.get(step), *own))
    return found
