"""What the session asks of an engine, and one wish on its way there. No widget, no torch."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from gpttui.protocol.message import Answer, EngineInfo, Request

SILENT_S = 10.0
"""After so long without an answer the screen says so."""


class Engine(Protocol):
    """What the link needs of `EngineClient`; tests bring their own."""

    info: EngineInfo | None
    on_event: Callable[[Answer], None]
    on_death: Callable[[str], None]

    @property
    def alive(self) -> bool: ...
    async def connect(self) -> None: ...
    async def request(self, request: Request) -> Answer: ...
    async def restart(self) -> None: ...
    async def close(self) -> None: ...


@dataclass(slots=True)
class Question:
    """One wish: the request that it becomes as it leaves, who takes the answer, who hears why there is none.

    The three stay together from the wish to its end: an answer never meets the taker of a newer question.
    """

    kind: str
    make: Callable[[], Request]
    take: Callable[[Any], None]
    refuse: Callable[[str], None]
    again: bool = False
    """If the engine dies over it, it is asked once more."""


@contextmanager
def telling_of_silence(tell: Callable[[float], None]) -> Iterator[None]:
    """While something is waited for: every so often `tell` hears for how many seconds."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    timer = loop.call_later(SILENT_S, lambda: silent())

    def silent() -> None:
        nonlocal timer
        timer = loop.call_later(SILENT_S, silent)
        tell(loop.time() - began_s)

    try:
        yield
    finally:
        timer.cancel()
