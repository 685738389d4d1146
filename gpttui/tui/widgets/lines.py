"""A pane made of lines, some of which are choices: a cursor moves over them, a click takes one, the wheel scrolls.

For: lists, tables and bars of the inside views. Not for: squares and curves (they have widgets of their own).
A pane says what its lines are (`draw`); they are made once for a size, a cursor and a theme.
"""

from dataclasses import dataclass, field
from textwrap import wrap
from typing import ClassVar, Generic, TypeVar

from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from gpttui.sessions.view_files import Table
from gpttui.tokenizers import Tokenizer
from gpttui.tui.renderables.compare import crop
from gpttui.tui.widgets.pane import VIEW, Pane, Piece, moving

A = TypeVar("A")
Line = list[Piece]
ROW, HIT = "row", "hit"
"""Names under which pieces of a line carry the choice they belong to, or a place of the pane's own."""


def hit(*place: int) -> Style:
    """Marks a piece: a click on it tells the pane `place`."""
    return Style.from_meta({HIT: place})


@dataclass(slots=True)
class Sheet:
    """Lines, and on which of them each choice stands."""

    lines: list[Line] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)

    def add(self, *pieces: Piece) -> None:
        self.lines.append(list(pieces))

    def choose(self, *pieces: Piece) -> None:
        """A line that the cursor can be on."""
        self.rows.append(len(self.lines))
        self.lines.append(list(pieces))

    def extend(self, lines: list[Line]) -> None:
        self.lines += lines


class LinesPane(Pane):
    """Lines with a cursor."""

    DEFAULT_CSS = "LinesPane { padding: 0 1; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        moving("up,k", "move(-1)", "up", "lines.up", "The row above"),
        moving("down,j", "move(1)", "down", "lines.down", "The row below"),
        moving("pageup", "move(-10)", "up", "lines.page_up", "Ten rows up"),
        moving("pagedown", "move(10)", "down", "lines.page_down", "Ten rows down"),
        Binding("enter", "pick", "pick", show=False, id="lines.pick", group=VIEW, tooltip="Take this row"),
    ]

    cursor: reactive[int] = reactive(0)
    """Which choice is marked."""

    @dataclass
    class Moved(Message):
        """The cursor went to choice `index` of `pane`."""

        pane: "LinesPane"
        index: int

    @dataclass
    class Picked(Message):
        """A person took choice `index` of `pane`: enter, or a second click."""

        pane: "LinesPane"
        index: int

    def __init__(self, tokenizer: Tokenizer | None = None, id: str | None = None) -> None:
        super().__init__(id=id)
        self.tokenizer = tokenizer
        self._top = 0
        self._seek = False
        """The cursor has moved: its choice is scrolled into view when the lines are drawn."""

    # ── What a pane gives ────────────────────────────────────────────────────────────────────────────────────────

    def draw(self, width: int, height: int) -> Sheet | None:
        """The lines for a room of so many cells; None while there is nothing to show."""
        raise NotImplementedError

    def pressed(self, place: tuple[int, ...]) -> None:
        """A click on a piece marked with `hit`."""

    # ── Drawing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def sheet(self) -> Sheet | None:
        region = self.scrollable_content_region
        return self.drawing(lambda: self.draw(region.width, region.height) if region.area else None)

    @property
    def empty_words(self) -> str:
        """Wrapped, so that a narrow pane says all of it."""
        width = max(8, self.scrollable_content_region.width)
        return "\n".join(line for part in super().empty_words.split("\n") for line in wrap(part, width) or [""])

    def render_line(self, y: int) -> Strip:
        sheet, region = self.sheet(), self.scrollable_content_region
        if sheet is None:
            return self.empty_row(y)
        at = y + self._first(sheet, region.height)
        if at >= len(sheet.lines):
            return self.row([])
        line = crop(sheet.lines[at], region.width)
        if at not in sheet.rows:
            return self.row(line)
        index = sheet.rows.index(at)
        over, plain = Style.from_meta({ROW: index}), (None, self.tone().bgcolor)
        band = Style(bgcolor=self.tone("band").bgcolor) if index == self.cursor and self.has_focus else Style()
        pad = " " * (region.width - sum(cell_len(text) for text, _ in line))
        pieces = [*line, (pad, Style())]
        return self.row(
            [(text, style + (band if style.bgcolor in plain else Style()) + over) for text, style in pieces]
        )

    def _first(self, sheet: Sheet, height: int) -> int:
        """The line on top."""
        if self._seek and 0 <= self.cursor < len(sheet.rows):
            at = sheet.rows[self.cursor]
            above = at if self.cursor else 0  # the lines over the first choice come along
            self._top = min(above, max(self._top, at + 1 - height))
        self._seek = False
        self._top = max(0, min(self._top, len(sheet.lines) - height))
        return self._top

    def mark(self, index: int) -> str:
        """What stands before a choice: a pointer where the cursor is."""
        return "▸ " if index == self.cursor else "  "

    def watch_cursor(self) -> None:
        self._seek = True

    # ── Choosing ─────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def count(self) -> int:
        """How many choices there are."""
        sheet = self.sheet()
        return 0 if sheet is None else len(sheet.rows)

    def go(self, index: int) -> None:
        """Put the cursor there, and say so."""
        index = max(0, min(self.count - 1, index))
        if index != self.cursor and self.count:
            self.cursor = index
            self.post_message(self.Moved(self, index))

    def action_move(self, by: int) -> None:
        if self.count:
            self.go(self.cursor + by)
        else:
            self._roll(by)

    def action_pick(self) -> None:
        if self.count:
            self.post_message(self.Picked(self, self.cursor))

    def _roll(self, by: int) -> None:
        self._top = max(0, self._top + by)
        self.refresh()

    def wheel(self, down: int, right: int) -> None:
        if down:
            self._roll(2 * down)

    def on_click(self, event: events.Click) -> None:
        meta = event.style.meta
        if HIT in meta:
            self.pressed(tuple(meta[HIT]))
        elif ROW in meta:
            if int(meta[ROW]) == self.cursor:
                self.action_pick()
            else:
                self.go(int(meta[ROW]))


class AnswerPane(LinesPane, Generic[A]):
    """Lines about one answer of the engine, `found`: without it there is nothing to show, or to write."""

    found: reactive[A | None] = reactive(None, always_update=True)

    def lines_of(self, found: A, width: int, height: int) -> Sheet | None:
        """As `draw`."""
        raise NotImplementedError

    def numbers_of(self, found: A) -> Table | None:
        """Its numbers by name, for a file."""
        raise NotImplementedError

    def draw(self, width: int, height: int) -> Sheet | None:
        return None if self.found is None else self.lines_of(self.found, width, height)

    def table(self) -> Table | None:
        return None if self.found is None else self.numbers_of(self.found)
