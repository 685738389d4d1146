"""`g`: token after token is drawn until a key is pressed, at a speed that ↑ and ↓ change while it runs.

For: `PlayScreen`, which has one. Not for: drawing a token (the session link).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from gpttui.tui.session.link import SessionLink
from gpttui.tui.widgets.hint_bar import HintBar

if TYPE_CHECKING:
    from textual import events
    from textual.screen import Screen

QUITTING = ("app.quit", "quit")
SPEEDS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Tokens a second to choose from; beyond the last as fast as the model goes."""


def other_speed(per_s: float, faster: bool) -> float:
    """The next speed up or down; 0 stands for as fast as the model goes."""
    if faster:
        return next((speed for speed in SPEEDS if 0 < per_s < speed), 0.0)
    return next((speed for speed in reversed(SPEEDS) if not per_s or speed < per_s), SPEEDS[0])


class Running:
    """`told` is called when it begins or ends, with whether it goes on."""

    def __init__(
        self, screen: "Screen[None]", link: SessionLink, hints: HintBar, told: Callable[[bool], None], per_s: float
    ) -> None:
        self.screen, self.link, self.hints, self.told = screen, link, hints, told
        link.steps_per_s = per_s

    def begin(self) -> None:
        self.link.run()
        if self.link.running:
            self.told(True)
            self._say()

    def key(self, event: "events.Key") -> None:
        """While it runs ↑ and ↓ change the speed; any other key stops it, and does nothing else unless it leaves."""
        if not self.link.running:
            return
        if event.key in ("up", "down"):
            event.stop()
            self.link.steps_per_s = other_speed(self.link.steps_per_s, event.key == "up")
            self._say()
            return
        self.link.stop()
        self.told(False)
        active = self.screen.active_bindings.get(event.key)
        if active is None or active.binding.action not in QUITTING:
            event.stop()

    def _say(self) -> None:
        per_s = self.link.steps_per_s
        speed = f"{per_s:g} tokens a second" if per_s else "as fast as the model goes"
        self.hints.say(f"Running, {speed}. ↑ faster, ↓ slower; any other key stops it.", "info")
