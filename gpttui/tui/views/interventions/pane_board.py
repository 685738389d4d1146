"""The model as a switchboard: a switch for every head, every layer's attention and every MLP.

For: silencing parts, and seeing which are. Not for: what that does (`InterventionsBars`).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from rich.cells import cell_len
from rich.style import Style
from textual.binding import BindingType
from textual.message import Message
from textual.reactive import reactive

from gpttui.interventions import AblateHead, AblateNeuron, AblatePart, ForbidEdge, Intervention
from gpttui.protocol.stream import Effects
from gpttui.sessions.view_files import Table
from gpttui.tui.palette import heat_styles, level
from gpttui.tui.renderables.labels import fit
from gpttui.tui.widgets.lines import Line, LinesPane, Sheet, hit
from gpttui.tui.widgets.pane import moving

ATTENTION, MLP = -1, -2
"""Columns beside those of the heads."""
NAMES = {ATTENTION: "attention", MLP: "MLP"}
STATES = {"●": "works", "○": "silenced", "~": "at its mean", "◐": "silenced in part"}
NAME, WHOLE = 10, 6


class InterventionsBoard(LinesPane):
    """Rows are layers, columns heads, then all of the attention, then the MLP."""

    TITLES: ClassVar[tuple[str, str]] = ("The model's parts", "x: silence · E: who matters here?")
    NAME: ClassVar[str] = "parts"
    HELP: ClassVar[str] = """\
**What you see.** Every part of the model that writes into the vectors, a row for each layer: its attention heads one \
by one, its attention as a whole, its MLP. ● works, ○ is silenced, ~ is held at its mean.

**Silence one**: arrows go to a part, `x` (or a click) puts it out, `x` again puts it back. *Zero* means that the part \
adds nothing. *Mean* (`M` changes between the two) means that it adds the same everywhere, its average over the \
prompt: so it is there, but says nothing about this text. Zero is the harsher of the two.

**Who matters here?** `E` tries every part: silence it alone, look how the prediction after the selected token \
changes, put it back. The figure is that change in bits (Kullback–Leibler divergence, Σ p·log₂(p/q)); 0 is no \
change, from about 1 on the prediction is another one. Two parts that do the same job hide each other: silencing \
either changes little.

More: Michel et al. 2019, "Are sixteen heads really better than one?"; McGrath et al. 2023, "The Hydra effect"."""

    BINDINGS: ClassVar[list[BindingType]] = [
        moving("left,h", "column(-1)", "part before", "interventions_board.left", "The part to the left"),
        moving("right,l", "column(1)", "next part", "interventions_board.right", "The part to the right"),
        moving("x,enter", "switch", "silence", "interventions_board.switch", "Silence this part; again: as before"),
    ]

    shape: reactive[tuple[int, int]] = reactive((0, 0))
    """Layers and heads."""
    has_mlps: reactive[bool] = reactive(True)
    changes: reactive[tuple[Intervention, ...]] = reactive(())
    column: reactive[int] = reactive(0)
    """A head, or `ATTENTION`, or `MLP`."""
    effects: reactive[dict[int, Effects]] = reactive({}, always_update=True)

    @dataclass
    class Switched(Message):
        """A person wants the part at `layer` and `column` out, or back."""

        layer: int
        column: int

    @dataclass
    class Looked(Message):
        """The cursor is on another part."""

        layer: int
        column: int

    @property
    def columns(self) -> list[int]:
        return [*range(self.shape[1]), ATTENTION, *([MLP] if self.has_mlps else [])]

    def table(self) -> Table | None:
        """A row for each part: works, silenced …, and where it was measured the bits that silencing it changes."""
        parts = [(layer, column) for layer in range(self.shape[0]) for column in self.columns]
        return {
            "layer": [layer + 1 for layer, _ in parts],
            "part": [NAMES.get(column, f"head {column + 1}") for _, column in parts],
            "state": [STATES[self._state(layer, column)[0]] for layer, column in parts],
            "effect_bits": [self._effect(layer, column) for layer, column in parts],
        }

    def _effect(self, layer: int, column: int) -> float:
        """nan where it was not measured."""
        found = self.effects.get(layer)
        if found is None:
            return float("nan")
        return float(found.attn if column == ATTENTION else found.mlp if column == MLP else found.heads[column])

    def action_column(self, by: int) -> None:
        columns = self.columns
        at = columns.index(self.column) if self.column in columns else 0
        self.column = columns[(at + by) % len(columns)]
        self.post_message(self.Looked(self.cursor, self.column))

    def action_switch(self) -> None:
        if self.count:
            self.post_message(self.Switched(self.cursor, self.column))

    def pressed(self, place: tuple[int, ...]) -> None:
        here = (self.cursor, self.column)
        self.cursor, self.column = place
        self.post_message(self.Looked(*place))
        if here == place:
            self.action_switch()

    def draw(self, width: int, height: int) -> Sheet | None:
        n_layer, n_head = self.shape
        if not n_layer:
            return None
        cell = max(2, min(6, (width - NAME - 2 * WHOLE) // max(1, n_head)))
        names = [fit(str(head + 1), cell, right=True) for head in range(n_head)]
        tail = fit("attn", WHOLE, right=True) + (fit("MLP", WHOLE, right=True) if self.has_mlps else "")
        sheet = Sheet()
        sheet.add((fit("  head", NAME) + "".join(names) + tail, self.tone("dim")))
        for layer in range(n_layer):
            line: Line = [(self.mark(layer), self.tone("accent")), (fit(f"layer {layer + 1}", NAME - 2), self.tone())]
            for column in self.columns:
                wide = cell if column >= 0 else WHOLE
                line.append(self._cell(layer, column, wide))
            sheet.choose(*line)
        if height > n_layer + 2:
            sheet.add()
            sheet.add(*self._legend(width))
        return sheet

    def _cell(self, layer: int, column: int, wide: int) -> tuple[str, Style]:
        glyph, style = self._state(layer, column)
        found = self.effects.get(layer)
        if found is not None and glyph == "●":
            bits = self._effect(layer, column)
            glyph = _bits(bits) if wide > 3 else glyph
            style = heat_styles(self.depth, self.heat)[level(bits, max(0.5, self._most()))]
        if layer == self.cursor and column == self.column:
            style = self.tone("cursor") if self.has_focus else style + Style(underline=True, bold=True)
        return fit(glyph, wide, right=True), style + hit(layer, column)

    def _state(self, layer: int, column: int) -> tuple[str, Style]:
        for change in self.changes:
            whole = isinstance(change, AblatePart) and change.layer == layer
            one = isinstance(change, AblateHead) and (change.layer, change.head) == (layer, column)
            if one or (whole and column == (ATTENTION if getattr(change, "part", "") == "attn" else MLP)):
                return "○" if getattr(change, "mode", "zero") == "zero" else "~", self.tone("warn") + Style(bold=True)
        for change in self.changes:
            neuron = isinstance(change, AblateNeuron) and (change.layer, column) == (layer, MLP)
            edge = isinstance(change, ForbidEdge) and (change.layer, change.head) == (layer, column)
            if neuron or edge:
                return "◐", self.tone("warn")
        return "●", self.tone("bar")

    def _most(self) -> float:
        every = [value for found in self.effects.values() for value in (*found.heads.tolist(), found.attn, found.mlp)]
        return max((value for value in every if value == value and np.isfinite(value)), default=0.0)

    def _legend(self, width: int) -> Line:
        legend: Line = [("● works  ", self.tone("bar")), ("○ silenced  ~ at its mean  ◐ in part", self.tone("warn"))]
        if self.effects:
            words = "bits by which silencing each would change the prediction", "bits that silencing it would change"
            legend = [(words[cell_len(words[0]) > width], self.tone("dim"))]
        return legend


def _bits(bits: float) -> str:
    """In at most four cells."""
    if bits != bits:
        return "-"
    return f"{bits:.2f}" if bits < 10 else f"{bits:.0f}" if bits < 1e4 else "∞"
