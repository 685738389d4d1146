"""A view of several panes: all of them where the terminal has room, else one at a time, the others named below it.

For: views that arrange their panes by a style sheet of their own. Not for: what they ask or show.
"""

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType

from gpttui.tui.keys import PANES, key
from gpttui.tui.views.frame import InsideScreen
from gpttui.tui.views.table import ViewContext
from gpttui.tui.widgets.pane import Pane
from gpttui.tui.widgets.view_tabs import ViewTabs
from gpttui.tui.widgets.writing import Then, Writing

if TYPE_CHECKING:
    from gpttui.tui.widgets.prompt_editor import PromptEditor

WIDE = 110
"""From this width on a view may spread out: class `-wide`."""
NAMES = {
    "cell": "one cell",
    "heads": "all heads",
    "texts": "two texts",
    "distances": "how far apart",
    "parts": "who drew them apart",
    "follows": "what follows",
    "near": "neighbours",
    "flow": "in and out",
    "top": "loudest neurons",
    "about": "one neuron",
    "board": "parts",
    "list": "changed",
    "bars": "before and after",
    "branch": "its text",
}
"""What panes are called where one is seen at a time; the others by their ids."""


class RoomsScreen(InsideScreen):
    """Panes in a grid; below `NEED` cells one pane at a time, `tab` goes round."""

    NEED: ClassVar[tuple[int, int]] = (70, 20)
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            key(str(n), f"room({n})", f"pane {n}", f"Go to pane {n}", PANES, show=False, id=f"room_{n}")
            for n in range(1, 5)
        ),
    ]  # fmt: skip
    DEFAULT_CSS = """
    RoomsScreen {
        #inside { layout: grid; }
        &.-one #inside { layout: vertical; }
        &.-one #inside > * { display: none; height: 1fr; width: 1fr; }
        &.-one #inside > .-here { display: block; }
        #rooms { display: none; }
        &.-one #rooms { display: block; }
        &.-flat #rooms { display: none; }
        PromptEditor { height: auto; max-height: 40%; }
    }
    """

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self.here: Pane | None = None
        self.rooms = ViewTabs((), "")
        self.rooms.id = "rooms"
        self.writing = Writing(self, self.hints, partial(self.hints.say, ""))

    # ── One pane or all ──────────────────────────────────────────────────────────────────────────────────────────

    def below(self) -> ComposeResult:
        yield self.rooms

    def on_mount(self) -> None:
        self._arrange()

    def on_resize(self) -> None:
        self._arrange()

    def _arrange(self) -> None:
        panes = self.panes
        if self.here is None and panes:
            self.here = panes[0]
        for pane in panes:
            pane.set_class(pane is self.here, "-here")
        names = [NAMES.get(pane.id or "", pane.id or "") for pane in panes]
        here = "" if self.here is None else names[panes.index(self.here)]
        self.rooms.show([(str(n), str(n), name) for n, name in enumerate(names, 1)], here)
        self.set_class(self.app.size.width >= WIDE, "-wide")
        self.set_class(self.app.size.width < self.NEED[0] or self.app.size.height < self.NEED[1], "-one")

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if isinstance(event.widget, Pane) and event.widget is not self.here:
            self.here = event.widget
            self._arrange()

    def action_room(self, number: int) -> None:
        if number <= len(self.panes):
            self._go(self.panes[number - 1])

    def action_turn(self, by: int) -> None:
        panes = self.panes
        at = panes.index(self.here) if self.here in panes else 0
        self._go(panes[(at + by) % len(panes)])

    def _go(self, pane: Pane) -> None:
        self.here = pane
        self._arrange()
        pane.focus()

    # ── Writing a line ───────────────────────────────────────────────────────────────────────────────────────────

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a text is being written keys belong to it."""
        return not self.writing.has_keys

    async def write(self, title: str, text: str, then: Then, hint: str = "") -> None:
        """Let a person write; `then` gets the text once it is entered."""
        await self.writing.begin(text, then, title)
        if hint:
            self.hints.say(hint, "info")

    async def on_prompt_editor_submitted(self, event: "PromptEditor.Submitted") -> None:
        event.stop()
        await self.writing.entered(event.text)

    async def on_prompt_editor_cancelled(self) -> None:
        await self.writing.left()
