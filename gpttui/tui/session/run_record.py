"""All that the screen knows of a run, put together from its events, whoever brings them: engine, or the run's files.

For: the training screen and the playground, which both read one record. What the events add up to is `RunSummary`'s
business; here is what the engine tells besides, such as looks at the prompt. Not for: widgets.
"""

from collections.abc import Iterable
from pathlib import Path
from time import monotonic

from gpttui.protocol.train import Probe, TrainNews
from gpttui.runs.events import (
    Event,
    RunStarted,
)
from gpttui.runs.summary import RunSummary

PROBES = 4000


class RunRecord(RunSummary):
    """What has happened in the run of directory `path`, and its state now."""

    def __init__(self, path: str, *, live: bool) -> None:
        super().__init__()
        self.path, self.live = path, live
        """`live`: it trains in this program's engine."""
        self.name = Path(path).name
        self.state = "preparing"
        """preparing, running, paused, ended, failed; of a watched one also finished, stopped, interrupted."""
        self.probes: list[Probe] = []
        """By step."""
        self.memory_bytes = 0
        self.version = 0
        """Grows with every change, so that panes can tell."""
        self.seen_s = monotonic()

    # ── What comes in ─────────────────────────────────────────────────────────────────────────────────────────────

    def take_news(self, news: TrainNews) -> None:
        """News from the engine: a start, if there is one among them, comes before all the rest."""
        self.state = news.state
        started = [event for event in news.events if isinstance(event, RunStarted)]
        self.take(started)
        self.take_losses(news.steps, news.losses_nats)
        if news.last is not None:
            self.last, self.elapsed_s = news.last, news.last.elapsed_s
        self.take(event for event in news.events if event not in started)
        if news.probe is not None:
            self.add_probes([news.probe])
        if news.checkpoints is not None:
            self.checkpoints = news.checkpoints
        self.memory_bytes = news.memory_bytes
        self._changed()

    def take_events(self, events: Iterable[Event]) -> None:
        """Events from a run's file, in order of writing."""
        self.take(events)
        self._changed()

    def forget_after(self, step: int) -> None:
        super().forget_after(step)
        self.probes = [probe for probe in self.probes if probe.step <= step]

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
    def active(self) -> bool:
        """Something trains it, or holds it and will go on."""
        return self.state in ("preparing", "running", "paused")

    @property
    def left_s(self) -> float | None:
        """Training time to the end; None while unknown."""
        config, last, started = self.config, self.last, self.started
        if config is None or last is None or started is None or last.tokens_per_s <= 0:
            return None
        left_s = config.minutes * 60 - last.elapsed_s if config.minutes else (config.steps - last.step) * self.step_s
        return max(0.0, left_s)

    @property
    def step_s(self) -> float:
        """Mean time of a step since this start, evaluations and all."""
        last, started = self.last, self.started
        if last is None or started is None or not last.step:
            return 0.0
        return last.elapsed_s / last.step

    @property
    def peak_lr(self) -> float:
        return self.config.lr * self.config.lr_scale if self.config is not None else 0.0

    @property
    def words(self) -> str:
        """The state in words."""
        if self.failure:
            return "failed"
        if self.ended is not None and self.state in ("ended", "finished", "stopped"):
            reasons = {"steps": "finished", "minutes": "time is up", "target": "target reached", "stopped": "stopped"}
            return reasons.get(self.ended.reason, self.ended.reason)
        return self.state
