"""The real engine, whose answers are changed on their way: all that the border lets pass reaches the screen.

What it refuses is not delivered but counted, so that one app can be shown hundreds of wrong answers, one after another.
"""

import copy
from collections import Counter
from typing import Any

from gpttui.protocol.border import Border
from gpttui.protocol.frames import Answer, Reply, Request, decode_reply, frame
from gpttui.tui.app import GpttuiApp
from tests.app.engine_inside import EngineInside
from tests.app.pilot import Playground
from tests.spoilt import changed

MOVES = ("left", "down", "tab", "right", "up", "right_curly_bracket", "left", "right_square_bracket", "right")
MOST_ROUNDS = 60


class SpoilingEngine(EngineInside):
    """Of the changes that there are to an answer of a kind in `spoil`, one after another, each `every`-th."""

    def __init__(self, every: int = 1, first: int = 0) -> None:
        super().__init__()
        self.every, self.first = every, first
        self.spoil: frozenset[type] = frozenset()
        self.last = ""
        self.delivered: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.seen: set[type] = set()
        self.done: set[type] = set()
        self._next: dict[type, int] = {}

    def _over_the_wire(self, answer: Answer, request: Request | None = None) -> Answer:
        true = super()._over_the_wire(answer, request)
        kind: Any = type(true)
        if kind not in self.spoil:
            return true
        self.seen.add(kind)
        for n, (words, bad) in enumerate(changed(true, kind)):
            if n < self._next.get(kind, self.first) or (n - self.first) % self.every:
                continue
            border: Border = copy.copy(self._border)
            try:
                passed = border.checked(decode_reply(frame(Reply(1, bad))[4:]).answer, request)
            except Exception:  # by the decoder or by the border; what the client makes one line of
                self.refused[kind.__name__] += 1
                continue
            self._next[kind] = n + 1
            self.last = f"{kind.__name__}{words}"
            self.delivered[kind.__name__] += 1
            return passed
        self.done.add(kind)
        return true


class Crashed(AssertionError):
    """The screen could not show an answer; says which."""


async def show_all(page: Playground, engine: SpoilingEngine, kinds: frozenset[type], keys: tuple[str, ...]) -> None:
    """Press `keys` until every change to answers of these kinds, as far as they come, has been seen."""
    engine.spoil, engine.seen, app = kinds, set(), page.app
    assert isinstance(app, GpttuiApp)
    for _ in range(MOST_ROUNDS):
        for key in keys:
            await page.pilot.press(key)
            await page.until(lambda: not page.play.link.busy or app._exception is not None)
            await page.pilot.pause()
            if app._exception is not None:
                raise Crashed(f"{engine.last} → {app._exception!r}") from app._exception
        if engine.seen and engine.seen <= engine.done:
            break
    engine.spoil = frozenset()
