"""A curve in one line of blocks: its range in each column, so that a spike is seen.

For: gallery cards and lists of runs. Not for: reading values (`LossPane`).
"""

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(values: Array, width: int, *, low: float | None = None, high: float | None = None) -> str:
    """`values` in at most `width` blocks, one a value where they are few; what is not finite is left out.

    Each column shows the value furthest from the column before, so that single peaks and dips survive. `low`, `high`:
    the values of the lowest and the highest block; the curve's own by default.
    """
    values = np.asarray(values, dtype=np.float64)
    values = values[np.isfinite(values)]
    if not len(values) or width <= 0:
        return ""
    if len(values) > width:
        starts = np.arange(width) * len(values) // width
        tops, dips = np.maximum.reduceat(values, starts), np.minimum.reduceat(values, starts)
        shown = [float(values[0])]
        for top, dip in zip(tops[1:].tolist(), dips[1:].tolist(), strict=True):
            shown.append(top if abs(top - shown[-1]) >= abs(dip - shown[-1]) else dip)
        values = np.array(shown)
    bottom = float(values.min()) if low is None else low
    span = (float(values.max()) if high is None else high) - bottom
    if span <= 0:
        return BLOCKS[0] * len(values)
    steps = np.clip((values - bottom) / span * len(BLOCKS), 0, len(BLOCKS) - 1).astype(int)
    return "".join(BLOCKS[step] for step in steps.tolist())
