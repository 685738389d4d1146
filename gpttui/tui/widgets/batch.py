"""The rows that the model trains on right now, each token coloured by its loss.

For: one batch of a run. Not for: the loss over time (`LossPane`) or a person's own text (`TokensPane`).
"""

from math import exp, isnan, log
from typing import ClassVar, NamedTuple

import numpy as np
from textual import events
from textual.binding import BindingType
from textual.reactive import reactive
from textual.strip import Strip

from gpttui.protocol.train import BatchLosses
from gpttui.records import Array
from gpttui.sessions.view_files import Table
from gpttui.tui.palette import STEPS, ColourDepth, heat_styles, levels
from gpttui.tui.renderables.candidates import fitting
from gpttui.tui.renderables.labels import percent, quoted_label
from gpttui.tui.renderables.legend import legend_pieces
from gpttui.tui.renderables.token_flow import TokenFlow
from gpttui.tui.tables import token_columns
from gpttui.tui.widgets.pane import Pane, Piece, moving

NO_BATCH = "the batch shows here with the first step"
MARGIN = 2
"""Cells before a row's text, for its number."""


class Row(NamedTuple):
    flow: TokenFlow
    ids: Array
    losses: Array
    first_line: int


class BatchPane(Pane):
    """Rows one below the other, a legend, and the token under the cursor in numbers."""

    HELP: ClassVar[str] = """\
A few rows of the current **batch**: the text that this very step learns from. Each token's colour is its **loss**, \
−ln p nats, where p is the probability that the model, with its present weights, gave it from what stands before it \
in the row. Bright tokens surprised it, dark ones it saw coming; the mean of all rows is the training loss.

The scale ends at ln of the vocabulary's size, a blind guess. The first token of a row has no loss, nothing \
stands before it; padding has none either and is left out.

`←` `→` `↑` `↓` move the cursor; below stand the token's loss and probability.

More: Bengio et al., *A neural probabilistic language model* (2003), which is trained by this very loss."""

    BINDINGS: ClassVar[list[BindingType]] = [
        moving("left,h", "move(-1)", "token before", "batch.left", "The token before"),
        moving("right,l", "move(1)", "token after", "batch.right", "The token after"),
        moving("up", "move_row(-1)", "row above", "batch.up", "The row above"),
        moving("down", "move_row(1)", "row below", "batch.down", "The row below"),
    ]
    DEFAULT_CSS = "BatchPane { padding: 0 0 0 1; }"

    losses: reactive[BatchLosses | None] = reactive(None)

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.waiting = NO_BATCH
        self._rows: list[Row] = []
        self._cursor = (0, 1)

    @property
    def rows_wanted(self) -> int:
        """Rows that can be seen, about: each takes at least a line."""
        return max(1, min(8, self.scrollable_content_region.height - 2))

    def _lay_out(self) -> None:
        if not self.is_mounted:
            return
        self._rows = []
        batch, line = self.losses, 0
        width = max(1, self.scrollable_content_region.width - MARGIN)
        if batch is not None:
            for ids, losses in zip(batch.ids, batch.losses_nats, strict=True):
                kept = ids >= 0
                kept[0] = True
                flow = TokenFlow(self.tokenizer, width)
                flow.set_ids(ids[kept])
                self._rows.append(Row(flow, ids[kept], losses[kept], line))
                line += flow.height
        self.refresh()

    watch_losses = watch_tokenizer = on_resize = on_mount = _lay_out

    def titles(self) -> tuple[str, str]:
        batch = self.losses
        if batch is None:
            return "Batch", ""
        elsewhere = f" · weights of {batch.weights_step:,}" if batch.weights_step != batch.step else ""
        shown = f"{len(self._rows)} of {batch.rows_in_all:,} rows · {self._mean():.2f} nats"
        return f"Batch of step {batch.step:,}{elsewhere}", shown

    def table(self) -> Table | None:
        """The rows token by token, nan where one has no loss; padding is left out."""
        batch, rows = self.losses, self._rows
        if batch is None or not rows:
            return None
        lengths = [len(row.ids) for row in rows]
        return {
            "step": batch.step,
            "weights_step": batch.weights_step,
            "row": np.repeat(np.arange(1, len(rows) + 1), lengths),
            "position": np.concatenate([np.arange(1, length + 1) for length in lengths]),
            **token_columns(self.tokenizer, np.concatenate([row.ids for row in rows])),
            "loss_nats": np.concatenate([row.losses for row in rows]),
        }

    def _mean(self) -> float:
        every = np.concatenate([row.losses for row in self._rows]) if self._rows else np.empty(0)
        return float(np.nanmean(every)) if np.isfinite(every).any() else float("nan")

    @property
    def _top(self) -> float:
        return log(max(3, self.tokenizer.vocab_size)) if self.tokenizer else 6.0

    # ── Drawing ───────────────────────────────────────────────────────────────────────────────────────────────────

    def render_line(self, y: int) -> Strip:
        if not self._rows:
            return self.empty_row(y)
        from_bottom = self.scrollable_content_region.height - 1 - y
        if from_bottom == 0:
            return self.row(self._detail())
        if from_bottom == 1 and self.scrollable_content_region.height > 4:
            return self.row(self._legend())
        return self.row(self._text(y))

    def _text(self, y: int) -> list[Piece]:
        for number, row in enumerate(self._rows):
            if row.first_line <= y < row.first_line + row.flow.height:
                heat, values = heat_styles(self.depth, self.heat), levels(row.losses, self._top)
                lead = f"{number + 1} " if y == row.first_line else "  "
                pieces: list[Piece] = [(lead, self.tone("dim"))]
                for piece in row.flow.line(y - row.first_line):
                    unknown = isnan(float(row.losses[piece.token]))
                    style = self.tone("dim") if unknown else heat[int(values[piece.token])]
                    if (number, piece.token) == self._cursor and self.has_focus:
                        style = self.tone("invert")
                    pieces.append((piece.text, style))
                return pieces
        return []

    def _legend(self) -> list[Piece]:
        dim = self.tone("dim")
        if self.depth < ColourDepth.INDEXED:
            heat = heat_styles(self.depth, self.heat)
            samples = [(f" {self._top * step / STEPS:.1f} ", heat[step]) for step in (0, 1, 8, 16, 24)]
            return [("loss  ", dim), *samples, (f"  to {self._top:.1f} nats", dim)]
        width = min(40, self.scrollable_content_region.width - 8)
        return [("loss  ", dim), *legend_pieces("0", f"{self._top:.1f} nats", width, self.depth, self.heat, dim)]

    def _detail(self) -> list[Piece]:
        row_at, at = self._cursor
        row = self._rows[min(row_at, len(self._rows) - 1)]
        at = min(at, len(row.ids) - 1)
        dim, plain = self.tone("dim"), self.tone()
        parts: list[list[Piece]] = [[(quoted_label(self.tokenizer, int(row.ids[at]), 16), self.tone("accent"))]]
        loss = float(row.losses[at])
        if isnan(loss):
            parts.append([("begins the row: no loss", dim)])
        else:
            parts.append([("loss ", dim), (f"{loss:.2f}", plain), (" nats", dim)])
            parts.append([("p ", dim), (percent(exp(-loss)), plain)])
        return fitting(parts, self.scrollable_content_region.width, plain)

    # ── The cursor ────────────────────────────────────────────────────────────────────────────────────────────────

    def _go(self, row: int, token: int) -> None:
        if self._rows:
            row = max(0, min(len(self._rows) - 1, row))
            self._cursor = (row, max(0, min(len(self._rows[row].ids) - 1, token)))
            self.refresh()

    def action_move(self, by: int) -> None:
        self._go(self._cursor[0], self._cursor[1] + by)

    def action_move_row(self, by: int) -> None:
        self._go(self._cursor[0] + by, self._cursor[1])

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        if at is None:
            return
        for number, row in enumerate(self._rows):
            token = row.flow.token_at(at.x - MARGIN, at.y - row.first_line)
            if token is not None and row.first_line <= at.y < row.first_line + row.flow.height:
                self._go(number, token)
