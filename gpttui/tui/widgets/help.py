"""What the focused pane shows, in its own words, and every key that works right now."""

from collections.abc import Mapping
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Markdown, Static

from gpttui.tui.own_screen import Dialog

GROUPS = {
    "step": "Draw",
    "text": "Text",
    "panes": "Panes",
    "head, layer": "Attention",
    "sampling": "Sampling",
    "views": "Inside",
    "more": "More",
}
HERE = "In this pane"


class HelpScreen(Dialog[None]):
    """Closed by the keys that open it, and by escape."""

    CSS = """
    HelpScreen {
        align: center middle;
        background: $background 70%;
        #help {
            width: 92%;
            max-width: 110;
            height: 90%;
            padding: 1 2;
            border: round $primary;
            border-title-color: $primary;
            background: $surface;
            scrollbar-size-vertical: 1;
            scrollbar-background: $surface;
        }
        Markdown { background: $surface; padding: 0; margin: 0 0 1 0; }
        MarkdownFence > Label { width: 1fr; }
        #keys { height: auto; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "dismiss", "Close", id="close_help"),
        Binding("g", "app.glossary", "Glossary", id="help_glossary"),
        Binding("j,down", "scroll(1)", "Down", show=False, id="help_down"),
        Binding("k,up", "scroll(-1)", "Up", show=False, id="help_up"),
    ]

    def __init__(self, pane: Widget, bindings: Mapping[str, ActiveBinding]) -> None:
        super().__init__()
        self.pane = pane
        self.active = list(bindings.values())
        self.box = VerticalScroll(id="help")

    def compose(self) -> ComposeResult:
        with self.box as box:
            box.border_title = self.pane.border_title or "Help"
            box.border_subtitle = "g: glossary · escape closes"
            if self.pane.HELP:
                yield Markdown(self.pane.HELP, open_links=False)
            yield Static(self._keys(), id="keys")

    def action_scroll(self, by: int) -> None:
        self.box.scroll_relative(y=2 * by, animate=False)

    def _keys(self) -> Table:
        """Keys by group, the pane's own first."""
        colour = self.app.theme_variables["accent"]
        table = Table.grid(padding=(0, 2))
        for title, bindings in self._grouped().items():
            table.add_row(Text(title, "bold"), "")
            for binding, written in bindings.values():
                table.add_row(Text(f"  {' '.join(written)}", f"bold {colour}"), Text(binding.tooltip))
            table.add_row("", "")
        return table

    def _grouped(self) -> dict[str, dict[str, tuple[Binding, list[str]]]]:
        groups: dict[str, dict[str, tuple[Binding, list[str]]]] = {name: {} for name in (HERE, *GROUPS.values())}
        for active in self.active:
            binding = active.binding
            if not binding.tooltip or binding.system:
                continue
            name = HERE if active.node is self.pane else GROUPS.get(binding.group.description if binding.group else "")
            _, keys = groups[name or GROUPS["more"]].setdefault(binding.action, (binding, []))
            keys.append(self.app.get_key_display(binding))
        return {name: found for name, found in groups.items() if found}
