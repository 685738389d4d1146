"""Numbers that rest: the newest is never lost, nothing waits that need not."""

from collections.abc import Callable

import pytest

from gpttui.tui import pace
from gpttui.tui.pace import Pace


class Clock:
    """Time that stands still until a test moves it, and the timers that wait for it."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def set_timer(self, delay: float, callback: Callable[[], None]) -> None:
        self.timers.append((self.now_s + delay, callback))

    def pass_s(self, seconds: float) -> None:
        self.now_s += seconds
        due = [callback for at_s, callback in self.timers if at_s <= self.now_s]
        self.timers = [timer for timer in self.timers if timer[0] > self.now_s]
        for callback in due:
            callback()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(pace, "monotonic", lambda: made.now_s)
    return made


def test_without_a_rest_everything_is_painted_at_once(clock: Clock) -> None:
    painted: list[int] = []
    unhurried = Pace(0.0, clock.set_timer)
    for n in range(3):
        unhurried.rested(lambda n=n: painted.append(n))  # type: ignore[misc]
    assert painted == [0, 1, 2] and not clock.timers


def test_of_many_only_the_first_and_the_newest_are_painted(clock: Clock) -> None:
    painted: list[int] = []
    unhurried = Pace(0.5, clock.set_timer)
    for n in range(10):
        unhurried.rested(lambda n=n: painted.append(n))  # type: ignore[misc]
        clock.pass_s(0.01)
    assert painted == [0]
    clock.pass_s(0.5)
    assert painted == [0, 9] and not clock.timers


def test_what_cannot_wait_makes_what_waits_void(clock: Clock) -> None:
    painted: list[str] = []
    unhurried = Pace(0.5, clock.set_timer)
    unhurried.rested(lambda: painted.append("first"))
    unhurried.rested(lambda: painted.append("waits"))
    clock.pass_s(0.3)
    unhurried.at_once(lambda: painted.append("now"))
    unhurried.rested(lambda: painted.append("later"))
    clock.pass_s(0.25)
    assert painted == ["first", "now"]
    clock.pass_s(0.3)
    assert painted == ["first", "now", "later"] and not clock.timers
