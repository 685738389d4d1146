"""Driving the app on a fake engine: `playground()` opens it, `until` waits for a condition, never for a clock."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot, WaitForScreenTimeout

from gpttui import locations
from gpttui.tui.app import GpttuiApp
from gpttui.tui.screens.play import PlayScreen
from gpttui.tui.session.opening import Opening
from gpttui.tui.session.share_dialogs import ExportScreen
from tests.fake_engine import FakeEngine

LIMIT_S = 100
"""Only what never comes true takes as long."""


class Playground:
    """The app, its screen, its fake engine and the pilot, for one test."""

    def __init__(self, app: GpttuiApp, pilot: Pilot[Any], engine: FakeEngine) -> None:
        self.app, self.pilot, self.engine = app, pilot, engine
        screen = app.screen_stack[0]
        assert isinstance(screen, PlayScreen)
        self.play: PlayScreen = screen

    async def until(self, condition: Callable[[], object]) -> None:
        """Let the app work until `condition()` holds; an AssertionError naming it where that never happens."""
        try:
            async with asyncio.timeout(LIMIT_S):
                while not condition():
                    self.alive()
                    await self.pause()
                    await asyncio.sleep(0.001)  # what is waited for may be a thread, a process or a timer
        except TimeoutError as error:
            raise AssertionError(f"never came true: {condition}\n{self.text}") from error

    async def pause(self) -> None:
        """Let the app come to rest, and paint. What cannot be painted ends it, as when its own timer paints."""
        try:
            await self.pilot.pause()
        except WaitForScreenTimeout:
            raise
        except Exception as error:
            self.app._handle_exception(error)

    def alive(self) -> None:
        """An AssertionError with what the app has ended over, where it has: waiting is in vain then."""
        if (error := self.app._exception) is not None:
            raise AssertionError(f"the app has ended: {error}") from error

    async def opened(self) -> None:
        await self.until(lambda: self.play.tokens.snapshot is not None)

    async def press(self, *keys: str) -> None:
        """Press keys one after the other, each answered and painted before the next."""
        for key in keys:
            await self.pilot.press(key)
            await self.until(lambda: not self.play.link.busy)
            await self.pause()

    def burst(self, *keys: str) -> None:
        """Keys that come faster than anything can answer them."""
        for key in keys:
            name, character = (_character_to_key(key), key) if len(key) == 1 else (key, None)
            self.app.post_message(events.Key(name, character))

    @property
    def ids(self) -> list[int]:
        snapshot = self.play.tokens.snapshot
        return [] if snapshot is None else [int(i) for i in snapshot.ids]

    @property
    def text(self) -> str:
        """What is on the screen, without colours."""
        lines = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in lines)


@asynccontextmanager
async def playground(
    size: tuple[int, int] = (120, 40),
    *,
    wait: bool = True,
    opening: Opening | None = None,
    engine: FakeEngine | None = None,
    **options: Any,
) -> AsyncIterator[Playground]:
    engine = engine or FakeEngine()
    app = GpttuiApp(engine, opening or Opening("somewhere"), **options)
    async with app.run_test(size=size) as pilot:
        driven = Playground(app, pilot, engine)
        if wait:
            await driven.opened()
            await pilot.pause()
        yield driven


async def exported(page: Playground, key: str) -> Path:
    """The file that `o` and this key write of the pane that has the focus."""
    before = set(locations.exports_dir().glob("*"))
    await page.press("o")
    assert isinstance(page.app.screen, ExportScreen)
    await page.press(key)
    await page.until(lambda: "Wrote" in page.text)
    (file,) = set(locations.exports_dir().glob("*")) - before
    return file
