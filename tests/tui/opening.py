"""The app on the real engine and small random models: opened, opened again on a saved session, come to rest."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gpttui.sessions.tree import SessionFile
from gpttui.tui.app import GpttuiApp
from gpttui.tui.session.opening import Opening
from tests.fakes import Arch, tiny_model_dir
from tests.tui.engine_inside import EngineInside
from tests.tui.pilot import Playground

SIZE = (120, 40)


@asynccontextmanager
async def shown(
    opening: Opening, size: tuple[int, int] = SIZE, engine: EngineInside | None = None
) -> AsyncIterator[Playground]:
    """The playground, once its first numbers are painted."""
    engine = engine or EngineInside()
    app = GpttuiApp(engine, opening)
    async with app.run_test(size=size) as pilot:
        page = Playground(app, pilot, engine)  # type: ignore[arg-type]
        await page.opened()
        await settled(page)
        yield page


@asynccontextmanager
async def opened(
    tmp_path: Path, size: tuple[int, int] = SIZE, prompt: str | None = None, arch: Arch = "gpt2", **model: Any
) -> AsyncIterator[Playground]:
    """On a tiny random model of this shape."""
    async with shown(Opening(str(tiny_model_dir(tmp_path, arch, **model)), prompt), size) as page:
        yield page


@asynccontextmanager
async def opened_on(path: Path, prompt: str | None = None, size: tuple[int, int] = SIZE) -> AsyncIterator[Playground]:
    """On the model in this directory."""
    async with shown(Opening(str(path), prompt), size) as page:
        yield page


@asynccontextmanager
async def again(session: SessionFile, size: tuple[int, int] = SIZE, file: str = "") -> AsyncIterator[Playground]:
    """On a saved session."""
    async with shown(Opening(session.model, session=session, session_file=file), size) as page:
        yield page


async def settled(page: Playground) -> None:
    await page.until(lambda: not page.play.link.busy)
    await page.pilot.pause()
