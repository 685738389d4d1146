"""A matrix of [0, 1] as coloured cells: any part of it, in cells from half a character up, one terminal line at a time.

For: attention, and any other square of weights. Not for: signed values (`signed`) or axes (`axes`).
A matrix row is half a line high or several lines, a matrix column one character wide or several. Values become one of
32 steps before anything is compared or styled, runs of equal cells become one segment, and what does not fit is pooled
by its maximum, never its mean: a sharp spike must survive.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from rich.segment import Segment
from rich.style import Style

from gpttui.tui.palette import CIVIDIS, RAMP, STEPS, ColourDepth, ramp_glyph

Array = np.ndarray[Any, Any]

MASKED = STEPS
"""The step of a cell that the model never looks at (a key after its query): drawn as background."""
BAND = STEPS + 1
"""The step of a masked cell in the highlighted row."""
CURSOR = STEPS + 2
"""The step of the cell under the cursor where it is too small to hold a mark."""


@dataclass(frozen=True, slots=True)
class CellSize:
    """How large a matrix cell is drawn."""

    columns: int = 1
    half_lines: int = 1
    """In halves of a line: 1 is half a line, 2 a line, 4 two lines."""

    def lines(self, rows: int) -> int:
        """Lines that so many matrix rows take."""
        return (rows * self.half_lines + 1) // 2


SIZES = (
    CellSize(6, 4), CellSize(6, 2), CellSize(5, 2), CellSize(4, 2), CellSize(3, 2), CellSize(2, 2), CellSize(2, 1)
)
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
def half_styles(table: tuple[str, ...], ground: str, band: str, cursor: str) -> tuple[Style, ...]:
    """Styles of every pair (upper step, lower step), for the character ▀; index with `upper * 35 + lower`."""
    colours = (*table, ground, band, cursor)
    return tuple(Style(color=upper, bgcolor=lower) for upper in colours for lower in colours)


class HeatmapLines:
    """Draws lines of a step matrix. Steps [rows, keys] are uint8: 0..31, MASKED, BAND or CURSOR."""

    def __init__(
        self, depth: ColourDepth, ground: str, band: str, cursor: str, table: tuple[str, ...] = CIVIDIS
    ) -> None:
        self.coloured = depth >= ColourDepth.INDEXED
        self._styles = half_styles(table, ground, band, cursor)
        self._table = table
        plain = Style() if depth is ColourDepth.NONE else Style(color="default", bgcolor="default")
        reverse = Style(reverse=True) if depth is ColourDepth.NONE else Style(color="black", bgcolor="yellow")
        self._plain, self._reverse = plain, reverse

    def line(self, upper: Array, lower: Array, columns: int) -> list[Segment]:
        """One line: step rows `upper` and `lower` [keys], the same array where a cell is a line high or more."""
        if not len(upper):
            return []
        return self._coloured_line(upper, lower, columns) if self.coloured else self._glyph_line(upper, lower, columns)

    def _coloured_line(self, upper: Array, lower: Array, columns: int) -> list[Segment]:
        pairs = upper.astype(np.int32) * (STEPS + 3) + lower
        edges = np.flatnonzero(np.diff(pairs)) + 1
        starts = [0, *edges.tolist()]
        ends = [*edges.tolist(), len(pairs)]
        styles = self._styles
        return [
            Segment("▀" * ((end - start) * columns), styles[pair])
            for start, end, pair in zip(starts, ends, pairs[starts].tolist(), strict=True)
        ]

    def _glyph_line(self, upper: Array, lower: Array, columns: int) -> list[Segment]:
        """Five glyphs; where a line holds two rows, the larger value of both."""
        both = np.maximum(np.where(upper < STEPS, upper, 0), np.where(lower < STEPS, lower, 0))
        marks = np.maximum(np.where(upper >= STEPS, upper, 0), np.where(lower >= STEPS, lower, 0))
        hidden = (upper >= STEPS) & (lower >= STEPS)
        segments = []
        for step, mark, is_hidden in zip(both.tolist(), marks.tolist(), hidden.tolist(), strict=True):
            if mark == CURSOR:
                segments.append(Segment(RAMP[-1] * columns, self._reverse))
            elif is_hidden:
                segments.append(Segment(("·" if mark == BAND else " ") * columns, self._plain))
            else:
                segments.append(Segment(ramp_glyph(step) * columns, self._plain))
        return segments


def numbered_cell(weight: float, columns: int, step: int, styles: tuple[Style, ...], *, number: bool) -> Segment:
    """A cell wide enough for its number: `.41`, blank below half a percent and on a cell's second line."""
    text = "" if not number or weight < 0.005 else "1.0" if weight >= 0.995 else f"{weight:.2f}"[1:]
    return Segment(text.center(columns), styles[step])
