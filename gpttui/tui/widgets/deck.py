"""The panes on the table: which of them the terminal has room for, which one is worked with, which one has it all.

For: every screen of several panes. How they lie is the screen's style sheet's business, by the classes of the deck:
`-all`, `-two` or `-one` for what is shown, `-wide` where they may spread out.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.widget import Widget

from gpttui.tui.widgets.tabs import TabLine

Shown = Literal["all", "two", "one"]
SHOWN: tuple[Shown, ...] = ("all", "two", "one")
Size = tuple[int, int]
"""Columns and lines of a terminal."""
Pane = TypeVar("Pane")


def room_for(size: Size, all_from: Size, two_from: Size) -> Shown:
    """What a terminal shows: all panes from one size up, two of them from another, else a single one."""

    def fits(least: Size) -> bool:
        return size[0] >= least[0] and size[1] >= least[1]

    return "all" if fits(all_from) else "two" if fits(two_from) else "one"


def visible(shown: Shown, panes: Sequence[Pane], current: Pane, companion: Pane) -> list[Pane]:
    """The panes shown: `panes[0]` and `companion` where two fit, the `current` one where one does."""
    if shown == "all":
        return list(panes)
    return [current] if shown == "one" else [panes[0], companion]


class PaneDeck(Vertical):
    """Arranges its panes by the terminal's size. Where two fit, the first stands above the last other one used."""

    DEFAULT_CSS = """
    PaneDeck {
        height: 1fr;
        #panes { layout: grid; height: 1fr; width: 1fr; }
        #panes > * { display: none; width: 1fr; height: 1fr; }
        #panes > .-shown { display: block; }
        &.-two #panes { grid-size: 1 5; grid-rows: 1fr; }
        &.-two #panes > * { row-span: 3; }
        &.-two #panes > .-first { row-span: 2; }
        &.-one #panes { layout: vertical; }
        TabLine { display: none; }
        &.-two TabLine, &.-one TabLine { display: block; }
        &.-tight TabLine { display: none; }
    }
    """
    TIGHT_HEIGHT: ClassVar[int] = 12
    """Below so many lines the terminal has none to spare for tabs."""
    WIDE: ClassVar[int] = 110
    """From so many columns on panes may spread out."""

    zoomed = False
    taken: Size = (0, 0)
    """Columns and lines of the screen that something beside the panes takes."""

    def __init__(self, panes: Sequence[Widget], all_from: Size = (100, 28), two_from: Size = (56, 16)) -> None:
        """`panes` in order of their keys 1, 2, …, called by their names."""
        super().__init__(id="deck")
        self.panes = list(panes)
        self.panes[0].add_class("-first", update=False)  # `:first-child` has Textual style all panes several times
        self.current, self.companion = self.panes[0], self.panes[:2][-1]
        self._all_from, self._two_from = all_from if self.panes[1:] else (0, 0), two_from
        self.table = Container(*panes, id="panes")
        self.tabs = TabLine([(str(n), pane.name or "") for n, pane in enumerate(panes, 1)])

    def compose(self) -> ComposeResult:
        self.rearrange(styled=False)  # the panes come as they will stand, and are styled once
        yield self.table
        yield self.tabs

    def on_resize(self) -> None:
        self.rearrange()

    def rearrange(self, *, styled: bool = True) -> None:
        """`styled`: what stands on the screen already changes its looks too."""
        size = self.app.size - self.taken
        layout = "one" if self.zoomed else room_for(size, self._all_from, self._two_from)
        shown = visible(layout, self.panes, self.current, self.companion)
        for name in SHOWN:
            self.set_class(name == layout, f"-{name}", update=styled)
        self.set_class(size.height < self.TIGHT_HEIGHT, "-tight", update=styled)
        self.set_class(size.width >= self.WIDE, "-wide", update=styled)
        for pane in self.panes:
            pane.set_class(pane in shown, "-shown", update=styled)
        self.tabs.mark(self.panes.index(self.current), {self.panes.index(pane) for pane in shown})

    def make_room(self, taken: Size) -> None:
        """Something beside the panes takes so many columns and lines from now on."""
        self.taken = taken
        self.rearrange()

    def go(self, index: int) -> None:
        """Work with pane `index`; counts wrap around."""
        self._take_up(self.panes[index % len(self.panes)])
        self.current.focus()

    def bring(self, pane: Widget) -> None:
        """Have a pane on the screen, where the terminal has no room for all; a pane hidden by that gives it the
        focus."""
        if pane in self.panes and not pane.has_class("-shown"):
            self._take_up(pane)
            if (focused := self.screen.focused) in self.panes and not focused.has_class("-shown"):
                pane.focus()

    def on_tab_line_wanted(self, event: TabLine.Wanted) -> None:
        event.stop()
        self.go(event.index)

    def turn(self, by: int) -> None:
        self.go(self.panes.index(self.current) + by)

    def zoom(self) -> None:
        self.zoomed = not self.zoomed
        self.rearrange()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if event.widget in self.panes and event.widget is not self.current and event.widget.has_focus:
            self._take_up(event.widget)

    def _take_up(self, pane: Widget) -> None:
        self.current = pane
        if pane is not self.panes[0]:
            self.companion = pane
        self.rearrange()
