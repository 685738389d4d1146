"""The views by their keys on one line, the open one marked. A click opens another."""

from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events
from textual.widget import Widget

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

    def render(self) -> Text:
        styles = {name: self.get_component_rich_style(f"view-tabs--{name}", partial=True) for name in ("key", "name")}
        here = self.get_component_rich_style("view-tabs--current", partial=True)
        width = self.content_size.width
        for gap in (3, 2, 1):
            text = Text(no_wrap=True, overflow="ellipsis")
            for n, (key, written, title) in enumerate(self.views):
                press = Style.from_meta({PRESS: key})
                text.append(" " * gap if n else "")
                text.append(f"{written} ", styles["key"] + press)
                text.append(title, (here if title == self.current else styles["name"]) + press)
            if text.cell_len <= width:
                break
        return text

    def on_click(self, event: events.Click) -> None:
        key = event.style.meta.get(PRESS)
        if key is not None:
            self.app.simulate_key(key)
