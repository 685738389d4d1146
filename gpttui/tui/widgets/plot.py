"""textual-plot, made to stand what a loss pane does to it. Imported only when there is a curve to draw.

For: `LossPane`. Not for: anything that must be there at the first paint.
It keeps the plot's axes, zoom and pan; it never leaves a segment without a style (without colours that ends the
program), leaves out what a tiny window has no room for, reports the mouse, and knows a logarithmic axis.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import NamedTuple

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.strip import Strip
from textual_hires_canvas import Canvas, HiResMode
from textual_plot import NumericAxisFormatter, PlotWidget
from textual_plot.plot_widget import LinePlot, VLinePlot

from gpttui.records import Array
from gpttui.tui.renderables.braille import braille_line

CHECKED = (0, 10), (0, 11)
"""Versions of textual-plot, from and below, that its private names here were checked with."""
LEFT = 6
"""Columns of the labels of the loss axis."""
CANVASES = 4
"""The plot and its margins."""
SMALLEST = (12, 4)
"""Columns and lines below which axes and ticks do not fit."""


class Curve(NamedTuple):
    """Points in the order of x, and how to draw them."""

    x: Array
    y: Array
    colour: str
    thick: bool = False
    """Two dots of braille instead of one."""


class Level(NamedTuple):
    """A line at one height."""

    y: float
    name: str
    colour: str


class StyledCanvas(Canvas):
    """A canvas whose segments all have a style, with two thin axes instead of a box."""

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        return Strip([Segment(text, style or Style(), control) for text, style, control in strip], strip.cell_length)

    def draw_rectangle_box(self, x0: int, y0: int, x1: int, y1: int, thickness: int = 1, style: str = "white") -> None:
        for y in range(y0, y1):
            self.set_pixel(x0, y, "│", style)
        for x in range(x0 + 1, x1 + 1):
            self.set_pixel(x, y1, "─", style)
        self.set_pixel(x0, y1, "└", style)


class StepFormatter(NumericAxisFormatter):
    """Steps: `0`, `500`, `20k`, `1.5M`."""

    def get_labels_for_ticks(self, ticks: Sequence[float]) -> list[str]:
        return [short_count(tick) for tick in ticks]


class LogFormatter(NumericAxisFormatter):
    """Ticks for values given as log10, labelled by the values: 1, 2, 5 and their tens, halves where that is too few."""

    def get_ticks(self, min_: float, max_: float, max_ticks: int = 8) -> list[float]:
        decades = range(floor(min_), ceil(max_) + 1)
        for steps in ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)):
            ticks = [decade + log10(step) for decade in decades for step in steps]
            inside = [tick for tick in ticks if min_ <= tick <= max_]
            if len(inside) >= 3:
                return inside[:: ceil(len(inside) / max_ticks)]
        return [log10(value) for value in super().get_ticks(10**min_, 10**max_, max_ticks) if value > 0]

    def get_labels_for_ticks(self, ticks: Sequence[float]) -> list[str]:
        return [f"{10**tick:.3g}" for tick in ticks]


def short_count(value: float) -> str:
    """At most five characters: `950`, `1.5k`, `20k`, `2M`."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            unit = 1e3 if letter == "k" else size
            return f"{value / unit:.3g}{letter}"
    return f"{value:g}"


class CurvePlot(PlotWidget):
    """The plot inside the loss pane: it has no focus of its own, the pane's keys drive it."""

    can_focus = False
    _thick: frozenset[str] = frozenset()
    levels: Sequence[Level] = ()
    """Lines from side to side behind the curves, with their names."""

    DEFAULT_CSS = """
    CurvePlot {
        height: 1fr;
        background: $background;
        layout: vertical;
        #margin-top { display: none; }
        Horizontal { height: 1fr; }
        #margin-left { width: 6; height: 1fr; }
        #plot { width: 1fr; height: 1fr; }
        #margin-bottom { width: 1fr; height: 1; }
        & > .plot--axis { color: $foreground 30%; }
        & > .plot--tick { color: $foreground 60%; text-style: none; }
    }
    """

    @dataclass
    class Hovered(Message):
        """The mouse is over step `x`; None: it has left the plot."""

        x: float | None

    def compose(self) -> ComposeResult:
        """The plot's own parts, without the rows that it keeps for titles."""
        yield StyledCanvas(1, 1, id="margin-top")
        with Horizontal():
            yield StyledCanvas(1, 1, id="margin-left")
            yield StyledCanvas(1, 1, id="plot")
        yield StyledCanvas(1, 1, id="margin-bottom")

    def _update_margin_sizes(self) -> None:
        """Sizes stand in the style sheet."""

    def _update_legend(self) -> None:
        """The pane writes it; the plot's own would be looked for before it is there, and after it has gone."""

    def _position_legend(self) -> None:
        """There is none."""

    def on_mount(self) -> None:
        self.margin_top, self.margin_bottom, self.margin_left = 0, 1, LEFT

    @property
    def columns(self) -> int:
        """Characters across the plot itself."""
        return max(1, self.size.width - self.margin_left - 2)

    def show_window(self, x: tuple[float, float], y: tuple[float, float], *, log_y: bool) -> None:
        self.set_x_formatter(StepFormatter())
        self.set_y_formatter(LogFormatter() if log_y else NumericAxisFormatter())
        self.set_xlimits(*x)
        self.set_ylimits(*y)

    def combine_quad_with_pixel(self, quad: tuple[int, int, int, int], canvas: Canvas, x: int, y: int) -> str:
        """A tick on one of the two thin axes; nothing changes elsewhere."""
        pixel: str = canvas.get_pixel(x, y)[0]
        return {"│": "┤", "─": "┬"}.get(pixel, pixel)

    def _render_v_line_plot(self, vline: VLinePlot) -> None:
        canvas = self.query_one("#plot", Canvas)
        x, _ = self.get_pixel_from_coordinate(vline.x, 0)
        canvas.draw_line(x, 0, x, self._scale_rectangle.bottom - 1, style=vline.line_style, char="┊")

    def show_curves(self, curves: Sequence[Curve]) -> None:
        """Lines through points, later ones over earlier ones; a lone point is a dot."""
        self.clear()
        self._thick = frozenset(curve.colour for curve in curves if curve.thick)
        for curve in curves:
            if len(curve.x) == 1:
                self.scatter(curve.x, curve.y, marker="•", marker_style=curve.colour)
            elif len(curve.x):
                self.plot(curve.x, curve.y, line_style=curve.colour, hires_mode=HiResMode.BRAILLE)

    def _render_line_plot(self, dataset: LinePlot) -> None:
        """All segments at once; one by one they take ten times as long."""
        canvas, area = self.query_one("#plot", Canvas), self._scale_rectangle
        x = (dataset.x - self._x_min) / (self._x_max - self._x_min) * area.width
        y = (self._y_max - dataset.y) / (self._y_max - self._y_min) * area.height
        dots = braille_line(x, y, area.width, area.height, thick=dataset.line_style in self._thick)
        for row, column in np.argwhere(dots).tolist():
            canvas.set_pixel(area.x + column, area.y + row, chr(0x2800 + int(dots[row, column])), dataset.line_style)

    def _render_plot(self) -> None:
        if len(self.query(Canvas)) < CANVASES:  # not composed yet, or being taken away
            return
        canvas = self.query_one("#plot", Canvas)
        if canvas.size.width >= SMALLEST[0] and canvas.size.height >= SMALLEST[1]:
            with canvas.batch_refresh():
                super()._render_plot()
                for level in self.levels:
                    self.draw_level(canvas, level)

    def draw_level(self, canvas: Canvas, level: Level) -> None:
        """Where no curve is; its name over the line, at the right, where there is room for it."""
        area = self._scale_rectangle
        _, row = self.get_pixel_from_coordinate(self._x_min, level.y)
        if not (self._y_min <= level.y <= self._y_max and area.y <= row < area.bottom):
            return
        for x in range(area.x, area.right):
            if canvas.get_pixel(x, row)[0].isspace():
                canvas.set_pixel(x, row, "┄", level.colour)
        name = f" {level.name} "
        start = area.right - len(name) - 1
        if start > area.x and all(canvas.get_pixel(x, row)[0] == "┄" for x in range(start, start + len(name))):
            for n, letter in enumerate(name):
                canvas.set_pixel(start + n, row, letter, level.colour)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        canvas = self.query_one("#plot", Canvas)
        inside = canvas.region.contains(int(event.screen_x), int(event.screen_y))
        x, _ = self.get_coordinate_from_pixel(int(event.screen_x) - canvas.region.x, 0)
        self.post_message(self.Hovered(x if inside else None))

    def on_leave(self) -> None:
        self.post_message(self.Hovered(None))
