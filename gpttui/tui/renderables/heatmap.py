"""A matrix of [0, 1] as coloured cells: any part of it, in cells from half a character up, one terminal line at a time.

For: attention, and any other square of weights. Not for: signed values (`signed`) or axes (`axes`).
A matrix row is half a line high or several lines, a matrix column one character wide or several. Values become one of
32 steps before anything is compared or styled, runs of equal cells become one segment, and what does not fit is pooled
by its maximum, never its mean: a sharp spike must survive.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from rich.segment import Segment
from rich.style import Style

from gpttui.records import Array
from gpttui.tui.palette import CIVIDIS, STEPS, ColourDepth, ramp_glyph, text_on
from gpttui.tui.renderables.ink import Ink

MASKED = STEPS
"""The step of a cell that the model never looks at (a key after its query): drawn as background."""
BAND = STEPS + 1
"""The step of a masked cell in the highlighted row."""
MARK = "◆"


@dataclass(frozen=True, slots=True)
class CellSize:
    """How large a matrix cell is drawn."""

    columns: int = 1
    half_lines: int = 1
    """In halves of a line: 1 is half a line, 2 a line, 4 two lines."""

    def lines(self, rows: int) -> int:
        """Lines that so many matrix rows take."""
        return (rows * self.half_lines + 1) // 2


SIZES = (CellSize(6, 4), CellSize(6, 2), CellSize(5, 2), CellSize(4, 2), CellSize(3, 2), CellSize(2, 2), CellSize(2, 1))
"""Tried from the largest; a cell of one column by half a line scrolls where none of them fits."""


def max_pool(matrix: Array, rows: int, columns: int) -> Array:
    """`matrix` [r, c] reduced to at most [rows, columns]; each value is the maximum of the block it stands for."""
    for axis, room in ((0, rows), (1, columns)):
        count = matrix.shape[axis]
        if count > room > 0:
            starts = np.arange(room) * count // room
            matrix = np.maximum.reduceat(matrix, starts, axis=axis)
    return matrix


@lru_cache(maxsize=32)
def half_styles(table: tuple[str, ...], ground: str, band: str) -> tuple[Style, ...]:
    """Styles of every pair of steps (text, background); index with `text * 34 + background`."""
    colours = (*table, ground, band)
    return tuple(Style(color=text, bgcolor=back) for text in colours for back in colours)


def _hex(style: Style, fallback: str) -> str:
    """The background of a style as `#rrggbb`."""
    colour = style.bgcolor
    return fallback if colour is None or colour.triplet is None else colour.triplet.hex


class HeatmapLines:
    """Draws lines of a step matrix. Steps [keys] of a row are uint8: 0..31, MASKED or BAND."""

    def __init__(self, depth: ColourDepth, ground: str, band: str, table: tuple[str, ...] = CIVIDIS) -> None:
        self.coloured = depth >= ColourDepth.INDEXED
        self._colours = (*table, ground, band)
        self._styles = half_styles(table, ground, band)
        self._plain = Style() if depth is ColourDepth.NONE else Style(color="default", bgcolor="default")
        self._marked = self._plain + Style(reverse=True, bold=True)

    @classmethod
    def of(cls, ink: Ink, *, banded: bool = True) -> "HeatmapLines":
        """On the ground of a pane."""
        ground = _hex(ink.plain, "#121212")
        return cls(ink.depth, ground, _hex(ink.band, "#303030") if banded else ground, ink.heat)

    def line(self, upper: Array, lower: Array, columns: int) -> list[Segment]:
        """One line: step rows `upper` and `lower` [keys], the same array where a cell is a line high or more."""
        if not len(upper):
            return []
        return self._coloured_line(upper, lower, columns) if self.coloured else self._glyph_line(upper, lower, columns)

    def mark(self, step: int, columns: int) -> Segment:
        """The cell under the cursor: a diamond on its own colour."""
        return self.numbered(MARK, step, columns, marked=True)

    def numbered(self, text: str, step: int, columns: int, *, marked: bool = False) -> Segment:
        """A cell with a text on its own colour, or amid its own glyph."""
        if self.coloured:
            ground = self._colours[step]
            return Segment(text.center(columns), Style(color=text_on(ground), bgcolor=ground, bold=marked))
        glyph = "·" if step == BAND else " " if step == MASKED else ramp_glyph(step)
        return Segment(text.center(columns, glyph), self._marked if marked else self._plain)

    def rest(self, upper: bool, lower: bool) -> tuple[str, Style]:
        """Character and style of the ground beside the cells; either half of the line may be in the highlighted row."""
        if not self.coloured:
            return ("·" if upper or lower else " "), self._plain
        return self._half(MASKED + upper, MASKED + lower)

    def _coloured_line(self, upper: Array, lower: Array, columns: int) -> list[Segment]:
        pairs = upper.astype(np.int32) * (STEPS + 2) + lower
        edges = (np.flatnonzero(np.diff(pairs)) + 1).tolist()
        starts, ends = [0, *edges], [*edges, len(pairs)]
        segments = []
        for start, end, above, below in zip(starts, ends, upper[starts].tolist(), lower[starts].tolist(), strict=True):
            glyph, style = self._half(above, below)
            segments.append(Segment(glyph * ((end - start) * columns), style))
        return segments

    def _half(self, upper: int, lower: int) -> tuple[str, Style]:
        """Two steps in one character. Fonts leave hairlines around half blocks: none where a space will do, and none
        between the ground and a row below it."""
        if upper == lower:
            return " ", self._styles[upper * (STEPS + 2) + lower]
        if upper >= STEPS:
            return "▄", self._styles[lower * (STEPS + 2) + upper]
        return "▀", self._styles[upper * (STEPS + 2) + lower]

    def _glyph_line(self, upper: Array, lower: Array, columns: int) -> list[Segment]:
        """Five glyphs; where a line holds two rows, the larger value of both."""
        seen = np.maximum(np.where(upper < STEPS, upper, 0), np.where(lower < STEPS, lower, 0)).tolist()
        hidden = ((upper >= STEPS) & (lower >= STEPS)).tolist()
        band = ((upper == BAND) | (lower == BAND)).tolist()
        glyphs = [
            ("·" if in_band else " ") if is_hidden else ramp_glyph(step)
            for step, is_hidden, in_band in zip(seen, hidden, band, strict=True)
        ]
        return [Segment("".join(glyph * columns for glyph in glyphs), self._plain)]


def cell_number(weight: float) -> str:
    """A weight in three characters, for cells with room for it: `.41`; nothing below half a percent."""
    return "" if weight < 0.005 else "1.0" if weight >= 0.995 else f"{weight:.2f}"[1:]
