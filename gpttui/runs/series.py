"""A growing curve of any length in bounded memory, and what of it a screen of so many columns can show.

For: losses of a run, live or recorded. Not for: drawing.
Up to a million points are kept as they are, 12 bytes each (16 in double precision); beyond that every four become their
two extremes, so that spikes survive and the past only gets coarser. An outline is the minimum and maximum in each
column, found in one pass.
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np

from gpttui.records import Array

CAPACITY = 1 << 20


class Points(NamedTuple):
    """A curve: `x` ascends (ties are drawn as a vertical stroke)."""

    x: Array
    y: Array


class Series:
    """Points (x, y), x ascending. What is not finite is left out and counted in `dropped`."""

    def __init__(
        self, x: Array | None = None, y: Array | None = None, capacity: int = CAPACITY, *, exact: bool = False
    ) -> None:
        """`exact`: values are kept in double precision, for what is printed as it was written."""
        self.capacity = max(16, capacity)
        self.size = 0
        self.dropped = 0
        self.exact = exact
        if x is not None and y is not None:
            self.extend(x, y)

    @cached_property
    def _x(self) -> Array:
        return np.empty(64, dtype=np.float64)

    @cached_property
    def _y(self) -> Array:
        return np.empty(64, dtype=np.float64 if self.exact else np.float32)

    @property
    def x(self) -> Array:
        return self._x[: self.size]

    @property
    def y(self) -> Array:
        return self._y[: self.size]

    def cut(self, last: float) -> None:
        """Drop the points behind x = `last`."""
        self.size = int(np.searchsorted(self.x, last, side="right"))

    def append(self, x: int, y: float) -> None:
        """One point more."""
        if self.size < len(self._x) and np.isfinite(y):
            self._x[self.size], self._y[self.size] = x, y
            self.size += 1
        else:
            self.extend(np.array([x]), np.array([y]))

    def extend(self, x: Array, y: Array) -> None:
        """More points behind the last."""
        finite = np.isfinite(y)
        self.dropped += int(len(finite) - finite.sum())
        x, y = np.asarray(x)[finite], np.asarray(y)[finite]
        while self.size + len(x) > self.capacity and self.size >= 4:
            self._thin()
        if len(x) > self.capacity - self.size:
            thinner = Series(capacity=self.capacity, exact=self.exact)
            for start in range(0, len(x), self.capacity // 4):
                thinner.extend(x[start : start + self.capacity // 4], y[start : start + self.capacity // 4])
            x, y = thinner.x, thinner.y
            self.size = min(self.size, self.capacity - len(x))
        need = self.size + len(x)
        if need > len(self._x):
            room = min(self.capacity, max(need, 2 * len(self._x)))
            self._x, self._y = np.resize(self._x, room), np.resize(self._y, room)
        self._x[self.size : need], self._y[self.size : need] = x, y
        self.size = need

    def _thin(self) -> None:
        """Of every four points keep the lowest and the highest, in their order."""
        whole = self.size // 4 * 4
        fours = self._y[:whole].reshape(-1, 4)
        low, high = fours.argmin(axis=1), fours.argmax(axis=1)
        high = np.where(low == high, 3, high)
        kept = np.sort(np.stack([low, high], axis=1), axis=1) + np.arange(0, whole, 4)[:, None]
        index = np.concatenate([kept.ravel(), np.arange(whole, self.size)])
        self._x[: len(index)], self._y[: len(index)] = self._x[index], self._y[index]
        self.size = len(index)

    def between(self, low: float, high: float) -> Points:
        """The points with low ≤ x ≤ high, and one more on either side, so that lines run on to the edge."""
        first = max(0, int(np.searchsorted(self.x, low, side="left")) - 1)
        last = min(self.size, int(np.searchsorted(self.x, high, side="right")) + 1)
        return Points(self.x[first:last], self.y[first:last])

    def outline(self, low: float, high: float, columns: int) -> Points:
        """What lies between: all points where they are few, else each column's minimum and maximum."""
        x, y = self.between(low, high)
        if len(x) <= 2 * columns:
            return Points(x, y.astype(np.float64))
        starts = _columns(x, low, high, columns)
        middle = x[starts]
        ys = np.stack([np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)], axis=1)
        ys[1::2] = ys[1::2, ::-1]  # down, up, up, down: neighbouring strokes join at the near end
        return Points(np.repeat(middle, 2), ys.ravel().astype(np.float64))

    def smooth(self, low: float, high: float, columns: int, share: float) -> tuple[Points, int]:
        """A centred moving mean over `share` of what is visible, a point a column, and how many points it averages."""
        x, y = self.between(low, high)
        if not len(x):
            return Points(np.empty(0), np.empty(0)), 1
        starts = _columns(x, low, high, columns) if len(x) > columns else np.arange(len(x))
        counts = np.diff([*starts, len(x)]).astype(np.float64)
        sums = np.add.reduceat(y, starts, dtype=np.float64)
        xs = np.add.reduceat(x, starts) / counts
        reach = round(share * len(starts) / 2)
        index = np.arange(len(starts))
        near = np.minimum(reach, np.minimum(index, len(starts) - 1 - index))
        total, number = np.concatenate([[0.0], np.cumsum(sums)]), np.concatenate([[0.0], np.cumsum(counts)])
        left, right = index - near, index + near + 1
        ys = (total[right] - total[left]) / (number[right] - number[left])
        return Points(xs, ys), max(1, round((2 * reach + 1) * len(x) / len(starts)))

    def nearest(self, x: float) -> tuple[int, float] | None:
        """The point closest to x."""
        if not self.size:
            return None
        after = min(self.size - 1, int(np.searchsorted(self.x, x)))
        before = max(0, after - 1)
        at = before if abs(self.x[before] - x) <= abs(self.x[after] - x) else after
        return int(self.x[at]), float(self.y[at])


def _columns(x: Array, low: float, high: float, columns: int) -> Array:
    """Where the points of each column that has any start."""
    edges = np.linspace(low, high, columns, endpoint=False)[1:]
    starts = np.concatenate([[0], np.searchsorted(x, edges)])
    return np.unique(starts[starts < len(x)])
