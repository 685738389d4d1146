"""Curves of runs in files, and which runs there are to compare with."""

import os
from pathlib import Path

from gpttui.runs import history as run_history
from gpttui.runs import rundir
from gpttui.runs.config import TrainConfig
from gpttui.runs.events import EvalDone, StepDone


def made(folder: Path, name: str, steps: int, at_unix_s: float) -> Path:
    """A run of `steps` steps as it lies on disk."""
    path = folder / name
    path.mkdir(parents=True)
    (path / rundir.CONFIG).write_text(TrainConfig(data="x").to_json())
    writer = rundir.EventWriter(path)
    for n in range(1, steps + 1):
        writer.write(
            StepDone(
                step=n, loss_nats=4.0 / n, lr=1e-3, grad_norm=1.0, layer_grad_norms=[], tokens_per_s=1, elapsed_s=n
            )
        )
    writer.write(EvalDone(step=steps, val_loss_nats=4.1 / steps, tokens=10, elapsed_s=steps))
    writer.close()
    os.utime(path / rundir.EVENTS, (at_unix_s, at_unix_s))
    return path


def test_the_curve_of_a_run_has_its_name_and_all_its_steps(tmp_path: Path) -> None:
    curve = run_history.curve(made(tmp_path, "kings", 8, 1e9))
    assert curve.title == "kings" and curve.steps.tolist() == list(range(1, 9))
    assert curve.losses_nats[3] == 1.0 and curve.val_steps.tolist() == [8]


def test_runs_that_have_ended_come_newest_first_and_those_in_training_not_at_all(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    old, new, busy = made(one, "old", 2, 1e9), made(two, "new", 2, 2e9), made(two, "busy", 2, 3e9)
    (two / "no-run").mkdir()
    (two / "file").write_text("")
    with rundir.RunLock(busy):
        assert run_history.ended_runs({one, two, tmp_path / "missing"}) == [new, old]
    assert run_history.ended_runs([two]) == [busy, new]
