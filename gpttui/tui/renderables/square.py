"""Where everything lies in a pane that shows a causal square of weights with token names on both sides.

For: choosing the cell size, and translating between cells of the terminal, rows of the screen and rows of the matrix.
Not for: drawing (`heatmap`, `axes`). Rows are queries, columns are keys.
"""

from dataclasses import dataclass

import numpy as np

from gpttui.records import Array
from gpttui.tui.palette import levels
from gpttui.tui.renderables.axes import column_label_height
from gpttui.tui.renderables.heatmap import BAND, MASKED, SIZES, CellSize, max_pool


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


def arrange(tokens: int, width: int, height: int, longest_label: int, *, overview: bool = False) -> SquareLayout:
    """The largest cells with which all fits. Where none does: the smallest, to be scrolled, or pooled (`overview`)."""
    label_width = max(1, min(longest_label, 12, width // 5))
    bottom = int(height >= 8)
    most_top = max(0, min(5, height // 4))
    for size in (*SIZES, CellSize()):
        top = column_label_height(longest_label, size.columns, most_top)
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


def row_steps(weights: Array, layout: SquareLayout, row: int, first: int, last: int, *, selected: int) -> Array:
    """Steps of screen row `row` in columns [first, last): levels, then MASKED, or BAND in the selected row.

    A row beyond the matrix is all MASKED.
    """
    if not 0 <= row < layout.shown_rows:
        return np.full(max(0, last - first), MASKED, dtype=np.uint8)
    steps = levels(weights[row, first:last])
    steps[max(0, seen_columns(layout, row) - first) :] = BAND if row == selected else MASKED
    return steps


def seen_columns(layout: SquareLayout, row: int) -> int:
    """Screen columns that screen row `row` may look at."""
    return layout.shown_column(layout.first_row(row + 1) - 1) + 1 if 0 <= row < layout.shown_rows else 0


SINK = 0.3
"""From this mean share of the first token's on it is said to be a sink: where heads rest that have nothing to do."""


def is_sink(share: float, tokens: int) -> bool:
    """Whether the first token's mean `share` is a sink's: above `SINK`, and twice what queries that look at all of
    `tokens` alike would give it (half of everything in a text of two)."""
    even = sum(1 / seen for seen in range(2, tokens + 1)) / max(1, tokens - 1)
    return share >= max(SINK, 2 * even) and tokens > 1


def first_share(weights: Array) -> float:
    """What the queries behind the first token give it on average, of `weights` `[query, key]`; 0: there are none."""
    return float(weights[1:, 0].mean()) if len(weights) > 1 else 0.0


def without_first(weights: Array) -> Array:
    """`weights` without the first key, the rest of each row made to sum to 1 again; a row with nothing else is 0."""
    rest = weights.copy()
    rest[:, :1] = 0
    left = rest.sum(axis=1, keepdims=True)
    return np.where(left > 1e-6, rest / np.maximum(left, 1e-6), 0).astype(weights.dtype)


def strongest(row: Array, count: int) -> list[int]:
    """The `count` keys with the largest weights, largest first; keys of no weight are left out."""
    order = np.argsort(-row, kind="stable")[:count]
    return [int(key) for key in order if row[key] > 0]
