"""Before the engine has loaded anything, the prompt stands there in its tokens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gpttui.tokenizers import Tokenizer
from gpttui.tui.app import GpttuiApp
from gpttui.tui.screens.early import early
from gpttui.tui.session.opening import Opening
from tests import bad_models, fakes
from tests.fake_engine import FakeEngine
from tests.tui.pilot import Playground


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return fakes.tiny_model_dir(tmp_path)


@asynccontextmanager
async def unanswered(opening: Opening) -> AsyncIterator[Playground]:
    """The playground on an engine that answers nothing until its gate is opened."""
    engine = FakeEngine()
    engine.gate = asyncio.Event()
    app = GpttuiApp(engine, opening, animations=False)
    async with app.run_test(size=(80, 24)) as pilot:
        yield Playground(app, pilot, engine)


async def test_the_prompt_shows_its_tokens_before_the_engine_has_answered(model: Path) -> None:
    async with unanswered(Opening(str(model))) as page:
        await page.until(lambda: "the·cat" in page.text and "7 tokens" in page.text)
        assert page.play.tokens.snapshot is None
        await page.pilot.click("#tokens", offset=(3, 1))
        await page.pilot.press("space", "up", "down")
        assert page.play.tokens.snapshot is None
        page.engine.gate.set()  # type: ignore[union-attr]
        await page.opened()
        await page.until(lambda: "To·be,·or·not" in page.text and "the·cat" not in page.text)


async def test_a_prompt_of_ones_own_is_the_one_that_shows(model: Path) -> None:
    async with unanswered(Opening(str(model), "the dog ate")) as page:
        await page.until(lambda: "the·dog·ate" in page.text)
        page.play.link.set_prompt("x")
        await page.pilot.press("slash", "o", "x")
        await page.until(lambda: "your draft" in page.text and "the·cat" not in page.text)


async def test_where_no_model_can_be_opened_no_prompt_stays(model: Path, tmp_path: Path) -> None:
    missing = model.rename(tmp_path / "missing")  # the engine will say that it holds none
    async with unanswered(Opening(str(missing))) as page:
        await page.until(lambda: "the·cat" in page.text)
        page.engine.gate.set()  # type: ignore[union-attr]
        await page.until(lambda: "no model is open" in page.text and "the·cat" not in page.text)


def test_what_cannot_be_read_is_left_to_the_engine_to_say(model: Path, tmp_path: Path) -> None:
    assert early("tales-on-another-machine", None) is None
    found = early(str(model), None)
    assert found is not None and found.prompt == "the cat" and isinstance(found.tokenizer, Tokenizer)
    (model / "tokenizer.json").write_text("{")
    assert early(str(model), None) is None
    (model / "config.json").unlink()
    assert early(str(model), "x") is None


@pytest.mark.parametrize("name", sorted(bad_models.OF_THE_CARD))
async def test_a_broken_model_is_a_line_in_a_living_app(model: Path, name: str) -> None:
    bad_models.OF_THE_CARD[name](model)
    assert early(str(model), None) is None
    async with unanswered(Opening(str(model))) as page:
        page.engine.gate.set()  # type: ignore[union-attr]
        await page.opened()
