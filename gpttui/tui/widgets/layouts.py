"""How many panes a terminal of a given size has room for, and which. Pure functions; the style sheet does the rest."""

from collections.abc import Sequence
from typing import Literal, TypeVar

Layout = Literal["four", "two", "one"]
LAYOUTS: tuple[Layout, ...] = ("four", "two", "one")
Pane = TypeVar("Pane")


def layout_for(width: int, height: int, zoomed: bool = False) -> Layout:
    """All four panes from 100×28 up, the first and one other from 56×16 up, below that (or zoomed) a single one."""
    if zoomed or width < 56 or height < 16:
        return "one"
    return "four" if width >= 100 and height >= 28 else "two"


def visible(layout: Layout, panes: Sequence[Pane], current: Pane, companion: Pane) -> list[Pane]:
    """The panes shown: `panes[0]` and `companion` where two fit, the `current` one where one does."""
    if layout == "four":
        return list(panes)
    return [current] if layout == "one" else [panes[0], companion]
