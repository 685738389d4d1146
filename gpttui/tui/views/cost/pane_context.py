"""What a token costs as a function of how much text stands before it.

For: Cost. Not for: which part costs what (`CostParts`).
"""

from typing import ClassVar

import numpy as np
from textual.reactive import reactive

from gpttui.protocol.parts import Cost
from gpttui.records import Array
from gpttui.sessions.view_files import Table
from gpttui.tui.renderables.labels import fit, so_many
from gpttui.tui.views.cost.draw_table import Quantity, amount, length_chart, milliseconds, shown_amount
from gpttui.tui.widgets.lines import AnswerPane, Sheet

AXIS = 11
CELLS = (7, 10, 12, 10)
"""Of the table's columns."""
TWO_HEADS_FROM = 14
"""Lines of pane from which on a line says above the columns what is measured and what is counted."""
CHART_FROM = 4
"""Lines from which on there is a chart."""
MOST_CHART = 16
TITLES = {
    "ms": "milliseconds of a token, measured (●)",
    "flops": "FLOPs of a token, counted (● this one)",
    "bytes": "bytes of the KV cache, counted (● now)",
}


class CostContext(AnswerPane[Cost]):
    """A chart over a table."""

    TITLES: ClassVar[tuple[str, str]] = ("As the text grows", "m: time, FLOPs, bytes")
    HELP: ClassVar[str] = """\
**What you see.** How the cost of one token grows with the text before it, from the first token to a full context. \
Most of it does not: the same weights are read and multiplied for every token. What grows is attention, which looks at \
every earlier position once more:

    FLOPs(n) = 2 · weights in the matrices + 4 · layers · width · n
    KV cache(n) = 2 · layers · key-value heads · head width · n · bytes of each number

**Measured:** the dots of the milliseconds; tokens of this very text at those places were sent through the model \
against their cache (medians of a few passes, as in the pane beside). Nothing is drawn between or beyond them, \
for nothing was measured there. **Counted:** FLOPs and bytes, by formula, up to the longest context.

All scales start at 0. `m` changes what is plotted: time, FLOPs, bytes. `r` measures again.

More: Pope et al. 2022, "Efficiently scaling transformer inference"; Kaplan et al. 2020, "Scaling laws for neural \
language models"."""

    quantity: reactive[Quantity] = reactive("ms")

    def numbers_of(self, found: Cost) -> Table | None:
        """A row for each length of the text; ms is nan where none was measured."""
        tokens = np.union1d(found.contexts, found.curve)
        ms = np.full(len(tokens), np.nan)
        ms[np.searchsorted(tokens, found.contexts)] = found.context_ms
        flops, cache = (
            np.interp(tokens, found.curve, counted) for counted in (found.curve_flops, found.curve_kv_bytes)
        )
        return {"position": found.position + 1, "tokens": tokens, "ms": ms, "flops": flops, "kv_bytes": cache}

    def lines_of(self, found: Cost, width: int, height: int) -> Sheet | None:
        sheet = Sheet()
        table = self._table(found, width, height)
        lines = min(MOST_CHART, height - len(table) - 3)
        if lines >= CHART_FROM and width > AXIS + 8:
            self._chart(sheet, found, width - AXIS, lines)
        for line, tone in table:
            sheet.add((line, self.tone(tone)))
        return sheet

    def _chart(self, sheet: Sheet, cost: Cost, width: int, lines: int) -> None:
        """Time as far as it was measured; what is counted, up to the longest context."""
        longest, here = int(cost.curve[-1]), cost.contexts[-1:]
        curve: tuple[Array, Array] | None = None
        if self.quantity == "ms":
            points, top, longest = (cost.contexts, cost.context_ms), float(cost.context_ms.max()), int(here[0])
        else:
            values = cost.curve_flops if self.quantity == "flops" else cost.curve_kv_bytes
            curve, top = (cost.curve, values), float(values.max())
            points = here, np.interp(here, cost.curve, values)
        top *= 1.15
        glyphs = length_chart(curve, points, longest, top, width, lines)
        sheet.add((TITLES[self.quantity], self.tone("dim")))
        for n, line in enumerate(glyphs):
            tick = shown_amount(top, self.quantity) if n == 0 else "0" if n == lines - 1 else ""
            edge = " ┤" if tick else " │"
            sheet.add((fit(tick, AXIS - 2, right=True) + edge, self.tone("dim")), ("".join(line), self.tone("bar")))
        end = so_many(longest)
        foot = "1" + fit(end, max(0, width - 1), right=True)
        sheet.add((" " * AXIS + foot, self.tone("dim")))

    def _table(self, cost: Cost, width: int, height: int) -> list[tuple[str, str]]:
        """Lines and their tones: the measured lengths, this token's own last of them, then the full context."""
        notes = width >= sum(CELLS) + 7

        def line(*texts: str, note: str = "") -> str:
            return "".join(fit(text, cell, right=True) for text, cell in zip(texts, CELLS, strict=True)) + note * notes

        two = height >= TWO_HEADS_FROM
        found = [(" " * CELLS[0] + "  measured  ───── counted ─────", "dim")] if two else []
        found.append((line("tokens", "time" if two else "measured", "FLOPs", "KV cache"), "dim"))
        flops, cache = (np.interp(cost.contexts, cost.curve, y) for y in (cost.curve_flops, cost.curve_kv_bytes))
        last, full = len(cost.contexts) - 1, int(cost.curve[-1])
        # Where there is no room for all, evenly spread ones, this token's own among them.
        many = max(1, min(last + 1, height - 2))
        for n in sorted({round(i * last / max(1, many - 1)) for i in range(many)} | {last})[-many:]:
            texts = (f"{cost.contexts[n]:,}", milliseconds(float(cost.context_ms[n])))
            counted = (amount(round(float(flops[n])), "FLOP"), amount(round(float(cache[n])), "B"))
            found.append((line(*texts, *counted, note="  ← now" * (n == last)), "strong" if n == last else ""))
        if full != int(cost.contexts[-1]):
            counted = (amount(float(cost.curve_flops[-1]), "FLOP"), amount(float(cost.curve_kv_bytes[-1]), "B"))
            found.append((line(f"{full:,}", "–", *counted, note="  full"), ""))
        return found
