"""A training run between requests: one micro-step at a time, told of at most four times a second.

For: the engine's idle work. The knobs are the trainer's own; what is decided here is how long a request may have to
wait (`MOST_WAIT_S`), and which weights the open session reads: the live ones, as they are at the moment of the request.
Not for: what a step is (`gpttui.training.loop`), or requests (`handlers.train`).
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import torch

from gpttui.engine.probe import probe
from gpttui.errors import UserError
from gpttui.inference.interventions import altered, made_of
from gpttui.inference.session import Session
from gpttui.model.gpt import GPT
from gpttui.protocol.message import Answer
from gpttui.protocol.train import Probe, SetStopRule, TrainNews
from gpttui.records import frozen, live_weights
from gpttui.runs import rundir
from gpttui.runs.config import TrainConfig
from gpttui.runs.events import CheckpointSaved, Event, RunEnded, RunFailed, RunStarted, StepDone

if TYPE_CHECKING:
    from gpttui.training.run import Run
    from gpttui.training.step_apart import StepApart

NEWS_S = 0.25
PROBE_S = 0.5
"""Between two looks at the watched prompt."""
LEAST_TOKENS = 256
"""Of one pass."""
MOST_WAIT_S = 0.040
"""What a pass should take at most: a request may come at its beginning."""


class LiveRun:
    """A run being trained by this engine."""

    def __init__(
        self,
        run: "Run",
        seen: GPT,
        send: Callable[[Answer], None],
        work_on: Callable[[Callable[[], None] | None], None],
    ) -> None:
        """`seen` is the model's copy that the session reads: its numbers stay those of one step. `work_on` is told
        what to call while no request waits, and None while there is nothing to do."""
        self.seen = seen
        self.run, self.path, self._send, self._work_on = run, str(run.path), send, work_on
        self.trainer = run.trainer
        self.state = "running"
        self.read_step = -1
        """The step whose weights the session has read last."""
        self._events: Iterator[Event | None] = self.trainer.events()
        self._hold_after_step = False
        self._steps: list[int] = []
        self._losses: list[float] = []
        self._last: StepDone | None = None
        self._other: list[Event] = []
        self._started: RunStarted | None = None
        self._probe: Probe | None = None
        self._checkpoints_changed = True
        self._told_s = self._probed_s = -1.0
        self._watched = self._watched_ids()
        work_on(self.work)

    # ── Work ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def over(self) -> bool:
        return self.state in ("ended", "failed")

    @property
    def step(self) -> int:
        return self.trainer.state.step

    def work(self) -> None:
        """One micro-step."""
        if not self.over:
            self._take(next(self._events, None))
        if self.over:
            self._finish()
        self._tell()

    def _take(self, event: Event | None) -> None:
        match event:
            case None:
                return
            case StepDone():
                self._steps.append(event.step)
                self._losses.append(event.loss_nats)
                self._last = event
                if self._hold_after_step:
                    self._hold_after_step = False
                    self._hold(True)
            case RunStarted():
                self._begin_anew(event)
            case _:
                self._other.append(event)
        if isinstance(event, CheckpointSaved | RunStarted | RunFailed):
            self._checkpoints_changed = True
        if isinstance(event, RunEnded | RunFailed):
            self.state = "ended" if isinstance(event, RunEnded) else "failed"

    def _begin_anew(self, started: RunStarted) -> None:
        """What has not been told yet of a time that is void now is not told at all."""
        self.read_step = self._probed_s = -1
        self._steps, self._losses, self._last, self._probe = [], [], None, None
        self._other, self._started = [started], started

    def _finish(self) -> None:
        self._work_on(None)
        self.run.close()
        self._told_s = -1.0

    def _tell(self) -> None:
        now_s = perf_counter()
        if now_s - self._probed_s >= PROBE_S or self.state != "running":
            self._probed_s = now_s
            if self._probe is None or self._probe.step != self.step:
                self._probe = self.probe()
        if now_s - self._told_s >= NEWS_S:
            self.tell()
            self._told_s = now_s

    def tell(self) -> None:
        """All that has happened since the last time, as one event."""
        news = TrainNews(
            run=self.path,
            state=self.state,
            steps=frozen(np.array(self._steps, dtype=np.int64)),
            losses_nats=frozen(np.array(self._losses, dtype=np.float32)),
            last=self._last,
            events=tuple(self._other),
            probe=self._probe,
            checkpoints=tuple(step for step, _ in rundir.checkpoints(self.run.path))
            if self._checkpoints_changed
            else None,
            memory_bytes=resident_bytes(),
        )
        self._steps, self._losses, self._other = [], [], []
        self._checkpoints_changed = False
        self._send(news)

    # ── Knobs ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def need_alive(self) -> None:
        if self.over:
            raise UserError("this run has ended; resume it, or start another")

    def pause(self, paused: bool) -> None:
        self.need_alive()
        self._hold(paused)
        if paused:
            self.tell()

    def _hold(self, paused: bool) -> None:
        self.state = "paused" if paused else "running"
        self._work_on(None if paused else self.work)
        self._told_s = -1.0

    def one_batch(self) -> None:
        self.need_alive()
        self.pause(False)
        self._hold_after_step = True

    def take_apart(self) -> "StepApart":
        """The next step, all of it kept; then the run is held. What is due before it is done first.

        Raises UserError where there is no next step."""
        self.need_alive()
        self.trainer.apart = None
        self.trainer.take_apart()
        self._until(lambda: self.trainer.apart is not None)
        if self.trainer.apart is None:
            failed = [event.message for event in self._other if isinstance(event, RunFailed)]
            self._finish()
            self.tell()
            raise UserError(failed[0] if failed else "this run has ended; resume it, or start another")
        self.pause(True)
        return self.trainer.apart

    def stop(self) -> None:
        self.need_alive()
        self.trainer.stop()
        self.pause(False)

    def rewind(self) -> None:
        """Takes effect with the next step, which is made at once; a held run is held again at its first weights."""
        self.need_alive()
        held, before = self.state == "paused", self._started
        self.trainer.rewind()
        self._until(lambda: self._started is not before)
        self.pause(held)

    def _until(self, done: Callable[[], bool]) -> None:
        """Work until it is so, or the run is over."""
        while not done() and not self.over:
            self._take(next(self._events, None))

    def set_lr(self, lr: float) -> None:
        self.need_alive()
        if not 0 < lr < 100:
            raise UserError(f"the learning rate must lie above 0 and below 100, not {lr:g}")
        self.trainer.set_lr(lr)

    def set_stop_rule(self, rule: SetStopRule) -> None:
        """From the next step on; a held run takes it at once, and is held again."""
        self.need_alive()
        self.trainer.set_stop_rule(steps=rule.steps, minutes=rule.minutes, target_loss=rule.target_loss)
        if self.state == "paused":
            self._until(lambda: not self.trainer.change_waits)
            self.pause(True)

    def close(self) -> None:
        """Save the step that was done last, let go of the directory, and tell of both while someone listens."""
        if self.over:
            return
        self.state = "saving"
        with suppress(OSError):
            self.tell()
        self.trainer.stop()
        for event in self._events:
            self._take(event)
        self.state = self.state if self.over else "failed"
        self.run.close()
        with suppress(OSError):
            self.tell()

    # ── The session reads the live weights ────────────────────────────────────────────────────────────────────────

    def freshen(self, session: Session | None) -> None:
        """Run the session's window again where its weights have moved since it was last read."""
        if session is None or session.model is not self.seen or self.read_step == self.step:
            return
        self.read()
        session.weights = self.weights
        with altered(session, self.seen, made_of(session), session.ids[: session.n_prompt].tolist()):
            session.recompute()

    @torch.no_grad()
    def read(self) -> None:
        """The weights as they are now are those that the session sees, until it reads them again."""
        for seen, trained in zip(self.seen.parameters(), self.trainer.model.parameters(), strict=True):
            seen.copy_(trained)
        self.read_step = self.step

    @property
    def weights(self) -> str:
        return live_weights(self.step)

    def _watched_ids(self) -> list[int]:
        config, tokenizer = self.trainer.config, self.trainer.data.tokenizer
        return tokenizer.prompt(config.sample_prompt or "\n") or [0]

    def probe(self) -> Probe:
        return probe(self.trainer.model, self._watched, self.step)


def short_passes(config: TrainConfig, row_s: float) -> TrainConfig:
    """The same steps in passes of about `MOST_WAIT_S`: the batch split into equal parts whose gradients add up.

    Rows and their order stay the same, and each pass counts by what is in it, so this changes a loss by rounding only
    (with dropout: by other masks too). Passes of fewer than `LEAST_TOKENS` would be all overhead, and a machine that is
    merely busy should not be made slower.
    """
    least = min(config.batch, -(-LEAST_TOKENS // config.context))
    splits = [
        parts for parts in range(1, config.batch + 1) if config.batch % parts == 0 and config.batch // parts >= least
    ]
    short = [parts for parts in splits if config.batch // parts * row_s <= MOST_WAIT_S]
    parts = short[0] if short else splits[-1]
    return msgspec.structs.replace(config, batch=config.batch // parts, accumulation=config.accumulation * parts)


def resident_bytes() -> int:
    """Memory that this process holds; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
