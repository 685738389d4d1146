"""Every reader of a run's events counts the same ones: those that no later start has made void."""

import random
from pathlib import Path

import msgspec
import numpy as np
import pytest

from gpttui.runs import history as run_history
from gpttui.runs import rundir
from gpttui.runs import summary as run_summary
from gpttui.runs.config import TrainConfig
from gpttui.runs.events import (
    CheckpointSaved,
    EvalDone,
    Event,
    RunEnded,
    RunFailed,
    RunStarted,
    SampleDrawn,
    StepDone,
    encode_event,
)
from gpttui.runs.summary import RunSummary
from gpttui.storage import gallery
from gpttui.tui.session.run_record import RunRecord

CONFIG = TrainConfig(data="x", steps=1000)


def started(step: int) -> RunStarted:
    return RunStarted(
        step=step, config=msgspec.to_builtins(CONFIG), params=10, vocab_size=5, tokenizer="characters",
        train_tokens=100, val_tokens=10, tokens_per_step=16, device="cpu", threads=1, processes=1, unix_time_s=0.0,
    )  # fmt: skip


def stepped(n: int, loss: float) -> StepDone:
    return StepDone(
        step=n, loss_nats=loss, lr=1e-3, grad_norm=1.0, layer_grad_norms=[], tokens_per_s=1.0, elapsed_s=float(n)
    )


def life(seed: int) -> tuple[list[Event], dict[str, dict[int, float]], int]:
    """Events of a run that is rewound, dies and goes on; which losses count in the end, by step; the step it is at."""
    rng = random.Random(seed)
    events: list[Event] = [started(0)]
    kept: dict[str, dict[int, float]] = {"train": {}, "val": {}, "sample": {0: 0}}
    events.append(SampleDrawn(step=0, prompt="a", text="0"))
    step = 0
    for n in range(300):
        step += 1
        kept["train"][step] = round(rng.uniform(0.1, 5), 3)
        events.append(stepped(step, kept["train"][step]))
        if rng.random() < 0.2:
            kept["val"][step] = round(rng.uniform(0.1, 5), 3)
            events.append(EvalDone(step=step, val_loss_nats=kept["val"][step], tokens=9, elapsed_s=float(step)))
        if rng.random() < 0.1:
            kept["sample"][step] = n
            events.append(SampleDrawn(step=step, prompt="a", text=str(n)))
            events.append(CheckpointSaved(step=step, path=f"checkpoints/{step:08d}"))
        if rng.random() < 0.03:
            step = rng.choice([0, step // 2, step])
            kept = {name: {s: v for s, v in of.items() if s <= step} for name, of in kept.items()}
            events.append(started(step))
    return events, kept, step


def written(path: Path, events: list[Event]) -> Path:
    path.mkdir(parents=True)
    (path / rundir.CONFIG).write_text(CONFIG.to_json())
    (path / rundir.EVENTS).write_bytes(b"".join(encode_event(event) + b"\n" for event in events))
    return path


@pytest.mark.parametrize("seed", range(8))
def test_every_reader_counts_what_no_later_start_made_void(tmp_path: Path, seed: int) -> None:
    events, kept, step = life(seed)
    run = written(tmp_path / "run", events)
    best = min(kept["val"].values(), default=None)

    told = run_summary.describe(run)  # gpttui runs
    assert (told.step, told.best_val_loss_nats) == (step, best)
    assert told.val_loss_nats == (kept["val"][max(kept["val"])] if kept["val"] else None)

    curve = run_history.curve(run)  # overlays
    assert curve.val_steps.tolist() == sorted(kept["val"])
    assert curve.val_losses_nats.tolist() == [kept["val"][s] for s in sorted(kept["val"])]
    assert curve.steps.tolist() == sorted(kept["train"]) and curve.title == "run"
    (run / "checkpoints" / f"{step:08d}").mkdir(parents=True)
    history = gallery.history(run / "checkpoints" / f"{step:08d}")  # the curve of an open checkpoint
    assert history is not None and history.val_losses_nats.tolist() == curve.val_losses_nats.tolist()

    record, tail = RunRecord(str(run), live=False), rundir.EventTail(run)  # gpttui watch, in pieces
    while more := tail.read(random.Random(seed).randrange(1, 4000)):
        record.take_events(more)
    assert record.step == step and record.best_val_loss_nats == best
    assert record.train.x.tolist() == sorted(kept["train"])
    np.testing.assert_array_equal(record.train.y, np.float32([kept["train"][s] for s in sorted(kept["train"])]))
    assert record.validation.x.tolist() == sorted(kept["val"])
    assert [(s.step, int(s.text)) for s in reversed(record.samples)] == sorted(kept["sample"].items())
    assert all(saved <= step for saved in record.checkpoints)


def test_steps_recorded_again_replace_what_they_were_though_the_start_between_them_was_lost() -> None:
    summary = RunSummary()
    summary.take([stepped(n, 1.0) for n in (1, 2, 3, 4)] + [stepped(n, 2.0) for n in (3, 4, 5)])
    assert summary.train.x.tolist() == [1, 2, 3, 4, 5] and summary.train.y.tolist() == [1, 1, 2, 2, 2]


def test_a_status_is_the_last_word_of_its_events() -> None:
    ended = RunEnded(step=1, reason="steps", val_loss_nats=1.0, best_val_loss_nats=1.0, elapsed_s=1.0)
    stopped = RunEnded(step=1, reason="stopped", val_loss_nats=1.0, best_val_loss_nats=1.0, elapsed_s=1.0)
    failed = RunFailed(step=1, message="the disk is full")
    summary = RunSummary()
    assert summary.status(locked=False) == "new" and summary.status(locked=True) == "running"
    for event, status in ((started(0), "interrupted"), (failed, "failed"), (started(0), "interrupted"),
                          (stopped, "stopped"), (started(1), "interrupted"), (ended, "finished")):  # fmt: skip
        summary.take([event])
        assert summary.status(locked=False) == status
