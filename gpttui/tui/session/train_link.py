"""The run that the program is about: orders to the engine, news from it, and one record that all screens read.

For: the playground, the form and the training screen, which come and go while the run goes on. A run that something
else writes is followed in its directory (`Tail`) and looks the same. No widget is touched from here.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from gpttui import locations
from gpttui.engine.client import EngineFailure
from gpttui.errors import UserError
from gpttui.protocol.message import Answer, Failure, Request
from gpttui.protocol.train import AskProbes, Measure, Measured, Probes, ResumeRun, SetStopRule, StartRun, TrainNews
from gpttui.records import LossHistory, Sampling
from gpttui.runs import history as run_history
from gpttui.runs import rundir
from gpttui.runs.config import TrainConfig
from gpttui.tui.session.asking import Engine
from gpttui.tui.session.link import SessionLink
from gpttui.tui.session.run_record import RunRecord
from gpttui.tui.widgets.hint_bar import Tone

A = TypeVar("A")
TAIL_S = 0.3
STARTING_S = 30.0
TAIL_BYTES = 1 << 22
STATUS_EVERY = 4
"""Readings of the file between two looks at who holds the run."""


class TrainLink:
    """`session` is the playground's; a run that starts opens its model there."""

    def __init__(self, engine: Engine, session: SessionLink) -> None:
        self.engine, self.session = engine, session
        self.record: RunRecord | None = None
        self.others: list[RunRecord] = []
        """Earlier runs of this sitting, newest first."""
        self._in_files: dict[Path, tuple[float, LossHistory]] = {}
        """When other runs were written to, and their curves."""
        self.ordered: dict[str, str] = {}
        """The form's values as they were left."""
        self.line = ""
        self.tone: Tone = "info"
        """The last thing worth saying."""
        self.listeners: list[Callable[[], None]] = []
        """Called after every change of the record or the line."""
        session.listeners.append(self._event)

    # ── Orders ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def ask(self, request: Request, kind: type[A]) -> A:
        """Waits for an engine that only just starts. Raises UserError where it says no, is gone, or talks nonsense."""
        for _ in range(int(STARTING_S / TAIL_S)):
            if self.engine.alive or self.engine.info is not None:
                break
            await asyncio.sleep(TAIL_S)
        answer = await self.engine.request(request)
        if not isinstance(answer, kind):
            raise EngineFailure(f"the engine answers with {type(answer).__name__}; is it the same version of gpttui?")
        return answer

    async def measure(self, config: TrainConfig) -> Measured:
        """What the run would be."""
        return await self.ask(Measure(config), Measured)

    def start(self, config: TrainConfig, path: Path, prompt: str, sampling: Sampling, seed: int) -> None:
        """A new run; news of it follow."""
        self._follow(RunRecord(str(path), live=True))
        self.say("Reading the text and making the model …")
        self.session.train(StartRun(config, str(path), prompt, sampling=replace(sampling, logit_bias=()), seed=seed))

    def prompt_for(self, record: RunRecord) -> str | None:
        """The open text where it is written in the run's own tokens, else what the run's samples begin with."""
        card = self.session.card
        if card is not None and rundir.run_of(Path(card.path)) == Path(record.path):
            return self.session.prompt
        return None if record.config is None else record.config.sample_prompt

    def resume(self, sampling: Sampling, seed: int, rule: SetStopRule | None = None) -> None:
        """Go on with the run that has stopped, to another end where there is a `rule`."""
        if self.record is None:
            return
        record, prompt = self.record, self.prompt_for(self.record)
        record.live, record.state, record.failure = True, "preparing", ""
        self.say(f"Going on with {record.name} …")
        self.session.train(
            ResumeRun(record.path, prompt, sampling=replace(sampling, logit_bias=()), seed=seed, rule=rule)
        )

    def _follow(self, record: RunRecord) -> None:
        if self.record is not None and self.record.train.size and self.record.path != record.path:
            self.others.insert(0, self.record)
        self.record = record
        self.changed()

    # ── News ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _event(self, answer: Answer) -> None:
        if isinstance(answer, TrainNews):
            self._news(answer)
        elif isinstance(answer, Failure):
            self.say(answer.message, "error")
            if self.record is not None and self.record.live and self.record.active:
                self.record.state, self.record.failure = "failed", answer.message

    def _news(self, news: TrainNews) -> None:
        if self.record is None or self.record.path != news.run:
            self._follow(RunRecord(news.run, live=True))
        assert self.record is not None
        fresh = self.record.state == "preparing" and news.state == "running"
        self.record.take_news(news)
        if self.record.failure:
            self.say(self.record.failure, "error")
        elif fresh:
            notes = self.record.started.notes if self.record.started else []
            self.say(notes[0] if notes else "", "warning" if notes else "info")
        elif news.state == "ended" and self.record.ended is not None:
            self.say(self._epilogue(), "info")
        self.changed()

    def _epilogue(self) -> str:
        assert self.record is not None and self.record.ended is not None
        words, ended, name = self.record.words, self.record.ended, self.record.name
        loss = "" if ended.val_loss_nats is None else f" at validation loss {ended.val_loss_nats:.3f}"
        if ended.reason == "stopped":
            return f"Stopped at step {ended.step:,}; the run {name} is saved. r goes on, k keeps the model."
        return f"{words.capitalize()}{loss}: run {name}. u trains on, k keeps the model, c compares, , and . scrub."

    def lost(self) -> None:
        """The engine has died: what it trained stands in its directory, up to the last checkpoint."""
        record = self.record
        if record is None or not record.live or not record.active:
            return
        record.state, record.live = "interrupted", False
        saved = f"step {record.checkpoints[-1]:,}" if record.checkpoints else "its beginning"
        self.say(f"The engine died at step {record.step:,}; the run is safe. r goes on from {saved}.", "error")

    def refused(self, line: str) -> None:
        """The engine could not start what was asked for last."""
        if self.record is not None and self.record.live and self.record.state == "preparing":
            self.record.state, self.record.failure = "failed", line
            self.say(line, "error")

    def say(self, line: str, tone: Tone = "info") -> None:
        self.line, self.tone = line, tone
        self.changed()

    def changed(self) -> None:
        for listener in list(self.listeners):
            listener()

    @property
    def training(self) -> bool:
        """Whether the engine's idle time is this run's."""
        return self.record is not None and self.record.live and self.record.state == "running"

    async def other_runs(self) -> list[Path]:
        """Runs that may be laid over this one: those of this sitting, newest first, then those in files."""
        here = [] if self.record is None else [Path(self.record.path)]
        sitting = [path for other in self.others if (path := Path(other.path)) not in here]
        folders = {locations.runs_dir(), *(path.parent for path in here)}
        ended = await asyncio.to_thread(run_history.ended_runs, folders)
        return [*sitting, *(path for path in ended if path not in (*here, *sitting))]

    async def curve(self, run: Path) -> LossHistory:
        """The curve of another run."""
        for other in self.others:
            if Path(other.path) == run:
                return other.history(other.name)
        written_s = await asyncio.to_thread(lambda: (run / rundir.EVENTS).stat().st_mtime)
        if self._in_files.get(run, (0.0, None))[0] != written_s:
            self._in_files[run] = written_s, await asyncio.to_thread(run_history.curve, run)
        return self._in_files[run][1]

    # ── Runs in files ─────────────────────────────────────────────────────────────────────────────────────────────

    def watch(self, path: Path) -> RunRecord:
        """Show a run from its files. Raises UserError where there is none."""
        rundir.read_config(path)
        if self.record is None or self.record.path != str(path):
            self._follow(RunRecord(str(path), live=False))
        assert self.record is not None
        return self.record

    async def tail(self, record: RunRecord) -> None:
        """Read what is appended to the run's events until the engine takes it over; never blocks the screen."""
        path, tail, turn = Path(record.path), rundir.EventTail(Path(record.path)), 0
        while not record.live and self.record is record:
            try:
                events = await asyncio.to_thread(tail.read, TAIL_BYTES)
            except UserError as error:
                record.state, record.failure = "failed", str(error)
                self.say(str(error), "error")
                return
            if events:
                record.take_events(events)
            if turn % STATUS_EVERY == 0:
                record.state = await asyncio.to_thread(_status, path, record)
                saved = await asyncio.to_thread(rundir.checkpoints, path)
                record.checkpoints = tuple(step for step, _ in saved)
            if events or turn % STATUS_EVERY == 0:
                self.changed()
            turn += 1
            if len(events) < 1000:
                await asyncio.sleep(TAIL_S)

    async def probe(self, record: RunRecord, prompt: str) -> None:
        """Ask what every checkpoint says after the prompt: what a run in files does not tell by itself."""
        after = record.probes[-1].step if record.probes else -1
        while True:
            answer = await self.ask(AskProbes(record.path, prompt, after), Probes)
            record.add_probes(answer.probes)
            if answer.probes:
                after = answer.probes[-1].step
                self.changed()
            if not answer.more:
                return


def _status(path: Path, record: RunRecord) -> str:
    status = record.status(locked=rundir.is_locked(path))
    return "preparing" if status == "new" else status
