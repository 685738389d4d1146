"""What a measurement says: a value, what it stands against, their ratio, and the goals it was built for.

For: `gpttui bench` and tests/benchmarks. Single milliseconds depend on the machine and the moment; a ratio of two
things measured in turns, in the same minute, does not.
"""

import statistics
from collections.abc import Callable, Sequence

import msgspec

Progress = Callable[[str], None]
"""Told, in a line, what is measured next: a whole report takes minutes."""


def silently(_: str) -> None:
    """A `Progress` that tells nobody."""


class Row(msgspec.Struct, frozen=True):
    """One line of a report. Smaller is better everywhere."""

    name: str
    value: float
    unit: str
    baseline: str = ""
    """What it stands against, measured in the same run."""
    baseline_value: float | None = None
    ratio: float | None = None
    at_least: float | None = None
    """The goal: of the ratio where there is one, else of the value."""
    aim: float | None = None
    note: str = ""

    @property
    def measured(self) -> float:
        """What the goals are about."""
        return self.value if self.ratio is None else self.ratio

    @property
    def verdict(self) -> str:
        """`aim`, `at least` or `missed`; empty where there is no goal."""
        if self.at_least is None:
            return ""
        if self.aim is not None and self.measured <= self.aim:
            return "aim"
        return "at least" if self.measured <= self.at_least else "missed"


def against(
    name: str,
    values_ms: Sequence[float],
    baseline: str,
    baseline_ms: Sequence[float],
    *,
    at_least: float,
    aim: float,
    note: str = "",
) -> Row:
    """The medians of two series, in milliseconds, and their ratio."""
    ours, theirs = statistics.median(values_ms), statistics.median(baseline_ms)
    return Row(name, ours, "ms", baseline, theirs, ours / theirs, at_least, aim, note)


def in_turns(rounds: int, *works: Callable[[], float]) -> list[list[float]]:
    """What each of `works` says it took, in turns, so that a busy moment of the machine hits all alike."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for series, work in zip(times, works, strict=True):
            series.append(work())
    return times
