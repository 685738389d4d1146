"""A causal square drawn line by line: labels on both sides, cells, the selected row, and what that row looks at most.

For: `AttentionPane` and other panes that show one square. Not for: choosing its layout (`square`).
The corner above the diagonal is the future, which a GPT cannot see, and so it is free: there stands, in figures, what
the selected query looks at most.
"""

from dataclasses import dataclass

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from gpttui.records import Array
from gpttui.tui.renderables.axes import column_label_lines, row_label
from gpttui.tui.renderables.bars import bar, plain_bar
from gpttui.tui.renderables.heatmap import MARK, HeatmapLines, cell_number
from gpttui.tui.renderables.ink import Ink
from gpttui.tui.renderables.labels import clip, fit
from gpttui.tui.renderables.square import SquareLayout, row_steps, seen_columns, strongest

NUMBERS_FROM = 4
"""Cells of so many columns show their number."""
RANKED, RANKING_WIDTH = 6, 22
"""Lines and columns of the list of what the selected query looks at most."""


@dataclass(frozen=True, slots=True, eq=False)
class SquareView:
    """All that one drawing of a square depends on."""

    layout: SquareLayout
    cells: HeatmapLines
    ink: Ink
    weights: Array
    """`[query, key]`"""
    pooled: Array
    """The same, as many rows and columns as there are on the screen."""
    labels: list[str]
    longest_label: int
    """Cells of the longest of them."""
    selected: int
    """Query whose row stands out; -1 for none."""
    cursor: int
    """Key under the cursor in that row; -1 for none."""
    width: int
    """Columns of the viewport."""
    scroll_x: int = 0
    scroll_y: int = 0

    @property
    def _row(self) -> int:
        """The screen row of the selected query."""
        return self.layout.shown_row(self.selected) if self.selected >= 0 else -1

    @property
    def _window(self) -> tuple[int, int]:
        """Screen columns [first, last) that the viewport shows."""
        first = self.scroll_x // self.layout.size.columns
        room = max(0, self.width - self.layout.left) // self.layout.size.columns
        return first, min(self.layout.shown_columns, first + room)

    def label_lines(self) -> list[Strip]:
        """The lines of names above the columns in the viewport; the one above the cursor stands out."""
        layout, columns = self.layout, self.layout.size.columns
        first, last = self._window
        names = [self.labels[layout.first_column(i)] for i in range(first, last)]
        lead = Strip([Segment(" " * layout.left, self.ink.plain)])
        at = (layout.shown_column(self.cursor) - first) * columns if self.cursor >= 0 else -1
        strips = []
        for text in column_label_lines(names, columns, layout.top, self.longest_label):
            strip = Strip([Segment(text, self.ink.dim)])
            if 0 <= at < strip.cell_length:
                name = Strip([Segment(strip.crop(at, at + columns).text, self.ink.accent)])
                strip = Strip.join([strip.crop(0, at), name, strip.crop(at + columns)])
            strips.append(self._whole([lead, strip]))
        return strips

    def matrix_line(self, line: int) -> Strip:
        """Line `line` of the square, counted from its first row, whether or not it is scrolled to."""
        layout = self.layout
        upper, lower = layout.rows_of_line(line)
        if upper >= layout.shown_rows:
            return self._with_ranking(self._whole([]), line, layout.left)
        first, last = self._window
        in_row = self._row in (upper, lower)
        starts = 2 * line % max(2, layout.size.half_lines) == 0
        drawn = Strip([*self._name(upper, starts), *self._cells(upper, lower, first, last, numbers=starts)])
        glyph, style = self.cells.rest(upper == self._row, lower == self._row)
        ground = Strip([Segment(glyph * max(0, self.width - drawn.cell_length), style)])
        whole = self._whole([drawn, ground])
        if in_row:
            return whole
        seen = max(seen_columns(layout, row) for row in (upper, min(lower, layout.shown_rows - 1)))
        return self._with_ranking(whole, line, layout.left + max(0, seen - first) * layout.size.columns)

    def _whole(self, strips: list[Strip]) -> Strip:
        return Strip.join(strips).adjust_cell_length(self.width, self.ink.plain)

    def _name(self, upper: int, starts: bool) -> list[Segment]:
        """The label of a line's first row, or of the selected row if it is one of the line's two."""
        layout = self.layout
        in_row = self._row in layout.rows_of_line(layout.line_of_row(upper))
        query = self.selected if in_row else layout.first_row(upper)
        text = row_label(self.labels[query], layout.label_width) if starts else " " * layout.label_width
        tone = self.ink.accent if in_row else self.ink.dim
        return [Segment(text, tone), Segment("▸" if in_row and starts else " ", tone)]

    def _cells(self, upper: int, lower: int, first: int, last: int, *, numbers: bool) -> list[Segment]:
        """The visible cells of one line."""
        layout, columns = self.layout, self.layout.size.columns
        above = row_steps(self.pooled, layout, upper, first, last, selected=self._row)
        below = above if lower == upper else row_steps(self.pooled, layout, lower, first, last, selected=self._row)
        marked = layout.shown_column(self.cursor) - first if self.cursor >= 0 and self._row in (upper, lower) else -1
        if columns >= NUMBERS_FROM:
            return self._numbered(above, self.pooled[upper, first:last], marked, numbers=numbers)
        if not 0 <= marked < len(above):
            return self.cells.line(above, below, columns)
        step = int((above if self._row == upper else below)[marked])
        return [
            *self.cells.line(above[:marked], below[:marked], columns),
            self.cells.mark(step, columns),
            *self.cells.line(above[marked + 1 :], below[marked + 1 :], columns),
        ]

    def _numbered(self, steps: Array, weights: Array, marked: int, *, numbers: bool) -> list[Segment]:
        columns = self.layout.size.columns
        texts = [cell_number(weight) if numbers else "" for weight in weights.tolist()]
        if 0 <= marked < len(texts) and numbers:
            texts[marked] = f"‹{texts[marked] or '0'}›" if columns >= 5 else MARK
        return [
            self.cells.numbered(text, step, columns, marked=i == marked)
            for i, (text, step) in enumerate(zip(texts, steps.tolist(), strict=True))
        ]

    def _with_ranking(self, whole: Strip, line: int, taken: int) -> Strip:
        """The line with its part of the ranking at the right, where the `taken` cells leave room for it."""
        if self.width - taken < RANKING_WIDTH + 2:
            return whole
        words = self._ranking(line - self.scroll_y)
        return Strip.join([whole.crop(0, self.width - words.cell_length), words]) if words.cell_length else whole

    def _ranking(self, at: int) -> Strip:
        if self.selected < 0:
            return Strip([])
        row = self.weights[self.selected]
        keys = strongest(row, RANKED)
        if at == 0:
            words = f"{clip(self.labels[self.selected], 10)} looks at"
            return Strip([Segment(fit(words, RANKING_WIDTH), self.ink.dim)])
        if not 0 < at <= len(keys):
            return Strip([])
        key, share = keys[at - 1], float(row[keys[at - 1]])
        drawn = bar(share, 7) if self.cells.coloured else plain_bar(share, 7)
        numbers = f"{share:6.3f} "
        name = fit(self.labels[key], RANKING_WIDTH - 7 - cell_len(numbers))
        return Strip(
            [
                Segment(name, self.ink.accent if key == self.cursor else self.ink.plain),
                Segment(numbers, self.ink.plain),
                Segment(fit(drawn, 7), self.ink.bar),
            ]
        )
