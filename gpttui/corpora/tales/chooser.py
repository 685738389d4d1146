"""Random choices with their cost: the entropy account of the tales world.

Every random decision of the simulator passes through a `Chooser`, which adds `-ln p` of what was drawn to
`nats`.
If different decisions always give different texts, the mean of `nats` is the entropy of the text.
"""

import random
from collections.abc import Sequence
from math import log
from typing import TypeVar

T = TypeVar("T")
_LOG = [0.0] + [log(n) for n in range(1, 1024)]


class Chooser:
    """A seeded source of uniform choices and biased coins that keeps the sum of `-ln p` in `nats`."""

    __slots__ = ("_random", "nats")

    def __init__(self, seed: int | str) -> None:
        self._random = random.Random(f"tales {seed}").random
        self.nats = 0.0

    def pick(self, options: Sequence[T]) -> T:
        """One of `options` (distinct, at most 1023), uniformly."""
        n = len(options)
        self.nats += _LOG[n]
        return options[int(self._random() * n)]

    def pick_other(self, options: Sequence[T], taken: T) -> T:
        """One of `options` that is not `taken`, which must be among them."""
        n = len(options) - 1
        self.nats += _LOG[n]
        i = int(self._random() * n)
        return options[i + (i >= options.index(taken))]

    def pick_unlike(self, options: Sequence[T], taken: T | None) -> T:
        """One of `options`, other than `taken` where that is among them."""
        return self.pick(options) if taken is None or taken not in options else self.pick_other(options, taken)

    def flip(self, p: float) -> bool:
        """True with probability `p`."""
        if self._random() < p:
            self.nats -= log(p)
            return True
        self.nats -= log(1.0 - p)
        return False
