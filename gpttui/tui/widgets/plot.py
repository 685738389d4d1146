"""textual-plot, made to stand what a loss pane does to it. Imported only when there is a curve to draw.

For: `LossPane`. Not for: anything that must be there at the first paint.
It keeps the plot's axes, zoom and pan; it takes styles that are never missing (without colours a segment without one ends
the program), leaves out what a tiny window has no room for, reports the mouse, and knows a logarithmic axis.
"""

from collections.abc import Sequence
from math import ceil, floor, log10

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.containers import Grid
from textual.message import Message
from textual.strip import Strip
from textual.widgets import Static
from textual_hires_canvas import Canvas, HiResMode
from textual_plot import NumericAxisFormatter, PlotWidget

SMALLEST = (12, 4)
"""Columns and lines below which axes and ticks do not fit."""


class StyledCanvas(Canvas):
    """A canvas all of whose segments have a style."""

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        return Strip([Segment(text, style or Style(), control) for text, style, control in strip], strip.cell_length)


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

    DEFAULT_CSS = """
    CurvePlot {
        height: 1fr;
        background: $background;
        & > .plot--axis { color: $foreground 30%; }
        & > .plot--tick { color: $foreground 60%; text-style: none; }
    }
    """

    class Hovered(Message):
        """The mouse is over step `x`; None: it has left the plot."""

        def __init__(self, x: float | None) -> None:
            super().__init__()
            self.x = x

    def compose(self) -> ComposeResult:
        with Grid():
            for part in ("margin-top", "margin-left", "plot", "margin-bottom"):
                yield StyledCanvas(1, 1, id=part)
        legend = Static(id="legend")
        legend.display = False
        yield legend

    def on_mount(self) -> None:
        self.margin_top, self.margin_bottom, self.margin_left = 0, 1, 6

    @property
    def columns(self) -> int:
        """Characters across the plot itself."""
        return max(1, self.size.width - self.margin_left - 2)

    def show_window(self, x: tuple[float, float], y: tuple[float, float], *, log_y: bool) -> None:
        self.set_x_formatter(StepFormatter())
        self.set_y_formatter(LogFormatter() if log_y else NumericAxisFormatter())
        self.set_xlimits(*x)
        self.set_ylimits(*y)

    def _render_plot(self) -> None:
        size = self.query_one("#plot", Canvas).size
        if size.width >= SMALLEST[0] and size.height >= SMALLEST[1]:
            super()._render_plot()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        canvas = self.query_one("#plot", Canvas)
        inside = canvas.region.contains(int(event.screen_x), int(event.screen_y))
        x, _ = self.get_coordinate_from_pixel(int(event.screen_x) - canvas.region.x, 0)
        self.post_message(self.Hovered(x if inside else None))

    def on_leave(self) -> None:
        self.post_message(self.Hovered(None))


BRAILLE = HiResMode.BRAILLE
