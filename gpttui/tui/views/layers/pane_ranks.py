"""Ranks of pinned tokens over the layers, as lines and as numbers.

For: Layers. Not for: who raised them (`LayersShares`).
"""

from dataclasses import dataclass
from textwrap import wrap
from typing import ClassVar, NamedTuple

from rich.style import Style
from textual.binding import BindingType
from textual.message import Message
from textual.reactive import reactive

from gpttui.protocol.stream import LensGrid
from gpttui.sessions.view_files import Table
from gpttui.tui.palette import heat_styles, level
from gpttui.tui.renderables.charts import stop_name, stop_place
from gpttui.tui.renderables.labels import clip, fit, token_label
from gpttui.tui.tables import token_columns
from gpttui.tui.views.layers.draw_chart import (
    LETTERS,
    chart_ticks,
    rank_chart,
    row_name,
    short_rank,
)
from gpttui.tui.widgets.lines import AnswerPane, Line, Sheet
from gpttui.tui.widgets.pane import moving

CELL, WIDEST = 4, 12
"""Least and most cells of a stop's rank."""
ROOMY, ROOMY_NAME = 48, 18
"""Width from which on a pin has so many cells for its name."""
CHART_FROM = 3
"""Lines from which on there is a chart."""
TONES = ("bar", "accent", "warn", "strong", "", "dim")


class Pinned(NamedTuple):
    """Tokens, and what the lens says of them at every stop."""

    ids: tuple[int, ...]
    column: LensGrid


class LayersRanks(AnswerPane[Pinned]):
    """A line for each pinned token."""

    TITLES: ClassVar[tuple[str, str]] = ("Ranks of pinned tokens", "rank 1: the most probable")
    HELP: ClassVar[str] = """\
**What you see.** How far from the top the pinned tokens stand after each part of the model, at the selected token: \
rank 1 is the most probable, rank 2 the next one. Their curves start at the embedding (`in`) and end with what the \
model says; upwards is better, and the scale is logarithmic: 1, 10, 100. In the table the same as numbers, each on the \
colour of its probability (the scale of the grid above). `2a` is after the attention of layer 2, `2m` after its MLP; \
where there is little room only the ends of layers are shown, `2`.

    rank = 1 + how many tokens have a larger logit,    logits = W · finalnorm(x)

The first pin is the token that came **next** (at the end of the text: the most probable one), and follows the \
selection. `p` in the grid pins others; here `↑` `↓` choose the token whose logit the pane beside explains, and `p` or \
a second click unpins it. `P` pins the next token again.

More: nostalgebraist 2020, "interpreting GPT: the logit lens"; Geva et al. 2022, "Transformer feed-forward layers \
build predictions by promoting concepts in the vocabulary space"."""

    BINDINGS: ClassVar[list[BindingType]] = [
        moving("p", "unpin", "unpin", "layers_ranks.unpin", "Do not follow this token any more"),
    ]

    following: reactive[int] = reactive(-1)
    """The token that came next; -1 where it is not followed."""
    stop: reactive[int] = reactive(-1)
    """The number of the stop under the grid's cursor."""

    @dataclass
    class Unpin(Message):
        """A person has seen enough of a token."""

        token_id: int

    def watch_found(self, pinned: Pinned | None) -> None:
        if pinned is not None:
            self.cursor = max(0, min(self.cursor, len(pinned.ids) - 1))

    def numbers_of(self, found: Pinned) -> Table | None:
        """A row for each pinned token and each stop."""
        if not found.ids:
            return None
        column, count = found.column, len(found.ids)
        return {
            "after": [stop_name(stop) for stop in column.stops for _ in range(count)],
            **token_columns(self.tokenizer, found.ids * len(column.stops)),
            "rank": column.watched_ranks[:, 0].ravel() + 1,
            "prob": column.watched_probs[:, 0].ravel(),
        }

    @property
    def token_id(self) -> int:
        """The token under the cursor; -1 where nothing is pinned."""
        pinned = self.found
        return pinned.ids[self.cursor] if pinned is not None and self.cursor < len(pinned.ids) else -1

    def action_unpin(self) -> None:
        if self.token_id >= 0:
            self.post_message(self.Unpin(self.token_id))

    # ── Drawing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def lines_of(self, found: Pinned, width: int, height: int) -> Sheet | None:
        sheet = Sheet()
        if not found.ids:
            for words in wrap("Nothing is pinned: p pins the token of a cell, P the next one.", max(8, width)):
                sheet.add((words, self.tone("dim")))
            return sheet
        name = ROOMY_NAME if width >= ROOMY else 12
        shown, ends = self._stops(found.column, width - name)
        cell = max(CELL, min(WIDEST, (width - name) // max(1, len(shown))))
        lines = height - len(found.ids) - 1
        if lines >= CHART_FROM:
            self._chart(sheet, found, shown, name, cell, lines)
        head: Line = [(fit("  rank after", name), self.tone("dim"))]
        for row in shown:
            title = fit(row_name(found.column.stops[row], ends, ends or cell < 8), cell - 1, right=True)
            here = int(found.column.numbers[row]) == self.stop
            head.append((title + " ", self.tone("accent" if here else "dim")))
        sheet.add(*head)
        for n in range(len(found.ids)):
            sheet.choose(*self._row(found, n, shown, name, cell))
        return sheet

    def _stops(self, column: LensGrid, room: int) -> tuple[list[int], bool]:
        """Rows of the column that fit, and whether they are ends of layers only."""
        every = list(range(len(column.stops)))
        places = [stop_place(stop) for stop in column.stops]
        last = {layer: n for n, (layer, _) in enumerate(places)}
        ends = sorted(last.values())
        most = max(1, room // CELL)
        if len(every) <= most:
            return every, len(every) == len(ends)
        if len(ends) <= most:
            return ends, True
        # Evenly spaced, the first and the last among them, and the grid's row in place of its neighbour.
        shown = [round(n * (len(ends) - 1) / max(1, most - 1)) for n in range(most)]
        numbers = [int(n) for n in column.numbers]
        here = numbers.index(self.stop) if self.stop in numbers else 0
        at = next((n for n, end in enumerate(ends) if end >= here), 0)
        if at not in shown and most > 2:
            shown[min(range(1, most - 1), key=lambda n: abs(shown[n] - at))] = at
        return [ends[n] for n in sorted(set(shown))], True

    def _tone(self, n: int) -> Style:
        return self.tone(TONES[n % len(TONES)])

    def _row(self, pinned: Pinned, n: int, shown: list[int], name: int, cell: int) -> Line:
        token_id = pinned.ids[n]
        label = clip(token_label(self.tokenizer, token_id), name - 5)
        if n == 0 and token_id == self.following and name == ROOMY_NAME:
            label = fit(label, name - 10) + " next"
        line: Line = [
            (self.mark(n), self.tone("accent")),
            (LETTERS[n % len(LETTERS)] + " ", self._tone(n)),
            (fit(label, name - 4), self.tone("strong" if n == self.cursor else "")),
        ]
        styles = heat_styles(self.depth, self.heat)
        for row in shown:
            rank, prob = int(pinned.column.watched_ranks[row, 0, n]), float(pinned.column.watched_probs[row, 0, n])
            line += [(fit(short_rank(rank + 1), cell - 1, right=True), styles[level(prob)]), (" ", self.tone())]
        return line

    def _chart(self, sheet: Sheet, pinned: Pinned, shown: list[int], name: int, cell: int, lines: int) -> None:
        ranks = pinned.column.watched_ranks[shown, 0] + 1
        centres = [n * cell + cell - 2 for n in range(len(shown))]
        chart = rank_chart(ranks, centres, cell * len(shown), lines, self.cursor)
        ticks = chart_ticks(int(ranks.max(initial=1)), lines)
        for n in range(lines):
            tick = f"rank {ticks[n]}" if n == 0 else ticks.get(n, "")
            pieces: Line = [(fit(tick, name - 2, right=True) + (" ┤" if tick else " │"), self.tone("dim"))]
            text, owner = "", -1
            for glyph, whose in zip(chart.glyphs[n], chart.owners[n], strict=True):
                if whose != owner and text:
                    pieces.append((text, self._tone(owner) if owner >= 0 else self.tone()))
                    text = ""
                text, owner = text + glyph, whose
            pieces.append((text, self._tone(owner) if owner >= 0 else self.tone()))
            sheet.add(*pieces)
