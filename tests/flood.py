"""Random keys in seeded bursts, and what drives the app with them: in this process, or through a terminal.

Half of the bursts are written at once, as a held key, a paste or a slow line brings them; sizes change on the way.
"""

import asyncio
import random
import string
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from textual import events
from textual.keys import _character_to_key

from gpttui.tui.app import GpttuiApp
from gpttui.tui.screens.play import Opening
from tests.terminal.pty_app import Terminal
from tests.tui.engine_inside import EngineInside

CHARACTERS = [key for key in string.printable.strip() + " " if key != "q"]
NAMED = {
    "enter": "\r",
    "escape": "\x1b",
    "tab": "\t",
    "shift+tab": "\x1b[Z",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "delete": "\x1b[3~",
    "backspace": "\x7f",
    "f1": "\x1bOP",
    "shift+left": "\x1b[1;2D",
    "shift+right": "\x1b[1;2C",
    "ctrl+left": "\x1b[1;5D",
    "ctrl+right": "\x1b[1;5C",
    "ctrl+a": "\x01",
    "ctrl+c": "\x03",
    "ctrl+e": "\x05",
    "ctrl+k": "\x0b",
    "ctrl+o": "\x0f",
    "ctrl+p": "\x10",
    "ctrl+u": "\x15",
    "ctrl+w": "\x17",
}
"""Keys with names, and what a terminal sends for them. Not those that end or suspend the program by their nature."""
DOORS = [*"mioeRwvanLCAbf/?ozxkuscn", "enter", "escape", "escape", "escape", "tab", "ctrl+p", "ctrl+o"]
"""Keys that open and close things: pressed as often as all others together."""
SIZES = ((120, 40), (80, 24), (60, 18), (30, 8))


class Burst(NamedTuple):
    """Up to six keys."""

    keys: tuple[str, ...]
    at_once: bool
    """Written in one piece; else each is answered before the next."""
    size: tuple[int, int] | None
    """The terminal has this size from now on; None: as before."""


def bursts(seed: int, count: int, sizes: tuple[tuple[int, int], ...] = SIZES) -> Iterator[Burst]:
    """Bursts until `count` keys have been pressed, the same ones for the same seed."""
    rng, every = random.Random(seed), CHARACTERS + list(NAMED)
    while count > 0:
        keys = tuple(rng.choice(rng.choice((DOORS, every))) for _ in range(min(count, rng.randint(1, 6))))
        count -= len(keys)
        yield Burst(keys, rng.random() < 0.5, rng.choice(sizes) if rng.random() < 0.02 else None)


class Crash(NamedTuple):
    """What ended the app, and the keys before it, the last ones last."""

    error: str
    keys: str

    def __str__(self) -> str:
        return f"{self.error}\nafter: {self.keys}"


async def settle(app: GpttuiApp) -> None:
    """Until what was pressed is answered; not for ever: a model may be running."""
    for _ in range(100):
        queues = (app._message_queue, app.screen._message_queue) if app._screen_stack else ()
        if app._exception is not None or not (app._coming or app._under_way or any(not q.empty() for q in queues)):
            return
        await asyncio.sleep(0.002)


async def flood(model: Path, seed: int, count: int, size: tuple[int, int]) -> list[Crash]:
    """Press `count` keys in an app with the real engine; after a crash, in a new one."""
    crashes: list[Crash] = []
    coming = bursts(seed, count, (size, (size[0] * 2 // 3, size[1] * 2 // 3), size))
    over = False
    while not over:
        app = GpttuiApp(EngineInside(), Opening(str(model)), animations=False)
        app.action_quit = _nothing  # type: ignore[method-assign]
        pressed: deque[str] = deque(maxlen=60)
        try:
            async with app.run_test(size=size) as pilot:
                over = True
                for burst in coming:
                    if burst.size is not None:
                        await pilot.resize_terminal(*burst.size)
                        pressed.append("×".join(map(str, burst.size)))
                    pressed.append(" ".join(burst.keys) if not burst.at_once else f"[{' '.join(burst.keys)}]")
                    for key in burst.keys:
                        app.post_message(key_event(key))
                        if not burst.at_once:
                            await settle(app)
                    await settle(app)
                    if app._exception is not None:
                        over = False
                        break
        except Exception as error:
            over = False
            told = "".join(traceback.format_exception(app._exception or error))
            crashes.append(Crash(told, "  ".join(pressed)))
    return crashes


def key_event(key: str) -> events.Key:
    if len(key) == 1:
        return events.Key(_character_to_key(key), key)
    character = NAMED[key] if len(NAMED[key]) == 1 else None
    return events.Key(key, character)


async def _nothing() -> None:
    """`q` under another name, in the palette."""


def flood_through(page: Terminal, coming: Iterator[Burst], resident_mb: Callable[[], float]) -> tuple[int, list[float]]:
    """Write the bursts to a running gpttui until it ends or they do: how many keys, and its memory after every 500."""
    pressed, memory_mb = 0, []
    for burst in coming:
        if burst.size is not None:
            page.resize(*burst.size)
        written = [NAMED.get(key, key) for key in burst.keys]
        for piece in ["".join(written)] if burst.at_once else written:
            page.press(piece)
            if not page.read(0.02):
                return pressed, memory_mb
        if (pressed + len(burst.keys)) // 500 > pressed // 500:
            memory_mb.append(resident_mb())
        pressed += len(burst.keys)
    return pressed, memory_mb
