"""Update: from one weight's gradient to the number that is added to it, and how large updates are layer by layer.

For: the fifth part of a step. Not for: choosing the weight (`pane_weights`).
"""

from math import inf, isnan, log10, sqrt
from typing import ClassVar

import numpy as np
from textual.reactive import reactive

from gpttui.protocol.backprop import OneWeight, StepRow, TakenApart
from gpttui.sessions.view_files import Table
from gpttui.tui.renderables.compare import beside
from gpttui.tui.renderables.labels import fit, so_many
from gpttui.tui.views.backprop.pane_part import PartPane
from gpttui.tui.views.backprop.words import small, weight_name
from gpttui.tui.widgets.lines import Line, Sheet

FIGURE, SIGN = 11, 15
BESIDE_FROM = 96
USUAL = -3.0
"""Update to weight, as a power of ten, in a training that goes well."""
LOWEST, HIGHEST = -6.0, 0.0


class UpdatePane(PartPane):
    """A ladder of numbers from the gradient to the new weight; beside it the ratio of update to weight by layer."""

    PART: ClassVar[str] = "5 Update: what is added to the weights"
    NAME: ClassVar[str] = "update"
    HINT: ClassVar[str] = "4 chooses another weight · [ ] another matrix · { } another layer"
    FORMULA: ClassVar[tuple[str, ...]] = (
        "AdamW  m <- b1 m + (1 - b1) g     v <- b2 v + (1 - b2) g^2",
        "       w <- w - lr · (m^ / (sqrt(v^) + eps) + decay · w)     m^, v^: corrected for their start at 0",
        "Muon   w <- w - lr · (orthogonalised momentum + decay · w)",
    )
    HELP: ClassVar[str] = """\
**What you see.** How the step makes a change of a gradient, for the weight under the cursor of part 4. Against the \
gradient is the right direction; how far to go is the **optimiser's** business.

*Clipped*: if all gradients together are longer than the limit they are all shortened by one factor, so that one odd \
batch cannot throw the model off.

**AdamW** keeps two running means for each weight: *m* of its gradient (where does it want to go, on average of the \
last batches), *v* of its square (how large are its gradients usually). Their quotient m / √v is about 1 where the \
gradient keeps its sign and near 0 where it wavers; so all weights move at about the same pace, whatever the size of \
their gradients. **Muon** does this for a whole matrix: its step is the momentum with all directions made equally \
long.

*Learning rate* × direction is what is subtracted. *Weight decay* pulls the weight a little towards 0.

**Update / weight**, on the right, is the length of the update of a layer's weights over the length of those weights, \
as a power of ten. About 10⁻³ (the mark `┊`) is usual where training goes well; much more and it may blow up, much \
less and it learns slowly.

`[` `]` and `{` `}` choose another matrix, here as in part 4.

More: Loshchilov and Hutter, *Decoupled weight decay regularization* (2019); Jordan et al., *Muon* (2024)."""

    weight: reactive[OneWeight | None] = reactive(None, always_update=True)

    @property
    def ready(self) -> bool:
        return self.weight is not None

    def titles(self) -> tuple[str, str]:
        one = self.weight
        return self.PART, f"{weight_name(one.name)} · row {one.row + 1:,}, column {one.column + 1:,}" if one else ""

    def says(self, taken: TakenApart, row: StepRow) -> str:
        one = self.weight
        assert one is not None
        added = one.after - one.before
        against = added * one.gradient < 0
        way = (
            "against its gradient"
            if against
            else "along its gradient of this batch: the batches before weigh more"
            if added * one.gradient > 0
            else "not at all"
        )
        return (
            f"The optimiser turns the gradient into a change of this weight, {small(added, sign=True)}: {way}. All "
            f"weights are changed at once, each by its own number."
        )

    def ladder(self, taken: TakenApart, one: OneWeight) -> list[tuple[str, str, float, str]]:
        """Name, sign, number and tone of each term, in the order in which it is computed."""
        lines = [("gradient", "g", one.gradient, "")]
        if taken.clip_factor < 1:
            lines.append((f"clipped: all gradients × {small(taken.clip_factor)}", "g", one.clipped, ""))
        if isnan(one.momentum):
            beta1, beta2 = one.betas
            lines += [
                (f"mean of gradients ({beta1:g} of it old)", "m", one.first_moment, ""),
                (f"mean of their squares ({beta2:g} old)", "v", one.second_moment, ""),
                (f"direction, after {so_many(one.steps, 'gradient')}", "m / sqrt(v)", one.direction, "strong"),
            ]
        else:
            lines += [
                ("momentum of the gradients", "m", one.momentum, ""),
                ("direction: momentum, orthogonalised", "o", one.direction, "strong"),
            ]
        lines += [
            ("learning rate", "lr", one.lr, ""),
            ("the optimiser adds", "-lr × direction", one.step, "bar"),
            (f"weight decay {one.weight_decay:g} adds", "-lr × decay × w", one.decay, ""),
            ("the weight before", "w", one.before, ""),
            ("added in all", "", one.after - one.before, "accent"),
            ("the weight after", "w", one.after, "strong"),
        ]
        return lines

    def body(self, sheet: Sheet, taken: TakenApart, row: StepRow, width: int, height: int) -> None:
        one = self.weight
        assert one is not None
        roomy = width >= BESIDE_FROM
        left = width * 11 // 20 if roomy else width
        name = max(8, left - FIGURE - SIGN - 2)
        ladder: list[Line] = []
        for words, sign, value, tone in self.ladder(taken, one):
            signed = words not in ("learning rate", "the weight before", "the weight after")
            ladder.append([
                (fit(words, name), self.tone("dim")),
                (fit(sign, SIGN) + " ", self.tone("dim")),
                (fit(small(value, sign=True) if signed else f"{value:.6g}", FIGURE, right=True), self.tone(tone)),
            ])  # fmt: skip
        ratios = self._ratios(taken, width - left - 3 if roomy else width)
        if roomy:
            sheet.extend(beside(ladder, ratios, left, 3))
        else:
            sheet.extend([*ladder, [("", self.tone())], *ratios])

    def _ratios(self, taken: TakenApart, width: int) -> list[Line]:
        """Update over weight by layer, on a scale of powers of ten."""
        dim = self.tone("dim")
        name, figure = 12, 7
        cells = max(8, width - name - figure - 1)
        mark = round((USUAL - LOWEST) / (HIGHEST - LOWEST) * (cells - 1))
        head = fit("update / weight", name + figure + 1) + " " * max(0, mark) + "┊10^-3"
        lines: list[Line] = [[(fit(head, width), dim)]]
        for words, ratio in self.ratios(taken):
            power = log10(ratio) if 0 < ratio < inf else LOWEST if ratio <= 0 else HIGHEST
            at = round((min(HIGHEST, max(LOWEST, power)) - LOWEST) / (HIGHEST - LOWEST) * (cells - 1))
            drawn = ["─"] * at + ["●"] + [" "] * (cells - 1 - at)
            if 0 <= mark < cells and mark != at:
                drawn[mark] = "┊"
            tone = self.tone("warn" if abs(power - USUAL) > 1.5 else "bar")
            lines.append([
                (fit(words, name), self.tone()),
                (fit(f"10^{power:.1f}" if ratio > 0 else "0", figure, right=True) + " ", self.tone()),
                ("".join(drawn), tone),
            ])  # fmt: skip
        return lines

    @staticmethod
    def ratios(taken: TakenApart) -> list[tuple[str, float]]:
        """The length of each layer's update over that of its weights."""
        names = ["embedding", *(f"layer {n + 1}" for n in range(taken.n_layer)), "norm, head"]
        found = []
        for part, name in enumerate(names):
            here = np.flatnonzero(taken.parts == part)
            if len(here):
                length = sqrt(float(np.square(taken.weight_norms[here], dtype=np.float64).sum()))
                moved = sqrt(float(np.square(taken.update_norms[here], dtype=np.float64).sum()))
                found.append((name, moved / length if length else 0.0))
        return found

    def table(self) -> Table | None:
        """The ladder."""
        taken, one = self.taken, self.weight
        if taken is None or one is None:
            return None
        lines = self.ladder(taken, one)
        return {"weight": one.name, "row": one.row + 1, "column": one.column + 1,
                "term": [line[0] for line in lines], "number": [line[2] for line in lines]}  # fmt: skip
