"""A vector as a strip of signed colours: one component a cell, or several where it is longer than the strip.

For: embeddings, residual streams, differences. Not for: amounts that are never negative (`heatmap`).
Where several components share a cell the one of the largest magnitude is shown, never their mean, in which a positive
and a negative would cancel. Without colours a component is `+` or `-`, in bold where it is large.
"""

import numpy as np
from rich.style import Style

from gpttui.records import Array
from gpttui.tui.palette import STEPS, ColourDepth, diverging

Piece = tuple[str, Style]

_PLAIN = ((-0.5, "=", True), (-0.05, "-", False), (0.05, "·", False), (0.5, "+", False), (np.inf, "#", True))
"""Upper ends of the shares of the largest magnitude, and what stands for them without colours."""


def extremes(values: Array, cells: int) -> Array:
    """`values` [n] as at most `cells`: of each stretch the value furthest from 0, sign kept."""
    count = len(values)
    if count <= cells or cells <= 0:
        return values
    starts = np.arange(cells) * count // cells
    high, low = np.maximum.reduceat(values, starts), np.minimum.reduceat(values, starts)
    return np.where(high >= -low, high, low)


def signed_steps(values: Array, top: float) -> Array:
    """Steps 0..31 of a diverging map: below 16 negative, from 16 on positive; `top` is the magnitude of both ends."""
    share = np.clip(np.nan_to_num(values) / (top if top > 0 else 1.0), -1, 1)
    steps: Array = np.clip((share + 1) / 2 * STEPS, 0, STEPS - 1).astype(np.uint8)
    return steps


def signed_strip(values: Array, cells: int, top: float, depth: ColourDepth, dark: bool) -> list[Piece]:
    """The vector in one line of at most `cells` cells: a component fills one or more of them, or half of one.

    `top`: the magnitude at which colours end; give all strips of a picture the same.
    """
    if depth < ColourDepth.INDEXED:
        return [_sign(value / (top if top > 0 else 1.0)) for value in extremes(values, cells).tolist()]
    table = diverging(dark)
    if len(values) <= cells:
        wide = max(1, cells // max(1, len(values)))
        return [(" " * wide, Style(bgcolor=table[step])) for step in signed_steps(values, top).tolist()]
    steps = signed_steps(extremes(values, 2 * cells), top).tolist()
    halves = steps if len(steps) % 2 == 0 else [*steps, STEPS // 2]
    return [
        ("▌", Style(color=table[left], bgcolor=table[right]))
        for left, right in zip(halves[::2], halves[1::2], strict=True)
    ]


def _sign(share: float) -> Piece:
    _, glyph, bold = next(kind for kind in _PLAIN if share <= kind[0])
    return glyph, Style(bold=bold)
