"""kill -9 and signals: what follows equals, bit for bit, what would have been."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gpttui.errors import UserError
from gpttui.runs import rundir
from gpttui.runs import summary as run_summary
from gpttui.runs.config import TrainConfig
from gpttui.runs.events import RunStarted, StepDone
from gpttui.training import checkpoints
from gpttui.training import run as runs
from gpttui.training.loop import Trainer
from tests.training.conftest import train
from tests.training.kill import OPTIONS, curve, kill_at_random_moments, spawn, wait_for_step

Tiny = Callable[..., TrainConfig]


def test_losses_after_kill_9_are_those_of_a_run_never_killed(text_file: Path, tmp_path: Path) -> None:
    child = spawn("--data", str(text_file), *OPTIONS, "--run-dir", str(tmp_path / "whole"))
    assert child.wait(timeout=120) == 0
    kill_at_random_moments(text_file, tmp_path / "killed", kills=2, seed=20)
    expected = curve(tmp_path / "whole")
    assert len(expected) == 120 + 4
    assert curve(tmp_path / "killed") == expected
    starts = [event.step for event in rundir.read_events(tmp_path / "killed") if isinstance(event, RunStarted)]
    assert len(starts) == 3 and starts[1:] == sorted(starts[1:]) and starts[2] > 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_a_signal_finishes_the_step_saves_and_says_how_to_go_on(
    text_file: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    if signal.getsignal(number) is signal.SIG_IGN:  # as under nohup, which a child inherits and respects
        pytest.skip("this test run itself ignores the signal")
    path = tmp_path / "run"
    model = tmp_path / "a model"
    child = spawn(
        "--data", str(text_file), *OPTIONS, "--run-dir", str(path), "--steps", "100000", "--export", str(model)
    )
    wait_for_step(path, 3, child)
    child.send_signal(number)
    _, errors = child.communicate(timeout=60)
    assert child.returncode == code
    assert f"--run-dir {path} --resume --export '{model}'" in errors.decode()
    assert b"Traceback" not in errors
    assert saved_at(path) == reached(path)
    assert run_summary.describe(path).status == "stopped"


@pytest.mark.parametrize("json", [False, True], ids=["lines", "json"])
def test_output_that_nobody_reads_ends_the_run_and_it_is_saved(text_file: Path, tmp_path: Path, json: bool) -> None:
    path = tmp_path / "run"
    options = ["--data", str(text_file), *OPTIONS, "--run-dir", str(path), "--steps", "100000", "--eval-every", "2"]
    command = [sys.executable, "-m", "gpttui", "train", *options, *(["--json"] if json else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
        assert child.stdout is not None
        wait_for_step(path, 3, child)
        child.stdout.close()
        assert child.wait(timeout=60) in (0, 1)
    assert saved_at(path) == reached(path) and run_summary.describe(path).status == "stopped"


def test_a_hang_up_that_is_ignored_stays_so(text_file: Path, tmp_path: Path) -> None:
    """As under nohup."""
    path = tmp_path / "run"
    words = ["--data", str(text_file), *OPTIONS, "--run-dir", str(path), "--steps", "100000"]
    child = subprocess.Popen(
        ["nohup", sys.executable, "-m", "gpttui", "train", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_for_step(path, 3, child)
    child.send_signal(signal.SIGHUP)
    wait_for_step(path, reached(path) + 3, child)
    assert child.poll() is None
    child.terminate()
    assert child.wait(timeout=60) == 143


def reached(path: Path) -> int:
    """The last step that the run has recorded."""
    return max(event.step for event in rundir.read_events(path) if isinstance(event, StepDone))


def saved_at(path: Path) -> int:
    saved = rundir.latest_checkpoint(path)
    return -1 if saved is None else int(saved.name)


def test_resuming_replays_nothing_when_nothing_is_left(tiny: Tiny, tmp_path: Path) -> None:
    train(tiny(), tmp_path / "run")
    with runs.resume(tmp_path / "run") as run:
        assert not [event for event in run.trainer.events() if isinstance(event, StepDone)]


@pytest.mark.parametrize("leave_at", [6, 7])
def test_a_learning_rate_turned_by_hand_is_there_again_before_the_next_checkpoint(
    tiny: Tiny, tmp_path: Path, leave_at: int
) -> None:
    path, config = tmp_path / "run", tiny(checkpoint_every=4)
    with runs.start(config, path) as run:
        for event in run.trainer.events():
            if isinstance(event, StepDone) and event.step == 5:
                run.trainer.set_lr(config.lr / 4)
            if isinstance(event, StepDone) and event.step == leave_at:
                break
    seen = curve(path)
    with runs.resume(path) as run:
        assert run.trainer.state.step == 4
        for _ in run.trainer.events():
            pass
    steps = [event for event in rundir.read_events(path) if isinstance(event, StepDone)]
    again = [event for event in steps[leave_at:] if event.step <= leave_at]
    assert [(event.lr, event.loss_nats) for event in again] == [
        (event.lr, event.loss_nats) for event in steps[4:leave_at]
    ]
    assert {key: value for key, value in curve(path).items() if key in seen} == seen
    record = run_summary.read(path)
    assert record.config is not None and record.config.lr_scale == 0.25


def left_at(trainer: Trainer, step: int) -> list[StepDone]:
    """The steps of a run that dies after `step`, of which each takes as long as the last digit of its number."""
    done = []
    for event in trainer.events():
        trainer.state.elapsed_s += 0.5 + (trainer.state.step % 10) / 10
        if isinstance(event, StepDone):
            done.append(event)
            if event.step == step:
                break
    return done


@pytest.mark.parametrize("leave_at", [4, 11, 23, 38])
def test_a_run_that_is_given_a_time_repeats_what_it_was_fitted_to(tiny: Tiny, tmp_path: Path, leave_at: int) -> None:
    path = tmp_path / "run"
    config = tiny(minutes=1.0, steps=2000, schedule="linear", dropout=0.1, checkpoint_every=16, eval_every=0)
    with runs.start(config, path) as run:
        before = left_at(run.trainer, leave_at)
    fits = rundir.read_config(path).before
    assert fits and (leave_at < 9 or len({fit.steps for fit in fits}) > 1)
    with runs.resume(path) as run:
        first = run.trainer.state.step
        after = left_at(run.trainer, leave_at)
    assert [(event.step, event.lr, event.loss_nats) for event in after] == [
        (event.step, event.lr, event.loss_nats) for event in before[first:]
    ]


def with_another_rule(config: TrainConfig, path: Path, leave_at: int) -> None:
    """A run that at step 5 is given 24 steps instead of its own, and dies at step `leave_at`."""
    with runs.start(config, path) as run:
        for event in run.trainer.events():
            if isinstance(event, StepDone) and event.step == 5:
                run.trainer.set_stop_rule(steps=24)
            if isinstance(event, StepDone) and event.step == leave_at:
                return


@pytest.mark.parametrize("leave_at", [5, 6, 7, 15])
def test_resuming_is_exact_after_the_schedule_was_changed(tiny: Tiny, tmp_path: Path, leave_at: int) -> None:
    config = tiny(steps=12, dropout=0.1, checkpoint_every=6, schedule="linear")
    with_another_rule(config, tmp_path / "whole", leave_at=-1)
    with_another_rule(config, tmp_path / "killed", leave_at=leave_at)
    with runs.resume(tmp_path / "killed") as run:
        for _ in run.trainer.events():
            pass
    whole, killed = curve(tmp_path / "whole"), curve(tmp_path / "killed")
    if leave_at == 5:  # before the rule held: as if it had never been set
        train(config, tmp_path / "unchanged")
        whole = curve(tmp_path / "unchanged")
    assert killed == whole and ("train", 12 if leave_at == 5 else 24) in killed


def test_a_checkpoint_of_another_shape_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    train(tiny(), tmp_path / "run")
    with pytest.raises(UserError, match="another shape"):
        runs.resume(tmp_path / "run", tiny(width=32))
    with pytest.raises(UserError, match="another optimiser"):
        runs.resume(tmp_path / "run", tiny(optimizer="muon"))
    with runs.resume(tmp_path / "run") as run:  # and the run itself is as it was
        assert run.trainer.state.step == 12


def test_a_newer_run_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    path = tmp_path / "run"
    train(tiny(), path)
    config = path / "config.json"
    config.write_text(config.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(UserError, match="newer gpttui"):
        runs.resume(path)
    config.write_text(config.read_text().replace('"format": 2', '"format": 1'))
    latest = rundir.latest_checkpoint(path)
    assert latest is not None
    state = latest / rundir.STATE
    state.write_text(state.read_text().replace('"format":1', '"format":9'))
    with pytest.raises(UserError, match="newer gpttui"):
        runs.resume(path)


def test_a_flipped_bit_in_the_optimiser_is_noticed(tiny: Tiny, tmp_path: Path) -> None:
    train(tiny(), tmp_path / "run")
    latest = rundir.latest_checkpoint(tmp_path / "run")
    assert latest is not None
    file = latest / checkpoints.OPTIMISER
    data = bytearray(file.read_bytes())
    data[-5] ^= 4
    file.write_bytes(data)
    with pytest.raises(UserError, match="damaged"):
        runs.resume(tmp_path / "run")


def test_a_full_disk_leaves_the_last_checkpoint(tiny: Tiny, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / "run"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with runs.start(tiny(width=64, steps=8), path) as run:
        events = []
        try:
            for event in run.trainer.events():
                events.append(event)
                if isinstance(event, StepDone) and event.step == 5:
                    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # no file may grow beyond this
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "the last checkpoint is intact" in events[-1].message
    assert not list((path / rundir.CHECKPOINTS).glob(".*"))
    with runs.resume(path) as run:
        assert run.trainer.state.step == 4
        assert [event.step for event in run.trainer.events() if isinstance(event, StepDone)] == [5, 6, 7, 8]
