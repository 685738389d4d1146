"""The two texts of Compare, one under the other, a token marked in each.

For: seeing and choosing what is compared. Not for: writing the texts (`PromptEditor`).
"""

from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from textual.binding import BindingType
from textual.message import Message
from textual.reactive import reactive

from gpttui.sessions.view_files import Table
from gpttui.tui.palette import token_styles
from gpttui.tui.renderables.labels import clip, token_label
from gpttui.tui.tables import token_columns
from gpttui.tui.widgets.lines import Line, LinesPane, Sheet, hit
from gpttui.tui.widgets.pane import moving
from gpttui.tui.widgets.token_line import around

NAMES = ("A", "B")
LONGEST = 16


class CompareTexts(LinesPane):
    """Two rows of tokens."""

    TITLES: ClassVar[tuple[str, str]] = ("Two texts", "enter: write · ← →: mark · n: next shared word")
    NAME: ClassVar[str] = "two texts"
    HELP: ClassVar[str] = """\
**What you see.** Two texts, split into the model's tokens, and one word marked in each. Both start as the *same* \
vector, looked up in the same table: up to here the model does not know which kind of *model* is meant. Everything \
below shows how the words around it change that.

**Choose.** `enter` on a row writes another text. `n` takes the next word that both texts share. `←` `→` mark any \
other token of the row, so that you can compare whatever you like. `p` puts the playground's text into the row.

More: Ethayarajh 2019, "How contextual are contextualized word representations?"."""

    BINDINGS: ClassVar[list[BindingType]] = [
        moving("left,h", "shift(-1)", "token", "compare_texts.left", "Mark the token before in this text"),
        moving("right,l", "shift(1)", "token", "compare_texts.right", "Mark the token after in this text"),
    ]

    ids: reactive[tuple[list[int], list[int]]] = reactive(([], []))
    marks: reactive[tuple[int, int]] = reactive((-1, -1))
    """Position of the marked token in each text; -1: none."""

    @dataclass
    class Marked(Message):
        """A person wants token `position` of text `side`."""

        side: int
        position: int

    def watch_ids(self) -> None:
        self.marks = (-1, -1)

    def action_shift(self, by: int) -> None:
        side = self.cursor
        ids, at = self.ids[side], self.marks[side]
        if ids:
            start = at if at >= 0 else len(ids) - 1 - by
            self.post_message(self.Marked(side, max(0, min(len(ids) - 1, start + by))))

    def pressed(self, place: tuple[int, ...]) -> None:
        side, position = place
        self.go(side)
        self.post_message(self.Marked(side, position))

    def draw(self, width: int, height: int) -> Sheet | None:
        sheet = Sheet()
        for side, name in enumerate(NAMES):
            tone = self.tone("bar" if side == 0 else "accent") + Style(bold=True)
            sheet.choose((self.mark(side), self.tone("accent")), (f"{name}  ", tone), *self._text(side, width - 6))
        return sheet

    def table(self) -> Table | None:
        """A row for each token of both texts."""
        every = [(name, n, token) for name, ids in zip(NAMES, self.ids, strict=True) for n, token in enumerate(ids)]
        if not every:
            return None
        marks = dict(zip(NAMES, self.marks, strict=True))
        return {
            "text": [name for name, _, _ in every],
            "position": [n + 1 for _, n, _ in every],
            **token_columns(self.tokenizer, [token for _, _, token in every]),
            "marked": [marks[name] == n for name, n, _ in every],
        }

    def _text(self, side: int, room: int) -> Line:
        ids = self.ids[side]
        marked = min(self.marks[side], len(ids) - 1)
        if not ids:
            return [("nothing yet: press enter and write", self.tone("dim"))]
        labels = [clip(token_label(self.tokenizer, token_id), LONGEST) for token_id in ids]
        first, end = around([max(1, cell_len(label)) for label in labels], max(0, marked), max(1, room - 2))
        cycle = token_styles(self.depth, self.dark)
        line: Line = [("‹" if first else " ", self.tone("dim"))]
        for n in range(first, end):
            style = self.tone("cursor") if n == marked else cycle[n % len(cycle)]
            line.append((labels[n], style + hit(side, n)))
        return [*line, ("›" if end < len(labels) else " ", self.tone("dim"))]
