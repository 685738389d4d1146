"""Every view on every kind of model: bundled ones, a GPT-2 directory as `transformers` writes it; keys and mouse."""

from pathlib import Path

import pytest

from gpttui.storage import gallery
from gpttui.tui.app import GpttuiApp
from gpttui.tui.session.opening import Opening
from gpttui.tui.views.frame import LOOKING, InsideScreen
from gpttui.tui.views.table import VIEWS
from gpttui.tui.widgets.token_line import TokenLine
from tests.fakes import tiny_tokenizer
from tests.tui.engine_inside import EngineInside
from tests.tui.pilot import Playground

PROMPTS = {"tales": "Mia puts the key in", "translate": "the red cat sleeps. =", "induction": "k7QeXp2mk7Q"}
MOVES = ("left", "right_curly_bracket", "right_square_bracket", "tab", "up", "down")


def hugging_face_dir(folder: Path) -> Path:
    """A small GPT-2, saved by its own library."""
    from transformers import GPT2Config, GPT2LMHeadModel

    words = tiny_tokenizer("bpe")
    shape = GPT2Config(vocab_size=words.vocab_size, n_positions=48, n_embd=48, n_layer=3, n_head=4)
    GPT2LMHeadModel(shape).save_pretrained(folder)
    (folder / "tokenizer.json").write_text(words.to_json(), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("model", "size"),
    [*((model, (120, 40)) for model in (*PROMPTS, "hugging face")), ("tales", (80, 24)), ("induction", (40, 12))],
    ids=lambda value: value if isinstance(value, str) else f"{value[0]}x{value[1]}",
)
async def test_views_open_move_step_and_close(model: str, size: tuple[int, int], tmp_path: Path) -> None:
    path = hugging_face_dir(tmp_path) if model == "hugging face" else gallery.find(model)
    app = GpttuiApp(EngineInside(), Opening(str(path), PROMPTS.get(model, "the cat sat on")))
    async with app.run_test(size=size) as pilot:
        page = Playground(app, pilot, app.engine)  # type: ignore[arg-type]
        await page.opened()
        for view in VIEWS:
            await page.press(view.key)
            screen = app.screen
            assert isinstance(screen, InsideScreen)
            assert view.id == screen.VIEW
            await page.press(*MOVES)
            assert app.screen is screen, f"{view.id} was left by one of {MOVES}"
            await page.until(lambda: LOOKING not in page.text)
            if screen.query_one(TokenLine).size.height:
                await pilot.click(TokenLine, offset=(12, 0))
                await page.until(lambda: not page.play.link.busy)
            await page.press("escape")
        assert app.screen is page.play
        before = len(page.ids)
        await page.press("i", "space", "escape")
        assert len(page.ids) == before + 1


@pytest.mark.parametrize("prompt", ["", "t"], ids=["no text", "one token"])
async def test_views_of_almost_nothing_say_so(prompt: str, tmp_path: Path) -> None:
    app = GpttuiApp(EngineInside(), Opening(str(hugging_face_dir(tmp_path)), prompt))
    async with app.run_test(size=(120, 40)) as pilot:
        page = Playground(app, pilot, app.engine)  # type: ignore[arg-type]
        await page.opened()
        for view in VIEWS:
            await page.press(view.key, *MOVES)
            assert isinstance(app.screen, InsideScreen), view.id
            await page.press("escape")
        assert app.screen is page.play
