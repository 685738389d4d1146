"""A model in training: its curve, its numbers, what it would say, what it writes, what it reads right now.

For: a run in this engine, and a run that something else writes. The screen only shows the record and passes orders on;
news of a run come at most four times a second, whatever its pace.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType

from gpttui.errors import UserError
from gpttui.protocol.train import (
    AskBatch,
    BatchLosses,
    Done,
    KeepModel,
    Kept,
    OneBatch,
    PauseRun,
    RewindRun,
    SetLearningRate,
    SetStopRule,
    StopRun,
)
from gpttui.runs.config import changed
from gpttui.tui.renderables.spans import rate
from gpttui.tui.screens.train_keys import TRAINING
from gpttui.tui.screens.train_words import headlines, vitals
from gpttui.tui.session.run_record import RunRecord
from gpttui.tui.session.sharing import PanesScreen
from gpttui.tui.session.train_link import TrainLink
from gpttui.tui.widgets.batch import BatchPane
from gpttui.tui.widgets.deck import PaneDeck
from gpttui.tui.widgets.gradients import GradientsPane
from gpttui.tui.widgets.heat_strip import HeatStripPane
from gpttui.tui.widgets.hint_bar import HintBar, Tone
from gpttui.tui.widgets.key_bar import KeyBar
from gpttui.tui.widgets.loss import LossPane
from gpttui.tui.widgets.samples import SamplesPane
from gpttui.tui.widgets.train_header import TrainHeader

if TYPE_CHECKING:
    from gpttui.runs.events import SampleDrawn
    from gpttui.tokenizers import Tokenizer

BATCH_S = 1.0
"""Between two looks at the batch of a running model: each costs it a pass over a few rows."""
FASTER = 1.25
STEERING = frozenset({"pause", "one_batch", "stop", "rewind", "learning_rate"})
OF_A_RUN = frozenset({"keep", "compare", "overlay", "scrub"})
NO_RUN = "nothing is being trained yet: press n"


class TrainScreen(PanesScreen[str | None]):
    """Leaves with a wish for the playground: `scrub`, `new`, or nothing."""

    AUTO_FOCUS = "#curve"
    BINDINGS: ClassVar[list[BindingType]] = list(TRAINING)
    CSS = """
    TrainScreen { layout: vertical; background: $background; }
    TrainScreen #deck.-all #panes { grid-size: 2 12; grid-columns: 3fr 2fr; grid-rows: 1fr; }
    TrainScreen #deck.-all #curve { row-span: 5; }
    TrainScreen #deck.-all #run { row-span: 5; }
    TrainScreen #deck.-all #samples { row-span: 7; }
    TrainScreen #deck.-all #strip { row-span: 3; }
    TrainScreen #deck.-all #batch { row-span: 4; }
    """

    def __init__(
        self,
        link: TrainLink,
        resume: Callable[[SetStopRule | None], None],
        tokenizer: "Callable[[], Tokenizer | None]",
        *,
        rest_s: float = 0.0,
    ) -> None:
        """`resume` goes on with a run that has ended, to another end if given one; `tokenizer` is that of the open
        model; redraws are `rest_s` apart."""
        super().__init__()
        self.link, self._resume, self._tokenizer = link, resume, tokenizer
        self.curve = LossPane(id="curve")
        self.numbers = GradientsPane(id="run")
        self.strip = HeatStripPane(id="strip")
        self.samples = SamplesPane(id="samples")
        self.reading = BatchPane(id="batch")
        self.deck = PaneDeck((self.curve, self.numbers, self.samples, self.strip, self.reading))
        self.header = TrainHeader()
        self.hints = HintBar()
        self._rest_s = rest_s
        self._shown: RunRecord | None = None
        self._version = -1
        self._redraws = False
        self._rewinding = False
        self._newest_sample: SampleDrawn | None = None
        self._probed: tuple[int, ...] = ()

    def compose(self) -> ComposeResult:
        yield self.header
        yield self.deck
        yield self.hints
        yield KeyBar()

    def on_mount(self) -> None:
        self.deck.companion = self.samples
        self.curve.waiting = NO_RUN
        self.link.listeners.append(self._soon)
        self.set_interval(BATCH_S, self._look_at_batch)
        self._redraw()
        self.call_after_refresh(self._look_at_batch)

    def on_unmount(self) -> None:
        self.link.listeners.remove(self._soon)

    # ── What is shown ─────────────────────────────────────────────────────────────────────────────────────────────

    def _soon(self) -> None:
        """Once for all that comes in the same moment, or while the numbers rest."""
        if self._redraws or not self.is_mounted:
            return
        self._redraws = True
        if self._rest_s:
            self.set_timer(self._rest_s, self._redraw)
        else:
            self.call_later(self._redraw)

    def _redraw(self) -> None:
        self._redraws = False
        if not self.is_there:
            return
        record = self.link.record
        if self.link.line and not self._rewinding:
            self.hints.say(self.link.line, self.link.tone)
        elif not self._rewinding:
            self._hint()
        if record is None:
            return
        if record is not self._shown:
            self._open(record)
        self._entitle(record)
        if not record.live and record.checkpoints != self._probed:
            self._probed = record.checkpoints
            self._probe(record)
        if record.version != self._version:
            self._version = record.version
            self.curve.grown(record.prompt_counts, record.baselines)
            self.numbers.vitals = vitals(record)
            self.strip.probes = tuple(record.probes)
            if record.config is not None:
                self.strip.prompt = record.config.sample_prompt
            newest = record.samples[0] if record.samples else None
            if newest is not self._newest_sample:
                self._newest_sample = newest
                self.samples.samples = tuple(record.samples)

    def _open(self, record: RunRecord) -> None:
        self._shown, self._version, self._newest_sample = record, -1, None
        self.curve.follow(record.train, record.validation, record.name)
        self.samples.samples = ()
        self.reading.losses = None
        self.curve.lay_over(())
        self._probed = ()

    def _entitle(self, record: RunRecord) -> None:
        header, config = self.header, record.config
        if header.state != record.words:
            header.name_, header.state = record.name, record.words
            self.refresh_bindings()
        header.step, header.steps = record.step, config.steps if config is not None else 0
        header.facts = tuple(headlines(record))
        words = {"preparing": "reading the text and making the model…", "failed": record.failure}
        self.curve.waiting = words.get(record.state, "the first steps are on their way")
        tokenizer = self._tokenizer()
        if self.strip.tokenizer is not tokenizer:
            self.strip.tokenizer = self.reading.tokenizer = tokenizer

    def _hint(self) -> None:
        record = self.link.record
        if record is not None and record.state == "running" and record.live:
            self.hints.say(
                f"Run {record.name}. The playground (e) steps with the weights as they are now. ? explains a pane."
            )
        elif record is not None and record.state == "paused":
            self.hints.say("Held. space trains one batch, p goes on.")
        else:
            self.hints.say("")

    @work(exclusive=True, group="probe")
    async def _probe(self, record: RunRecord) -> None:
        try:
            prompt = record.config.sample_prompt if record.config is not None else ""
            await self.link.probe(record, prompt)
        except UserError as error:
            self.strip.waiting = str(error)

    # ── The batch ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _look_at_batch(self) -> None:
        """Only while someone can see it, and only where it may have changed."""
        record, batch = self.link.record, self.reading.losses
        if record is None or not self.is_current or not self.reading.has_class("-shown"):
            return
        if batch is None or (record.live and batch.step != record.step):
            self._ask_batch(record)

    @work(exclusive=True, group="batch")
    async def _ask_batch(self, record: RunRecord) -> None:
        try:
            self.reading.losses = await self.link.ask(AskBatch(record.path, rows=self.reading.rows_wanted), BatchLosses)
        except UserError as error:
            self.reading.waiting = str(error)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys are there while they can do something: what something else trains is only watched from here."""
        record = self.link.record
        if action in STEERING:
            return record is not None and record.live and record.active
        if action == "resume":
            return record is not None and not record.active
        if action == "until":
            return record is not None and record.config is not None and (record.live or not record.active)
        return record is not None if action in OF_A_RUN else True

    # ── Orders ────────────────────────────────────────────────────────────────────────────────────────────────────

    @work(group="orders")
    async def _order(
        self, request: PauseRun | OneBatch | StopRun | RewindRun | SetLearningRate | SetStopRule, says: str
    ) -> None:
        record = self.link.record
        if record is None or not record.live:
            return
        try:
            done = await self.link.ask(request, Done)
        except UserError as error:
            self._say(str(error), "error")
            return
        record.state = done.state
        self._say(says)

    def _say(self, line: str, tone: Tone = "info") -> None:
        self.link.say(line, tone)
        self._redraw()

    tell = _say

    def action_pause(self) -> None:
        record = self.link.record
        paused = record is not None and record.state != "paused"
        self._order(PauseRun(paused), "Held. space trains one batch, p goes on." if paused else "")

    def action_one_batch(self) -> None:
        self._order(OneBatch(), "One batch a key; p goes on by itself.")

    def action_stop(self) -> None:
        self._order(StopRun(), "Stopping after this step, and saving …")

    def action_rewind(self) -> None:
        """Asks once more: what was learned since is lost."""
        record = self.link.record
        if not self._rewinding and record is not None and record.step:
            self._rewinding = True
            self.hints.say(
                f"R again goes back to step 0 and drops the checkpoints of {record.step:,} steps.", "warning"
            )
            self.set_timer(5, self._forget_rewinding)
            return
        self._rewinding = False
        self._order(RewindRun(), "Back at the very same initial weights.")

    def _forget_rewinding(self) -> None:
        if self._rewinding:
            self._rewinding = False
            self._redraw()

    def action_learning_rate(self, up: bool) -> None:
        record = self.link.record
        if record is None or record.config is None:
            return
        peak = record.peak_lr * (FASTER if up else 1 / FASTER)
        if not 0 < peak < 100:
            self._say("the learning rate must lie above 0 and below 100", "warning")
            return
        if record.live:  # shown at once; the run records it with its next step
            record.config = changed(record.config, lr_scale=peak / record.config.lr)
        self._order(SetLearningRate(peak), f"Peak learning rate {rate(peak)} from the next step on.")

    def action_resume(self) -> None:
        record = self.link.record
        if record is not None and self._at_its_end(record):
            timed = record.ended is not None and record.ended.reason == "minutes"
            done = "its time is up" if timed else f"all {record.step:,} steps are done"
            self._say(f"{done}; u trains on, to another end")
        else:
            self._resume(None)

    @staticmethod
    def _at_its_end(record: RunRecord) -> bool:
        """Whether a resumed run would have nothing left to do."""
        return record.ended is not None and record.ended.reason in ("steps", "minutes")

    @work(group="orders")
    async def action_keep(self) -> None:
        """Into a person's own models, under the run's name."""
        record = self.link.record
        if record is None:
            return
        self._say("Measuring the model on all of the held-out text, and writing it …")
        try:
            kept = await self.link.ask(KeepModel(record.path, record.name), Kept)
        except UserError as error:
            self._say(str(error), "error")
            return
        self._say(f"Kept as {record.name!r}: validation loss {kept.val_loss_nats:.3f}. m in the playground opens it.")

    def action_overlay(self) -> None:
        """Other runs over the curve, chosen from a list."""
        from gpttui.tui.screens.train_overlays import OverlayScreen

        if self.link.record is not None:
            self.app.push_screen(OverlayScreen(self.link, self.link.record, self.curve))

    def action_until(self) -> None:
        """Another end of the run: while it goes on, or to go on with it."""
        from gpttui.tui.screens.train_stop import StopRuleScreen

        record = self.link.record
        if record is None or record.config is None:
            return

        def order(rule: SetStopRule | None) -> None:
            if rule is not None and record.active and record.live:
                self._order(rule, "It ends by the new rule, from the next step on.")
            elif rule is not None:
                self._resume(rule)

        self.app.push_screen(StopRuleScreen(record), order)

    # ── Elsewhere ─────────────────────────────────────────────────────────────────────────────────────────────────

    def action_new(self) -> None:
        record = self.link.record
        if record is not None and record.live and record.active:
            self._say("one run at a time: x stops this one", "warning")
        else:
            self.dismiss("new")

    def action_compare(self) -> None:
        from gpttui.tui.screens.train_after import AfterScreen

        record = self.link.record
        if record is not None:
            self.app.push_screen(AfterScreen(self.link, record, self._tokenizer()))

    def action_step_apart(self) -> None:
        """The next step, all of it kept; the run is held for as long as it is looked at."""
        from gpttui.tui.views.backprop.screen import BackpropScreen

        record = self.link.record
        if record is None:
            self._say(NO_RUN)
        elif not record.live:
            self._say("This run is not trained in this program: r takes it up, if it has ended; then f.", "warning")
        elif not record.active:
            self._say("This run has ended: r or u goes on with it, then f takes the next step apart.", "warning")
        else:

            def left(state: str) -> None:
                record.state = state or record.state
                self.link.changed()

            self.app.push_screen(BackpropScreen(self.link.session, on_text=False, name=record.name, left=left))

    def action_scrub(self, _by: int) -> None:
        self.dismiss("scrub")

    @property
    def exported_name(self) -> str:
        return self.link.record.name if self.link.record is not None else ""

    @on(LossPane.StepHovered)
    def _hovered(self, event: LossPane.StepHovered) -> None:
        self.samples.marker = event.step
