"""The panes on the table: which of them the terminal has room for, which one is worked with, which one has it all."""

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.widget import Widget

from gpttui.tui.widgets.layouts import LAYOUTS, Layout, layout_for, visible
from gpttui.tui.widgets.pane_tabs import PaneTabs


class PaneDeck(Vertical):
    """Arranges its panes by the terminal's size. Where two fit, the first stands above the last other one used."""

    DEFAULT_CSS = """
    PaneDeck {
        height: 1fr;
        #panes { layout: grid; height: 1fr; width: 1fr; }
        #panes > * { display: none; width: 1fr; height: 1fr; }
        #panes > .-shown { display: block; }
        PaneTabs { display: none; }
        &.-two PaneTabs, &.-one PaneTabs { display: block; }
        &.-tight PaneTabs { display: none; }
    }
    """
    TIGHT_HEIGHT: ClassVar[int] = 12
    """Below so many lines the terminal has none to spare for tabs."""

    layout_name: Layout = "four"
    zoomed = False

    def __init__(self, panes: dict[str, Widget]) -> None:
        """`panes` by their titles for the tabs, in order of their keys 1, 2, …"""
        super().__init__(id="deck")
        self.panes = list(panes.values())
        self.current, self.companion = self.panes[0], self.panes[1]
        self.tabs = PaneTabs(tuple(panes))

    def compose(self) -> ComposeResult:
        yield Container(*self.panes, id="panes")
        yield self.tabs

    def on_resize(self, event: events.Resize) -> None:
        self.rearrange()

    def rearrange(self) -> None:
        width, height = self.app.size
        self.layout_name = layout_for(width, height, self.zoomed)
        shown = visible(self.layout_name, self.panes, self.current, self.companion)
        for name in LAYOUTS:
            self.set_class(name == self.layout_name, f"-{name}")
        self.set_class(height < self.TIGHT_HEIGHT, "-tight")
        for pane in self.panes:
            pane.set_class(pane in shown, "-shown")
        self.tabs.shown = frozenset(self.panes.index(pane) for pane in shown)
        self.tabs.current = self.panes.index(self.current)

    def go(self, index: int) -> None:
        """Work with pane `index`; counts wrap around."""
        self._take_up(self.panes[index % len(self.panes)])
        self.current.focus()

    def on_pane_tabs_wanted(self, event: PaneTabs.Wanted) -> None:
        event.stop()
        self.go(event.index)

    def turn(self, by: int) -> None:
        self.go(self.panes.index(self.current) + by)

    def zoom(self) -> None:
        self.zoomed = not self.zoomed
        self.rearrange()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if event.widget in self.panes and event.widget is not self.current:
            self._take_up(event.widget)

    def _take_up(self, pane: Widget) -> None:
        self.current = pane
        if pane is not self.panes[0]:
            self.companion = pane
        self.rearrange()
