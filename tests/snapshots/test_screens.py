"""Pictures of the screens, compared with the pictures beside this file: canned numbers, no clocks, no blinking.

A change that is meant: `pytest tests/snapshots --snapshot-update`, look at the SVGs, commit them.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from gpttui.storage import gallery
from gpttui.tui.app import GpttuiApp
from gpttui.tui.screens.models import ModelsScreen
from gpttui.tui.screens.train import TrainScreen
from gpttui.tui.screens.train_form import TrainFormScreen
from gpttui.tui.session.opening import Opening
from tests.snapshots import canned
from tests.snapshots.canned import CannedEngine
from tests.tui.pilot import Playground

Act = Callable[[Playground], Awaitable[None]]
STEPS = ("space",) * 5
SIZES = [(80, 24), (120, 40), (200, 55)]


@pytest.fixture(autouse=True)
def fixed_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path))
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture
def looks_as_before(snap_compare: Any) -> Callable[..., bool]:
    """`looks_as_before(act, size)`: the app after `act`, compared with its stored picture."""

    def compare(act: Act, size: tuple[int, int], theme: str = "gpttui-dark") -> bool:
        engine = CannedEngine()
        app = GpttuiApp(engine, Opening("somewhere"), theme_name=theme, animations=False)

        async def drive(pilot: Pilot[Any]) -> None:
            page = Playground(app, pilot, engine)
            await page.opened()
            await act(page)

        same: bool = snap_compare(app, terminal_size=size, run_before=drive)
        return same

    return compare


async def stepped(page: Playground) -> None:
    await page.press(*STEPS)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_playground(looks_as_before: Callable[..., bool], size: tuple[int, int]) -> None:
    assert looks_as_before(stepped, size)


def test_playground_in_the_light_theme(looks_as_before: Callable[..., bool]) -> None:
    async def coloured(page: Playground) -> None:
        await page.press(*STEPS, "c")

    assert looks_as_before(coloured, (120, 40), theme="gpttui-light")


def test_playground_without_colours(looks_as_before: Callable[..., bool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert looks_as_before(stepped, (80, 24))


@pytest.mark.parametrize("size", SIZES[:2], ids=lambda size: f"{size[0]}x{size[1]}")
def test_models(looks_as_before: Callable[..., bool], size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, "cards", canned.shelf)
    monkeypatch.setattr(gallery, "history", lambda path: canned.history())

    async def at_the_shelf(page: Playground) -> None:
        await page.pilot.press("m")
        await page.until(lambda: isinstance(page.app.screen, ModelsScreen) and "Tells short" in page.text)

    assert looks_as_before(at_the_shelf, size)


def test_help(looks_as_before: Callable[..., bool]) -> None:
    async def asked(page: Playground) -> None:
        await page.press(*STEPS, "3", "question_mark")
        await page.until(lambda: "escape closes" in page.text)

    assert looks_as_before(asked, (80, 24))


def test_training_form(looks_as_before: Callable[..., bool]) -> None:
    async def ordering(page: Playground) -> None:
        await page.pilot.press("e")
        await page.until(lambda: isinstance(page.app.screen, TrainFormScreen) and "823k" in page.text)

    assert looks_as_before(ordering, (120, 40))


@pytest.mark.parametrize("size", SIZES[:2], ids=lambda size: f"{size[0]}x{size[1]}")
def test_training(looks_as_before: Callable[..., bool], size: tuple[int, int]) -> None:
    async def training(page: Playground) -> None:
        page.engine.on_event(canned.news())
        await page.pilot.press("e")
        screen = page.app.screen
        assert isinstance(screen, TrainScreen)
        await page.until(lambda: screen.samples.samples and screen.strip.probes)
        if screen.reading.has_class("-shown"):
            await page.until(lambda: screen.reading.losses is not None)

    assert looks_as_before(training, size)
