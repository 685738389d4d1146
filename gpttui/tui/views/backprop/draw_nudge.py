"""A weight nudged by hand: the losses measured so far, and a chart of them over the straight line of the gradient.

For: the fourth part of a step. Not for: measuring (the engine does).
"""

from dataclasses import dataclass, field

import numpy as np
from rich.style import Style

from gpttui.protocol.backprop import SLOPE_STEP
from gpttui.tui.renderables.braille import braille_line
from gpttui.tui.renderables.ink import Ink, Line
from gpttui.tui.renderables.labels import fit
from gpttui.tui.views.backprop.words import small

SIZES = (1e-4, 1e-3, 1e-2, 1e-1)
MOST = 10.0
"""A weight is nudged this far at most."""
CHART_LINES = 4
"""Least height of a chart."""


@dataclass
class Nudge:
    """One weight, moved by hand."""

    deltas: list[float] = field(default_factory=lambda: [0.0])
    """Where it was put, the last being where it is now."""
    losses: dict[float, float] = field(default_factory=dict)
    """The batch's loss by delta, as measured."""
    size: float = 1e-2

    @property
    def delta(self) -> float:
        return self.deltas[-1]

    @property
    def reach(self) -> float:
        """Half the width of the chart."""
        return max(self.size, abs(self.delta))

    def move(self, by: float) -> None:
        """Put the weight so many sizes further."""
        wanted = round(self.delta + by * self.size, 10)
        if abs(wanted) <= MOST:
            self.deltas.append(wanted)

    def undo(self) -> None:
        if len(self.deltas) > 1:
            self.deltas.pop()

    def resize(self, by: int) -> None:
        self.size = SIZES[max(0, min(len(SIZES) - 1, SIZES.index(self.size) + by))]

    def missing(self) -> list[float]:
        """Deltas whose losses are wanted next: the one of now, then the two of the slope, then those of the chart."""
        reach = self.reach
        chart = [round(share * reach, 10) for share in (-1.0, 1.0, -0.5, 0.5)]
        for wanted in ([0.0, self.delta], [-SLOPE_STEP, SLOPE_STEP], chart):
            if unknown := [delta for delta in dict.fromkeys(wanted) if delta not in self.losses]:
                return unknown
        return []

    def change(self, delta: float) -> float | None:
        """By how much the loss is another there; None until it is measured."""
        if delta not in self.losses or 0.0 not in self.losses:
            return None
        return self.losses[delta] - self.losses[0.0]

    @property
    def slope(self) -> float | None:
        """The measured derivative, from two losses close to it on either side."""
        if -SLOPE_STEP not in self.losses or SLOPE_STEP not in self.losses:
            return None
        return (self.losses[SLOPE_STEP] - self.losses[-SLOPE_STEP]) / (2 * SLOPE_STEP)


def nudge_lines(nudge: Nudge, value: float, gradient: float, width: int, height: int, ink: Ink) -> list[Line]:
    """What was done, what was measured, both slopes, and the chart where `height` leaves room for one."""
    delta, change = nudge.delta, nudge.change(nudge.delta)
    plain, dim, strong = ink.plain, ink.dim, ink.strong
    measured = "measuring…" if change is None else small(change, sign=True)
    loss = nudge.losses.get(delta)

    def pair(name: str, figure: str, tone: Style = plain) -> Line:
        return [(fit(name, max(1, width - 12)), dim), (fit(figure, min(12, width), right=True), tone)]

    lines: list[Line] = [
        [(fit(f"Nudge it by hand: + and -, in steps of {nudge.size:g}", width), strong)],
        pair(f"the weight, {delta:+g}" if delta else "the weight, as it was", small(value + delta)),
        pair("the batch's loss", "measuring…" if loss is None else f"{loss:.7f}", strong),
        pair("changed by, measured", measured, ink.accent),
        pair("gradient × nudge says", small(gradient * delta, sign=True), ink.bar),
    ]
    slope = nudge.slope
    lines.append(pair("slope by backpropagation", small(gradient, sign=True), ink.bar))
    lines.append(pair("slope measured", "measuring…" if slope is None else small(slope, sign=True), ink.accent))
    if slope is not None:
        scale = max(abs(slope), abs(gradient))
        apart = abs(slope - gradient) / scale if scale else 0.0
        lines.append(pair("relative difference", f"{apart:.0e}" if apart else "0"))
    if height - len(lines) > CHART_LINES + 2 and np.isfinite(gradient):
        lines += [[("", plain)], *chart(nudge, gradient, width, min(12, height - len(lines) - 2), ink)]
    return lines


def chart(nudge: Nudge, gradient: float, width: int, height: int, ink: Ink) -> list[Line]:
    """Change of the loss over the nudge, from -ε to +ε: the gradient's straight line and what was measured."""
    reach, plot = nudge.reach, max(1, height - 1)
    points = {
        delta: change
        for delta in nudge.losses
        if abs(delta) <= reach and (change := nudge.change(delta)) is not None and np.isfinite(change)
    }
    top = max([abs(gradient * reach), *map(abs, points.values())]) or 1.0
    ends = np.array([-reach, reach])
    across = (ends / reach + 1) / 2 * (width - 1) + 0.25
    down = (1 - gradient * ends / top) / 2 * (plot - 0.25)
    dots = braille_line(across, down, width, plot)
    cells = [[(chr(0x2800 + dot) if dot else " ", ink.bar) for dot in line] for line in dots.tolist()]
    middle = round((plot - 1) / 2)
    for column in range(width):
        if cells[middle][column][0] == " ":
            cells[middle][column] = ("┈", ink.dim)
    for delta, change in sorted(points.items(), key=lambda point: point[0] == nudge.delta):
        column = int((delta / reach + 1) / 2 * (width - 1) + 0.25)
        line = int((1 - change / top) / 2 * (plot - 0.25))
        cells[line][column] = ("◆" if delta == nudge.delta else "•", ink.accent)
    ends_words = fit(f"-{reach:g}", width - 6 - len(f"+{reach:g}")) + "      " + f"+{reach:g}"
    legend: Line = [("◆ •", ink.accent), (" measured  ", ink.dim), ("⠤⠒", ink.bar), (" gradient  ", ink.dim)]
    legend.append((f"loss ±{small(top)}", ink.dim))
    return [*cells, [(fit(ends_words, width), ink.dim)], legend]
