"""One token's way through the model, as a view of the playground."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult

from gpttui.inspect_protocol import AskJourney, Journey
from gpttui.tui.screens.inside.frame import InsideScreen
from gpttui.tui.screens.views import ViewContext
from gpttui.tui.widgets.journey import JourneyPane


class JourneyScreen(InsideScreen):
    """The stops of the selected token; the cursor's layer is the selected one."""

    VIEW: ClassVar[str] = "journey"

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self.stops = JourneyPane(context.tokenizer, id="journey")
        self.stops.set_reactive(JourneyPane.stop, 1 + 2 * context.selection.layer)

    def body(self) -> ComposeResult:
        yield self.stops

    def mark(self) -> None:
        self.stops.tokenizer = self.context.tokenizer
        if not self.length:
            self.stops.journey = None

    def look(self) -> None:
        self.ask("stops", lambda: AskJourney(self.position), self._take)

    def _take(self, journey: Journey) -> None:
        self.stops.journey = journey

    def action_layer(self, by: int) -> None:
        super().action_layer(by)
        self.stops.stop = 1 + 2 * self.selection.layer

    @on(JourneyPane.StopChanged)
    def _stop_changed(self, event: JourneyPane.StopChanged) -> None:
        if event.layer >= 0:
            self.look_through(event.layer, self.selection.head)
