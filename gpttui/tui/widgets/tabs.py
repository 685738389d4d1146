"""What one can go to, by keys and names on one line: views, or panes where not all of them fit. A click goes there."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual import events
from textual.message import Message
from textual.widget import Widget

TAB = "tab"
"""Name under which a title carries its index."""


class TabLine(Widget):
    """`tabs` are (key, title); the `current` one is marked, the others that are `shown` stand out."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"tab-line--key", "tab-line--name", "tab-line--shown", "tab-line--current"}
    DEFAULT_CSS = """
    TabLine {
        height: 1;
        padding: 0 1;
        background: $panel;
        & > .tab-line--key { color: $foreground 60%; }
        & > .tab-line--name { color: $foreground 80%; }
        & > .tab-line--shown { color: $foreground; text-style: bold; }
        & > .tab-line--current { color: $primary; text-style: bold underline; }
    }
    """

    @dataclass
    class Wanted(Message):
        """The tab with this index was clicked."""

        index: int

    def __init__(self, tabs: Sequence[tuple[str, str]], current: int = -1) -> None:
        super().__init__()
        self.tabs, self.current = tuple(tabs), current
        self.shown: frozenset[int] = frozenset()

    def mark(self, current: int, shown: Set[int]) -> None:
        if (current, shown) != (self.current, self.shown):
            self.current, self.shown = current, frozenset(shown)
            self.refresh()

    def render(self) -> Text:
        styles = {
            name: self.get_component_rich_style(f"tab-line--{name}", partial=True)
            for name in ("key", "name", "shown", "current")
        }
        text = Text(no_wrap=True, overflow="ellipsis")
        gap, titles = fitted(self.tabs, self.current, self.content_size.width)
        for n, ((key, _), title) in enumerate(zip(self.tabs, titles, strict=True)):
            name = "current" if n == self.current else "shown" if n in self.shown else "name"
            here = Style.from_meta({TAB: n})
            text.append(" " * gap if n else "")
            text.append(f"{key} " if title else key, styles["key"] + here)
            text.append(title, styles[name] + here)
        return text

    def on_click(self, event: events.Click) -> None:
        index = event.style.meta.get(TAB)
        if index is not None:
            self.post_message(self.Wanted(index))


def fitted(tabs: Sequence[tuple[str, str]], current: int, width: int) -> tuple[int, list[str]]:
    """(cells between two tabs, their titles) so that all (key, title) find room, as far as may be.

    First the gaps shrink; then titles are left out, whole, from the one farthest from the current on.
    """
    titles = [title for _, title in tabs]

    def needs(gap: int) -> int:
        cells = (
            cell_len(key) + (cell_len(title) + 1 if title else 0) for (key, _), title in zip(tabs, titles, strict=True)
        )
        return sum(cells) + gap * (len(tabs) - 1)

    for gap in (3, 2, 1):
        if needs(gap) <= width:
            return gap, titles
    for n in sorted(range(len(tabs)), key=lambda n: (-abs(n - current), -n)):
        if needs(1) > width and n != current:
            titles[n] = ""
    return 1, titles
