"""The same stretch of a text as up to four maps side by side: where each lies, and what their cells look like.

For: one head's scores and weights, stage by stage. Not for: a whole square (`square`), or whose turn it is (the pane).
Cells are a line high, or two where the text is short. Scores have a sign, so that nothing (0) fades into the
background; weights have not.
"""

from dataclasses import dataclass
from itertools import groupby

import numpy as np
from rich.style import Style

from gpttui.records import Array
from gpttui.tui.palette import STEPS, diverging, heat_styles, levels, ramp_glyph
from gpttui.tui.renderables.axes import column_label_height
from gpttui.tui.renderables.heatmap import cell_number
from gpttui.tui.renderables.ink import Ink
from gpttui.tui.renderables.legend import legend_pieces
from gpttui.tui.renderables.signed import signed_steps

Piece = tuple[str, Style]

GAP = 2
"""Columns between maps."""
HEADING = 26
"""Columns that a map of few tokens is given where there is room: its heading is longer than it is wide."""
COLUMNS = (6, 5, 4, 3, 2)
"""Widths of a cell, tried from the largest; the last is scrolled where it does not fit either."""
FEW_KEYS, FEW_QUERIES = 10, 7
"""Maps that would show fewer than so many tokens of a longer text are not put side by side."""
HIDDEN, MASKED, FORBIDDEN, UNKNOWN = STEPS, STEPS + 1, STEPS + 2, STEPS + 3
"""Steps of cells that have no colour of their own."""
GLYPHS = {HIDDEN: "·", MASKED: " ", FORBIDDEN: "✕", UNKNOWN: " "}
_SIGNS = ((8, "="), (15, "-"), (17, "·"), (24, "+"), (STEPS, "#"))
"""Upper ends of signed steps, and what stands for them without colours."""


@dataclass(frozen=True, slots=True)
class MapsLayout:
    """One arrangement of maps in a pane. Lines and columns count from the pane's corner."""

    maps: int
    across: int
    """Maps in a row of maps."""
    label_width: int
    names: int
    """Lines of token names above each map."""
    columns: int
    """Of a cell."""
    queries: int
    """Rows that fit."""
    keys: int
    high: int = 1
    """Lines of a cell."""
    room: int = 0
    """Columns that a map may take with its heading."""

    @property
    def map_width(self) -> int:
        return self.keys * self.columns

    @property
    def pitch(self) -> int:
        """Columns from one map to the next."""
        return max(self.map_width, min(self.room, HEADING)) + GAP

    @property
    def block(self) -> int:
        """Lines of a row of maps: its heading, the names, the rows."""
        return 1 + self.names + self.queries * self.high

    def corner(self, number: int) -> tuple[int, int]:
        """Column and line of map `number`'s first cell."""
        down, across = divmod(number, self.across)
        return self.label_width + 1 + across * self.pitch, down * self.block + 1 + self.names

    def at(self, x: int, y: int) -> tuple[int, int, int] | None:
        """Map, row and column of the cell under column `x` of line `y`."""
        for number in range(self.maps):
            left, top = self.corner(number)
            if left <= x < left + self.map_width and top <= y < top + self.queries * self.high:
                return number, (y - top) // self.high, (x - left) // self.columns
        return None


def lay_out(tokens: int, width: int, height: int, longest_label: int, maps: int, across: int) -> MapsLayout:
    """`maps` maps, `across` of them in a row, with the largest cells that show every token, or else the smallest."""
    label_width = max(1, min(longest_label, 12, width // 8 if across > 1 else width // 5))
    down = -(-maps // across)
    room = max(1, (width - label_width - 1 - (across - 1) * GAP) // across)
    lines = max(1, height // down)
    columns = next((columns for columns in COLUMNS if tokens * columns <= room), COLUMNS[-1])
    names = column_label_height(longest_label, columns, max(0, min(4, (lines - 1) // 4)))
    if names == 1 and columns < 5 and longest_label >= columns:  # one letter upright says nothing
        names = 0
    queries = max(1, min(tokens, lines - 1 - names))
    high = 2 if columns >= 4 and 2 * tokens <= lines - 1 - names else 1
    keys = max(1, min(tokens, room // columns))
    return MapsLayout(maps, across, label_width, names, columns, queries, keys, high, room)


def arrange(tokens: int, width: int, height: int, longest_label: int, *, one: bool = False) -> MapsLayout:
    """All four stages, in a row or two by two, whichever shows more of the text; one where that is too little."""
    alone = lay_out(tokens, width, height, longest_label, 1, 1)
    if one:
        return alone
    few_keys, few_queries = min(tokens, FEW_KEYS), min(tokens, FEW_QUERIES)
    layouts = [lay_out(tokens, width, height, longest_label, 4, across) for across in (4, 2)]
    enough = [found for found in layouts if found.keys >= few_keys and found.queries >= few_queries]
    return max(enough, key=lambda found: (found.keys * found.queries, found.columns), default=alone)


@dataclass(frozen=True, slots=True)
class MapInk:
    """How cells of one kind of map are painted."""

    ink: Ink
    signed: bool

    @property
    def table(self) -> tuple[str, ...]:
        return diverging(self.ink.dark) if self.signed else self.ink.heat

    def steps(self, values: Array, top: float) -> Array:
        """Of a row of values; -inf is masked, nan unknown."""
        known = np.where(np.isfinite(values), values, 0.0)
        steps = signed_steps(known, top) if self.signed else levels(known, top)
        return np.where(np.isnan(values), UNKNOWN, np.where(np.isneginf(values), MASKED, steps))

    def cells(self, steps: Array, texts: list[str], columns: int, marked: int, *, banded: bool) -> list[Piece]:
        """One row: equal cells without a text run together; `marked` is under the cursor (-1: none)."""
        keys = list(zip(steps.tolist(), texts, (i == marked for i in range(len(texts))), strict=True))
        pieces = []
        for (step, text, here), run in groupby(keys):
            pieces.append(self._cells(step, text, here, len(list(run)), columns, banded))
        return pieces

    def _cells(self, step: int, text: str, here: bool, count: int, columns: int, banded: bool) -> Piece:
        coloured = self.ink.coloured
        if step >= STEPS:
            tone = self.ink.warn if step == FORBIDDEN else self.ink.dim
            glyph = "·" if banded and step == MASKED and not coloured else GLYPHS[step]
            body, style = glyph.center(columns), tone + (self.ink.band if banded and coloured else Style())
        elif coloured:
            body, style = text.center(columns), heat_styles(self.ink.depth, self.table)[step]
        else:
            body, style = text.center(columns, self.glyph(step)), self.ink.plain
        if here and step != FORBIDDEN and (not text or len(text) <= columns - 2):
            body = (f"‹{text}›" if text else "◆").center(columns)
            style = style + (Style(bold=True) if coloured and step < STEPS else self.ink.mark)
        elif here:
            style = style + self.ink.mark
        return body * count, style

    def glyph(self, step: int) -> str:
        """What stands for a step where there are no colours."""
        return next(glyph for end, glyph in _SIGNS if step < end) if self.signed else ramp_glyph(step)

    def number(self, value: float, columns: int) -> str:
        """In a cell of so many columns; nothing where it does not fit."""
        if columns < 4 or not np.isfinite(value):
            return ""
        if not self.signed:
            return cell_number(value)
        text = next((text for text in (f"{value:.1f}", f"{value:.0f}") if len(text) < columns), "")
        return "0" if text in ("-0.0", "0.0", "-0") else text

    def legend(self, top: float, width: int) -> list[Piece]:
        """From one end of the colours to the other, in about `width` cells; only the ends' names where it is narrow."""
        high = short(top)
        low = f"-{high}" if self.signed else "0"
        high = f"+{high}" if self.signed else high
        if width < len(low) + len(high) + 6:
            return [(f"±{short(top)}" if self.signed else f"0…{high}", self.ink.dim)]
        if self.signed and not self.ink.coloured:
            signs = "".join(glyph for _, glyph in _SIGNS)
            return [(f"{low} {signs} {high}", self.ink.dim)]
        return legend_pieces(low, high, min(24, width), self.ink.depth, self.table, self.ink.dim)


def short(value: float) -> str:
    """A score in about three figures."""
    size = abs(value)
    return f"{value:.2f}" if size < 10 else f"{value:.1f}" if size < 100 else f"{value:.0f}"
