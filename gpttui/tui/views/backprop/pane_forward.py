"""Forward: a row of the batch, the probability of each right next token, and its loss beside a blind guess.

For: the first part of a step. Not for: what the model does on the way (the journey).
"""

from math import exp, isfinite
from typing import ClassVar

import numpy as np
from rich.cells import cell_len

from gpttui.protocol.backprop import StepRow, TakenApart
from gpttui.sessions.view_files import Table
from gpttui.tui.renderables.bars import bar
from gpttui.tui.renderables.labels import fit, percent
from gpttui.tui.tables import token_columns
from gpttui.tui.views.backprop.pane_part import PartPane
from gpttui.tui.widgets.lines import Line, Sheet

NUMBER, PROBABILITY, LOSS = 4, 8, 8
WIDEST_LABEL = 20


class ForwardPane(PartPane):
    """One line a token; the cursor is the token that the other parts are about."""

    PART: ClassVar[str] = "1 Forward: a guess at every place"
    NAME: ClassVar[str] = "forward"
    HINT: ClassVar[str] = "↑ ↓ choose a token · r another row · m the formula · f goes on with it"
    FORMULA: ClassVar[tuple[str, ...]] = (
        "p = softmax(logits)",
        "loss = -ln p(right next token); the step's loss is the mean of all that count",
    )
    HELP: ClassVar[str] = """\
**What you see.** One row of the **batch**: the texts that this very step learns from. After each token the model \
gives every token of its vocabulary a probability for what comes next. The text says what did come: the *right next \
token*.

*p* is the probability that the model gave it, *loss* is -ln p, in nats: 0 where it was certain and right, more the \
less it expected it. The mark `┊` is a **blind guess**: with V tokens, all equally probable, the loss is ln V. Bars \
that reach beyond it are worse than blind. *not counted* are tokens that the run does not learn from (padding, or a \
prompt before an answer).

    loss = -ln p(right next token)

The loss of the step is the mean over all counted tokens of all rows. All that follows, every gradient, is about this \
one number.

`↑` `↓` or `←` `→` choose a token (`enter` goes on with it), `r` `R` another row, `f` and `backspace` the next part \
and the one before, `space` takes the next step, `m` shows the formula.

More: Bengio et al., *A neural probabilistic language model* (2003)."""

    def says(self, taken: TakenApart, row: StepRow) -> str:
        counted = row.losses_nats[(row.shares > 0) & np.isfinite(row.losses_nats)]
        mean = f"{counted.mean():.2f} nats on average in this row" if len(counted) else "no token of this row counts"
        return (
            "The model read this row and gave every possible next token a probability. The loss is -ln of the "
            f"probability of the right one: {mean}, {taken.loss_nats:.2f} in the whole batch. "
            f"A blind guess among {taken.vocab_size:,} tokens would cost {self.blind:.2f}."
        )

    def body(self, sheet: Sheet, taken: TakenApart, row: StepRow, width: int, height: int) -> None:
        labels = [self.label(int(token), WIDEST_LABEL) for token in row.ids]
        rights = [self.label(int(token), WIDEST_LABEL) for token in row.targets]
        room = max(6, (width - 2 - NUMBER - PROBABILITY - LOSS) // 3)
        name = min(room, max(map(cell_len, [*labels, *rights, "right next token"])) + 1)
        cells = max(0, width - 2 - NUMBER - 2 * name - PROBABILITY - LOSS - 2)
        finite = row.losses_nats[np.isfinite(row.losses_nats)]
        top = max([self.blind * 1.15, *finite.tolist()])
        dim = self.tone("dim")
        head = fit("", 2 + NUMBER) + fit("read", name) + fit("right next token", name)
        head += fit("p", PROBABILITY, right=True) + fit("loss", LOSS, right=True)
        mark = f"  ┊ blind guess {self.blind:.2f}"
        at = round(self.blind / top * cells)
        head += " " * max(0, at) + (mark if len(mark) + at <= cells + 2 else "  ┊"[: max(0, cells + 2 - at)])
        sheet.add((head, dim))
        for n, (label, right) in enumerate(zip(labels, rights, strict=True)):
            loss, counts = float(row.losses_nats[n]), float(row.shares[n]) > 0
            line: Line = [
                (self.mark(n), self.tone("accent")),
                (fit(f"{n + 1}", NUMBER - 1, right=True) + " ", dim),
                (fit(label, name), self.tone()),
                (fit(right, name), self.tone("strong" if n == self.cursor else "") if counts else dim),
            ]
            if counts and isfinite(loss):
                line += [(fit(percent(exp(-loss)), PROBABILITY, right=True), self.tone())]
                line += [(fit(f"{loss:.2f}", LOSS, right=True) + "  ", self.tone())]
                line += self._bar(loss / top, at, cells)
            else:
                line.append(("  not counted" if row.targets[n] >= 0 else "", dim))
            sheet.choose(*line)

    def _bar(self, share: float, at: int, cells: int) -> Line:
        """The loss as a bar, with the mark of a blind guess before, in or behind it."""
        drawn = fit(bar(share, cells), cells)
        tone = self.tone("warn" if share * cells > at else "bar")
        if not 0 <= at < cells:
            return [(drawn, tone)]
        mark = "┊" if drawn[at] == " " else drawn[at]
        return [(drawn[:at], tone), (mark, self.tone("dim") if mark == "┊" else tone), (drawn[at + 1 :], tone)]

    def table(self) -> Table | None:
        """The row token by token."""
        taken, row = self.taken, self.read
        if taken is None or row is None:
            return None
        return {
            "step": taken.step,
            "row": row.row + 1,
            "position": np.arange(1, len(row.ids) + 1),
            **token_columns(self.tokenizer, row.ids, "read"),
            **token_columns(self.tokenizer, row.targets, "next"),
            "probability": np.exp(-row.losses_nats),
            "loss_nats": row.losses_nats,
            "share": row.shares,
        }
