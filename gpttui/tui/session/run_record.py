"""All that the screen knows of a run, put together from its events, whoever brings them: engine, or the run's files.

For: the training screen and the playground, which both read one record. Memory stays bounded however long the run:
curves thin themselves out, of samples and probes the latest are kept. Not for: widgets.
"""

from collections.abc import Iterable
from pathlib import Path
from time import monotonic

import msgspec
import numpy as np

from gpttui.protocol.train import Probe, TrainNews
from gpttui.records import Array, LossHistory
from gpttui.runs.config import TrainConfig, changed
from gpttui.runs.events import (
    CheckpointSaved,
    EvalDone,
    Event,
    RunEnded,
    RunFailed,
    RunStarted,
    SampleDrawn,
    StepDone,
    StopRuleChanged,
)
from gpttui.tui.renderables.series import Series

SAMPLES = 200
PROBES = 4000


class RunRecord:
    """What has happened in the run of directory `path`, and its state now."""

    def __init__(self, path: str, *, live: bool) -> None:
        self.path, self.live = path, live
        """`live`: it trains in this program's engine."""
        self.name = Path(path).name
        self.state = "preparing"
        """preparing, running, paused, ended, failed; of a watched one also finished, stopped, interrupted."""
        self.config: TrainConfig | None = None
        self.started: RunStarted | None = None
        self.train, self.validation = Series(), Series()
        self.last: StepDone | None = None
        self.ended: RunEnded | None = None
        self.failure = ""
        self.samples: list[SampleDrawn] = []
        """Newest first."""
        self.probes: list[Probe] = []
        """By step."""
        self.checkpoints: tuple[int, ...] = ()
        self.memory_bytes = 0
        self.lr_factor = 1.0
        """What a person has made of the learning rate here."""
        self.version = 0
        """Grows with every change, so that panes can tell."""
        self.seen_s = monotonic()

    # ── What comes in ─────────────────────────────────────────────────────────────────────────────────────────────

    def take_news(self, news: TrainNews) -> None:
        """News from the engine; events come in order with the steps between them, near enough for curves."""
        self.state = news.state
        before = [event for event in news.events if isinstance(event, RunStarted)]
        for started in before:
            self.take(started)
        self.extend(news.steps, news.losses_nats)
        for event in news.events:
            if event not in before:
                self.take(event)
        self.last = news.last or self.last
        if news.probe is not None:
            self.add_probes([news.probe])
        if news.checkpoints is not None:
            self.checkpoints = news.checkpoints
        self.memory_bytes = news.memory_bytes
        self._changed()

    def take_events(self, events: Iterable[Event]) -> None:
        """Events from a run's file, in order of writing."""
        steps: list[int] = []
        losses: list[float] = []
        for event in events:
            if isinstance(event, StepDone):
                steps.append(event.step)
                losses.append(event.loss_nats)
                self.last = event
                continue
            self.extend(np.array(steps), np.array(losses))
            steps, losses = [], []
            self.take(event)
        self.extend(np.array(steps), np.array(losses))
        self._changed()

    def extend(self, steps: Array, losses_nats: Array) -> None:
        if len(steps):
            self.train.extend(steps, losses_nats)

    def take(self, event: Event) -> None:
        """One event that is no step."""
        match event:
            case RunStarted():
                self.started = event
                self.config = msgspec.convert(event.config, TrainConfig)
                self.ended, self.failure = None, ""
                self._forget_after(event.step)
            case EvalDone():
                self.validation.append(event.step, event.val_loss_nats)
            case SampleDrawn():
                self.samples.insert(0, event)
                del self.samples[SAMPLES:]
            case StopRuleChanged():
                if self.config is not None:
                    self.config = changed(
                        self.config, steps=event.steps, minutes=event.minutes, target_loss=event.target_loss
                    )
            case RunEnded():
                self.ended = event
            case RunFailed():
                self.failure = event.message
            case CheckpointSaved():
                if event.step not in self.checkpoints:
                    self.checkpoints = (*self.checkpoints, event.step)

    def _forget_after(self, step: int) -> None:
        """A run that starts at `step` again makes void what had come later."""
        for series in (self.train, self.validation):
            series.size = int(np.searchsorted(series.x, step, side="right"))
        self.samples = [sample for sample in self.samples if sample.step <= step]
        self.probes = [probe for probe in self.probes if probe.step <= step]
        self.checkpoints = tuple(saved for saved in self.checkpoints if saved <= step)
        if self.last is not None and self.last.step > step:
            self.last = None

    def add_probes(self, probes: Iterable[Probe]) -> None:
        """More looks at the prompt, of any steps; of two at the same step the newer one holds."""
        by_step = {probe.step: probe for probe in self.probes} | {probe.step: probe for probe in probes}
        self.probes = [by_step[step] for step in sorted(by_step)]
        if len(self.probes) > PROBES:
            self.probes = self.probes[::2]
        self._changed()

    def _changed(self) -> None:
        self.version += 1
        self.seen_s = monotonic()

    # ── What can be said of it ────────────────────────────────────────────────────────────────────────────────────

    @property
    def step(self) -> int:
        if self.last is not None:
            return self.last.step
        return self.started.step if self.started is not None else 0

    @property
    def active(self) -> bool:
        """Something trains it, or holds it and will go on."""
        return self.state in ("preparing", "running", "paused")

    @property
    def elapsed_s(self) -> float:
        return self.last.elapsed_s if self.last is not None else 0.0

    @property
    def left_s(self) -> float | None:
        """Training time to the end by its steps, or by its minutes if they are up earlier; None while unknown."""
        config, last, started = self.config, self.last, self.started
        if config is None or last is None or started is None or last.tokens_per_s <= 0:
            return None
        by_steps = (config.steps - last.step) * self.step_s
        by_minutes = config.minutes * 60 - last.elapsed_s if config.minutes else by_steps
        return max(0.0, min(by_steps, by_minutes))

    @property
    def step_s(self) -> float:
        """Mean time of a step since this start, evaluations and all."""
        last, started = self.last, self.started
        if last is None or started is None or not last.step:
            return 0.0
        return last.elapsed_s / last.step

    @property
    def peak_lr(self) -> float:
        return (self.config.lr if self.config is not None else 0.0) * self.lr_factor

    @property
    def history(self) -> LossHistory:
        """The curves as they are, for laying over another run's."""
        return LossHistory(self.train.x, self.train.y, self.validation.x, self.validation.y, title=self.name)

    @property
    def words(self) -> str:
        """The state in words."""
        if self.failure:
            return "failed"
        if self.ended is not None and self.state in ("ended", "finished", "stopped"):
            reasons = {"steps": "finished", "minutes": "time is up", "target": "target reached", "stopped": "stopped"}
            return reasons.get(self.ended.reason, self.ended.reason)
        return self.state
