"""What one token costs, part by part: a bar each, milliseconds with shares, FLOPs, bytes of weights and of the cache.

For: Cost. Not for: how it grows with the text (`CostContext`).
"""

from textwrap import wrap
from typing import ClassVar

from textual.reactive import reactive

from gpttui.protocol.parts import Cost
from gpttui.sessions.view_files import Table
from gpttui.tui.renderables.bars import bar
from gpttui.tui.renderables.labels import fit, percent
from gpttui.tui.views.cost.draw_table import (
    PART_WORDS,
    CostRow,
    Grouping,
    Quantity,
    amount,
    cost_rows,
    milliseconds,
    total_row,
)
from gpttui.tui.widgets.lines import AnswerPane, Line, Sheet

MS, SHARE, FLOPS, BYTES = 10, 7, 12, 10
MOST_BAR = 30
HEADS = {"ms": "time", "flops": "FLOPs", "bytes": "bytes read"}


class CostParts(AnswerPane[Cost]):
    """A table with bars."""

    HELP: ClassVar[str] = """\
**What you see.** What the model does to get from the selected token to the next prediction, and what that costs. The \
tokens before it need no work again: their keys and values wait in the **KV cache**.

**Measured**, here and now: milliseconds. This one token goes through the model a few times; the first pass does not \
count, each part's time is the median of the others (the last line says of how many). They are taken on the path that \
shows activations, which makes every intermediate step: plain drawing is somewhat faster. The machine has other things \
to do too, so expect the last figure to wobble; `r` measures again. Without interventions.

**Counted** from the shapes, exact: FLOPs and bytes.

    FLOPs of a product with an [in × out] matrix = 2 · in · out       (multiply, add)
    FLOPs of attend = 4 · tokens so far · width                        (q·k, then Σ weight · value)
    weights read = numbers in the part's matrices · bytes of each
    cache read = 2 · key-value heads · head width · tokens so far · bytes of each

Norms, softmax and activations are left out of the FLOPs, being below a hundredth of the rest. A single token on a \
processor mostly waits for weights to arrive from memory; compare the shares of time with those of `bytes`.

`g` puts parts together by their kind, by their layer, or not at all. `m` lets the bars show time, FLOPs or bytes. \
`↑` `↓` pick a row: the last lines say what it does; a row of a layer selects it. In an attention-only model the \
block's end counts as `mix the heads`.

More: Kaplan et al. 2020, "Scaling laws for neural language models" (2 FLOPs a parameter and token); Pope et al. 2022, \
"Efficiently scaling transformer inference"."""

    by: reactive[Grouping] = reactive("part")
    quantity: reactive[Quantity] = reactive("ms")
    token: reactive[str] = reactive("")
    """Which one, in words."""
    context: reactive[int] = reactive(0)
    """Tokens that the model can hold."""

    def watch_found(self) -> None:
        if self.found is not None:
            self.cursor = min(self.cursor, len(self.rows()) - 1)

    def titles(self) -> tuple[str, str]:
        how = {"part": "by part", "layer": "by layer", "each": "part by part"}[self.by]
        return f"What {self.token or 'a token'} costs, {how}", "g: group · m: bars · r: measure again"

    def rows(self) -> list[CostRow]:
        """What the cursor moves over."""
        return [] if self.found is None else cost_rows(self.found, self.by)

    def numbers_of(self, found: Cost) -> Table | None:
        """A row for each part of each layer; layer 0: of no layer."""
        return {
            "position": found.position + 1,
            "layer": [layer + 1 if 0 <= layer < found.n_layer else 0 for layer in found.layers.tolist()],
            "part": found.parts,
            "ms": found.ms,
            "flops": found.flops,
            "weight_bytes": found.weight_bytes,
            "cache_bytes": found.cache_bytes,
            "kv_bytes": found.kv_bytes,
            "kv_bytes_full": found.kv_bytes_full,
            "threads": found.threads,
            "device": found.device,
        }

    # ── Drawing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def lines_of(self, found: Cost, width: int, height: int) -> Sheet | None:
        fixed = MS + SHARE
        flops, weights, cache = (width >= needed for needed in (48, 58, 66))
        fixed += FLOPS * flops + BYTES * weights + BYTES * cache
        short = width - fixed < 40
        rows = cost_rows(found, self.by, short)
        name = min(26, max(len(row.name) for row in rows) + 3, max(4, width - fixed))
        cells = max(0, min(MOST_BAR, width - fixed - name))
        columns = (flops, weights, cache)
        sheet = Sheet()
        self._heads(sheet, name, cells, columns)
        total = total_row(rows)
        top = max([row.amount(self.quantity) for row in rows] + [1e-12])
        for n, row in enumerate(rows):
            share = row.amount(self.quantity) / top
            lead: Line = [
                (self.mark(n), self.tone("accent")),
                (fit(row.name, name - 2), self.tone("strong" if n == self.cursor else "")),
                (fit(bar(share, max(0, cells - 1)), cells), self.tone("bar")),
            ]
            sheet.choose(*lead, *self._figures(row, total, columns))
        lead = [(fit("  " + total.name, name + cells), self.tone("strong"))]
        sheet.add(*lead, *self._figures(total, total, columns))
        for words in self._words(rows, total, found):
            sheet.extend([[(line, self.tone("dim"))] for line in wrap(words, max(8, width)) or [""]])
        return sheet

    def _heads(self, sheet: Sheet, name: int, cells: int, columns: tuple[bool, bool, bool]) -> None:
        flops, weights, cache = columns
        counted = FLOPS * flops + BYTES * (weights + cache)
        over = " " * (name + cells) + _over("measured", MS + SHARE) + (_over("counted", counted) if counted else "")
        sheet.add((over, self.tone("dim")))
        line = fit("  part" if self.by != "layer" else "  layer", name) + fit(HEADS[self.quantity], cells)
        line += fit("time", MS, right=True) + fit("share", SHARE, right=True)
        line += fit("FLOPs", FLOPS, right=True) if flops else ""
        line += fit("weights", BYTES, right=True) if weights else ""
        sheet.add((line + (fit("cache", BYTES, right=True) if cache else ""), self.tone("dim")))

    def _figures(self, row: CostRow, total: CostRow, columns: tuple[bool, bool, bool]) -> Line:
        whole = total.ms or 1.0
        line: Line = [
            (fit(milliseconds(row.ms), MS, right=True), self.tone()),
            (fit(percent(row.ms / whole), SHARE, right=True), self.tone("dim")),
        ]
        counted = ((row.flops, "FLOP", FLOPS), (row.weight_bytes, "B", BYTES), (row.cache_bytes, "B", BYTES))
        for (value, unit, cells), wanted in zip(counted, columns, strict=True):
            if wanted:
                text = amount(value, unit) if value else "–"
                line.append((fit(text, cells, right=True), self.tone("" if value else "dim")))
        return line

    def _words(self, rows: list[CostRow], total: CostRow, cost: Cost) -> list[str]:
        """What the chosen row is, what the sums mean, and where the figures come from."""
        row = rows[min(self.cursor, len(rows) - 1)]
        if row.part:
            about = f"{row.name}: {PART_WORDS[row.part]}."
        else:
            about = f"{row.name}: its attention and its MLP, if it has one, added to the vector one after the other."
        seconds = max(total.ms, 1e-9) / 1e3
        speed = (
            f"{1 / seconds:,.0f} tokens a second at this pace; {amount(total.flops / seconds, 'FLOP')} a second, "
            f"{amount((total.weight_bytes + total.cache_bytes) / seconds, 'B')} read a second."
        )
        threads = f"{cost.threads} thread{'s' if cost.threads != 1 else ''}"
        source = (
            f"Time: measured now, median of {cost.passes} passes of this token alone ({cost.device}, {threads}), on "
            "the path that shows activations. FLOPs, and bytes of weights and cache read: counted from the shapes."
        )
        return ["", about, "", speed, "", source]


def _over(word: str, cells: int) -> str:
    """A heading over several columns."""
    return " " * min(2, cells) + f" {word} ".center(max(0, cells - 2), "─")
