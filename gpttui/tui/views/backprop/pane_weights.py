"""Into the weights: any matrix as a signed map, a cursor on one weight, and what its gradient means.

For: the fourth part of a step. Not for: how the optimiser makes a step of the gradient (`pane_update`).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from rich.style import Style
from textual.binding import BindingType
from textual.message import Message
from textual.reactive import reactive

from gpttui.protocol.backprop import MatrixPart, OneWeight, StepRow, Table, TakenApart
from gpttui.sessions.view_files import Table as Columns
from gpttui.tui.palette import diverging, text_on
from gpttui.tui.renderables.compare import beside
from gpttui.tui.renderables.labels import clip, fit
from gpttui.tui.renderables.signed import signed_steps, signed_strip
from gpttui.tui.views.backprop.draw_nudge import Nudge, nudge_lines
from gpttui.tui.views.backprop.pane_part import PartPane
from gpttui.tui.views.backprop.words import plain, small, weight_name
from gpttui.tui.widgets.lines import Line, Sheet, hit
from gpttui.tui.widgets.pane import moving, showing

SHOWN: tuple[Table, ...] = ("gradient", "value", "update")
RAISE = 0.001
"""What the sentence raises a weight by."""
LABEL, CELL = 9, 2
SIDE = 44
"""Cells of what stands beside the map."""
SIDE_FROM = 72
LEAST_MAP = 4
STACKED = 9
"""Lines below the map, where the two stand one above the other."""
OF_TOKENS = ("transformer.wte.weight", "lm_head.weight")


class WeightsPane(PartPane):
    """A window on one matrix; beside it the weight under the cursor, nudged by hand."""

    PART: ClassVar[str] = "4 Into the weights"
    NAME: ClassVar[str] = "weights"
    HINT: ClassVar[str] = "arrows move · + - nudge · u undo · t largest · v values · [ ] another matrix"
    FORMULA: ClassVar[tuple[str, ...]] = (
        "gradient of a weight: d loss / d w     for a matrix W in y = W x:  dL/dW = (dL/dy) x^T, summed over places",
        "loss(w + e) = loss(w) + e · dL/dw + what bends      measured slope: (loss(w + h) - loss(w - h)) / 2h",
    )
    HELP: ClassVar[str] = """\
**What you see.** One of the model's matrices, a cell for each **weight**: its *gradient*, its *value*, or its \
*update* (`v`). One colour is positive, the other negative, the brightest is the largest of the whole matrix.

A weight's **gradient** is a slope: by how much the loss of this batch would change, for each 1 that the weight is \
raised, if it went on as it begins. Below 0: raising the weight lowers the loss. The step will move each weight \
against its gradient. Every weight of the model gets its own number, all in one pass backwards.

**Try it.** `+` and `-` nudge the weight under the cursor by hand (`<` `>` choose the size, `u` takes the last nudge \
back, `0` all of them). The batch's loss is then *measured*, with that one weight changed and all others as they were \
before the step. Beside it stands what the gradient says, gradient × nudge: a straight line through where we are. \
Near by, both are the same; far away the true loss bends away from the line. That is what a gradient is, and why \
steps are small.

*Slope measured* is (loss(w + h) − loss(w − h)) / 2h with h = 0.00001, in double precision. Backpropagation finds the \
same number without trying anything.

Arrows move the cursor, `t` puts it on the largest cell of the matrix, `[` `]` choose the matrix, `{` `}` the same \
one of another layer. Nothing that you do here changes the model or the run.

More: Baydin et al., *Automatic differentiation in machine learning: a survey* (2018)."""

    BINDINGS: ClassVar[list[BindingType]] = [
        moving("up,k", "weight(-1,0)", "up", "weights.up", "The row above"),
        moving("down,j", "weight(1,0)", "down", "weights.down", "The row below"),
        moving("left,h", "weight(0,-1)", "left", "weights.left", "The column before"),
        moving("right,l", "weight(0,1)", "right", "weights.right", "The next column"),
        moving("pageup", "weight(-10,0)", "up", "weights.page_up", "Ten rows up"),
        moving("pagedown", "weight(10,0)", "down", "weights.page_down", "Ten rows down"),
        moving("home", "weight(0,-9999999)", "first", "weights.home", "The first column"),
        moving("end", "weight(0,9999999)", "last", "weights.end", "The last column"),
        showing("plus,equals_sign", "nudge(1)", "nudge", "weights.raise", "Raise this weight, and measure the loss"),
        showing("minus", "nudge(-1)", "nudge", "weights.lower", "Lower this weight, and measure the loss"),
        showing("less_than_sign", "nudge_size(-1)", "size", "weights.smaller", "Smaller nudges"),
        showing("greater_than_sign", "nudge_size(1)", "size", "weights.larger", "Larger nudges"),
        showing("u", "undo", "undo", "weights.undo", "Take the last nudge back"),
        moving("0", "undo(True)", "as it was", "weights.reset", "Take all nudges of this weight back"),
        showing("v", "shown", "gradient/value", "weights.shown", "Gradients, values, or updates"),
        showing("t", "largest", "largest", "weights.largest", "To the largest cell of this matrix"),
    ]

    found: reactive[MatrixPart | None] = reactive(None, always_update=True)
    weight: reactive[OneWeight | None] = reactive(None, always_update=True)
    shown: reactive[Table] = reactive("gradient")
    matrix: reactive[int] = reactive(0)
    """Which of the step's matrices."""
    at: reactive[tuple[int, int]] = reactive((0, 0))
    """The weight under the cursor: row and column."""

    @dataclass
    class Went(Message):
        """Another weight, matrix, or kind of number is wanted."""

    @dataclass
    class Nudged(Message):
        """The weight under the cursor was moved by hand, or its chart made wider."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id)
        self.nudge = Nudge()
        self._corner = (0, 0)
        """Row and column in the upper left corner."""
        self._sought = ""
        """The matrix whose largest cell the cursor goes to, once it is known."""

    # ── Which weight ─────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def ready(self) -> bool:
        return self.found is not None

    @property
    def wanted(self) -> str:
        """The parameter's own name."""
        names = self.taken.names if self.taken is not None else ()
        return names[self.matrix % len(names)] if names else ""

    @property
    def shape(self) -> tuple[int, int]:
        if self.taken is None or not self.wanted:
            return 1, 1
        rows, columns = self.taken.shapes[self.matrix % len(self.taken.names)].tolist()
        return max(1, int(rows)), max(1, int(columns))

    def begin(self, taken: TakenApart) -> None:
        """A step was taken: on the first one the cursor goes to a matrix that says much, the last MLP's."""
        if self.taken is None:
            wanted = f"transformer.h.{taken.n_layer - 1}.mlp.c_proj.weight"
            self.matrix = taken.names.index(wanted) if wanted in taken.names else 0
            self._sought = taken.names[self.matrix] if taken.names else ""
        self.taken = taken
        self.matrix = min(self.matrix, max(0, len(taken.names) - 1))
        self._forget()

    def _forget(self) -> None:
        self.nudge = Nudge(size=self.nudge.size)

    def window(self) -> tuple[int, int, int, int]:
        """First row, rows, first column and columns of what can be seen, the cursor among them."""
        region, (rows, columns) = self.scrollable_content_region, self.shape
        width = region.width - SIDE - 2 if region.width >= SIDE_FROM else region.width
        lines = region.height - 6 if region.width >= SIDE_FROM else region.height - 6 - STACKED
        fit_rows = min(rows, max(LEAST_MAP, lines))
        fit_columns = min(columns, max(1, (width - LABEL) // CELL))
        first = []
        for at, seen, count, old in zip(self.at, (fit_rows, fit_columns), (rows, columns), self._corner, strict=True):
            first.append(max(0, min(count - seen, max(at - seen + 1, min(old, at)))))
        self._corner = first[0], first[1]
        return first[0], fit_rows, first[1], fit_columns

    def take(self, found: MatrixPart) -> None:
        """An answer; of a matrix that is seen for the first time the cursor goes to its largest cell."""
        if found.name == self._sought:
            self._sought = ""
            self.go_to(found.top_row, found.top_column)
        self.found = found

    def go_to(self, row: int, column: int) -> None:
        rows, columns = self.shape
        place = max(0, min(rows - 1, row)), max(0, min(columns - 1, column))
        if place != self.at:
            self.at = place
            self._forget()
            self.post_message(self.Went())

    def turn(self, by: int) -> None:
        """Another matrix."""
        if self.taken is not None and self.taken.names:
            self.matrix = (self.matrix + by) % len(self.taken.names)
            self._sought = self.wanted
            self._corner = self.at = 0, 0
            self._forget()
            self.post_message(self.Went())

    def turn_layer(self, by: int) -> None:
        """The same matrix of another layer."""
        taken = self.taken
        if taken is None:
            return
        layer = int(taken.parts[self.matrix]) - 1
        if 0 <= layer < taken.n_layer:
            other = self.wanted.replace(f".h.{layer}.", f".h.{(layer + by) % taken.n_layer}.")
            if other in taken.names:
                self.turn(taken.names.index(other) - self.matrix)

    # ── Drawing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def titles(self) -> tuple[str, str]:
        if self.taken is None or not self.wanted:
            return self.PART, ""
        rows, columns = self.shape
        return self.PART, f"{weight_name(self.wanted)} · {rows:,} × {columns:,} · {self.shown}s"

    def says(self, taken: TakenApart, row: StepRow) -> str:
        one = self.weight
        name = weight_name(self.wanted)
        if one is None:
            return f"{name}: every weight has its own gradient."
        place = f"row {one.row + 1:,}, column {one.column + 1:,}"
        change = one.gradient * RAISE
        raised = (
            f"Raising it by {RAISE:g} {'raises' if change > 0 else 'lowers'} this batch's loss by {plain(abs(change))}"
        )
        if not change:
            raised = "Its gradient is 0: a small change of it does nothing to this batch's loss"
        numbers = f"value {small(one.before)}, gradient {small(one.gradient, sign=True)}"
        return f"{weight_name(one.name)}, {place}: {numbers}. {raised}."

    def body(self, sheet: Sheet, taken: TakenApart, row: StepRow, width: int, height: int) -> None:
        found, one = self.found, self.weight
        assert found is not None
        roomy = width >= SIDE_FROM
        map_width = width - SIDE - 2 if roomy else width
        lines = self._map(found, map_width)
        side: list[Line] = []
        if one is not None:
            side_width = SIDE if roomy else width
            side = nudge_lines(self.nudge, one.before, one.gradient, side_width, height if roomy else STACKED, self.ink)
        if roomy:
            sheet.extend(beside(lines, side, map_width, 2))
        else:
            sheet.extend([*lines, *side])

    def _map(self, found: MatrixPart, width: int) -> list[Line]:
        """The window, a line for each row; the cursor in brackets."""
        dim, ink = self.tone("dim"), self.ink
        seen = max(1, (width - LABEL) // CELL)
        values = found.values[:, :seen]
        columns = f"{found.first_column + 1:,} …" if found.values.size else ""
        lines: list[Line] = [[(fit(f"{weight_name(found.name)}", width), self.tone("accent"))]]
        head: Line = [(fit("column", LABEL - 1, right=True) + " ", dim), (fit(columns, max(0, seen * CELL)), dim)]
        lines.append(head)
        table = diverging(ink.dark)
        for n, row in enumerate(values):
            number = found.first_row + n
            line: Line = [(self._row_label(found.name, number), self.tone("accent") if number == self.at[0] else dim)]
            glyphs = signed_strip(row, len(row), found.top, ink.depth, ink.dark) if not ink.coloured else []
            for m, step in enumerate(signed_steps(row, found.top).tolist()):
                here = (number, found.first_column + m) == self.at
                place = hit(number, found.first_column + m)
                if ink.coloured:
                    style = Style(bgcolor=table[step], color=text_on(table[step]), bold=here)
                    line.append(("[]" if here else "  ", style + place))
                else:
                    glyph, style = glyphs[m]
                    line.append((f"[{glyph}" if here else f" {glyph}", style + place))
            lines.append(line)
        return lines

    def _row_label(self, name: str, row: int) -> str:
        vocab = self.tokenizer.vocab_size if self.tokenizer is not None else 0
        if name in OF_TOKENS and row < vocab:
            return fit(clip(self.label(row, LABEL - 3), LABEL - 1), LABEL - 1, right=True) + " "
        return fit(f"{row + 1:,}", LABEL - 1, right=True) + " "

    def table(self) -> Columns | None:
        """The window, a row for each weight."""
        found = self.found
        if found is None or not found.values.size:
            return None
        rows, columns = np.indices(found.values.shape)
        return {
            "weight": found.name,
            "row": (rows + found.first_row + 1).ravel(),
            "column": (columns + found.first_column + 1).ravel(),
            found.what: found.values.ravel(),
        }

    # ── Keys ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def on_resize(self) -> None:
        if self.taken is not None:
            self.post_message(self.Went())

    def pressed(self, place: tuple[int, ...]) -> None:
        self.go_to(place[0], place[1])

    def action_weight(self, down: int, right: int) -> None:
        self.go_to(self.at[0] + down, self.at[1] + right)

    def action_shown(self) -> None:
        self.shown = SHOWN[(SHOWN.index(self.shown) + 1) % len(SHOWN)]
        self.post_message(self.Went())

    def action_largest(self) -> None:
        if self.found is not None and self.found.name == self.wanted:
            self.go_to(self.found.top_row, self.found.top_column)

    def _moved(self) -> None:
        self.refresh()
        self.post_message(self.Nudged())

    def action_nudge(self, by: int) -> None:
        if self.weight is None:
            return
        self.nudge.move(by)
        self._moved()

    def action_nudge_size(self, by: int) -> None:
        self.nudge.resize(by)
        self._moved()

    def action_undo(self, all_of_them: bool = False) -> None:
        if all_of_them:
            self.nudge.deltas[:] = [0.0]
        else:
            self.nudge.undo()
        self._moved()
