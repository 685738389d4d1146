"""One card of the tour, beside the panes or below them, never over them.

For: drawing a card and telling the tour what a person wants of it. Not for: knowing lessons or what has been done.
"""

from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from gpttui.text import safe_text
from gpttui.tui.widgets.pane import label_border

SIDE_FROM, SIDE_CELLS, LINES = 150, 46, 7
"""From so many columns on it stands at the right, so wide; else below, so high."""


@dataclass(frozen=True, slots=True)
class Face:
    """What a card shows."""

    title: str = ""
    text: str = ""
    mark: str = ""
    """Before the text: ✓ once a deed is done, › while it is to be done."""
    options: tuple[str, ...] = ()
    chosen: int = 0
    right: int = 0
    """Of the options, counted from 1; 0 while nothing is chosen, or known."""
    keys: str = ""


class TourCard(Widget, can_focus=True):
    """A card. It says what keys do on its border; every other key is the screen's."""

    class Chosen(Message):
        """Option `number`, counted from 1, is guessed."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    class GoOn(Message):
        """A click on the card's right half goes on, on its left one back."""

        def __init__(self, back: bool) -> None:
            super().__init__()
            self.back = back

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(str(n), f"guess({n})", f"guess {n}", show=False, id=f"tour_guess_{n}") for n in range(1, 6)
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"tour--done", "tour--do", "tour--option", "tour--right", "tour--wrong"}
    DEFAULT_CSS = f"""
    TourCard {{
        height: {LINES};
        border: round $accent;
        border-title-color: $accent;
        border-title-style: bold;
        border-subtitle-color: $foreground 80%;
        padding: 0 1;
        background: $background;
        &.-side {{ dock: right; width: {SIDE_CELLS}; height: 1fr; }}
        & > .tour--do {{ color: $accent; text-style: bold; }}
        & > .tour--done {{ color: $text-success; text-style: bold; }}
        & > .tour--option {{ color: $foreground; text-style: bold; }}
        & > .tour--right {{ color: $text-success; text-style: bold; }}
        & > .tour--wrong {{ color: $text-muted; }}
    }}
    """

    face: reactive[Face] = reactive(Face())

    def on_mount(self) -> None:
        self.set_class(self.app.size.width >= SIDE_FROM, "-side")

    def watch_face(self, face: Face) -> None:
        label_border(self, face.title, face.keys)

    @staticmethod
    def drawn(said: str, options: tuple[str, ...]) -> Text:
        """A card's text and options without colours, to measure how many lines they take."""
        rows = "\n" + "   ".join(f"{n} {option}" for n, option in enumerate(options, 1)) if options else ""
        return Text(f"› {said}{rows}")

    def render(self) -> Text:
        face, text = self.face, Text(overflow="fold")
        if face.mark:
            text.append(f"{face.mark} ", self._style("done" if face.mark == "✓" else "do"))
        text.append(safe_text(face.text, keep="\n"))
        for number, option in enumerate(face.options, 1):
            text.append("\n" if number == 1 or self.has_class("-side") else "   ")
            mark = {face.right: "✓", face.chosen: "✗"}.get(number, str(number)) if face.chosen else str(number)
            name = "option" if not face.chosen else "right" if number == face.right else "wrong"
            text.append(f"{mark} {safe_text(option)}", self._style(name))
        return text

    def _style(self, name: str):  # type: ignore[no-untyped-def]
        return self.get_component_rich_style(f"tour--{name}", partial=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Digits are the screen's again once a guess is made."""
        if action == "guess":
            return not self.face.chosen and isinstance(n := parameters[0], int) and n <= len(self.face.options)
        return True

    def action_guess(self, number: int) -> None:
        self.post_message(self.Chosen(number))

    def on_click(self, event: events.Click) -> None:
        event.stop()
        if self.face.options and not self.face.chosen:
            if (number := self._option_at(event.x, event.y)) is not None:
                self.post_message(self.Chosen(number))
            return
        self.post_message(self.GoOn(back=event.x < self.size.width // 3))

    def _option_at(self, x: int, y: int) -> int | None:
        """The option drawn at a place of the card."""
        lines = self.render().wrap(self.app.console, self.content_size.width)
        line = lines[y - 1].plain if 0 < y <= len(lines) else ""
        for number, option in enumerate(self.face.options, 1):
            start = line.find(f"{number} {safe_text(option)[:6]}")
            if start >= 0 and start <= x - 2 < start + len(option) + 2:
                return number
        return None
