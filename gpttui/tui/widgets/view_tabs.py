"""The views by their keys on one line, the open one marked. A click opens another."""

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual import events
from textual.widget import Widget

from gpttui.tui.renderables.labels import clip

LEAST = 6
"""Cells of a title below which it says nothing."""
PRESS = "press"
"""Name under which a view's name carries its key."""


class ViewTabs(Widget):
    """`views` are (key, key as it is written, title)."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"view-tabs--key", "view-tabs--current", "view-tabs--name"}

    DEFAULT_CSS = """
    ViewTabs {
        height: 1;
        padding: 0 1;
        background: $panel;
        & > .view-tabs--key { color: $foreground 60%; }
        & > .view-tabs--name { color: $foreground 80%; }
        & > .view-tabs--current { color: $primary; text-style: bold underline; }
    }
    """

    def __init__(self, views: Sequence[tuple[str, str, str]], current: str) -> None:
        super().__init__()
        self.views, self.current = tuple(views), current

    def show(self, views: Sequence[tuple[str, str, str]], current: str) -> None:
        """Others, or another one marked."""
        if (tuple(views), current) != (self.views, self.current):
            self.views, self.current = tuple(views), current
            self.refresh()

    def render(self) -> Text:
        styles = {name: self.get_component_rich_style(f"view-tabs--{name}", partial=True) for name in ("key", "name")}
        here = self.get_component_rich_style("view-tabs--current", partial=True)
        text = Text(no_wrap=True, overflow="ellipsis")
        gap, titles = fitted(
            [(written, title) for _, written, title in self.views], self.current, self.content_size.width
        )
        for n, ((key, written, title), shown) in enumerate(zip(self.views, titles, strict=True)):
            press = Style.from_meta({PRESS: key})
            text.append(" " * gap if n else "")
            text.append(f"{written} " if shown else written, styles["key"] + press)
            text.append(shown, (here if title == self.current else styles["name"]) + press)
        return text

    def on_click(self, event: events.Click) -> None:
        key = event.style.meta.get(PRESS)
        if key is not None:
            self.app.simulate_key(key)


def fitted(views: Sequence[tuple[str, str]], current: str, width: int) -> tuple[int, list[str]]:
    """(cells between two views, their titles) so that all (key, title) find room, as far as may be.

    First the gaps shrink, then the longest titles are cut, at last only the current one keeps its title.
    """
    titles = [title for _, title in views]

    def needs(gap: int, shown: list[str]) -> int:
        cells = (
            cell_len(written) + (cell_len(title) + 1 if title else 0)
            for (written, _), title in zip(views, shown, strict=True)
        )
        return sum(cells) + gap * (len(views) - 1)

    for gap in (3, 2, 1):
        if needs(gap, titles) <= width:
            return gap, titles
    for most in range(max((cell_len(title) for title in titles), default=0), LEAST - 1, -1):
        shown = [title if title == current else clip(title, most) for title in titles]
        if needs(1, shown) <= width:
            return 1, shown
    return 1, [title if title == current else "" for title in titles]
