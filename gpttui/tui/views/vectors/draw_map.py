"""Points with names on a plane of cells: names where there is room, dots where there is not.

For: the map of tokens. Not for: the projection itself (the engine's), or curves.
Both axes are stretched to fill the plane; the most wanted points get their names first, and none covers another's.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from rich.cells import cell_len

from gpttui.records import Array

CROWD = "·∙•●"
"""One point in a cell, two, up to five, more."""


class Mark(NamedTuple):
    """A piece of one line: `point` is whose name or dot it is, -1 for nothing and for dots of several."""

    text: str
    point: int


def cells_of(points: Array, width: int, height: int) -> Array:
    """`[rows, 2]`: column and line of each point `[rows, 2]`; the second axis grows upwards."""
    low, high = points.min(axis=0), points.max(axis=0)
    spread = np.where(high - low > 0, high - low, 1.0)
    share = (points - low) / spread
    share[:, 1] = 1.0 - share[:, 1]
    flat = high - low <= 0
    share[:, flat] = 0.5
    cells: Array = np.clip(np.round(share * [max(0, width - 1), max(0, height - 1)]), 0, None).astype(int)
    return cells


def lay_out(points: Array, names: Sequence[str], order: Sequence[int], width: int, height: int) -> list[list[Mark]]:
    """`height` lines of pieces, each `width` cells. `order`: the points that get names, most wanted first."""
    if width < 1 or height < 1 or not len(points):
        return []
    cells = cells_of(np.asarray(points, dtype=np.float64), width, height)
    taken = [bytearray(width) for _ in range(height)]
    crowd = np.zeros((height, width), dtype=int)
    np.add.at(crowd, (cells[:, 1], cells[:, 0]), 1)
    starts: dict[tuple[int, int], tuple[str, int]] = {}
    places = cells.tolist()
    for point in order:
        column, line = places[point]
        text = names[point]
        wide = max(1, cell_len(text))
        at = min(column, width - wide)
        if at < 0 or any(taken[line][at : at + wide]):
            continue
        first, end = max(0, at - 1), min(width, at + wide + 1)
        taken[line][first:end] = b"\1" * (end - first)
        starts[line, at] = text, point
    return [_line(line, width, starts, crowd[line]) for line in range(height)]


def _line(line: int, width: int, starts: dict[tuple[int, int], tuple[str, int]], crowd: Array) -> list[Mark]:
    pieces: list[Mark] = []
    column, plain = 0, ""
    while column < width:
        named = starts.get((line, column))
        if named is not None:
            pieces += [Mark(plain, -1)] if plain else []
            pieces.append(Mark(*named))
            column, plain = column + max(1, cell_len(named[0])), ""
            continue
        count = int(crowd[column])
        plain += " " if not count else CROWD[0 if count == 1 else 1 if count == 2 else 2 if count < 6 else 3]
        column += 1
    return [*pieces, Mark(plain, -1)] if plain else pieces
