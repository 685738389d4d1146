"""One pane in an app of its own, texts that try to break it, and what it shows."""

import asyncio
from collections.abc import Callable

from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.widget import Widget

from gpttui.tui.widgets.loss import LossPane
from gpttui.tui.widgets.next_token import NextTokenPane
from gpttui.tui.widgets.pane import TokenWanted

HOSTILE = ["[/]", "[red]x[/red]", "\x1b[31mred\x1b]0;title\x07", "\x00\r\x9b", "\u202eabc", "👩‍👩‍👧 漢字 🇫🇷", "\ud800"]

LIMIT_S = 100


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


async def until(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    """Let the app work until the condition holds; an AssertionError with what it shows where it never does."""
    try:
        async with asyncio.timeout(LIMIT_S):
            while not condition():
                await pilot.pause(0.01)
    except TimeoutError as error:
        raise AssertionError(f"never came true\n{screen_text(pilot.app)}") from error
