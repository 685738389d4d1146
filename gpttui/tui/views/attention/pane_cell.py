"""One query meets one key: both vectors dimension by dimension, their products, and what becomes of the sum.

For: the cell under the cursor of the Attention view. Not for: the map it lies in (`AttentionStages`).
"""

import math
from typing import ClassVar

import numpy as np
from textual.reactive import reactive

from gpttui.protocol.parts import Stages
from gpttui.sessions.view_files import Table
from gpttui.tui.renderables.bars import bar
from gpttui.tui.renderables.charts import bar_from_right
from gpttui.tui.renderables.labels import fit
from gpttui.tui.widgets.lines import AnswerPane, Line, Sheet

DIMENSION, FIGURE = 4, 7
LEAST_BAR = 7
"""Cells of a bar with both its sides; where there is no room for three of them only the product has one."""


class AttentionCell(AnswerPane[Stages]):
    """The sum first, then its terms."""

    NAME: ClassVar[str] = "one cell"
    HELP: ClassVar[str] = """\
**What you see.** Why this token looks at that one, or does not. The query q of the token that looks and the key k of \
the token that is looked at are two short vectors. In each dimension the two numbers are multiplied: the product is \
positive where both have the same sign. All products together are the score **q·k**.

```text
q·k = Σᵢ qᵢ·kᵢ        the last column, added up
s = q·k / √d          scaled
w = exp(s) / Σ exp    the share, among all the keys this query may look at
```

Bars grow to the right for positive numbers, to the left for negative ones; q and k are drawn to one scale, products \
to their own. `d` changes the order: largest products first, or dimension by dimension. Σ is the sum so far, down to \
this line: at the last one it is the score.

A dimension has no name and seldom a meaning of its own: rotating all queries and keys of a head alike would change \
every line here and not a single score.

`↑` `↓` scroll; move the cell in the pane of the maps.

More: Elhage et al. 2021, "A mathematical framework for transformer circuits"."""

    by_size: reactive[bool] = reactive(True)
    """Largest products first; else in the order of the dimensions."""
    names: reactive[tuple[str, str]] = reactive(("", ""))
    """Of the query's token and the key's."""
    first: reactive[int] = reactive(0)
    """The text position of the first key in the context."""

    def titles(self) -> tuple[str, str]:
        if self.found is None or not len(self.found.products):
            return "The cell: query · key", ""
        query, key = self.names
        return f"{query} looks at {key}", f"d: {'largest products' if self.by_size else 'dimensions in order'}"

    def numbers_of(self, found: Stages) -> Table | None:
        """A row for each dimension, and what becomes of their sum."""
        if not len(found.products):
            return None
        query, key = found.cell
        raw, scaled, masked, weight = (float(x) for x in found.met)
        return {
            "layer": found.layer + 1,
            "head": found.head + 1,
            "query_position": query + 1,
            "key_position": key + 1,
            "dimension": range(1, len(found.products) + 1),
            "query": found.query,
            "key": found.key,
            "product": found.products,
            "q_dot_k": raw,
            "scaled": scaled,
            "masked": masked,
            "weight": weight,
        }

    def lines_of(self, found: Stages, width: int, height: int) -> Sheet | None:
        if not len(found.products):
            return None
        sheet = Sheet()
        for line in self._sums(found, width):
            sheet.add(*line)
        self._terms(sheet, found, width)
        return sheet

    def _sums(self, found: Stages, width: int) -> list[Line]:
        """From the sum of the products to the weight."""
        raw, scaled, masked, weight = (float(x) for x in found.met)
        d_head, (query, key) = len(found.products), found.cell
        keys = query - self.first + 1
        lines = [
            ("q·k", _exact(raw), f"sum of {d_head} products"),
            ("scaled", _exact(scaled), f"÷ √{d_head} = {math.sqrt(d_head):.2f}"),
        ]
        if math.isfinite(masked):
            many = f"{keys} keys" if keys != 1 else "the one key"
            lines.append(("weight", f"{weight:.3f}", f"softmax over {many}"))
        else:
            why = "in the future" if key > query else "forbidden (F)"
            lines.append(("weight", "0", f"masked: {why}"))
        drawn: list[Line] = []
        for n, (name, figure, why) in enumerate(lines):
            strong = n == len(lines) - 1
            drawn.append(
                [
                    (fit(name, 7), self.tone("dim")),
                    (fit(figure, FIGURE + 1, right=True) + " ", self.tone("accent" if strong else "strong")),
                    (why, self.tone("dim")),
                ]
            )
        return drawn

    def _terms(self, sheet: Sheet, found: Stages, width: int) -> None:
        order = np.argsort(-np.abs(found.products), kind="stable") if self.by_size else np.arange(len(found.products))
        sum_cells = FIGURE + 1 if width >= 36 else 0
        room = width - DIMENSION - sum_cells - 3 * FIGURE
        bars = [_odd(room // 3 - 2)] * 3
        if bars[0] < LEAST_BAR:
            bars = [0, 0, _odd(room - 2) if room - 2 >= LEAST_BAR else 0]
        heads = [
            fit(fit(name, FIGURE, right=True), FIGURE + (cells + 2 if cells else 0))
            for name, cells in zip(("q", "k", "q×k"), bars, strict=True)
        ]
        sheet.add((fit("dim", DIMENSION) + "".join(heads) + fit("Σ", sum_cells, right=True), self.tone("dim")))
        both = max(float(np.abs(found.query).max()), float(np.abs(found.key).max()), 1e-9)
        top = max(float(np.abs(found.products).max()), 1e-9)
        so_far = np.cumsum(found.products[order], dtype=np.float64)
        for n, at in enumerate(order.tolist()):
            line: Line = [(fit(str(at + 1), DIMENSION), self.tone("dim"))]
            for vector, end, cells in zip(
                (found.query, found.key, found.products), (both, both, top), bars, strict=True
            ):
                line += self._signed(float(vector[at]), end, cells)
            line.append((fit(_figure(so_far[n]), sum_cells, right=True) if sum_cells else "", self.tone("dim")))
            sheet.add(*line)

    def _signed(self, value: float, top: float, cells: int) -> Line:
        """A number, and its bar of so many cells."""
        figure, negative = fit(_figure(value), FIGURE, right=True), value < 0
        if not cells:
            return [(figure, self.tone("warn" if negative else ""))]
        half, tone = cells // 2, self.tone("warn" if negative else "bar")
        left, right = bar_from_right(-value / top, half), fit(bar(value / top, half), half)
        return [(figure + " ", self.tone()), (left, tone), ("│", self.tone("dim")), (right + " ", tone)]


def _odd(cells: int) -> int:
    """So many, or one less: both sides of a bar are alike."""
    return max(0, cells - 1 + cells % 2)


def _figure(value: float) -> str:
    return f"{value:+.2f}" if abs(value) < 99.5 else f"{value:+.1f}" if abs(value) < 999.5 else f"{value:+.0f}"


def _exact(value: float) -> str:
    return f"{value:+.3f}" if abs(value) < 999.5 else f"{value:+.1f}"
