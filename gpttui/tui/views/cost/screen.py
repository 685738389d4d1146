"""What the selected token costs: time by the clock, FLOPs and bytes by formula, and how they grow with the text."""

from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.timer import Timer

from gpttui.protocol.parts import AskCost, Cost
from gpttui.tui.keys import TEXT, key
from gpttui.tui.session.remembered import NUMBERS, Setting
from gpttui.tui.views.cost.draw_table import GROUPINGS, QUANTITIES
from gpttui.tui.views.cost.pane_context import CostContext
from gpttui.tui.views.cost.pane_parts import CostParts
from gpttui.tui.views.frame import InsideScreen
from gpttui.tui.views.table import ViewContext
from gpttui.tui.widgets.lines import LinesPane
from gpttui.tui.widgets.pane import Pane

POINTS = 6
"""Most context lengths at which time is measured, once the first figures are on the screen."""
BUDGET_MS = 400.0
"""About how long measuring the other lengths may take."""
QUIET_S = 0.6
"""The other lengths are measured when a person has stayed with a token for so long."""


class CostScreen(InsideScreen):
    """The parts, and the context."""

    VIEW: ClassVar[str] = "cost"
    SETTINGS: ClassVar[tuple[Setting, ...]] = (
        Setting("by", "parts.by", GROUPINGS),
        Setting("quantity", ("parts.quantity", "growth.quantity"), QUANTITIES),
    )
    PLACES: ClassVar[tuple[Setting, ...]] = (Setting("part", "parts.cursor", NUMBERS),)
    BINDINGS: ClassVar[list[BindingType]] = [
        key("g", "group", "group", "Parts together by kind, by layer, or one by one", TEXT, id="cost_group"),
        key("m", "quantity", "time/FLOPs/bytes", "What bars and chart show", TEXT, id="cost_quantity"),
        key("r", "measure", "measure", "Measure again", TEXT, id="cost_measure"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    CostScreen {
        #panes { grid-size: 1 2; grid-rows: 11 1fr; }
        & > .-wide #panes { grid-size: 2 1; grid-columns: 5fr 3fr; grid-rows: 1fr; }
    }
    """

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self.parts = CostParts(id="parts")
        self.growth = CostContext(id="growth")
        self._measured: object = None
        """What the figures on the screen are of."""
        self._waiting: Timer | None = None

    @property
    def panes(self) -> tuple[Pane, ...]:
        return self.parts, self.growth

    # ── Showing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def mark(self) -> None:
        snapshot = self.snapshot
        if snapshot is None or not self.length:
            self.parts.found = self.growth.found = self._measured = None

    def _about(self) -> object:
        """What a measurement depends on. Other weights of the same model cost the same."""
        card, snapshot = self.link.card, self.snapshot
        if card is None or snapshot is None:
            return None
        return card.path, self.position, int(snapshot.ids[self.position]), snapshot.n_slid

    def look(self) -> None:
        if self._about() != self._measured:
            self._measured = self._about()
            self.ask("first", lambda: AskCost(self.position, points=1), self._take_first, *self.panes)

    def _take_first(self, found: Cost) -> None:
        """The token alone is measured at once; the other lengths when nobody goes on."""
        self._take(found)
        if self._waiting is not None:
            self._waiting.stop()
        self._waiting = self.set_timer(QUIET_S, self._ask_more)

    def _ask_more(self) -> None:
        """At fewer lengths where a token takes long: an engine that measures answers nothing else."""
        found = self.parts.found
        if found is not None and self.length:
            each_ms = (found.passes + 1) * float(found.ms.sum())
            points = max(2, min(POINTS, 1 + int(BUDGET_MS / max(1e-3, each_ms))))
            self.ask("more", lambda: AskCost(self.position, points=points), self._take, *self.panes)

    def _take(self, found: Cost) -> None:
        self.parts.token = self.label(found.position, 12)
        self.parts.found = self.growth.found = found

    # ── Choosing ─────────────────────────────────────────────────────────────────────────────────────────────────

    @on(LinesPane.Moved)
    def _moved(self, event: LinesPane.Moved) -> None:
        rows = self.parts.rows()
        if event.pane is self.parts and event.index < len(rows) and rows[event.index].layer >= 0:
            self.look_through(rows[event.index].layer, self.selection.head)

    def action_group(self) -> None:
        self.parts.by = GROUPINGS[(GROUPINGS.index(self.parts.by) + 1) % len(GROUPINGS)]
        self.parts.cursor = 0

    def action_quantity(self) -> None:
        wanted = QUANTITIES[(QUANTITIES.index(self.parts.quantity) + 1) % len(QUANTITIES)]
        self.parts.quantity = self.growth.quantity = wanted

    def action_measure(self) -> None:
        if self.length:
            self._ask_more()
            self.hints.say("Measured again.", "info")
