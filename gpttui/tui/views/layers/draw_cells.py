"""What the logit lens said, cell by cell, of one text under one set of weights; and which columns are not known yet.

For: the grid of Layers, which scrolls over long texts and asks for what it has not seen. Not for: drawing.
"""

import numpy as np

from gpttui.protocol.stream import LensGrid
from gpttui.records import Array

UNKNOWN = -1


class LensCells:
    """Top tokens `[stop, position]`. What a new answer is awaited for keeps its last one until then."""

    def __init__(self) -> None:
        self.stops: tuple[str, ...] = ()
        self.numbers: tuple[int, ...] = ()
        """Their places among all stops."""
        self._whose: object = None
        self._text: Array = np.empty(0, dtype=np.int32)
        self._reset(0)

    def _reset(self, stops: int) -> None:
        count = len(self._text)
        self.ids: Array = np.full((stops, count), UNKNOWN, dtype=np.int32)
        self.probs: Array = np.zeros((stops, count), dtype=np.float32)
        self._fresh: Array = np.zeros(count, dtype=bool)

    def about(self, whose: object, text: Array) -> None:
        """From now on about `text` `[T]`, under the weights that `whose` stands for; what still holds is kept."""
        if whose != self._whose:
            self._fresh[:] = False
            self._whose = whose
        common = min(len(self._text), len(text))
        differ = np.flatnonzero(self._text[:common] != text[:common])
        kept = int(differ[0]) if len(differ) else common
        if kept == len(self._text) == len(text):
            return
        ids, probs, fresh = self.ids, self.probs, self._fresh
        self._text = np.array(text, dtype=np.int32)
        self._reset(len(ids))
        self.ids[:, :kept], self.probs[:, :kept], self._fresh[:kept] = ids[:, :kept], probs[:, :kept], fresh[:kept]

    def take(self, grid: LensGrid) -> None:
        """Columns that the engine answered. Those of a text that is none of ours any more are cut off."""
        if grid.stops != self.stops:
            self.stops, self.numbers = grid.stops, tuple(int(n) for n in grid.numbers)
            self._reset(len(grid.stops))
        end = min(len(self._text), grid.first + grid.top_ids.shape[1])
        count = max(0, end - grid.first)
        self.ids[:, grid.first : end] = grid.top_ids[:, :count, 0]
        self.probs[:, grid.first : end] = grid.top_probs[:, :count, 0]
        self._fresh[grid.first : end] = True

    def missing(self, first: int, count: int, near: int = 0, most: int = 1 << 30) -> tuple[int, int] | None:
        """(first, count) of a stretch to ask for next, so that all of `first … first + count` is known; None: all is.

        Where that is more than `most` columns, so many of them that are nearest to `near`.
        """
        gaps = first + np.flatnonzero(~self._fresh[first : first + count])
        if not len(gaps):
            return None
        start, end = int(gaps[0]), int(gaps[-1]) + 1
        if end - start > most:
            nearest = int(gaps[np.abs(gaps - near).argmin()])
            start = end = nearest
            while end - start < most and end < first + count and not self._fresh[end]:
                end += 1
            while end - start < most and start > first and not self._fresh[start - 1]:
                start -= 1
        return start, end - start

    def forget(self) -> None:
        """Ask anew for everything."""
        self._fresh[:] = False

    @property
    def known(self) -> bool:
        """Whether there is anything to show."""
        return bool((self.ids != UNKNOWN).any())
