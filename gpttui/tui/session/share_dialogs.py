"""Two small dialogs: how a pane is to be written, and the command that shows this again."""

from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from gpttui.text import safe_text
from gpttui.tui.own_screen import Dialog
from gpttui.tui.textual_private import Options

KINDS = (
    ("s", ".svg", "SVG", "a picture of the pane"),
    ("c", ".csv", "CSV", "its numbers, for a spreadsheet"),
    ("n", ".npz", "npz", "its numbers, for numpy"),
)


class ExportScreen(Dialog[str | None]):
    """Dismissed with `.svg`, `.csv` or `.npz`, or with None."""

    CSS = """
    ExportScreen {
        align: center middle;
        background: $background 60%;
        OptionList {
            width: 46;
            max-width: 100%;
            height: auto;
            max-height: 100%;
            padding: 0 1;
            border: round $primary;
            border-title-color: $primary;
            background: $surface;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(key, f"dismiss('{suffix}')", name, id=f"export_{key}", tooltip=f"Write {does}")
            for key, suffix, name, does in KINDS
        ),
        Binding("j", "cursor('down')", "Down", show=False, id="export_down"),
        Binding("k", "cursor('up')", "Up", show=False, id="export_up"),
        Binding("escape,q,o", "dismiss(None)", "Close", id="export_close"),
    ]

    def __init__(self, pane: Widget) -> None:
        super().__init__()
        self.pane = pane
        self.kinds = Options(
            *(
                Option(Text.assemble((key, "bold"), f"  {name}  ", (does, "dim")), id=suffix[1:])
                for key, suffix, name, does in KINDS
            )
        )

    def compose(self) -> ComposeResult:
        self.kinds.border_title = Content("Write what this pane shows")
        self.kinds.border_subtitle = Content("escape: cancel")
        yield self.kinds

    def action_cursor(self, way: str) -> None:
        self.kinds.action_cursor_down() if way == "down" else self.kinds.action_cursor_up()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(f".{event.option_id}")


class Command(Static):
    """A command line; a click copies it."""

    def __init__(self, command: str) -> None:
        super().__init__(Text(safe_text(command), "bold"), markup=False)
        self.command = command

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.app.copy_to_clipboard(self.command)
        self.notify("Copied.", timeout=2)


class RecipeScreen(Dialog[None]):
    """The command, and for a text that was only drawn the one that needs no file."""

    CSS = """
    RecipeScreen {
        align: center middle;
        background: $background 60%;
        #recipe {
            width: 90%;
            max-width: 100;
            height: auto;
            max-height: 90%;
            padding: 1 2;
            border: round $primary;
            border-title-color: $primary;
            background: $surface;
            scrollbar-size-vertical: 1;
        }
        Vertical, Static { height: auto; }
        Command { color: $accent; padding: 0 0 1 0; }
        .about { color: $text-muted; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy(0)", "copy", id="recipe_copy", tooltip="Copy the command"),
        Binding("Y", "copy(1)", "copy", show=False, id="recipe_copy_text", tooltip="Copy the command without a file"),
        Binding("escape,q,R,enter", "dismiss(None)", "Close", id="recipe_close"),
    ]

    def __init__(self, again: str, text: str, why_not: str) -> None:
        """`again` brings the screen back; `text` writes its text without a file, or `why_not` says why nothing does."""
        super().__init__()
        self.commands = [again, *([text] if text else [])]
        self.why_not = why_not
        self.box = VerticalScroll(id="recipe")

    def compose(self) -> ComposeResult:
        with self.box as box:
            box.border_title = Content("The command that shows this again")
            box.border_subtitle = Content(f"y: copy{' · Y: copy the second' * (len(self.commands) - 1)} · escape")
            with Vertical():
                yield Static("This very screen; its session was just saved:", classes="about")
                yield Command(self.commands[0])
                if len(self.commands) > 1:
                    yield Static("The text alone, token for token, without a file:", classes="about")
                    yield Command(self.commands[1])
                else:
                    yield Static(Text(f"No command without a file writes this text: {self.why_not}."), classes="about")

    def action_copy(self, which: int) -> None:
        if which < len(self.commands):
            self.app.copy_to_clipboard(self.commands[which])
            self.box.border_subtitle = Content("copied · escape")
