"""Times, and what many of them say."""

from collections.abc import Callable, Sequence
from time import perf_counter


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-round(share * len(ordered) * 1e6) // 1_000_000) - 1)]


def timed_ms(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    began_s = perf_counter()
    work()
    return (perf_counter() - began_s) * 1e3
