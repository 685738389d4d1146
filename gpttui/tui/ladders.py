"""The values that one key press goes up or down through: temperature, top-k, top-p."""

from bisect import bisect_left, bisect_right
from dataclasses import replace

from gpttui.records import Sampling

TEMPERATURES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0, 3.0)
TOP_KS = (1, 2, 3, 5, 10, 20, 40, 100, 200)
TOP_PS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0)


def _next(ladder: tuple[float, ...], value: float, up: bool) -> float:
    """The rung above or below `value`, which need not be one itself; the ends hold."""
    if up:
        return ladder[min(bisect_right(ladder, value), len(ladder) - 1)]
    return ladder[max(bisect_left(ladder, value) - 1, 0)]


def warmer(sampling: Sampling, up: bool) -> Sampling:
    return replace(sampling, temperature=_next(TEMPERATURES, sampling.temperature, up))


def wider_k(sampling: Sampling, up: bool, vocab_size: int) -> Sampling:
    """Above the highest rung below the vocabulary's size stands 0: all of it."""
    ladder = (*(k for k in TOP_KS if k < vocab_size), vocab_size)
    rung = int(_next(ladder, sampling.top_k or vocab_size, up))
    return replace(sampling, top_k=0 if rung >= vocab_size else rung)


def wider_p(sampling: Sampling, up: bool) -> Sampling:
    return replace(sampling, top_p=_next(TOP_PS, sampling.top_p, up))
