"""A run's checkpoints on one line: drag or step through them, and everything else shows that moment.

For: choosing a step. Not for: loading it (the screen's business) or the curve (`LossPane`).
"""

from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from gpttui.tui.widgets.pane import MOVE, Framed, moving

LIVE = -1
"""The notch of the weights being trained right now."""


class Scrubber(Framed, Widget, can_focus=True):
    """`notches` are steps in ascending order; LIVE, if it is there, stands at the end."""

    HELP: ClassVar[str] = """\
Every tick is a **checkpoint**: the model's weights as they were saved at that step, from random numbers on the left \
to the end of the training on the right. Step or drag to one, and the text is drawn again by *those* weights, from \
the same prompt with the same seed; tokens, probabilities, attention and the mark on the loss curve all show that \
moment. So whatever changes, the training has changed it.

Ticks stand at equal distances. A long run keeps fewer checkpoints than it saves, evenly spaced in log steps, because \
most happens early. The last notch, ◉ live, is the model as it is being trained right now."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("comma,left,h", "move(-1)", "checkpoint before", id="scrubber.back", group=MOVE,
                tooltip="The checkpoint before"),
        Binding("full_stop,right,l", "move(1)", "next checkpoint", id="scrubber.on", group=MOVE,
                tooltip="The checkpoint after"),
        moving("home", "end(0)", "first", "scrubber.first", "The first checkpoint"),
        moving("end", "end(-1)", "last", "scrubber.last", "The last one, or live"),
    ]  # fmt: skip

    DEFAULT_CSS = """
    Scrubber {
        height: 1;
        padding: 0 1;
        background: $background;
        color: $foreground 60%;
        border-title-color: $primary;
        & > .scrubber--rail { color: $foreground 35%; }
        & > .scrubber--done { color: $primary; }
        & > .scrubber--knob { color: $accent; text-style: bold; }
        & > .scrubber--name { color: $foreground 80%; }
        &:focus { background: $panel; }
        &:focus > .scrubber--name { color: $primary; text-style: bold; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"scrubber--rail", "scrubber--done", "scrubber--knob", "scrubber--name"}

    notches: reactive[tuple[int, ...]] = reactive(())
    at: reactive[int] = reactive(0)
    """The step shown: one of the notches."""

    @dataclass
    class Wanted(Message):
        """A person wants to see `step`."""

        step: int

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.border_title = "Scrubber"
        self._dragging = False

    @property
    def index(self) -> int:
        """The notch shown: that of the step, or the last one before it."""
        earlier = [n for n, step in enumerate(self.notches) if step <= self.at and step != LIVE]
        if self.at == LIVE or not earlier:
            return len(self.notches) - 1 if self.at == LIVE else 0
        return earlier[-1]

    def go(self, index: int) -> None:
        """Ask for notch `index`; at the ends it stays."""
        if self.notches:
            step = self.notches[max(0, min(len(self.notches) - 1, index))]
            if step != self.at:
                self.at = step
                self.post_message(self.Wanted(step))

    def action_move(self, by: int) -> None:
        self.go(self.index + by)

    def action_end(self, which: int) -> None:
        self.go(which if which >= 0 else len(self.notches) - 1)

    # ── Drawing ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _words(self) -> tuple[str, str]:
        count = len(self.notches) - (LIVE in self.notches)
        if not self.notches:
            return "checkpoints ", " none yet"
        if self.at == LIVE:
            return "checkpoints ", f" ◉ live, {count} saved"
        return "checkpoints ", f" step {self.at:,} · {self.index + 1} of {count}"

    def _rail(self) -> tuple[int, int]:
        """First column and width of the rail."""
        name, told = self._words()
        return cell_len(name), max(3, self.content_size.width - cell_len(name) - max(22, cell_len(told)))

    def _column(self, index: int, width: int) -> int:
        return round(index * (width - 1) / max(1, len(self.notches) - 1))

    def render(self) -> Text:
        name, told = self._words()
        _, width = self._rail()
        text = Text(no_wrap=True, overflow="crop", end="").append(name, self.component("scrubber--name"))
        ticks = {self._column(n, width) for n in range(len(self.notches))}
        knob = self._column(self.index, width) if self.notches else -1
        for column in range(width):
            if column == knob:
                text.append("◉" if self.at == LIVE else "●", self.component("scrubber--knob"))
            else:
                style = self.component("scrubber--done" if column < knob else "scrubber--rail")
                text.append("┼" if column in ticks else "─", style)
        return text.append(told)

    # ── The mouse ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _drag_to(self, event: events.MouseEvent) -> None:
        first, width = self._rail()
        column = event.get_content_offset_capture(self).x - first
        self.go(round(column * (len(self.notches) - 1) / max(1, width - 1)))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._dragging = True
        self.capture_mouse()
        self._drag_to(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragging:
            self._drag_to(event)

    def on_mouse_up(self) -> None:
        self._dragging = False
        self.release_mouse()

    def on_mouse_scroll_down(self) -> None:
        self.action_move(1)

    def on_mouse_scroll_up(self) -> None:
        self.action_move(-1)
