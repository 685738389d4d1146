"""What the events of a run add up to: the one place that knows which of them still count.

A start at step n (resumed, or rewound to 0) makes void all that was recorded of later steps before it, and a step that
is recorded again replaces what it was. For: `gpttui runs`, recorded curves, the training screen, whoever else reads
events, from a file or as they come. Memory stays bounded however long the run. Not for: checkpoints on disk. No torch.
"""

import contextlib
import math
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np

from gpttui.errors import UserError, one_line
from gpttui.records import Array, LossHistory
from gpttui.runs import events, rundir
from gpttui.runs.config import TrainConfig, changed
from gpttui.runs.series import Series

SAMPLES = 200
AT_A_TIME = 4096
"""Steps that are added to a curve at once."""


def baselines_of(started: events.RunStarted) -> tuple[tuple[str, float], ...]:
    """A blind guess among all tokens, their frequencies, pairs of them: name and loss in nats a token."""
    found = (
        ("blind guess", math.log(max(1, started.vocab_size))),
        ("token frequencies", started.frequency_nats),
        ("bigrams", started.bigram_nats),
    )
    return tuple((name, nats) for name, nats in found if nats > 0)


class RunSummary:
    """A run as its events, taken in order of writing, leave it."""

    def __init__(self) -> None:
        self.started: events.RunStarted | None = None
        """The last start."""
        self.config: TrainConfig | None = None
        self.train, self.validation = Series(), Series(exact=True)
        """Losses in nats a token by step."""
        self.last: events.StepDone | None = None
        self.elapsed_s = 0.0
        """Of training, over all starts."""
        self.ended: events.RunEnded | None = None
        self.failure = ""
        self.samples: list[events.SampleDrawn] = []
        """Newest first."""
        self.checkpoints: tuple[int, ...] = ()
        """Steps that were saved; older ones may have been thinned out since."""

    def take(self, more: Iterable[events.Event]) -> None:
        """More events, in order of writing."""
        steps: list[events.StepDone] = []
        for event in more:
            if isinstance(event, events.StepDone):
                steps.append(event)
            if not isinstance(event, events.StepDone) or len(steps) == AT_A_TIME:
                self._take_steps(steps)
                steps = []
            if not isinstance(event, events.StepDone):
                self._take_other(event)
        self._take_steps(steps)

    def _take_steps(self, steps: list[events.StepDone]) -> None:
        if steps:
            self.take_losses([event.step for event in steps], [event.loss_nats for event in steps])
            self.last, self.elapsed_s = steps[-1], steps[-1].elapsed_s

    def take_losses(self, steps: Array | list[int], losses_nats: Array | list[float]) -> None:
        """Training losses alone, of steps in order of training."""
        if not len(steps):
            return
        if any(later <= step for step, later in pairwise(steps)):  # a start between them was lost
            for step, loss in zip(steps, losses_nats, strict=True):
                self.take_losses([step], [loss])
            return
        self.train.cut(float(steps[0]) - 1)
        self.train.extend(np.asarray(steps), np.asarray(losses_nats))

    def _take_other(self, event: events.Event) -> None:
        match event:
            case events.RunStarted():
                self.started = event
                with contextlib.suppress(msgspec.ValidationError):  # of another version, or damaged: the file has one
                    self.config = msgspec.convert(event.config, TrainConfig)
                self.ended, self.failure = None, ""
                self.forget_after(event.step)
            case events.EvalDone():
                self.validation.cut(event.step - 1)
                self.validation.append(event.step, event.val_loss_nats)
                self.elapsed_s = event.elapsed_s
            case events.SampleDrawn():
                self.samples = [event, *(sample for sample in self.samples if sample.step < event.step)][:SAMPLES]
            case events.StopRuleChanged():
                if self.config is not None:
                    rule = {"steps": event.steps, "minutes": event.minutes, "target_loss": event.target_loss}
                    self.config = changed(self.config, **rule)
            case events.LearningRateChanged():
                if self.config is not None:
                    self.config = changed(self.config, lr_scale=event.lr / self.config.lr)
            case events.RunEnded():
                self.ended, self.elapsed_s = event, event.elapsed_s
            case events.RunFailed():
                self.failure = event.message
            case events.CheckpointSaved():
                self.checkpoints = (*(step for step in self.checkpoints if step < event.step), event.step)

    def forget_after(self, step: int) -> None:
        """What was recorded of later steps is void."""
        self.train.cut(step)
        self.validation.cut(step)
        self.samples = [sample for sample in self.samples if sample.step <= step]
        self.checkpoints = tuple(saved for saved in self.checkpoints if saved <= step)
        if self.last is not None and self.last.step > step:
            self.last = None
        self.elapsed_s = self.elapsed_s if step else 0.0

    @property
    def step(self) -> int:
        """Steps done."""
        if self.last is not None:
            return self.last.step
        return self.started.step if self.started is not None else 0

    @property
    def val_loss_nats(self) -> float | None:
        """The last held-out loss."""
        return float(self.validation.y[-1]) if self.validation.size else None

    @property
    def best_val_loss_nats(self) -> float | None:
        return float(self.validation.y.min()) if self.validation.size else None

    @property
    def prompt_counts(self) -> float:
        """As `TrainConfig.prompt_counts`; 1 while nothing is known."""
        return self.config.prompt_counts if self.config is not None else 1.0

    @property
    def baselines(self) -> tuple[tuple[str, float], ...]:
        """What simple guesses cost on the held-out text, in nats a token; those that are known."""
        return baselines_of(self.started) if self.started is not None else ()

    def history(self, title: str) -> LossHistory:
        """The curves as they are."""
        train, validation, started = self.train, self.validation, self.started
        found = LossHistory(train.x, train.y, validation.x, validation.y, title=title)
        if started is None or self.config is None:
            return found
        plain = self.prompt_counts == 1  # else the answer counts for more
        known = 0 < min(started.val_tokens, started.val_bytes) <= max(started.val_tokens, started.val_bytes) < 1 << 60
        per_token = started.val_bytes / started.val_tokens if plain and known else 0.0
        return replace(
            found,
            tokenizer=started.tokenizer_id,
            bytes_per_token=per_token,
            prompt_counts=self.prompt_counts,
            baselines=self.baselines,
        )

    def status(self, *, locked: bool) -> str:
        """running, finished, stopped, failed, interrupted (the process died), or new; `locked`: something trains it."""
        if locked:
            return "running"
        if self.failure:
            return "failed"
        if self.ended is not None:
            return "stopped" if self.ended.reason == "stopped" else "finished"
        return "interrupted" if self.started is not None else "new"


def read(path: Path) -> RunSummary:
    """The run in directory `path`, from its recorded events; an empty one where there are none."""
    summary = RunSummary()
    summary.take(rundir.read_events(path))
    return summary


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `gpttui runs`."""

    name: str
    path: str
    status: str
    """As `RunSummary.status` says it."""
    step: int
    steps: int
    params: int
    data: str
    loss_nats: float | None
    val_loss_nats: float | None
    best_val_loss_nats: float | None
    elapsed_s: float
    checkpoints: int
    updated_unix_s: float


def describe(path: Path) -> RunInfo:
    """What can be said of run `path` from its files alone. Raises UserError where it is none."""
    config, summary = rundir.read_config(path), read(path)
    return RunInfo(
        name=path.name,
        path=str(path),
        status=summary.status(locked=rundir.is_locked(path)),
        step=summary.step,
        steps=config.steps,
        params=summary.started.params if summary.started is not None else 0,
        data=config.data,
        loss_nats=summary.last.loss_nats if summary.last is not None else None,
        val_loss_nats=summary.val_loss_nats,
        best_val_loss_nats=summary.best_val_loss_nats,
        elapsed_s=summary.elapsed_s,
        checkpoints=len(rundir.checkpoints(path)),
        updated_unix_s=(path / rundir.EVENTS).stat().st_mtime,
    )


def list_runs(root: Path) -> tuple[list[RunInfo], list[str]]:
    """Every run in directory `root`, newest first, and one line for each that cannot be read."""
    found, broken = [], []
    for path in rundir.runs_in([root]):
        try:
            found.append(describe(path))
        except (UserError, OSError) as error:
            broken.append(one_line(error))
    return found, broken
