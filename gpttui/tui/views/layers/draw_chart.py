"""Ranks over layers as lines, and short names and numbers for narrow columns.

For: Layers. Not for: what the numbers are (the engine computes them).
"""

from typing import NamedTuple

import numpy as np

from gpttui.records import Array
from gpttui.tui.renderables.braille import braille_line
from gpttui.tui.renderables.charts import stop_place

LETTERS = "abcdef"
"""One for each pinned token."""
DECADES = (1, 10, 100, 1_000, 10_000, 100_000)


def row_name(stop: str, ends: bool, short: bool) -> str:
    """A stop as a row or column is named: `embedding`, `layer 2`, `2 attn`; `in`, `2`, `2a`, `2m` where it is short.

    `ends`: only the ends of layers are shown, so that the part need not be told.
    """
    layer, part = stop_place(stop)
    if layer < 0:
        return "in" if short else "embedding"
    if ends:
        return str(layer + 1) if short else f"layer {layer + 1}"
    name = {"attn": "attn", "mlp": "MLP"}.get(part, part)
    return f"{layer + 1}{name[0].lower()}" if short else f"{layer + 1} {name}"


def short_rank(rank: int) -> str:
    """At most four characters, three of them up to 99,499: `999`, `1k`, `50k`."""
    return str(rank) if rank < 1_000 else f"{rank / 1000:.0f}k"


class Chart(NamedTuple):
    """A drawing of several lines."""

    glyphs: list[list[str]]
    """`[line][column]`: one character each."""
    owners: list[list[int]]
    """Which curve a character belongs to; -1: none."""


def chart_row(rank: int, worst: int, lines: int) -> float:
    """The height of a rank (from 1), in lines from the top: logarithmic, rank 1 in the middle of the first line."""
    top = np.log10(max(10, worst))
    return float(np.log10(max(1, rank)) / top) * max(0, lines - 1) + 0.5


def rank_chart(ranks: Array, centres: list[int], width: int, lines: int, front: int) -> Chart:
    """Curves through `ranks` `[stop, curve]` (from 1) at columns `centres` `[stop]`, the `front` one over the others.

    At its stops each curve bears its letter, so that curves are told apart without colours.
    """
    worst = int(ranks.max(initial=1))
    glyphs = [[" "] * width for _ in range(lines)]
    owners = [[-1] * width for _ in range(lines)]
    order = [n for n in range(ranks.shape[1]) if n != front] + ([front] if 0 <= front < ranks.shape[1] else [])
    x = np.asarray(centres, dtype=np.float64) + 0.5
    heights = {n: np.asarray([chart_row(int(rank), worst, lines) for rank in ranks[:, n]]) for n in order}
    for n in order:
        dots = braille_line(x, heights[n], width, lines)
        for line, column in np.argwhere(dots).tolist():
            glyphs[line][column], owners[line][column] = chr(0x2800 + int(dots[line, column])), n
    for n in order:
        for column, height in zip(centres, heights[n].tolist(), strict=True):
            line = min(lines - 1, int(height))
            if 0 <= column < width and line >= 0:
                glyphs[line][column], owners[line][column] = LETTERS[n % len(LETTERS)], n
    return Chart(glyphs, owners)


def chart_ticks(worst: int, lines: int) -> dict[int, str]:
    """Which line of the chart is which rank; only whole decades, and only where they have a line of their own."""
    ticks: dict[int, str] = {}
    for rank in DECADES:
        line = int(chart_row(rank, worst, lines))
        if rank <= max(10, worst) and line < lines and line not in ticks:
            ticks[line] = short_rank(rank)
    return ticks


def around(at: int, first: int, room: int, count: int) -> int:
    """The first of `room` of `count` places, nearest to `first`, that shows place `at`."""
    room = max(1, room)
    return max(0, min(min(at, max(first, at + 1 - room)), count - room))
