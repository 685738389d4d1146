"""Did it help? The same row and batch under the new weights, token by token, and the held-out text.

For: the sixth part of a step. Not for: a whole run before and after (`gpttui.tui.widgets.before_after`).
"""

from math import isfinite, isnan
from typing import ClassVar

import numpy as np
from rich.cells import cell_len
from textual.reactive import reactive

from gpttui.protocol.backprop import AfterStep, HeldOut, StepRow, TakenApart
from gpttui.sessions.view_files import Table
from gpttui.tui.renderables.charts import signed_bar
from gpttui.tui.renderables.labels import fit
from gpttui.tui.tables import token_columns
from gpttui.tui.views.backprop.pane_part import PartPane
from gpttui.tui.views.backprop.words import small
from gpttui.tui.widgets.lines import Sheet

NUMBER, LOSS, CHANGE = 4, 8, 10
WIDEST_LABEL = 20


class AfterPane(PartPane):
    """One line a token: its loss with the weights of before and of after."""

    PART: ClassVar[str] = "6 Did it help?"
    NAME: ClassVar[str] = "after"
    HINT: ClassVar[str] = "space takes the next step, and looks at that one · r another row"
    FORMULA: ClassVar[tuple[str, ...]] = ("loss(w + update) - loss(w) = gradient · update + what bends",)
    HELP: ClassVar[str] = """\
**What you see.** The same row read once more, with the **new weights**: each token's loss before the step and after \
it. Bars to the left are tokens that became more probable, to the right less.

The batch that was learnt from should do better: the step went down its slope. Not every token does, since all share \
the same weights. What counts in the end is text that was *not* learnt from: **held-out text**, of which a part is \
read with both weights. One step changes it by very little, and not always for the better; thousands of steps add up.

Where the batch's loss went *up* the step was too large (the learning rate), or the batches before, which the \
optimiser's means remember, pulled elsewhere.

All losses here are without dropout and without label smoothing, every token counting the same; so they may differ a \
little from the loss of the step itself.

`↑` `↓` or `←` `→` choose a token, `r` `R` the row; `space` takes the next step.

More: Bottou, Curtis and Nocedal, *Optimization methods for large-scale machine learning* (2018)."""

    found: reactive[AfterStep | None] = reactive(None, always_update=True)
    held_out: reactive[HeldOut | None] = reactive(None, always_update=True)

    @property
    def ready(self) -> bool:
        return self.found is not None

    def says(self, taken: TakenApart, row: StepRow) -> str:
        found, held = self.found, self.held_out
        assert found is not None
        change = found.batch_after - found.batch_before
        verdict = "it helped" if change < 0 else "it did not help" if change > 0 else "nothing changed"
        told = (
            f"The same batch with the new weights: loss {found.batch_before:.4f} before, {found.batch_after:.4f} "
            f"after, {small(change, sign=True)}: {verdict}. "
        )
        if held is None:
            return told + "Held-out text is being read…"
        if isnan(held.before) or not held.tokens:
            return told + "A text of your own has no held-out part; the open model stays as it was."
        return told + (
            f"Held-out text, {held.tokens:,} tokens that are never learnt from: {held.before:.4f} before, "
            f"{held.after:.4f} after, {small(held.after - held.before, sign=True)}."
        )

    def body(self, sheet: Sheet, taken: TakenApart, row: StepRow, width: int, height: int) -> None:
        found = self.found
        assert found is not None
        count = min(len(row.targets), len(found.before), len(found.after))
        rights = [self.label(int(token), WIDEST_LABEL) for token in row.targets[:count]]
        name = min(max(8, width // 4), max(map(cell_len, [*rights, "right next token"])) + 1)
        cells = max(6, width - 2 - NUMBER - name - 2 * LOSS - CHANGE - 1)
        changes = found.after[:count] - found.before[:count]
        finite = np.abs(changes[np.isfinite(changes)])
        top = float(finite.max(initial=0.0)) or 1.0
        dim = self.tone("dim")
        head = fit("", 2 + NUMBER) + fit("right next token", name)
        head += fit("before", LOSS, right=True) + fit("after", LOSS, right=True) + fit("change", CHANGE, right=True)
        sheet.add((head + " " + fit("better ←", cells // 2, right=True) + " → worse", dim))
        for n, right in enumerate(rights):
            before, after, change = float(found.before[n]), float(found.after[n]), float(changes[n])
            if not (isfinite(before) and isfinite(after)):
                sheet.choose((self.mark(n), self.tone("accent")),
                             (fit(f"{n + 1}", NUMBER - 1, right=True) + " " + right, dim))  # fmt: skip
                continue
            left, beyond = signed_bar(change / top, cells)
            sheet.choose(
                (self.mark(n), self.tone("accent")),
                (fit(f"{n + 1}", NUMBER - 1, right=True) + " ", dim),
                (fit(right, name), self.tone("strong" if n == self.cursor else "")),
                (fit(f"{before:.3f}", LOSS, right=True), self.tone()),
                (fit(f"{after:.3f}", LOSS, right=True), self.tone()),
                (fit(small(change, sign=True), CHANGE, right=True) + " ", self.tone()),
                (left, self.tone("bar")),
                (beyond, self.tone("warn")),
            )

    def table(self) -> Table | None:
        """The row token by token."""
        found, row = self.found, self.read
        if found is None or row is None:
            return None
        return {
            "row": found.row + 1,
            "position": np.arange(1, len(found.before) + 1),
            **token_columns(self.tokenizer, row.targets, "next"),
            "before_nats": found.before,
            "after_nats": found.after,
        }
