"""Where the error starts: the gradient of one position's logits, p minus 1 at the right token and p elsewhere.

For: the second part of a step. Not for: what becomes of it further back (`pane_backward`).
"""

from typing import ClassVar

from rich.cells import cell_len
from textual.reactive import reactive

from gpttui.protocol.backprop import OutputGradient, StepRow, TakenApart
from gpttui.sessions.view_files import Table
from gpttui.tui.renderables.charts import signed_bar
from gpttui.tui.renderables.labels import fit, percent
from gpttui.tui.tables import token_columns
from gpttui.tui.views.backprop.pane_part import PartPane
from gpttui.tui.views.backprop.words import plain, small
from gpttui.tui.widgets.lines import Sheet

NAME, FIGURE = 20, 9
LEAST_BAR = 12


class ErrorPane(PartPane):
    """Signed bars: to the left what should be more probable, to the right what should be less."""

    PART: ClassVar[str] = "2 Where the error starts"
    NAME: ClassVar[str] = "error"
    FORMULA: ClassVar[tuple[str, ...]] = (
        "d loss / d logit = p - y      y = 1 at the right token, 0 elsewhere",
        "times what this token counts in the step's loss",
    )
    HELP: ClassVar[str] = """\
**What you see.** The **gradient of the logits** at one place of the row: how the loss would change if the score \
(*logit*) of a token were a little higher. It is the simplest formula of all of training:

    ∂loss / ∂logit = p − y      y = 1 at the right token, 0 at every other

The right token's bar reaches to the left, p − 1: raising its logit lowers the loss. Every other token's reaches to \
the right, by its own p: the surer the model was of a wrong token, the more that one is to blame. The last line sums \
up the rest of the vocabulary. All of it sums to 0: what one token wins the others lose.

Where the model was certain and right there is no error, and it learns nothing here. In the step's loss this place is \
one of many: *share* is what it counts, and every number here is multiplied by it on the way back.

With label smoothing the 1 is spread a little over all tokens.

`←` `→` choose the place, `r` `R` the row, `f` follows the error backwards.

More: Bridle, *Probabilistic interpretation of feedforward classification network outputs* (1990)."""

    found: reactive[OutputGradient | None] = reactive(None, always_update=True)

    @property
    def ready(self) -> bool:
        return self.found is not None

    def says(self, taken: TakenApart, row: StepRow) -> str:
        found = self.found
        assert found is not None
        read = self.label(int(row.ids[found.position])) if found.position < len(row.ids) else "the token"
        if found.target < 0:
            return f"After {read} stands only padding: there is no right token, and no error starts here."
        if not found.share:
            return f"What comes after {read} is not counted in the loss: no error starts here."
        right = next((float(p) for n, p in zip(found.ids, found.probs, strict=True) if n == found.target), 0.0)
        return (
            f"After {read} the right next token was {self.label(found.target)}; the model gave it {percent(right)}. "
            "The error of each token is its probability, minus 1 at the right one: its score is to rise, all others "
            "are to fall, the more probable the more."
        )

    def body(self, sheet: Sheet, taken: TakenApart, row: StepRow, width: int, height: int) -> None:
        found = self.found
        assert found is not None
        dim, plain_tone = self.tone("dim"), self.tone()
        labels = [self.label(int(token), NAME) for token in found.ids]
        name = min(NAME, max(map(cell_len, [*labels, "all 50,000 others"])) + 1, max(8, width // 4))
        cells = max(LEAST_BAR, width - name - 2 * FIGURE - 2)
        sides = fit("raise ←", cells // 2, right=True) + " " + "→ lower"
        sheet.add((fit("token", name) + fit("p", FIGURE, right=True) + fit("p - y", FIGURE + 1, right=True) + " ", dim),
                  (sides, dim))  # fmt: skip
        lines = [(label, float(p), float(e), int(n) == found.target)
                 for label, p, e, n in zip(labels, found.probs, found.errors, found.ids, strict=True)]  # fmt: skip
        lines = lines[:1] + lines[:0:-1] if lines and lines[0][3] else lines[::-1]
        others = (f"all {found.rest:,} others", found.rest_error, found.rest_error, False)
        seen = max(1, height - 5)
        if hidden := lines[seen:]:
            rest = found.rest_error + sum(error for _, _, error, _ in hidden)
            others = f"all {found.rest + len(hidden):,} others", rest, rest, False
        for label, p, error, right in [*lines[:seen], *([others] if found.rest or hidden else [])]:
            left, beyond = signed_bar(error, cells)
            tone = self.tone("accent" if right else "")
            sheet.add(
                (fit(label, name), tone),
                (fit(percent(p), FIGURE, right=True), plain_tone),
                (fit(small(error, sign=True), FIGURE + 1, right=True) + " ", tone),
                (left, self.tone("bar")),
                (beyond, self.tone("warn")),
            )
        total = float(found.errors.sum()) + found.rest_error
        sheet.add((f"sum of all {abs(round(total, 4)):.4f}: what one token wins the others lose", dim))
        sheet.add((f"share {plain(found.share)}: what this token counts in the step's loss", dim))

    def table(self) -> Table | None:
        found = self.found
        if found is None:
            return None
        return {
            "row": found.row + 1,
            "position": found.position + 1,
            **token_columns(self.tokenizer, found.ids),
            "probability": found.probs,
            "error": found.errors,
            "share": found.share,
        }
