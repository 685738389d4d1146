"""One head's stages, drawn line by line for a stretch of the text: headings with their colours, names, cells.

For: `AttentionStages`. Not for: where the maps lie and how a cell is painted (`attention_maps`).
"""

import math
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
from rich.cells import cell_len, set_cell_size
from rich.style import Style

from gpttui.protocol.parts import Stages
from gpttui.records import Array
from gpttui.tui.renderables.axes import column_label_lines, row_label
from gpttui.tui.renderables.compare import crop
from gpttui.tui.renderables.ink import Ink
from gpttui.tui.views.attention.draw_maps import FORBIDDEN, GAP, HIDDEN, MASKED, MapInk, MapsLayout

Line = list[tuple[str, Style]]

RAW, SCALED, MASK, SOFTMAX = range(4)


class Viewport(NamedTuple):
    """A stretch of queries and one of keys, in positions of the text."""

    first_query: int
    queries: int
    first_key: int
    keys: int


def window(values: Array, first_query: int, first_key: int, viewport: Viewport) -> Array:
    """`values`, whose first row and column are these positions, as the viewport's rectangle; nan where they end."""
    seen = np.full((viewport.queries, viewport.keys), np.nan, dtype=np.float32)
    down, right = first_query - viewport.first_query, first_key - viewport.first_key
    rows = range(max(0, down), min(viewport.queries, down + values.shape[0]))
    columns = range(max(0, right), min(viewport.keys, right + values.shape[1]))
    if rows and columns:
        cut = slice(rows.start - down, rows.stop - down), slice(columns.start - right, columns.stop - right)
        seen[rows.start : rows.stop, columns.start : columns.stop] = values[cut]
    return seen


@dataclass(frozen=True, slots=True, eq=False)
class StagesView:
    """All that one drawing depends on."""

    layout: MapsLayout
    shown: tuple[int, ...]
    """Stages, in the order of the maps."""
    found: Stages
    viewport: Viewport
    labels: list[str]
    """Of the rows in the viewport."""
    names: list[str]
    """Of the columns in the viewport."""
    longest: int
    """Cells of the longest label of the whole text."""
    cursor: tuple[int, int]
    """Row and column in the viewport; what lies outside is not seen."""
    tops: tuple[float, ...]
    """Where each stage's colours end."""
    threshold: float
    ink: Ink
    width: int

    def lines(self) -> list[Line]:
        layout, lines = self.layout, []
        values = self._values()
        steps = {stage: self._steps(stage, values[stage]) for stage in self.shown}
        for first in range(0, len(self.shown), layout.across):
            together = self.shown[first : first + layout.across]
            lines.append(self._side_by_side("", [self._heading(stage) for stage in together]))
            lines += [self._side_by_side("", [line] * len(together)) for line in self._names()]
            for row, n in product(range(len(self.labels)), range(layout.high)):
                cells = [self._cells(stage, row, n, values[stage][row], steps[stage][row]) for stage in together]
                label = self.labels[row] if n == 0 else ""
                lines.append(self._side_by_side(label, cells, here=row == self.cursor[0] and n == 0))
        return lines

    def _values(self) -> list[Array]:
        found = self.found
        values = [
            window(x, found.first_query, found.first_key, self.viewport)
            for x in (found.raw, found.scaled, found.masked, found.pattern)
        ]
        values[SOFTMAX] = np.where(np.isneginf(values[MASK]), -np.inf, values[SOFTMAX])
        return values

    def _steps(self, stage: int, values: Array) -> Array:
        """How the cells of one map are painted, before the cursor."""
        steps = self._ink(stage).steps(values, self.tops[stage])
        if stage >= MASK:
            queries = self.viewport.first_query + np.arange(len(steps))[:, None]
            keys = self.viewport.first_key + np.arange(steps.shape[1])[None, :]
            steps = np.where((steps == MASKED) & (keys <= queries), FORBIDDEN, steps)
        if stage == SOFTMAX and self.threshold:
            steps = np.where(np.isfinite(values) & (values < self.threshold), HIDDEN, steps)
        return steps

    def _ink(self, stage: int) -> MapInk:
        return MapInk(self.ink, stage != SOFTMAX)

    def _side_by_side(self, label: str, maps: list[Line], *, here: bool = False) -> Line:
        """A line of each map, behind a row's name. What the last one says may go on to the pane's edge."""
        layout, tone = self.layout, self.ink.accent if here else self.ink.dim
        used = layout.label_width + 1
        line: Line = [(row_label(label, layout.label_width) + ("▸" if here else " "), tone)]
        for n, pieces in enumerate(maps):
            room = layout.pitch if n < len(maps) - 1 else max(0, self.width - used)
            cut = crop(pieces, room)
            line += [*cut, (" " * max(0, room - sum(cell_len(text) for text, _ in cut)), Style())]
            used += room
        return line

    def _heading(self, stage: int) -> Line:
        d_head = max(1, len(self.found.query))
        name = ("q·k", f"÷ √{d_head}", "masked", "softmax")[stage]
        how = (
            "every query meets every key",
            f"divided by {math.sqrt(d_head):.2f}, so that scores stay moderate",
            "the future is −∞: nobody may look ahead",
            "scores become shares: a row sums to 1",
        )[stage]
        lead = f"{'→ ' if stage and len(self.shown) > 1 else ''}{stage + 1} {name}  "
        room = self.layout.pitch - GAP if len(self.shown) > 1 else self.width - self.layout.label_width - 1
        legend = self._ink(stage).legend(self.tops[stage], room - cell_len(lead))
        used = cell_len(lead) + sum(cell_len(text) for text, _ in legend)
        words = f"  {how}" if used + cell_len(how) + 2 <= room else ""
        return [(lead, self.ink.strong), *legend, (words, self.ink.dim)]

    def _names(self) -> list[Line]:
        """The names above the columns, that of the key under the cursor standing out."""
        columns, key = self.layout.columns, self.cursor[1]
        lines: list[Line] = []
        for text in column_label_lines(self.names, columns, self.layout.names, self.longest):
            if 0 <= key < len(self.names):
                before = set_cell_size(text, key * columns)
                name = set_cell_size(text, (key + 1) * columns)[len(before) :]
                after = text[len(before) + len(name) :]
                lines.append([(before, self.ink.dim), (name, self.ink.accent), (after, self.ink.dim)])
            else:
                lines.append([(text, self.ink.dim)])
        return lines

    def _cells(self, stage: int, row: int, n: int, values: Array, steps: Array) -> Line:
        """Line `n` of a row of cells; figures and cursor are in the first."""
        ink, columns = self._ink(stage), self.layout.columns
        here = row == self.cursor[0]
        texts = [
            "" if n or step == HIDDEN else ink.number(value, columns)
            for value, step in zip(values.tolist(), steps.tolist(), strict=True)
        ]
        return ink.cells(steps, texts, columns, self.cursor[1] if here and not n else -1, banded=here)
