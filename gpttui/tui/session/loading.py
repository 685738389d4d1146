"""A model on its way into the engine: how far it is, and leaving it. No widget is touched from here."""

import contextlib
from collections.abc import Callable

from gpttui.engine.client import EngineDied, EngineFailure
from gpttui.protocol.message import Answer
from gpttui.protocol.play import Loading, StopOpening
from gpttui.text import so_far
from gpttui.tui.session.asking import Engine
from gpttui.tui.session.link import SessionLink


class OnItsWay:
    """`tell` hears how far the model is, in words."""

    def __init__(self, engine: Engine, link: SessionLink, tell: Callable[[str], object]) -> None:
        self._engine, self._link, self._tell = engine, link, tell
        link.listeners.append(self._heard)

    @property
    def going_on(self) -> bool:
        return any(map(self._link.waits_for, ("open", "restore")))

    def _heard(self, answer: Answer) -> None:
        if isinstance(answer, Loading) and self.going_on:
            self._tell(so_far(answer.part, answer.done, answer.total))

    async def leave(self) -> None:
        """The engine refuses the model in its next pause, and keeps the one before."""
        with contextlib.suppress(EngineFailure, EngineDied):
            await self._engine.request(StopOpening())
