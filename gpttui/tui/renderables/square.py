"""Where everything lies in a pane that shows a causal square of weights with token names on both sides.

For: choosing the cell size, and translating between cells of the terminal, rows of the screen and rows of the matrix.
Not for: drawing (`heatmap`, `axes`). Rows are queries, columns are keys.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpttui.tui.palette import levels
from gpttui.tui.renderables.heatmap import BAND, CURSOR, MASKED, SIZES, CellSize, max_pool

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class SquareLayout:
    """One arrangement of labels, cells and legend in a viewport."""

    tokens: int
    """Rows (and columns) of the matrix."""
    shown_rows: int
    shown_columns: int
    """Rows and columns on the screen: fewer than `tokens` where blocks are pooled."""
    size: CellSize
    label_width: int
    top: int
    """Lines of column labels."""
    bottom: int
    """Lines of legend."""

    @property
    def left(self) -> int:
        """Columns before the first cell: the row's label and its marker."""
        return self.label_width + 1

    @property
    def pooled(self) -> bool:
        return self.shown_rows < self.tokens or self.shown_columns < self.tokens

    @property
    def width(self) -> int:
        return self.left + self.shown_columns * self.size.columns

    @property
    def height(self) -> int:
        return self.top + self.size.lines(self.shown_rows) + self.bottom

    def rows_of_line(self, line: int) -> tuple[int, int]:
        """Screen rows in the upper and lower half of matrix line `line`."""
        return 2 * line // self.size.half_lines, (2 * line + 1) // self.size.half_lines

    def line_of_row(self, row: int) -> int:
        return row * self.size.half_lines // 2

    def first_row(self, shown: int) -> int:
        """The first matrix row that screen row `shown` stands for."""
        return shown * self.tokens // max(1, self.shown_rows)

    def first_column(self, shown: int) -> int:
        return shown * self.tokens // max(1, self.shown_columns)

    def shown_row(self, row: int) -> int:
        """The screen row on which matrix row `row` lies."""
        return ((row + 1) * self.shown_rows - 1) // max(1, self.tokens)

    def shown_column(self, column: int) -> int:
        return ((column + 1) * self.shown_columns - 1) // max(1, self.tokens)


def arrange(
    tokens: int, width: int, height: int, longest_label: int, label_lines: Callable[[int], int], *, overview: bool
) -> SquareLayout:
    """The largest cells with which everything fits; the smallest, to be scrolled or with `overview` pooled, where none does.

    `label_lines(cell_columns)` says how many lines the column labels take.
    """
    label_width = max(1, min(longest_label, 12, width // 5))
    bottom = int(height >= 8)
    most_top = max(0, min(5, height // 4))
    for size in (*SIZES, CellSize()):
        top = min(most_top, label_lines(size.columns))
        layout = SquareLayout(tokens, tokens, tokens, size, label_width, top, bottom)
        if layout.width <= width and layout.height <= height:
            return layout
    if not overview:
        return layout
    room_columns, room_lines = max(1, width - layout.left), max(1, height - top - bottom)
    rows, columns = min(tokens, 2 * room_lines), min(tokens, room_columns)
    return SquareLayout(tokens, rows, columns, CellSize(), label_width, top, bottom)


def pooled(weights: Array, layout: SquareLayout) -> Array:
    """`weights` [tokens, tokens] as [shown_rows, shown_columns]."""
    return max_pool(weights, layout.shown_rows, layout.shown_columns) if layout.pooled else weights


def row_steps(
    weights: Array, layout: SquareLayout, row: int, first: int, last: int, *, selected: int, cursor: int | None
) -> Array:
    """Steps of screen row `row` in screen columns [first, last): levels, MASKED behind the query, BAND in the selected row.

    `cursor`: the screen column to mark as CURSOR. A row beyond the matrix is all MASKED.
    """
    count = max(0, last - first)
    if not 0 <= row < layout.shown_rows:
        return np.full(count, MASKED, dtype=np.uint8)
    steps = levels(weights[row, first:last])
    newest = layout.first_row(row + 1) - 1
    seen = layout.shown_column(newest) + 1
    steps[max(0, seen - first) :] = BAND if row == selected else MASKED
    if cursor is not None and first <= cursor < last:
        steps[cursor - first] = CURSOR
    return steps
