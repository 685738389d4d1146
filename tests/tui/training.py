"""The app with the real engine inside, driven through training by keys: what the tests of its screens share."""

import asyncio
import csv
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual import events
from textual.pilot import Pilot

from gpttui import locations
from gpttui.tui.app import GpttuiApp
from gpttui.tui.screens.play import PlayScreen
from gpttui.tui.screens.train import TrainScreen
from gpttui.tui.screens.train_form import TrainFormScreen
from gpttui.tui.session.opening import Opening
from gpttui.tui.session.run_record import RunRecord
from gpttui.tui.session.share_dialogs import ExportScreen
from tests import fakes
from tests.tui.engine_inside import EngineInside

LIMIT_S = 200
"""Only what never comes true takes as long."""
TINY = {
    "layers": "2", "heads": "2", "width": "16", "context": "16", "batch": "4", "steps": "40", "minutes": "0",
    "preset": "your own",
}  # fmt: skip


class Driven:
    """The app, its engine and the pilot, for one test."""

    def __init__(self, app: GpttuiApp, pilot: Pilot[Any], engine: EngineInside) -> None:
        self.app, self.pilot, self.engine = app, pilot, engine
        screen = app.screen_stack[0]
        assert isinstance(screen, PlayScreen)
        self.play: PlayScreen = screen

    async def until(self, condition: Callable[[], object]) -> None:
        try:
            async with asyncio.timeout(LIMIT_S):
                while not condition():
                    await asyncio.sleep(0.01)
        except TimeoutError as error:
            raise AssertionError(f"never came true\n{self.text}") from error

    async def on(self, kind: type) -> Any:
        await self.until(lambda: isinstance(self.app.screen, kind))
        return self.app.screen

    def burst(self, *keys: str) -> None:
        """Keys that come faster than anything can answer them."""
        for key in keys:
            self.app.post_message(events.Key(key, key if len(key) == 1 else None))

    @property
    def text(self) -> str:
        return "\n".join(strip.text.rstrip() for strip in self.app.screen._compositor.render_strips())

    @property
    def record(self) -> RunRecord:
        record = self.play.training.record
        assert record is not None
        return record

    async def exported_file(self, kind: str) -> Path:
        """What `o` writes of the pane that has the focus."""
        before = set(locations.exports_dir().glob("*"))
        await self.pilot.press("o")
        await self.on(ExportScreen)
        await self.pilot.press(kind)
        await self.until(lambda: set(locations.exports_dir().glob("*")) > before and "Wrote" in self.text)
        (file,) = set(locations.exports_dir().glob("*")) - before
        return file

    async def exported(self, kind: str) -> list[dict[str, str]]:
        with (await self.exported_file(kind)).open(newline="", encoding="utf-8") as handle:
            return list(csv.DictReader(handle))

    async def set_going(self) -> None:
        """A run that does not end by itself, some steps in."""
        await self.order(steps="100000")
        await self.until(lambda: self.record.step >= 3)

    async def order(self, **values: str) -> None:
        """Fill the form that is open with tiny values, and start."""
        form = await self.on(TrainFormScreen)
        form.values = form.values | TINY | values
        form._show()
        form._measure()
        await self.until(lambda: form.measured is not None and not form.problem)
        await self.pilot.press("enter")
        await self.on(TrainScreen)


@asynccontextmanager
async def training(
    home: Path,
    size: tuple[int, int] = (120, 40),
    *,
    make_engine: Callable[[], EngineInside] = EngineInside,
    **opening: Any,
) -> AsyncIterator[Driven]:
    model = str(fakes.tiny_model_dir(home, context=16)) if not (home / "tiny").exists() else str(home / "tiny")
    engine = make_engine()
    app = GpttuiApp(engine, Opening(opening.pop("model", model), **opening), animations=False)
    async with app.run_test(size=size) as pilot:
        yield Driven(app, pilot, engine)


def weights(driven: Driven) -> str:
    snapshot = driven.play.tokens.snapshot
    return "" if snapshot is None else snapshot.weights
