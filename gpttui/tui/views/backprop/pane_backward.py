"""Backwards: the gradient of the residual stream on its way from the head to the embedding, and through the heads.

For: the third part of a step. Not for: gradients of weights (`pane_weights`).
"""

from typing import ClassVar

import numpy as np
from textual.binding import BindingType
from textual.reactive import reactive

from gpttui.protocol.backprop import Backward, StepRow, TakenApart
from gpttui.sessions.view_files import Table
from gpttui.tui.renderables.bars import bar
from gpttui.tui.renderables.charts import stop_name, stop_place
from gpttui.tui.renderables.compare import beside
from gpttui.tui.renderables.labels import fit, percent
from gpttui.tui.renderables.streams import lying
from gpttui.tui.views.backprop.pane_part import PartPane
from gpttui.tui.views.backprop.words import small
from gpttui.tui.widgets.lines import Line, Sheet
from gpttui.tui.widgets.pane import moving, showing

STOP, FIGURE = 19, 9
SIDE_BY_SIDE = 110
"""Width from which on the heads stand beside the stream."""
MOST_TOKENS = 8


class BackwardPane(PartPane):
    """One line a stop, from the head down to the embedding; below or beside it what the layer's heads pass on."""

    PART: ClassVar[str] = "3 Backwards: the error travels through the layers"
    NAME: ClassVar[str] = "backwards"
    HINT: ClassVar[str] = "↑ ↓ another layer · [ ] a head · ← → another token · c one scale for all"
    FORMULA: ClassVar[tuple[str, ...]] = (
        "forwards   x <- x + part(x)",
        "backwards  g <- g + J^T g      g = d loss / d x, J the derivative of the part",
        "passed to token j: pattern[i, j] x (d loss / d z_i . v_j)",
    )
    HELP: ClassVar[str] = """\
**What you see.** The journey in reverse. Each strip is the **gradient of the residual stream** at the chosen token: \
for each of its numbers, how the loss would change if that number were a little larger. One colour is positive, the \
other negative; a strip's brightest colour is its own largest number.

Forwards each attention and each MLP *adds* to the stream, so backwards each one adds to the gradient what it passes \
back (the **chain rule**): *length* is that of the whole gradient there, *added* that of what the part put in. The \
gradient is never replaced, and so reaches the first layer: that is what residual connections are for.

    x ← x + part(x)        g ← g + Jᵀ g      g = ∂loss/∂x, J the part's derivative

**Passed to earlier tokens.** Attention read from earlier tokens, and through it the error goes back to them. For \
each head and earlier token you see *gradient × value*, pattern[i, j] · (∂loss/∂z_i · v_j): how the loss would grow \
if the head had read a little more of that token. Below 0: more of it would have helped. Above 0: that token should \
have said something else, and learns so.

`↑` `↓` (or `{` `}`) choose the layer, `[` `]` a head (0: all heads summed), `←` `→` the token, `f` goes on.

More: Rumelhart, Hinton and Williams, *Learning representations by back-propagating errors* (1986)."""

    BINDINGS: ClassVar[list[BindingType]] = [
        moving("up,k", "move(-1)", "nearer the loss", "backward.up", "The stop nearer to the loss"),
        moving("down,j", "move(1)", "further back", "backward.down", "The stop further back"),
        showing("c", "turn_scale", "scale", "backward.scale", "A scale for each strip, or one for all"),
    ]  # fmt: skip

    found: reactive[Backward | None] = reactive(None, always_update=True)
    head: reactive[int] = reactive(-1)
    """Of the layer's; -1: all of them summed."""
    shared_scale: reactive[bool] = reactive(False)

    @property
    def ready(self) -> bool:
        return self.found is not None

    def action_turn_scale(self) -> None:
        self.shared_scale = not self.shared_scale

    @property
    def at_layer(self) -> int:
        """That the cursor is in; -1 at the embedding."""
        found = self.found
        if found is None or not 0 <= self.cursor < len(found.stops):
            return -1
        return stop_place(found.stops[::-1][self.cursor])[0]

    def go_to_layer(self, layer: int) -> None:
        """Put the cursor on its MLP, the first of it on the way back."""
        found = self.found
        if found is not None:
            stops = found.stops[::-1]
            self.go(next((n for n, stop in enumerate(stops) if stop_place(stop)[0] == layer), len(stops) - 1))

    def says(self, taken: TakenApart, row: StepRow) -> str:
        found = self.found
        assert found is not None
        at = found.position
        token = self.label(int(row.ids[at])) if at < len(row.ids) else "the token"
        first, last = float(found.lengths[-1, at]), float(found.lengths[0, at])
        if not first and not last:
            return f"No error reaches {token}: nothing that counts is predicted from it."
        return (
            f"From the logits the error travels back to the embedding. Each strip says how the loss would change with "
            f"each number of the vector at {token}: its length is {small(first)} at the last layer, "
            f"{small(last)} at the first."
        )

    def body(self, sheet: Sheet, taken: TakenApart, row: StepRow, width: int, height: int) -> None:
        found = self.found
        assert found is not None
        roomy = width >= SIDE_BY_SIDE
        left = width * 3 // 5 if roomy else width
        heads = self._heads(found, row, width - left - 3) if roomy else self._heads(found, row, width)
        start = len(sheet.lines)
        self._stream(sheet, found, left)
        if roomy:
            block = sheet.lines[start:]
            sheet.lines[start:] = beside(block, heads, left, 3)
        else:
            sheet.add(("", self.tone()))
            sheet.extend(heads)

    def _stream(self, sheet: Sheet, found: Backward, width: int) -> None:
        dim, at = self.tone("dim"), found.position
        lengths = found.lengths[:, at]
        bars = 8 if width >= 84 else 0
        strip = max(4, width - 4 - STOP - 2 * FIGURE - bars - 1)
        sheet.add((fit("  ◀ logits: p - y", 4 + STOP + strip), dim),
                  (fit("length", FIGURE, right=True) + " " * bars + fit("added", FIGURE, right=True), dim))  # fmt: skip
        top = float(np.abs(found.gradients).max(initial=0.0))
        longest = float(lengths.max(initial=0.0)) or 1.0
        for n, stop in enumerate(reversed(found.stops)):
            number = len(found.stops) - 1 - n
            vector, added = found.gradients[number], float(found.added[number])
            scale = top if self.shared_scale else float(np.abs(vector).max(initial=0.0))
            pieces = lying(vector, scale, strip, self.ink)
            drawn = sum(len(text) for text, _ in pieces)
            line: Line = [(self.mark(n), self.tone("accent")), ("▼ ", dim)]
            line.append((fit(stop_name(stop), STOP), self.tone("accent" if n == self.cursor else "")))
            line += [*pieces, (" " * max(0, strip - drawn), self.tone())]
            line.append((fit(small(float(lengths[number])), FIGURE, right=True), self.tone("strong")))
            if bars:
                line.append((" " + fit(bar(float(lengths[number]) / longest, bars - 1), bars - 1), self.tone("bar")))
            line.append((fit(small(added) if number else "", FIGURE, right=True), dim))
            sheet.choose(*line)

    def _heads(self, found: Backward, row: StepRow, width: int) -> list[Line]:
        """What the layer's heads pass on to earlier tokens: the tokens with most of it, then each head as a strip."""
        at, dim = found.position, self.tone("dim")
        passed, pattern = found.passed[:, : at + 1], found.pattern[:, : at + 1]
        head = self.head if 0 <= self.head < len(passed) else -1
        lines: list[Line] = [[(f"Layer {found.layer + 1}'s heads passed on to earlier tokens", self.tone("strong"))]]
        lines.append([(fit("below 0: more of it would have helped", width), dim)])
        strip = max(4, width - 11)
        top = float(np.abs(passed).max(initial=0.0))
        strips = list[Line]()
        for n, values in enumerate(passed):
            tone = self.tone("accent" if n == head else "")
            strips.append(
                [(f"{'▸ ' if n == head else '  '}head {n + 1:<3} ", tone), *lying(values, top, strip, self.ink)]
            )
        sums = passed.sum(axis=0) if head < 0 else passed[head]
        most = np.argsort(-np.abs(sums), kind="stable")[: MOST_TOKENS if width < SIDE_BY_SIDE // 2 else 3]
        biggest = float(np.abs(sums).max(initial=0.0)) or 1.0
        whose = "all heads summed" if head < 0 else f"head {head + 1} alone"
        name_cells = 17 if width < 60 else 24
        cells = max(0, width - name_cells - FIGURE - 11)
        lines.append([(fit(whose, name_cells), self.tone("accent")), (fit("passed", FIGURE + 1, right=True), dim),
                      (fit("read", 8, right=True), dim)])  # fmt: skip
        for n in most.tolist():
            if not sums[n]:
                continue
            name = f"{n + 1} {self.label(int(row.ids[n]), name_cells - 6)}" if n < len(row.ids) else str(n + 1)
            read = float(pattern[:, n].mean() if head < 0 else pattern[head, n])
            value = float(sums[n])
            tone = self.tone("bar" if value < 0 else "warn")
            lines.append([
                (fit(name, name_cells), self.tone()),
                (fit(small(value, sign=True), FIGURE + 1, right=True), tone),
                (fit(percent(read), 8, right=True) + "  ", self.tone()),
                (fit(bar(abs(value) / biggest, cells), cells), tone),
            ])  # fmt: skip
        return [*lines, *strips]

    def table(self) -> Table | None:
        """Length and what was added at each stop."""
        found = self.found
        if found is None:
            return None
        return {
            "row": found.row + 1,
            "position": found.position + 1,
            "stop": [stop_name(stop) for stop in found.stops],
            "length": found.lengths[:, found.position],
            "added": found.added,
        }
