"""A frame waits for the numbers of what was selected, though never long, and never behind a screen that is left."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gpttui.protocol.message import Answer, Request
from gpttui.storage import gallery
from gpttui.tui.app import GpttuiApp
from gpttui.tui.session.opening import Opening
from gpttui.tui.views import hold
from gpttui.tui.views.frame import LOOKING, InsideScreen
from gpttui.tui.views.table import VIEWS
from gpttui.tui.widgets.help import HelpScreen
from gpttui.tui.widgets.pane import Pane
from tests.tui.engine_inside import EngineInside
from tests.tui.pilot import Playground

NEVER_S = 1000.0


class GatedEngine(EngineInside):
    """Answers only while its gate is open."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()

    async def request(self, request: Request) -> Answer:
        await self.gate.wait()
        return await super().request(request)


@asynccontextmanager
async def watched(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Playground, GatedEngine, list[Any]]]:
    """The vectors of a small model are shown; every frame that goes out to the terminal is kept."""
    frames: list[Any] = []
    display = GpttuiApp._display

    def kept(self: GpttuiApp, screen: Any, frame: Any) -> None:
        if frame is not None and not self._batch_count:
            frames.append(frame)
        display(self, screen, frame)

    monkeypatch.setattr(GpttuiApp, "_display", kept)
    engine = GatedEngine()
    app = GpttuiApp(engine, Opening(str(gallery.find("induction")), "k7QeXp2mk7Q"))  # type: ignore[arg-type]
    async with app.run_test(size=(120, 40)) as pilot:
        page = Playground(app, pilot, engine)  # type: ignore[arg-type]
        await page.opened()
        await page.press("v")
        await page.until(lambda: LOOKING not in page.text and not held(page))
        await pilot.pause(0.1)
        await page.pause()
        frames.clear()
        yield page, engine, frames
        engine.gate.set()


def held(page: Playground) -> bool:
    assert isinstance(page.app.screen, InsideScreen)
    return page.app.screen.hold.holding


async def test_nothing_is_painted_until_the_numbers_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hold, "MOVING_S", NEVER_S)
    async with watched(monkeypatch) as (page, engine, frames):
        engine.gate.clear()
        await page.pilot.press("comma")
        await page.until(lambda: held(page) and page.play.link.busy)
        await page.pilot.pause(0.1)
        assert not frames
        engine.gate.set()
        await page.until(lambda: frames and not held(page))


@pytest.mark.parametrize("key", [view.key for view in VIEWS if view.id not in ("vectors", "branches")])
async def test_a_view_opens_with_its_numbers(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    """All but the one that is open, and the one that asks nothing."""
    monkeypatch.setattr(hold, "OPENING_S", NEVER_S)
    async with watched(monkeypatch) as (page, engine, frames):
        engine.gate.clear()
        await page.pilot.press(key)
        await page.until(lambda: len(page.app.screen.query(Pane)) and held(page) and page.play.link.busy)
        await page.pilot.pause(0.1)
        assert not frames
        engine.gate.set()
        await page.until(lambda: frames and not held(page))
        assert LOOKING not in page.text


async def test_a_slow_engine_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hold, "OPENING_S", 0.01)
    async with watched(monkeypatch) as (page, engine, frames):
        engine.gate.clear()
        await page.pilot.press("L")
        await page.until(lambda: frames and LOOKING in page.text)
        assert page.play.link.busy and not held(page)


async def test_a_view_that_is_left_holds_nothing_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hold, "MOVING_S", NEVER_S)
    async with watched(monkeypatch) as (page, engine, frames):
        engine.gate.clear()
        await page.pilot.press("comma")
        await page.until(lambda: held(page))
        await page.pilot.press("escape")
        await page.until(lambda: page.app.screen is page.play and frames)
        assert not page.app._batch_count


async def test_what_comes_on_top_of_a_held_view_is_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hold, "MOVING_S", NEVER_S)
    async with watched(monkeypatch) as (page, engine, frames):
        engine.gate.clear()
        await page.pilot.press("comma")
        await page.until(lambda: held(page))
        await page.pilot.press("question_mark")
        await page.until(lambda: isinstance(page.app.screen, HelpScreen) and frames and "escape closes" in page.text)
        assert not page.app._batch_count
