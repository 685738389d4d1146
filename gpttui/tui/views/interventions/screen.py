"""The model under the knife: silence, forbid, patch, steer; what is changed, and the bars before and after."""

import math
from collections.abc import Iterable
from typing import ClassVar

import msgspec
from textual import on
from textual.binding import BindingType

from gpttui.interventions import (
    AblateHead,
    AblateNeuron,
    AblatePart,
    ForbidEdge,
    Intervention,
    Mode,
    PatchResidual,
    Steer,
)
from gpttui.protocol.stream import AskEffects, AskUnaltered, Effects, Unaltered
from gpttui.tui.keys import HEAD, MORE, key
from gpttui.tui.session.pairs import KEPT, MARKS, TwoTexts
from gpttui.tui.session.remembered import NUMBERS, Setting
from gpttui.tui.views.frame import InsideScreen
from gpttui.tui.views.interventions.pane_board import ATTENTION, MLP, InterventionsBoard
from gpttui.tui.views.interventions.pane_list import InterventionsBars, InterventionsList
from gpttui.tui.views.table import ViewContext
from gpttui.tui.widgets.lines import LinesPane
from gpttui.tui.widgets.pane import Pane

STRENGTH = 2.0


class InterventionsScreen(InsideScreen):
    """Switchboard, list of changes, and both predictions."""

    VIEW: ClassVar[str] = "interventions"
    SETTINGS: ClassVar[tuple[Setting, ...]] = (Setting("mode", "mode", ("zero", "mean")),)
    PLACES: ClassVar[tuple[Setting, ...]] = (
        Setting("column", "board.column", range(MLP, NUMBERS.stop)),
        Setting("change", "list.cursor", NUMBERS),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        key("E", "effects", "who matters?", "Silence every part in turn and measure what that changes here", HEAD,
            id="alter_effects"),
        key("f", "forbid", "forbid", "Forbid the selected head to look from the selected token at another", HEAD,
            id="alter_forbid"),
        key("p", "patch", "patch", "Replace the selected token's vector by that of another text", HEAD,
            id="alter_patch"),
        key("S", "steer", "steer", "Add the difference of two texts after the selected layer", HEAD, id="alter_steer"),
        key("M", "mode", "zero/mean", "Silence by zeros, or by the part's mean", HEAD, show=False, id="alter_mode"),
        key("plus,equals_sign", "strength(1)", "stronger", "Steer more strongly", HEAD, show=False, id="alter_more"),
        key("minus", "strength(-1)", "weaker", "Steer less strongly", HEAD, show=False, id="alter_less"),
        key("0", "undo_all", "undo all", "Take every change back", MORE, show=False,
            id="alter_undo_all"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    InterventionsScreen {
        #panes { grid-size: 2 2; grid-columns: 1fr 1fr; grid-rows: 1fr 1fr; }
        #bars { column-span: 2; }
    }
    """

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self.board = InterventionsBoard(id="board")
        self.list = InterventionsList(id="list")
        self.bars = InterventionsBars(id="bars")
        self.board.set_reactive(LinesPane.cursor, context.selection.layer)
        self.board.set_reactive(InterventionsBoard.column, context.selection.head)
        self.mode: Mode = "zero"
        self._measured: object = None
        """What the board's effects are about."""
        self._rounds = 0
        """How often they were asked for."""

    @property
    def panes(self) -> tuple[Pane, ...]:
        return self.board, self.list, self.bars

    # ── Showing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def mark(self) -> None:
        card, snapshot = self.link.card, self.snapshot
        if card is not None:
            self.board.shape = card.n_layer, card.n_head
        self.board.cursor = self.selection.layer
        if self.board.column >= 0:
            self.board.column = self.selection.head
        if self._measured != self._state():
            self._measured, self.board.effects = None, {}
        self.board.changes = self.list.changes = self.link.changes
        self.list.mode = self.mode
        if snapshot is None or not self.length:
            self.bars.found, self.bars.after = None, ""

    def look(self) -> None:
        rows = max(6, self.app.size.height)
        self.ask("before", lambda: AskUnaltered((), self.position, rows), self._take, self.bars)

    def _take(self, found: Unaltered) -> None:
        self.bars.after = self.label(found.position)
        self.bars.found = found
        self.board.has_mlps = found.has_mlps

    def _refused(self, line: str) -> None:
        """What could not be changed leaves the list as it was."""
        super()._refused(line)
        if self.is_there:
            self.mark()

    # ── Parts ────────────────────────────────────────────────────────────────────────────────────────────────────

    @on(InterventionsBoard.Looked)
    def _looked(self, event: InterventionsBoard.Looked) -> None:
        self._look_at_part(event.layer, event.column)

    @on(LinesPane.Moved)
    def _moved(self, event: LinesPane.Moved) -> None:
        if event.pane is self.board:
            self._look_at_part(event.index, self.board.column)

    def _look_at_part(self, layer: int, column: int) -> None:
        self.look_through(layer, column if column >= 0 else self.selection.head)

    @on(InterventionsBoard.Switched)
    def _switched(self, event: InterventionsBoard.Switched) -> None:
        layer, column = event.layer, event.column
        self._switch({ATTENTION: AblatePart(layer, "attn", self.mode), MLP: AblatePart(layer, "mlp", self.mode)}.get(
            column, AblateHead(layer, column, self.mode)
        ))  # fmt: skip

    def action_silence_head(self) -> None:
        self._switch(AblateHead(self.selection.layer, self.selection.head, self.mode))

    def action_silence_mlp(self) -> None:
        self._switch(AblatePart(self.selection.layer, "mlp", self.mode))

    def _switch(self, change: Intervention) -> None:
        """Out, or back if it is out in either way."""
        ways = [msgspec.structs.replace(change, mode=mode) for mode in ("zero", "mean")]
        left = tuple(held for held in self.link.changes if held not in ways)
        self._alter(left if len(left) < len(self.link.changes) else (*left, change))

    def _alter(self, changes: Iterable[Intervention]) -> None:
        self.link.alter(tuple(changes))
        self.mark()

    # ── Effects ──────────────────────────────────────────────────────────────────────────────────────────────────

    def action_effects(self) -> None:
        """Layer by layer, so that keys are answered in between."""
        card = self.link.card
        if card is not None and self.length:
            self._measured, self.board.effects = self._state(), {}
            self._rounds += 1
            self._measure(0, card.n_layer, self._rounds)

    def _state(self) -> object:
        """What an effect depends on: the prediction, and the model that makes it."""
        snapshot = self.snapshot
        text = (
            () if snapshot is None else (snapshot.epoch, snapshot.weights, snapshot.ids[: self.position + 1].tobytes())
        )
        return self.position, self.link.changes, text

    def _measure(self, layer: int, layers: int, round_: int) -> None:
        if layer == layers:
            self.hints.say("Measured: the brighter, the more this prediction hangs on it.", "info")
            return
        self.hints.say(f"Silencing the parts of layer {layer + 1} of {layers}, one at a time…", "info")
        position, state = self.position, self._state()

        def take(found: Effects) -> None:
            if round_ != self._rounds:
                return  # E was pressed again
            if found.position == position and state == self._measured == self._state():
                self.board.effects = self.board.effects | {layer: found}
                self._measure(layer + 1, layers, round_)
            else:
                self.hints.say("Something else is looked at now: E measures again.", "info")

        self.ask("effects", lambda: AskEffects(layer, position), take)

    # ── Other changes ────────────────────────────────────────────────────────────────────────────────────────────

    async def action_forbid(self) -> None:
        layer, head, query = self.selection.layer, self.selection.head, self.position
        if query < 0:
            return

        def done(text: str) -> None:
            if not text.strip().isdecimal() or not 1 <= int(text) <= query + 1:
                self.hints.say(f"Write a token's number from 1 to {query + 1}: attention looks back only.", "error")
                return
            self._alter((*self.link.changes, ForbidEdge(layer, head, query, int(text) - 1)))

        title = f"Layer {layer + 1} head {head + 1} may not look from token {query + 1} at token number"
        await self.write(title, str(max(1, query)), done, "Enter forbids it, escape leaves it.")

    async def action_patch(self) -> None:
        layer, position = self.selection.layer, self.position
        if position < 0:
            return
        two: TwoTexts = self.link.kept.get(KEPT) or TwoTexts("", "")
        marked = self.link.kept.get(MARKS, (-1, -1))[1]

        def done(text: str) -> None:
            if not text:
                self.hints.say("A patch needs another text to take a vector from.", "error")
                return
            part = "mlp" if self.board.has_mlps else "attn"
            source = marked if text == two.b else -1
            self._alter((*self.link.changes, PatchResidual(layer, part, position, text, source)))  # type: ignore[arg-type]

        title = f"Token {position + 1} after layer {layer + 1} becomes the last token of"
        await self.write(title, two.b, done, "Of Compare's second text the marked word is taken.")

    async def action_steer(self) -> None:
        two, layer = self.link.kept.get(KEPT) or TwoTexts("", ""), self.selection.layer

        async def towards(plus: str) -> None:
            def away(minus: str) -> None:
                if not plus or not minus:
                    self.hints.say("Steering needs two texts: one to steer towards, one to steer away from.", "error")
                    return
                self._alter((*self.link.changes, Steer(layer, plus, minus, STRENGTH)))

            await self.write("… and away from", two.a, away, "Enter steers; + and - change the strength.")

        await self.write(f"After layer {layer + 1} steer towards", two.b, towards, "Enter goes on.")

    def action_strength(self, by: int) -> None:
        changes = list(self.link.changes)
        steered = [n for n, change in enumerate(changes) if isinstance(change, Steer)]
        if not steered:
            self.hints.say("Nothing steers yet: S adds the difference of two texts.", "warning")
            return
        at = self.list.cursor if self.list.cursor in steered else steered[-1]
        change = changes[at]
        assert isinstance(change, Steer)
        step = 0.5 if abs(change.strength + 0.25 * by) < 4 else 2.0
        changes[at] = msgspec.structs.replace(change, strength=math.floor((change.strength + step * by) * 2) / 2)
        self._alter(changes)

    def action_mode(self) -> None:
        """For what is silenced from now on, and for the change under the list's cursor."""
        self.mode = "mean" if self.mode == "zero" else "zero"
        changes, at = list(self.link.changes), self.list.cursor
        self.list.mode = self.mode
        if self.list.has_focus and at < len(changes):
            change = changes[at]
            if isinstance(change, AblateHead | AblatePart | AblateNeuron):
                changes[at] = msgspec.structs.replace(change, mode="mean" if change.mode == "zero" else "zero")
                self._alter(changes)
                return
        self.hints.say(f"From now on x silences by {'zeros' if self.mode == 'zero' else 'the mean'}.", "info")

    # ── Undoing ──────────────────────────────────────────────────────────────────────────────────────────────────

    @on(InterventionsList.Undone)
    def _undone(self, event: InterventionsList.Undone) -> None:
        self._alter(change for n, change in enumerate(self.link.changes) if n != event.index)

    def action_undo_change(self) -> None:
        super().action_undo_change()
        self.mark()

    def action_undo_all(self) -> None:
        self._alter(())
