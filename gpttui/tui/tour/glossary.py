"""The glossary: `?`, then `g`. Type a letter or a word, and read what is found, with numbers of the open model."""

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from gpttui.lessons import glossary
from gpttui.tui.own_screen import Dialog
from gpttui.tui.tour import facts


class GlossaryScreen(Dialog[None]):
    """A search above what it finds."""

    CSS = """
    GlossaryScreen {
        align: center middle;
        background: $background 70%;
        #glossary {
            width: 92%; max-width: 100; height: 90%;
            border: round $primary; border-title-color: $primary; background: $surface;
        }
        Input { height: 1; border: none; padding: 0 1; background: $boost; }
        #terms { padding: 1 1 0 1; scrollbar-size-vertical: 1; scrollbar-background: $surface; }
        #found { height: auto; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close", id="glossary_close"),
        Binding("down", "scroll(1)", "Down", show=False, id="glossary_down"),
        Binding("up", "scroll(-1)", "Up", show=False, id="glossary_up"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.found = Static(id="found", markup=False)
        self.terms = VerticalScroll(self.found, id="terms", can_focus=False)

    def compose(self) -> ComposeResult:
        with Vertical(id="glossary") as box:
            box.border_title = Content("Glossary")
            box.border_subtitle = Content("type to search · ↑ ↓ · escape closes")
            yield Input(placeholder="a letter, or a word")
            yield self.terms

    def on_mount(self) -> None:
        self._show("")

    @on(Input.Changed)
    def _searched(self, event: Input.Changed) -> None:
        event.stop()
        self._show(event.value)

    def _show(self, searched: str) -> None:
        numbers, text = facts.numbers(self.app), Text(overflow="fold")
        terms = glossary.found(searched)
        for n, term in enumerate(terms):
            text.append("\n\n" if n else "")
            text.append(term.name, "bold").append(f": {term.text(numbers)}")
        self.found.update(text if terms else "Nothing is called so here; try another word.")
        self.terms.scroll_home(animate=False)

    def action_scroll(self, by: int) -> None:
        self.terms.scroll_relative(y=3 * by, animate=False)
