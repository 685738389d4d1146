"""The real engine inside the test's own process: requests are answered at once, training goes on between them.

For: screens that need more than canned answers. Everything travels through frames, as over a pipe.
"""

import asyncio
from collections.abc import Callable
from time import perf_counter

from gpttui.engine.client import EngineDied, EngineFailure
from gpttui.engine.server import Engine
from gpttui.errors import UserError
from gpttui.protocol.border import Border
from gpttui.protocol.frames import Call, Reply, decode_call, decode_reply, frame
from gpttui.protocol.message import Answer, EngineInfo, Request

RESTING_S = 0.01
"""Between two micro-steps: Pilot waits for a process that is mostly idle."""


class EngineInside(Engine):
    """An engine and its client in one."""

    def __init__(self) -> None:
        super().__init__(-1)
        self.on_event: Callable[[Answer], None] = lambda _: None
        self.on_death: Callable[[str], None] = lambda _: None
        self.info: EngineInfo | None = None  # type: ignore[assignment]
        self.alive = False
        self.asked: list[Request] = []
        self._border = Border()
        self._working: asyncio.Task[None] | None = None

    def send(self, answer: Answer, number: int = 0) -> None:
        self.on_event(self._over_the_wire(answer))

    async def connect(self) -> None:
        self.alive = True
        self.info = Engine.info(self)
        self.on_event(self.info)
        self._working = asyncio.create_task(self._work())

    async def _work(self) -> None:
        while True:
            if self.has_idle_work:
                self.work_a_little()
                await asyncio.sleep(RESTING_S)
            else:
                await asyncio.sleep(0.005)

    async def request(self, request: Request) -> Answer:
        if not self.alive:
            raise EngineDied("the engine is not running")
        self.asked.append(request)
        self.since_s = perf_counter()
        await asyncio.sleep(0)
        try:
            answer = self.handle(decode_call(frame(Call(1, request))[4:]).request)
        except UserError as error:
            raise EngineFailure(str(error)) from error
        return self._over_the_wire(answer, request)

    def _over_the_wire(self, answer: Answer, request: Request | None = None) -> Answer:
        return self._border.checked(decode_reply(frame(Reply(1, answer))[4:]).answer, request)

    def die(self) -> None:
        """As a killed process would: nothing is saved, nobody is told but the screen."""
        self.alive = False
        if self._working is not None:
            self._working.cancel()
        if self.live is not None:
            self.live.run.close()
        self.idle_work, self.live, self.session = None, None, None
        self.closers.clear()
        self.on_death("the engine was killed (SIGKILL)")

    async def restart(self) -> None:
        await self.connect()

    async def close(self) -> None:  # type: ignore[override]
        self.alive = False
        if self._working is not None:
            self._working.cancel()
        Engine.close(self)
