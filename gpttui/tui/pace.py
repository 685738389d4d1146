"""Numbers that rest: of what changes too fast to be read, one in a while is painted, and the last one always.

For: the setting `slow_numbers`. Not for: dropping anything but paint; whoever computes goes on at its own speed.
"""

from collections.abc import Callable
from time import monotonic
from typing import Any, Protocol

Paint = Callable[[], None]


class SetTimer(Protocol):
    """`Widget.set_timer`: call back once, after a while."""

    def __call__(self, delay: float, callback: Paint) -> Any: ...


class Pace:
    """At most one painting in `rest_s`; 0 paints at once, always. `set_timer` is the widget's own."""

    def __init__(self, rest_s: float, set_timer: SetTimer) -> None:
        self.rest_s, self._set_timer = rest_s, set_timer
        self._painted_s = float("-inf")
        self._waiting: Paint | None = None
        self._ticking = False

    def rested(self, paint: Paint) -> None:
        """Paint now if the last painting has been seen for long enough, else then, unless something newer comes."""
        left_s = self._painted_s + self.rest_s - monotonic()
        if left_s <= 0:
            self.at_once(paint)
            return
        self._waiting = paint
        if not self._ticking:
            self._ticking = True
            self._set_timer(left_s, self._wake)

    def at_once(self, paint: Paint) -> None:
        """Paint; what waits is out of date."""
        self._waiting, self._painted_s = None, monotonic()
        paint()

    def _wake(self) -> None:
        self._ticking = False
        if self._waiting is not None:
            self.rested(self._waiting)
