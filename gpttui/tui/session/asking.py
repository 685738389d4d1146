"""What the session asks of an engine, and one wish on its way there. No widget, no torch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from gpttui.protocol.frames import Answer, EngineInfo, Request


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
