"""A training step, part by part: what it read, where the error starts, how it travels back, what it changes.

Of the run in training, whose next step is taken and kept in full, or one step of a copy of the open model on the open
text. The run is held while this is open, and goes on afterwards if it did before; nothing of it changes. The screen
holds which row, token, layer and head are looked at; what anything is the engine says.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from gpttui.protocol.backprop import (
    AfterStep,
    AskAfter,
    AskBackward,
    AskHeldOut,
    AskMatrix,
    AskNudged,
    AskOutputGradient,
    AskRow,
    AskWeight,
    Backward,
    LeaveStep,
    MatrixPart,
    Nudged,
    OneWeight,
    OutputGradient,
    StepLeft,
    StepRow,
    TakeApart,
    TakenApart,
)
from gpttui.protocol.message import Request
from gpttui.tokenizers import Tokenizer
from gpttui.tui.keys import HEAD, MORE, STEP, TEXT, key, of_all, of_panes
from gpttui.tui.session.sharing import PanesScreen
from gpttui.tui.views.backprop.pane_after import AfterPane
from gpttui.tui.views.backprop.pane_backward import BackwardPane
from gpttui.tui.views.backprop.pane_error import ErrorPane
from gpttui.tui.views.backprop.pane_forward import ForwardPane
from gpttui.tui.views.backprop.pane_header import StepHeader
from gpttui.tui.views.backprop.pane_part import TAKING, PartPane
from gpttui.tui.views.backprop.pane_update import UpdatePane
from gpttui.tui.views.backprop.pane_weights import WeightsPane
from gpttui.tui.widgets.deck import PaneDeck
from gpttui.tui.widgets.hint_bar import HintBar
from gpttui.tui.widgets.key_bar import KeyBar
from gpttui.tui.widgets.lines import LinesPane

if TYPE_CHECKING:
    from gpttui.tui.session.link import SessionLink
    from gpttui.tui.views.table import ViewContext

A = TypeVar("A")
NEVER = (1 << 16, 1 << 16)
"""Parts are seen one at a time, however large the terminal."""
MOST_LOGITS = 60


class BackpropScreen(PanesScreen[None]):
    """`name` is the run's or the model's; `left` hears of the run's state when the screen is left."""

    AUTO_FOCUS = "#forward"
    CSS = """
    BackpropScreen { layout: vertical; background: $background; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        key("f", "part(1)", "next part", "The next part of the step", STEP, id="step_part_on"),
        key("backspace", "part(-1)", "part before", "The part before", STEP, show=False, id="step_part_back"),
        key("space", "next_step", "next step", "Take the next training step, and look at that one", STEP,
            id="step_next"),
        key("left,h", "look(-1)", "token", "The token before", TEXT, id="step_token_before"),
        key("right,l", "look(1)", "token", "The next token", TEXT, id="step_token_after"),
        key("comma", "look(-1)", "token", "The token before", TEXT, show=False, id="step_token_before_too"),
        key("full_stop", "look(1)", "token", "The next token", TEXT, show=False, id="step_token_after_too"),
        key("home", "look_at(0)", "first token", "The first token", TEXT, show=False, id="step_token_first"),
        key("end", "look_at(-1)", "last token", "The last token", TEXT, show=False, id="step_token_last"),
        key("r", "row(1)", "row", "The next row of the batch", TEXT, id="step_row_after"),
        key("R", "row(-1)", "row", "The row before", TEXT, show=False, id="step_row_before"),
        key("left_curly_bracket", "layer(-1)", "layer", "The layer below", HEAD, id="step_layer_below"),
        key("right_curly_bracket", "layer(1)", "layer", "The layer above", HEAD, id="step_layer_above"),
        key("left_square_bracket", "head(-1)", "head", "The head before", HEAD, id="step_head_before"),
        key("right_square_bracket", "head(1)", "head", "The next head", HEAD, id="step_head_next"),
        key("m", "formula", "formula", "The formula of each part, or none", MORE, id="step_formula"),
        *of_panes("step_", "step_part_", ("forward", "error", "backwards", "weights", "update", "after"), show=False),
        *of_all("step_"),
        key("escape", "leave", "back", "Back; the run goes on if it did before", MORE, id="step_leave"),
        key("q", "app.quit", "quit", "Leave; a run in training is saved first", MORE, show=False, id="step_quit"),
    ]  # fmt: skip

    def __init__(
        self,
        link: "SessionLink",
        *,
        on_text: bool,
        name: str = "",
        left: Callable[[str], None] = lambda _: None,
    ) -> None:
        super().__init__()
        self.link, self.on_text, self._left = link, on_text, left
        self.header, self.hints = StepHeader(), HintBar()
        self.header.name_ = name
        self.forward = ForwardPane(id="forward")
        self.error = ErrorPane(id="error")
        self.backward = BackwardPane(id="backwards")
        self.weights, self.update, self.after = (
            WeightsPane(id="weights"),
            UpdatePane(id="update"),
            AfterPane(id="after"),
        )
        self.parts: tuple[PartPane, ...] = (
            self.forward, self.error, self.backward, self.weights, self.update, self.after
        )  # fmt: skip
        self.deck = PaneDeck(self.parts, NEVER, NEVER)
        self.taken: TakenApart | None = None
        self.row: StepRow | None = None
        self.row_number, self.position = 0, -1
        """Looked at, from 0; a position of -1: the token with the largest loss."""
        self.layer_number, self.head_number = -1, -1
        """-1: the last layer; all heads."""
        self._goes_on = False
        """The run went on before the first step was taken apart."""

    def compose(self) -> ComposeResult:
        yield self.header
        yield self.deck
        yield self.hints
        yield KeyBar()

    def on_mount(self) -> None:
        self._hint()
        self._take_step()

    @property
    def exported_name(self) -> str:
        return f"{self.header.name_}-step" if self.taken is not None else ""

    # ── The step ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _ask(self, kind: str, make: Callable[[], Request], take: Callable[[Any], None]) -> None:
        """Of those of one kind that wait only the newest is sent."""

        def taken(answer: Any) -> None:
            if self.is_there:
                take(answer)

        self.link.ask(f"step.{kind}", make, taken, self._refused)

    def _take_step(self) -> None:
        first = self.taken is None
        self.header.state = "taking a step"

        def take(taken: TakenApart) -> None:
            self._goes_on = taken.was_running if first else self._goes_on
            if self.is_there:
                self._take(taken)

        self.link.ask("step.take", lambda: TakeApart(self.on_text, tokenizer=first), take, self._refused)

    def _take(self, taken: TakenApart) -> None:
        if self.taken is None:
            tokenizer = Tokenizer.from_json(taken.tokenizer_json)
            for part in self.parts:
                part.tokenizer = tokenizer
            self.layer_number = taken.n_layer - 1
        self.taken = self.header.taken = taken
        self.header.state = self._state
        self.weights.begin(taken)
        for part in self.parts:
            part.taken = taken
        self.after.held_out = None
        self.row_number = min(self.row_number, taken.rows - 1)
        self._ask_row()

    def _ask_row(self) -> None:
        self._ask("row", lambda: AskRow(self.row_number), self._take_row)

    def _take_row(self, row: StepRow) -> None:
        self.row = self.forward.read = row
        count = len(row.ids)
        if self.position < 0:
            losses = np.where((row.shares > 0) & np.isfinite(row.losses_nats), row.losses_nats, -1.0)
            self.position = int(losses.argmax())
        self.position = min(self.position, count - 1)
        self._mark()
        self._look()

    def _hint(self) -> None:
        """What to try in the part that is seen."""
        part = self.deck.current
        self.hints.say(part.HINT if isinstance(part, PartPane) else "")

    @property
    def _state(self) -> str:
        return "a copy's step" if self.on_text else "run held"

    def _refused(self, line: str) -> None:
        if self.is_there:
            self.hints.say(line, "error")
            self.header.state = "refused" if self.taken is None else self._state
            for part in self.parts:
                if part.waiting == TAKING:
                    part.waiting = line

    # ── What is looked at ────────────────────────────────────────────────────────────────────────────────────────

    def _mark(self) -> None:
        for pane in (self.forward, self.after):
            pane.position = pane.cursor = self.position

    def _look(self) -> None:
        """Ask for what the part that is seen needs."""
        if self.taken is None or self.row is None:
            return
        if self.hints.tone == "error":
            self._hint()
        part, row = self.deck.current, self.row
        if part is self.error:
            self._ask("error", lambda: AskOutputGradient(row.row, self.position, MOST_LOGITS),
                      partial(self._fill, self.error))  # fmt: skip
        elif part is self.backward:
            self._ask("backward", lambda: AskBackward(row.row, self.position, self.layer_number), self._take_backward)
        elif part in (self.weights, self.update):
            self._ask_weights()
        elif part is self.after:
            self._ask("after", lambda: AskAfter(row.row), self._take_after)

    def _fill(self, pane: ErrorPane | BackwardPane, found: OutputGradient | Backward) -> None:
        """An answer, and the row that it is of."""
        if self.row is not None and found.row == self.row.row:
            pane.read, pane.position, pane.found = self.row, found.position, found

    def _take_after(self, found: AfterStep) -> None:
        if self.row is not None and found.row == self.row.row:
            self.after.read, self.after.found = self.row, found
            if self.after.held_out is None:
                self._ask("held", AskHeldOut, partial(setattr, self.after, "held_out"))

    # ── One weight ───────────────────────────────────────────────────────────────────────────────────────────────

    def _ask_weights(self) -> None:
        """The window on the matrix, and the weight under the cursor."""
        pane = self.weights

        def window() -> AskMatrix:
            first_row, rows, first_column, columns = pane.window()
            return AskMatrix(pane.wanted, pane.shown, first_row, rows, first_column, columns)

        def take(found: MatrixPart) -> None:
            pane.read = self.row
            pane.take(found)
            self._ask_weight()

        self._ask("matrix", window, take)

    def _ask_weight(self) -> None:
        pane = self.weights

        def take(one: OneWeight) -> None:
            pane.read = self.update.read = self.row
            pane.weight = self.update.weight = one
            self._measure()

        self._ask("weight", lambda: AskWeight(pane.wanted, *pane.at), take)

    def _measure(self) -> None:
        """The losses that the weight's chart lacks, a few at a time, those of now first."""
        pane, nudge = self.weights, self.weights.nudge
        missing = nudge.missing()
        if not missing or pane.weight is None or self.deck.current is not pane:
            return

        def take(found: Nudged) -> None:
            if nudge is not pane.nudge:
                return
            nudge.losses |= dict(zip(missing, found.losses_nats.tolist(), strict=False))
            pane.refresh()
            self._measure()

        name, (row, column) = pane.wanted, pane.at
        self._ask("nudge", lambda: AskNudged(name, row, column, tuple(missing)), take)

    @on(WeightsPane.Went)
    def _went(self) -> None:
        if self.deck.current is self.weights:
            self._look()

    @on(WeightsPane.Nudged)
    def _nudged(self) -> None:
        self._measure()

    def _take_backward(self, found: Backward) -> None:
        first = self.backward.found is None
        self._fill(self.backward, found)
        self.backward.head = self.head_number
        if first:
            self.backward.go_to_layer(found.layer)

    def on_descendant_focus(self) -> None:
        self.call_later(self._turned)

    def _turned(self) -> None:
        """Another part may be seen."""
        if self.hints.tone == "hint":
            self._hint()
        self._look()

    @on(LinesPane.Moved)
    def _moved(self, event: LinesPane.Moved) -> None:
        if event.pane in (self.forward, self.after):
            self.look_at(event.index)
        elif event.pane is self.backward and 0 <= self.backward.at_layer != self.layer_number:
            self.layer_number = self.backward.at_layer
            self._look()

    @on(LinesPane.Picked)
    def _picked(self, event: LinesPane.Picked) -> None:
        self.action_part(1)

    def look_at(self, position: int) -> None:
        """Another token of the row; what lies beyond an end is brought to it."""
        if self.row is not None:
            self.position = max(0, min(len(self.row.ids) - 1, position))
            self._mark()
            self._look()

    # ── Keys ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Of panes there are keys for those that there are."""
        if action in ("layer", "head"):
            return self.deck.current in (self.backward, self.weights, self.update)
        return action != "pane" or parameters[0] in range(1, len(self.parts) + 1)

    def action_part(self, by: int) -> None:
        """From part to part; at both ends it stays."""
        at = self.parts.index(self.deck.current) + by if self.deck.current in self.parts else 0
        if 0 <= at < len(self.parts):
            self.deck.go(at)
            self._hint()
        elif at == len(self.parts):
            self.hints.say("That was the last part. space takes the next step; backspace goes back.", "info")

    def action_next_step(self) -> None:
        if self.taken is not None and not self.link.waits_for("step.take"):
            self._take_step()

    def action_look(self, by: int) -> None:
        self.look_at(self.position + by)

    def action_look_at(self, position: int) -> None:
        if self.row is not None:
            self.look_at(position if position >= 0 else len(self.row.ids) - 1)

    def action_row(self, by: int) -> None:
        if self.taken is not None:
            self.row_number = (self.row_number + by) % self.taken.rows
            self._ask_row()

    def action_layer(self, by: int) -> None:
        if self.deck.current is not self.backward:
            self.weights.turn_layer(by)
            self._look()
        elif self.taken is not None:
            self.backward.go_to_layer((self.layer_number + by) % self.taken.n_layer)

    def action_head(self, by: int) -> None:
        if self.deck.current is not self.backward:
            self.weights.turn(by)
            self._look()
        elif self.taken is not None:
            self.head_number = (self.head_number + 1 + by) % (self.taken.n_head + 1) - 1
            self.backward.head = self.head_number

    def action_formula(self) -> None:
        for part in self.parts:
            part.formula = not part.formula

    def action_leave(self) -> None:
        """The engine forgets the step; a run that went on before goes on."""

        def forgotten(answer: StepLeft) -> None:
            self._left(answer.state)

        self.link.ask("step.leave", lambda: LeaveStep(go_on=self._goes_on), forgotten, lambda _: None)
        self.dismiss()


def on_text(context: "ViewContext") -> BackpropScreen:
    """One step on the playground's text."""
    card = context.link.card
    return BackpropScreen(context.link, on_text=True, name=card.id if card is not None else "")
