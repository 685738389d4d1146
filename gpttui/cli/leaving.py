"""How the playground is left, whoever wishes it: its key, a signal, a terminal that is gone, something that broke.

A run in training is saved by the engine, which does so whether or not someone waits (`gpttui.engine.server`); here is
waited for it, with words. After a signal, and without a terminal, the program ends within `LIMIT_S` whatever its main
thread is doing.
"""

import asyncio
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import IO, TYPE_CHECKING

import click

from gpttui.text import safe_text

if TYPE_CHECKING:
    from gpttui.engine.client import EngineClient
    from gpttui.protocol.train import TrainNews
    from gpttui.tui.app import GpttuiApp

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
LIMIT_S = 1.5
SAVING_S = 0.5
"""So long the engine has to say which step it saves."""


class Leaving:
    """One for the program. `number` is the signal that ends it; 0: none has come."""

    def __init__(self) -> None:
        self.number = 0
        self._at_s = 0.0
        self._last: threading.Timer | None = None
        self._tell: Callable[[], object] | None = None
        """Tells whatever runs now that a signal has come; None: the main thread is interrupted."""
        self._last_act: Callable[[], object] = lambda: None
        for number in SIGNALS:
            signal.signal(number, lambda number, _: self.now(number))

    def now(self, number: int = signal.SIGHUP) -> None:
        """From a signal's handler, or from a thread that finds the terminal gone."""
        if self.number:
            return
        self.number = number
        self.end_soon()
        if self._tell is None:
            raise SystemExit(self.code)
        self._tell()

    @property
    def code(self) -> int:
        return 128 + self.number if self.number else 0

    def end_soon(self) -> None:
        """Whatever hangs from here on: the process ends."""
        self._at_s = time.monotonic()
        self._last = threading.Timer(LIMIT_S, self._end)
        self._last.daemon = True
        self._last.start()

    def _end(self) -> None:
        with contextlib.suppress(Exception):
            self._last_act()
        os._exit(self.code)

    def run(self, app: "GpttuiApp", client: "EngineClient") -> int:
        """The app until it is left, and then the engine's end; the exit code."""
        asyncio.run(self._run(app, client))
        self._tell = None
        if not self.number and self._last is not None:
            self._last.cancel()
        return self.code or app.return_code or 0

    async def _run(self, app: "GpttuiApp", client: "EngineClient") -> None:
        loop = asyncio.get_running_loop()
        trained = told = False

        def leave() -> None:
            """The engine hears of it at once: the app may have much to do before."""
            nonlocal trained
            trained = client.trains
            closing.append(loop.create_task(client.close()))
            app.exit(return_code=self.code)

        def give_up() -> None:
            """In a thread, where all else hangs or takes too long."""
            app.give_back_terminal()
            if (trained or client.trains) and client.news is not None and not told:
                say(what_became_of(client.news, _lives(client)), sys.__stderr__)  # the app may still have the other

        closing: list[asyncio.Task[None]] = []
        self._tell = lambda: loop.call_soon_threadsafe(leave)
        self._last_act = give_up
        app.on_hang_up = self.now
        await app.run_async()
        if app.last_words:
            say(app.last_words)
        trained = trained or client.trains
        await client.close()
        ended = asyncio.ensure_future(client.ended())
        self._tell = lambda: loop.call_soon_threadsafe(ended.cancel)
        if trained:
            await asyncio.wait([ended], timeout=SAVING_S)
            alone = "" if self.number else " (ctrl+c leaves at once; it is saved all the same)"
            say(f"saving step {_step(client.news):,}…{alone}")
        left_s = max(0.1, self._at_s + LIMIT_S - 0.5 - time.monotonic()) if self.number else None
        await asyncio.wait([ended], timeout=left_s)
        if trained and client.news is not None:
            say(what_became_of(client.news, _lives(client)))
            told = True
        self.end_soon()


def _lives(client: "EngineClient") -> bool:
    return client.process is not None and client.process.poll() is None


def _step(news: "TrainNews | None") -> int:
    return news.last.step if news is not None and news.last is not None else 0


def what_became_of(news: "TrainNews", still_saving: bool) -> str:
    """One line: the run of these last news, and how to go on with it."""
    from gpttui.runs.events import RunEnded, RunFailed
    from gpttui.sessions.command import resume_command

    on = f"go on with: {resume_command(news.run)}"
    for event in news.events:
        if isinstance(event, RunFailed):
            return f"{event.message}; {on}"
        if isinstance(event, RunEnded):
            return f"the training was stopped at step {event.step:,} and saved; {on}"
    if still_saving:
        return f"the engine is still saving step {_step(news):,}, and ends by itself; then {on}"
    return f"the engine ended before it said that step {_step(news):,} is saved; {on}"


def say(line: str, stderr: IO[str] | None = None) -> None:
    """One line on stderr, which may be gone."""
    with contextlib.suppress(OSError):
        click.echo(f"gpttui: {safe_text(line)}", file=stderr, err=True)
