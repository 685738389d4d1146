"""How likely each way to go on from one prompt was, at every step of the training.

For: seeing when a model learned what. Not for: the distribution at one moment (`NextTokenPane`).
"""

from typing import ClassVar

import numpy as np
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.reactive import reactive
from textual.strip import Strip as Line

from gpttui.protocol.train import Probe
from gpttui.sessions.view_files import Table
from gpttui.text import safe_text
from gpttui.tui.palette import ColourDepth, levels, ramp_glyph
from gpttui.tui.renderables.heat_strip import Strip, strip
from gpttui.tui.renderables.labels import clip, fit, percent, token_label
from gpttui.tui.renderables.legend import legend_pieces
from gpttui.tui.tables import token_columns
from gpttui.tui.widgets.pane import Pane, Piece, moving

LABEL, NUMBER = 7, 6
TOPS = (0.1, 0.2, 0.5, 1.0)
NO_PROBES = "the prompt's candidates show here while the model trains"


class HeatStripPane(Pane):
    """Candidates as rows, steps as columns, probabilities as colours; a cursor reads them off."""

    NAME: ClassVar[str] = "prompt"
    HELP: ClassVar[str] = """\
The model is asked again and again during training: what follows this **prompt**? Each row is one candidate, time \
runs to the right, the colour is its probability, softmax over the whole vocabulary at temperature 1. On the right \
stands the probability now, or at the cursor.

The rows are the candidates that are likeliest now (at the cursor: then). A cell that stands for several looks shows \
the largest; the scale below ends at the round number above \
them all. Dark from the left edge to some point, then bright: that is the moment when the model learned it.

`←` `→` move the cursor through the steps; the mouse reads off a cell.

More: *Emergent and predictable memorization in large language models*, Biderman et al. (2023), watches single \
facts in this way."""

    BINDINGS: ClassVar[list[BindingType]] = [
        moving("left,h", "move(-1)", "earlier", "strip.left", "The step before"),
        moving("right,l", "move(1)", "later", "strip.right", "The step after"),
        moving("0", "unmark", "now", "strip.now", "Follow the newest step"),
    ]

    probes: reactive[tuple[Probe, ...]] = reactive((), always_update=True)
    prompt: reactive[str] = reactive("")
    column: reactive[int | None] = reactive(None)
    """The column under the cursor; None: the newest step."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.waiting = NO_PROBES
        self._strip: Strip | None = None
        self._read = ""
        """What the mouse has read off; empty for the newest step, or the one at the cursor."""

    @property
    def columns(self) -> int:
        return max(1, self.scrollable_content_region.width - LABEL - NUMBER - 2)

    @property
    def _rows(self) -> int:
        return max(0, self.scrollable_content_region.height - 1)

    def _again(self) -> None:
        if not self.is_mounted:
            return
        whole = strip(self.probes, self._rows, self.columns)
        if whole is not None and self.column is not None:
            at = int(whole.steps[min(self.column, len(whole.steps) - 1)])
            whole = strip(self.probes, self._rows, self.columns, at)
        self._strip, self._read = whole, ""
        self.refresh()

    watch_probes = watch_column = on_mount = on_resize = _again

    def titles(self) -> tuple[str, str]:
        words = clip(safe_text(self.prompt or "⏎").replace("\n", "⏎"), 30)
        return f"What follows “{words}”", self._read or ("" if self._strip is None else f"step {self._strip.at:,}")

    def table(self) -> Table | None:
        """Every look at the prompt, not only those that have a column: a row for each candidate."""
        if not self.probes:
            return None
        counts = [len(probe.ids) for probe in self.probes]
        return {
            "prompt": self.prompt,
            "step": np.repeat([probe.step for probe in self.probes], counts),
            "rank": np.concatenate([np.arange(1, count + 1) for count in counts]),
            **token_columns(self.tokenizer, np.concatenate([probe.ids for probe in self.probes])),
            "prob": np.concatenate([probe.probs for probe in self.probes]),
        }

    def render_line(self, y: int) -> Line:
        found = self._strip
        if found is None:
            return self.empty_row(y)
        if y >= self._rows:
            return self.row(self._axis(found))
        if y >= len(found.ids):
            return self.row([])
        label = fit(token_label(self.tokenizer, int(found.ids[y])), LABEL)
        pieces: list[Piece] = [(label, self.tone("strong")), (" ", self.tone())]
        pieces += self._cells(levels(found.probs[y], self._top).tolist())
        return self.row([*pieces, (fit(percent(float(found.now[y])), NUMBER + 1, right=True), self.tone())])

    def _cells(self, steps: list[int]) -> list[Piece]:
        pieces: list[Piece] = []
        for n, step in enumerate(steps):
            marked = n == self.column
            if self.depth < ColourDepth.INDEXED:
                pieces.append((ramp_glyph(step), Style(reverse=marked)))
            else:
                pieces.append(("│" if marked else " ", Style(bgcolor=self.heat[step], color="#ffffff")))
        return pieces

    @property
    def _top(self) -> float:
        """The end of the colour scale: the least round number that no cell exceeds."""
        most = 0.0 if self._strip is None else float(self._strip.probs.max())
        return next((top for top in TOPS if top >= most), 1.0)

    def _axis(self, found: Strip) -> list[Piece]:
        dim = self.tone("dim")
        first, last = f"{int(found.steps[0]):,}", f"{int(self.probes[-1].step):,}"
        room = self.columns - len(first) - len(last) - 2
        middle: list[Piece] = (
            legend_pieces("0%", f"{self._top:.0%}", min(24, room), self.depth, self.heat, dim) if room >= 16 else []
        )
        used = sum(len(text) for text, _ in middle)
        left = max(1, (self.columns - len(first) - len(last) - used) // 2)
        right = max(1, self.columns - len(first) - len(last) - used - left)
        return [(" " * (LABEL + 1) + first + " " * left, dim), *middle, (" " * right + last, dim)]

    # ── Reading off ───────────────────────────────────────────────────────────────────────────────────────────────

    def action_move(self, by: int) -> None:
        here = self.columns - 1 if self.column is None else self.column
        there = here + by
        self.column = None if there >= self.columns else max(0, there)

    def action_unmark(self) -> None:
        self.column = None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        at = event.get_content_offset(self)
        if self._strip is None or at is None:
            return
        column, row = at.x - LABEL - 1, at.y
        if 0 <= column < self._strip.probs.shape[1] and row < len(self._strip.ids):
            label = token_label(self.tokenizer, int(self._strip.ids[row]))
            prob = percent(float(self._strip.probs[row, column]))
            self._read = f"{label} {prob} · step {int(self._strip.steps[column]):,}"
            self.entitle()

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        if at is not None and 0 <= at.x - LABEL - 1 < self.columns:
            self.column = at.x - LABEL - 1
