"""A line through points as dots of braille: two dots across and four down in each cell of the terminal.

For: curves. Not for: axes, or choosing which points to draw (`series`).
All segments at once: each is clipped to the canvas (Liang and Barsky 1984), sampled a dot apart, and its dots are set.
"""

import numpy as np

from gpttui.records import Array

_DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], dtype=np.uint8)
"""Bit of the dot in row 0..3 and column 0..1 of a cell, added to U+2800."""


def braille_line(x: Array, y: Array, columns: int, lines: int, *, thick: bool = False) -> Array:
    """Dots `[lines, columns]` (uint8, to be added to U+2800) of a line through points `x`, `y`, in cells from the
    upper left corner. `thick`: two dots instead of one.
    """
    cells = np.zeros((lines, columns), dtype=np.uint8)
    if len(x) < 2 or not cells.size:
        return cells
    across, down = np.asarray(x, dtype=np.float64) * 2, np.asarray(y, dtype=np.float64) * 4
    start, step = np.stack([across[:-1], down[:-1]]), np.stack([np.diff(across), np.diff(down)])
    enter, leave = np.zeros(step.shape[1]), np.ones(step.shape[1])
    for at, by, end in zip(start, step, (2 * columns, 4 * lines), strict=True):
        with np.errstate(divide="ignore", invalid="ignore"):
            low, high = np.sort(np.stack([-at / by, (end - at) / by]), axis=0)
        still = by == 0
        inside = (at >= 0) & (at <= end)
        low = np.where(still, np.where(inside, -np.inf, np.inf), low)
        high = np.where(still, np.where(inside, np.inf, -np.inf), high)
        enter, leave = np.maximum(enter, low), np.minimum(leave, high)
    seen = enter <= leave
    start, step, enter, leave = start[:, seen], step[:, seen], enter[seen], leave[seen]
    counts = np.ceil(np.abs(step * (leave - enter)).max(axis=0, initial=0)).astype(np.int64) + 1
    which = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    share = enter[which] + (leave - enter)[which] * within / np.maximum(1, counts - 1)[which]
    dots = np.floor(start[:, which] + step[:, which] * share).astype(np.int64)
    if thick:
        dots = np.concatenate([dots, dots - [[0], [1]]], axis=1)
    column, row = dots
    on = (column >= 0) & (column < 2 * columns) & (row >= 0) & (row < 4 * lines)
    column, row = column[on], row[on]
    np.bitwise_or.at(cells, (row // 4, column // 2), _DOTS[row % 4, column % 2])
    return cells
