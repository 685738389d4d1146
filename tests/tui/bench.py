"""One pane in an app of its own, texts that try to break it, and what it shows."""

from textual.app import App, ComposeResult
from textual.message import Message
from textual.widget import Widget

from gpttui.tui.widgets.loss import LossPane
from gpttui.tui.widgets.next_token import NextTokenPane
from gpttui.tui.widgets.pane import TokenWanted

HOSTILE = ["[/]", "[red]x[/red]", "\x1b[31mred\x1b]0;title\x07", "\x00\r\x9b", "\u202eabc", "👩‍👩‍👧 漢字 🇫🇷", "\ud800"]


class Bench(App[None]):
    """One pane, and every message it posts."""

    def __init__(self, pane: Widget) -> None:
        super().__init__()
        self.pane = pane
        self.posted: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_mount(self) -> None:
        self.pane.focus()

    def on_token_wanted(self, event: TokenWanted) -> None:
        self.posted.append(event)

    def on_next_token_pane_picked(self, event: NextTokenPane.Picked) -> None:
        self.posted.append(event)

    def on_next_token_pane_rows_changed(self, event: NextTokenPane.RowsChanged) -> None:
        self.posted.append(event)

    def on_loss_pane_step_hovered(self, event: LossPane.StepHovered) -> None:
        self.posted.append(event)


def screen_text(app: App[None]) -> str:
    return "\n".join("".join(segment.text for segment in line) for line in app.screen._compositor.render_strips())
