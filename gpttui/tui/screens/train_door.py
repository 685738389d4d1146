"""The playground's door to training: the form, the training screen, the scrubber, and panes that follow live weights.

For: `PlayScreen`, which has one. What trains, and how, is the engine's and `TrainLink`'s business.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from gpttui.errors import UserError
from gpttui.records import ModelCard, live_weights
from gpttui.runs import rundir
from gpttui.runs.rundir import run_of
from gpttui.sessions.command import resume_command
from gpttui.tui.session.opening import Opening
from gpttui.tui.session.run_record import RunRecord
from gpttui.tui.session.train_link import TrainLink
from gpttui.tui.widgets.scrubber import LIVE, Scrubber

if TYPE_CHECKING:
    from gpttui.protocol.train import SetStopRule
    from gpttui.tui.screens.train_form import Ordered
    from gpttui.tui.widgets.hint_bar import HintBar
    from gpttui.tui.widgets.loss import LossPane
    from gpttui.tui.widgets.tokens import TokensPane

KEEP_UP_S = 1.0
"""How often the panes look at weights that change: each look costs the training a pass over the text."""
SCRUB_TOKENS = 40
"""Drawn under each checkpoint where the person has drawn fewer: enough to see what the model can do."""


class TrainDoor:
    """What the playground, `screen`, has to do with runs: it goes there, and its panes follow them.

    `rest_s` is the time between two redraws of the training screen.
    """

    def __init__(
        self,
        screen: Screen[Any],
        training: TrainLink,
        panes: "tuple[TokensPane, LossPane]",
        scrubber: Scrubber,
        hints: "HintBar",
        rest_s: float,
    ) -> None:
        self.screen, self.training, self.link = screen, training, training.session
        self.tokens, self.loss = panes
        self.scrubber, self.hints, self._rest_s = scrubber, hints, rest_s
        self._open_run = ""
        """The run that the open model is, or comes from."""

    def open(self, opening: Opening) -> None:
        """Once the screen is mounted: what follows runs, and a run if the program was opened with one."""
        self.scrubber.display = False
        self.training.listeners.append(self._training_changed)
        self.screen.set_interval(KEEP_UP_S, self.keep_up)
        if opening.watch is not None:
            self.watch_run(Path(opening.watch))
        elif opening.train is not None:
            self.order_run(opening.train)

    # ── Going there ──────────────────────────────────────────────────────────────────────────────────────────────

    def go(self) -> None:
        """The training screen where there is a run, else the form for one."""
        if self.training.record is None:
            self.order_run("")
        else:
            self.show_training()

    def order_run(self, text: str) -> None:
        """The form, on a text if one is given; what is ordered starts at once."""
        from gpttui.tui.screens.train_form import TrainFormScreen
        from gpttui.tui.session.run_order import values_of

        record = self.training.record
        if not self.training.ordered and record is not None and record.config is not None:
            self.training.ordered = values_of(record.config, self.link.card)

        def begin(ordered: "Ordered | None") -> None:
            if ordered is not None:
                config, link = ordered.config, self.link
                self.training.start(config, ordered.path, config.sample_prompt, link.sampling, link.seed)
                self.show_training()

        self.screen.app.push_screen(TrainFormScreen(self.training, text, self.link.prompt), begin)

    def watch_run(self, path: Path) -> None:
        """The training screen on a run that something else writes, or has written."""
        try:
            record = self.training.watch(path)
        except UserError as error:
            self.hints.say(str(error), "error")
            return
        self.screen.run_worker(self.training.tail(record), group="tail", exclusive=True)
        self.show_training()

    def show_training(self) -> None:
        from gpttui.tui.screens.train import TrainScreen

        def back(wish: str | None) -> None:
            if wish == "new":
                self.order_run("")
            elif wish == "scrub":
                self._take_up_scrubber()

        screen = TrainScreen(self.training, self._resume_run, lambda: self.tokens.tokenizer, rest_s=self._rest_s)
        self.screen.app.push_screen(screen, back)

    def _resume_run(self, rule: "SetStopRule | None") -> None:
        self.training.resume(self.link.sampling, self.link.seed, rule)

    # ── The open model and its run ───────────────────────────────────────────────────────────────────────────────

    def run_opened(self, card: ModelCard) -> None:
        """A model was opened; it may be a run's."""
        record = self.training.record
        run = run_of(Path(card.path))
        self._open_run = str(run) if run is not None else ""
        if record is not None and record.path == card.path and record.live:
            self._open_run = record.path
        elif run is not None:
            self.scrubber.notches = tuple(step for step, _ in rundir.checkpoints(run))
        self.mark_weights()
        if (record := self._record) is not None:
            self.loss.follow(record.train, record.validation, record.name)
        self._training_changed()

    def mark_weights(self) -> None:
        """The knob and the mark on the curve stand where the weights are that the text is under."""
        under, card = self.link.under, self.link.card
        of_run = under is not None and under[0] == self._open_run
        self.loss.marker = under[1] if under is not None and of_run and under[1] != LIVE else None
        if under is not None and of_run:
            self.scrubber.at = under[1]
        elif self._open_run and card is not None:
            saved = rundir.checkpoints(Path(self._open_run))
            newest = saved[-1][0] if saved else 0
            self.scrubber.at = next((step for step, folder in saved if str(folder) == card.path), newest)

    @property
    def _record(self) -> RunRecord | None:
        """The record of the open model's run."""
        record = self.training.record
        return record if record is not None and record.path == self._open_run else None

    def _training_changed(self) -> None:
        record = self._record
        if record is not None:
            live = (LIVE,) if record.live else ()
            self.scrubber.notches = (*record.checkpoints, *live)
            self.loss.grown(record.prompt_counts, record.baselines)
        self.scrubber.display = bool(self._open_run) and len(self.scrubber.notches) > 1

    @property
    def interrupted_words(self) -> str:
        """What to say after the engine has died in the middle of a run; empty where it has not."""
        record = self.training.record
        if record is None or record.state != "interrupted" or self.training.tone != "error":
            return ""
        on = resume_command(record.path)
        return f"The training broke off at step {record.step:,}: e, then r goes on. Or later: {on}"

    def keep_up(self) -> None:
        """Panes on the live weights look again until they show the newest; of a run that goes on, only while seen."""
        record, snapshot = self._record, self.link.snapshot
        if record is None or not record.live or snapshot is None or self.scrubber.at != LIVE:
            return
        free = not self.link.busy and not self.link.running and (self.screen.is_current or not self.training.training)
        if free and snapshot.weights != live_weights(record.step):
            self.link.show()

    # ── Scrubbing ────────────────────────────────────────────────────────────────────────────────────────────────

    def _take_up_scrubber(self) -> None:
        record = self.training.record
        if record is not None and record.path != self._open_run:
            self.hints.say(f"Opening {record.name} …", "info")
            self.link.open(record.path, self.training.prompt_for(record))
        self.scrubber.focus()
        self.hints.say(", and . go through the checkpoints, as dragging does; the text is drawn anew by each.", "info")

    def scrub(self, by: int) -> bool:
        """Go so many checkpoints on; False where there are none."""
        if self.scrubber.display:
            self.scrubber.action_move(by)
        return self.scrubber.display

    def scrub_to(self, step: int) -> None:
        """The checkpoint that the knob was put at."""
        self.link.stop()
        self.link.scrub(self._open_run, step, SCRUB_TOKENS)
