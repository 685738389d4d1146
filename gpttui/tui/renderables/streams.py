"""Vectors of the residual stream side by side: across, a vector from top to bottom at each stop; down, one a line.

For: the journey, and gradients on their way back. Not for: choosing what to draw. Components keep their place from stop
to stop, so that what stays and what changes is seen. Of components that share a cell the largest is shown, sign kept
(`signed`).
"""

import numpy as np
from rich.style import Style

from gpttui.records import Array
from gpttui.tui.palette import diverging
from gpttui.tui.renderables.ink import Ink, Line, Piece
from gpttui.tui.renderables.signed import extremes, signed_steps, signed_strip


def spread(values: Array, cells: int) -> Array:
    """`values` [n] as exactly `cells`: pooled where there are more, repeated where there are fewer."""
    if len(values) >= cells:
        return extremes(values, cells)
    return values[np.arange(cells) * len(values) // cells]


def upright(values: Array, top: float, lines: int, width: int, ink: Ink) -> list[Piece]:
    """One vector as `lines` pieces below each other, two components in each; its first component is on top."""
    if not ink.coloured:
        return [(glyph * width, style) for glyph, style in signed_strip(values, lines, top, ink.depth, ink.dark)][
            :lines
        ] + [(" " * width, ink.plain)] * max(0, lines - len(values))
    steps = signed_steps(spread(values, 2 * lines), top).tolist()
    table = diverging(ink.dark)
    return [
        ("▀" * width if upper != lower else " " * width, Style(color=table[upper], bgcolor=table[lower]))
        for upper, lower in zip(steps[::2], steps[1::2], strict=True)
    ]


def lying(values: Array, top: float, width: int, ink: Ink) -> Line:
    """One vector along a line, `width` cells or the most that its components fill evenly."""
    if ink.coloured and len(values) < 2 * width:
        return signed_strip(spread(values, 2 * width), width, top, ink.depth, ink.dark)
    return signed_strip(values, width, top, ink.depth, ink.dark)


def scale_of(vectors: Array, shared: bool) -> Array:
    """`[stop]`: the magnitude at which colours end: each vector's own largest component, or the largest of all."""
    tops = np.abs(vectors).max(axis=1)
    return np.full(len(tops), tops.max()) if shared else tops
