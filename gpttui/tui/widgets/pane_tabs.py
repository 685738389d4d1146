"""Where not all panes fit: their numbers and names on one line, the shown ones marked. A click goes there."""

from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

TAB = "tab"
"""Name under which a title carries its index."""


class PaneTabs(Widget):
    """`titles` in order of their keys 1, 2, …; `shown` holds the indices of the panes on the screen."""

    DEFAULT_CSS = """
    PaneTabs {
        height: 1;
        padding: 0 1;
        color: $text-muted;
        & > .pane-tabs--shown { color: $foreground; text-style: bold; }
        & > .pane-tabs--current { color: $primary; text-style: bold underline; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"pane-tabs--shown", "pane-tabs--current"}

    class Wanted(Message):
        """The pane with this index was clicked."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    shown: reactive[frozenset[int]] = reactive(frozenset())
    current: reactive[int] = reactive(0)

    def __init__(self, titles: tuple[str, ...]) -> None:
        super().__init__()
        self.titles = titles

    def render(self) -> Text:
        text = Text(no_wrap=True, overflow="ellipsis")
        for n, title in enumerate(self.titles):
            name = "current" if n == self.current else "shown" if n in self.shown else ""
            style = self.get_component_rich_style(f"pane-tabs--{name}", partial=True) if name else Style()
            text.append("  " if n else "")
            text.append(f"{n + 1} {title}", style + Style.from_meta({TAB: n}))
        return text

    def on_click(self, event: events.Click) -> None:
        index = event.style.meta.get(TAB)
        if index is not None:
            self.post_message(self.Wanted(index))
