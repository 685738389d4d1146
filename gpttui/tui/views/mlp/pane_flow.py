"""One MLP at one token: the vector it reads, its neurons before and after, the vector it adds; the strongest neurons.

For: the MLP view. Not for: what a neuron means (`MLPNeuron`).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from textual.binding import BindingType
from textual.message import Message
from textual.reactive import reactive

from gpttui.interventions import Mode
from gpttui.protocol.parts import MLPActivity
from gpttui.sessions.view_files import Table
from gpttui.tui.renderables.bars import bar
from gpttui.tui.renderables.labels import clip, fit
from gpttui.tui.renderables.signed import signed_strip
from gpttui.tui.widgets.lines import AnswerPane, Line, Sheet
from gpttui.tui.widgets.pane import moving

NAME, FIGURE = 22, 8
EXTREME = 98
"""Percentile of the magnitudes at which a strip's colours end."""
STATES: dict[Mode | None, str] = {None: "works", "zero": "silenced", "mean": "held at its mean"}
INSTEAD: dict[Mode | None, str] = {
    "zero": "silenced: zeros take the place of what {} answers would add",
    "mean": "held at its mean: that is added, whatever the {} neurons answer",
}
FIRES = 0.1
"""Share of the strongest activation from which on a neuron counts as firing."""


class MLPFlow(AnswerPane[MLPActivity]):
    """Four strips from top to bottom."""

    NAME: ClassVar[str] = "in and out"
    HELP: ClassVar[str] = """\
**What you see.** What the layer's MLP does with the selected token's vector, and with that alone: no other token \
takes part. It **expands** the vector to a few times as many numbers, one for each neuron: each neuron is a \
*question*, a direction, and its number says how much the vector points that way. The **activation** keeps the yeses \
and drops most noes. Then it **contracts**: every neuron that fired adds its own *answer*, a fixed vector, times how \
loudly it said yes.

    h = W_in · norm(x) + b        expand: the neurons before
    a = activation(h)             the neurons after (GELU; in newer models a gate: silu(g) · h)
    x ← x + W_out · a + b'        contract: what is added

**The strips.** One cell or half a cell for a number, or for the largest of several; one colour is positive, the other \
negative.

`{` `}` other layers, `←` `→` other tokens, `X` silences this MLP: it reads and its neurons answer, but zeros are \
added in the end, or (as `A` has it) its mean.

More: Geva et al. 2021, "Transformer feed-forward layers are key-value memories"."""

    token: reactive[str] = reactive("")

    def numbers_of(self, found: MLPActivity) -> Table | None:
        """The four vectors."""
        place = {"layer": found.layer + 1, "position": found.position + 1}
        vectors = {"reads": found.read, "before": found.pre, "after": found.post, "adds": found.out}
        return place | {"mlp": STATES[found.held]} | vectors

    def titles(self) -> tuple[str, str]:
        found = self.found
        layer = "" if found is None else f" of layer {found.layer + 1}"
        layer += "" if found is None or found.held is None else f" ○ {STATES[found.held]}"
        return f"The MLP{layer} at {self.token}" if self.token else "The MLP", "expand · activate · contract"

    def lines_of(self, found: MLPActivity, width: int, height: int) -> Sheet | None:
        n_neurons, n_read = len(found.post), len(found.read)
        fires = int((np.abs(found.post) >= FIRES * max(1e-9, float(np.abs(found.post).max()))).sum())
        contract = f"contract: {n_neurons} answers become {n_read} numbers again"
        rows = (
            ("reads the vector", found.read, ""),
            ("neurons before", found.pre, f"expand: {n_read} numbers become {n_neurons}, one question each"),
            (
                "neurons after",
                found.post,
                f"activate: {fires} of {n_neurons} answer (a tenth of the strongest or more)",
            ),
            ("adds this vector", found.out, INSTEAD.get(found.held, "").format(n_neurons) or contract),
        )
        roomy = height >= 2 * len(rows) - 1
        sheet = Sheet()
        for name, vector, how in rows:
            if how and roomy:
                sheet.add((" " * NAME, self.tone()), (f"↓ {how}", self.tone("dim")))
            cells = max(1, width - NAME - FIGURE)
            top = float(np.percentile(np.abs(vector), EXTREME)) if len(vector) else 1.0
            strip: Line = signed_strip(vector, cells, top, self.depth, self.dark)
            used = sum(len(text) for text, _ in strip)
            length = f"{float(np.linalg.norm(vector)):.1f}"
            tail = (" " * (cells - used) + fit(length, FIGURE, right=True), self.tone("dim"))
            sheet.add((fit(name, NAME), self.tone()), *strip, tail)
        if height > len(sheet.lines):
            sheet.add((fit("length", width, right=True), self.tone("dim")))
        return sheet


class MLPTop(AnswerPane[MLPActivity]):
    """The neurons that write most here, strongest first."""

    TITLES: ClassVar[tuple[str, str]] = ("Loudest neurons", "enter: what fires it? · x: silence")
    NAME: ClassVar[str] = "loudest neurons"
    HELP: ClassVar[str] = """\
**What you see.** The neurons that add most to the selected token's vector: `after` is the activation (how loudly it \
said yes), the bar is the length of what it adds, |a| · |column of W_out|. Where there is room: by how much it raises \
(or lowers) the logit of the token in the heading, the most probable one; these shares sum, over all neurons and with \
those of all other parts, to that logit.

A **silenced** neuron stays in the list, marked ○: it says, adds and shares nothing, or always its mean. Where the \
whole MLP is silenced its neurons still answer, but nothing of that arrives: each adds 0 and has a share of 0. What is \
added then is zeros, or the MLP's mean, which is no neuron's doing (`L` shows its share).

`↑` `↓` pick a neuron, `enter` looks for the passages that fire it most, `x` silences it: watch the bars in the \
playground, or in `A`.

More: Geva et al. 2022, "Transformer feed-forward layers build predictions by promoting concepts in the vocabulary \
space"."""

    BINDINGS: ClassVar[list[BindingType]] = [
        moving("x", "silence", "silence", "mlp_top.silence", "Put this neuron out of order; again: as before"),
    ]

    target: reactive[str] = reactive("")
    """The token whose logit the shares are of."""
    silenced: reactive[frozenset[int]] = reactive(frozenset())

    @dataclass
    class Silence(Message):
        """A person wants neuron `neuron` out, or back."""

        neuron: int

    def watch_found(self, activity: MLPActivity | None) -> None:
        if activity is not None:
            self.cursor = max(0, min(self.cursor, len(activity.top) - 1))

    @property
    def neuron(self) -> int:
        """Under the cursor; -1 where there is none."""
        found = self.found
        return int(found.top[self.cursor]) if found is not None and self.cursor < len(found.top) else -1

    def numbers_of(self, found: MLPActivity) -> Table | None:
        """A row for each neuron listed."""
        columns: dict[str, object] = {
            "layer": found.layer + 1,
            "position": found.position + 1,
            "mlp": STATES[found.held],
            "neuron": found.top + 1,
            "after": found.post[found.top],
            "adds": found.top_written,
        }
        return columns | ({"share_of": self.target, "share": found.top_shares} if len(found.top_shares) else {})

    def action_silence(self) -> None:
        if self.neuron >= 0:
            self.post_message(self.Silence(self.neuron))

    def lines_of(self, found: MLPActivity, width: int, height: int) -> Sheet | None:
        shares = found.top_shares if width >= 44 and len(found.top_shares) else None
        share_cells = 12 if shares is not None else 0
        cells = max(1, width - 24 - share_cells)
        sheet = Sheet()
        head = fit("  neuron", 14) + fit("after", FIGURE, right=True) + "  " + fit("adds", cells)
        tail = fit(f"to {self.target}", share_cells, right=True) if shares is not None else ""
        sheet.add((head + tail, self.tone("dim")))
        if found.held is not None:
            sheet.add((clip(f"  {STATES[found.held]}: nothing of them arrives", width), self.tone("warn")))
        top = max(float(found.top_written.max()) if len(found.top_written) else 0.0, 1e-9)
        for n, neuron in enumerate(found.top.tolist()):
            out = neuron in self.silenced
            line: Line = [
                (self.mark(n), self.tone("accent")),
                (fit(f"{neuron + 1}{' ○' if out else ''}", 12), self.tone("warn" if out else "")),
                (fit(f"{float(found.post[neuron]):+.2f}", FIGURE, right=True) + "  ", self.tone()),
                (fit(bar(float(found.top_written[n]) / top, cells), cells), self.tone("bar")),
            ]
            if shares is not None:
                share = float(shares[n])
                figure = fit(f"{round(share, 2) + 0.0:+.2f}", share_cells, right=True)
                line.append((figure, self.tone("warn" if share < -0.005 else "")))
            sheet.choose(*line)
        return sheet
