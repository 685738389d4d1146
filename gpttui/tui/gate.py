"""The last gate before the terminal: no character that could move the cursor or hide text passes, whatever drew it.

Text is made safe where it is drawn (`gpttui.text`), as pictures of what it holds. This is for what a widget forgot of
the strings that are kept as they came, a prompt or a path, because they go back to the engine or the clipboard.
"""

from unicodedata import category

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter


class Gate(LineFilter):
    """What is not safe becomes as many dots as it has cells, so that columns stay where they are."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if "".join([text for text, _, _ in segments]).isprintable():
            return segments
        return [Segment(_plain(text), style, control) for text, style, control in segments]


def _plain(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or category(char) == "Zs" else "·" * cell_len(char) for char in text)
