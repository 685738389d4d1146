"""All heads of all layers as small maps in a grid: how large, which layers fit, and the lines of one of them.

For: picking a head by what it looks like. Not for: reading weights (`attention_stages`).
A line holds two rows of a map. What does not fit is pooled by its maximum; a map of a short text grows by whole cells.
"""

from dataclasses import dataclass, replace

import numpy as np
from rich.style import Style

from gpttui.records import Array
from gpttui.tui.palette import levels
from gpttui.tui.renderables.heatmap import MASKED, HeatmapLines, max_pool

Piece = tuple[str, Style]

MOST_SIDE = 24
LEAST_LINES, ROOMY_LINES = 2, 3
"""Lines of the smallest map, and of one that an empty line may follow."""


@dataclass(frozen=True, slots=True)
class SmallMaps:
    """Maps of `columns` by `lines` cells, `layers` rows of them at once."""

    columns: int
    lines: int
    layers: int
    gap: int
    """Empty lines between layers."""

    @property
    def area(self) -> int:
        """Cells of all the maps of a column of the grid."""
        return self.columns * self.lines * self.layers

    @property
    def side(self) -> int:
        """Rows and columns to ask for."""
        return max(1, min(MOST_SIDE, max(self.columns, 2 * self.lines)))


def small_maps(n_layer: int, n_head: int, tokens: int, width: int, height: int) -> SmallMaps:
    """As large as all of them fit; where the smallest do not, as many layers as there is room for.

    A column beside every map is left free, for what marks the selected one.
    """
    room = _largest(n_layer, n_head, width, height)
    grown = min(room.columns, 2 * room.lines) // max(1, tokens)
    if grown:  # whole cells of a short text
        return replace(room, columns=tokens * grown, lines=-(-tokens * grown // 2))
    return room


def _largest(n_layer: int, n_head: int, width: int, height: int) -> SmallMaps:
    columns = max(1, (width - 1) // max(1, n_head) - 1)
    most = max(1, min((columns + 1) // 2, MOST_SIDE // 2))
    each = height // max(1, n_layer)
    gap = int(each > ROOMY_LINES)
    lines = min(most, each - gap)
    if lines < min(LEAST_LINES, most):
        lines = min(most, LEAST_LINES)
        return SmallMaps(columns, lines, max(1, min(n_layer, height // lines)), 0)
    return SmallMaps(min(columns, 3 * lines), lines, n_layer, gap)


def map_lines(weights: Array, room: SmallMaps, ink: HeatmapLines, threshold: float = 0.0) -> list[list[Piece]]:
    """One head's map `[side, side]` as `room.lines` lines, each `room.columns` wide."""
    side = len(weights)
    future = np.arange(side)[None, :] > np.arange(side)[:, None]
    values = np.where(weights < threshold, 0.0, weights.astype(np.float32))
    values = max_pool(np.where(future, -1.0, values), 2 * room.lines, room.columns)
    steps = np.where(values < 0, MASKED, levels(values)).astype(np.uint8)
    down, across = max(1, 2 * room.lines // len(steps)), max(1, room.columns // steps.shape[1])
    rows = np.full((2 * room.lines, room.columns), MASKED, dtype=np.uint8)
    grown = steps.repeat(down, axis=0).repeat(across, axis=1)
    rows[: len(grown), : grown.shape[1]] = grown
    return [
        [(segment.text, segment.style or Style()) for segment in ink.line(rows[n], rows[n + 1], 1)]
        for n in range(0, 2 * room.lines, 2)
    ]


def best_heads(scores: Array) -> list[tuple[int, int, float] | None]:
    """Layer, head and score of the largest of each kind in `[layer, head, kind]`; None where no head has one."""
    found: list[tuple[int, int, float] | None] = []
    for kind in range(scores.shape[2]):
        values = np.where(np.isnan(scores[:, :, kind]), -1.0, scores[:, :, kind])
        at = int(values.argmax()) if values.size else 0
        layer, head = divmod(at, max(1, scores.shape[1]))
        known = bool(values.size) and values[layer, head] >= 0
        found.append((layer, head, float(values[layer, head])) if known else None)
    return found
