"""Tokens as vectors: neighbours, the map, arithmetic; on the real engine and a tiny random model."""

from pathlib import Path

import pytest

from gpttui.errors import UserError
from gpttui.protocol.stream import AskMap
from gpttui.storage import gallery
from gpttui.tokenizers import train_bpe, train_characters
from gpttui.tui.app import GpttuiApp
from gpttui.tui.session.opening import Opening
from gpttui.tui.views.vectors.screen import VectorsScreen
from gpttui.tui.views.vectors.words import NEUTRAL, example, opening_sum, read_sum, single_token, whole_words
from tests.tui.engine_inside import EngineInside
from tests.tui.opening import opened
from tests.tui.pilot import Playground
from tests.tui.views.keys import write


async def vectors(page: Playground) -> VectorsScreen:
    await page.press("v")
    screen = page.app.screen
    assert isinstance(screen, VectorsScreen)
    await page.until(lambda: screen.map.found is not None and screen.near.later is not None)
    return screen


async def test_neighbours_follow_the_token_and_the_layer(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await vectors(page)
        assert 'Closest to "t"' in page.text and "after layer 1" in page.text
        await page.press("left", "right_curly_bracket")
        await page.until(lambda: screen.near.later is not None and screen.near.later.stop_name == "1 mlp")
        assert 'Closest to "a"' in page.text and "after layer 2" in page.text
        assert screen.map.token_id not in screen.near.own.ids.tolist()  # type: ignore[union-attr]


async def test_the_map_says_how_much_it_keeps_and_shows_text_or_vocabulary(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await vectors(page)
        assert "Map of your text" in page.text and "of the spread" in page.text
        await page.press("m")
        await page.until(lambda: "of the vocabulary" in page.text)
        words = screen.map.found
        await page.press("e")
        await page.until(lambda: screen.map.found is not words)
        asked = [request for request in page.engine.asked if isinstance(request, AskMap)]  # type: ignore[attr-defined]
        assert (asked[-1].of, asked[-1].stop) == ("text", 0) and "of the vocabulary" not in page.text


async def test_a_sum_is_written_and_a_word_that_is_no_token_says_so(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await vectors(page)
        await page.press("equals_sign")
        await write(page, "cat - a + e")
        assert "not a token" in page.text
        await page.press("equals_sign")
        await page.press("f7", "delete", *"a", "space", "minus", "space", *"e", "space", "plus", "space", *"o", "enter")
        await page.until(lambda: len(screen.sum.asked) == 3)


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (1, 1)])
async def test_it_survives_any_terminal_and_an_empty_text(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path, size, prompt="") as page:
        await page.press("v", "m", "e", "u", "tab", "tab", "left", "down", "escape")
        assert page.app.screen is page.play


async def test_one_token_is_a_map_too(tmp_path: Path) -> None:
    async with opened(tmp_path, prompt="t") as page:
        await vectors(page)
        assert "keeps 0% + 0%" in page.text


@pytest.mark.parametrize(
    ("model", "asked"), [("tales", "king - man + woman = queen"), ("translate", "king - man + woman = queen")]
)
async def test_the_example_is_one_that_the_model_can_be_asked(model: str, asked: str) -> None:
    app = GpttuiApp(EngineInside(), Opening(str(gallery.find(model))))
    async with app.run_test(size=(120, 40)) as pilot:
        page = Playground(app, pilot, app.engine)  # type: ignore[arg-type]
        await page.opened()
        screen = await vectors(page)
        tokenizer = screen.context.tokenizer
        assert tokenizer is not None and example(tokenizer) == asked
        await page.press("equals_sign")
        assert f"Such as: {asked}." in page.text
        await write(page, example(tokenizer))
        await page.until(lambda: screen.sum.asked == read_sum(tokenizer, asked))
        assert "not a token" not in page.text


def test_without_words_of_one_token_the_example_is_neutral() -> None:
    pieces = train_bpe(["the cat the cat the cat the dog"], 256)
    assert example(train_characters(["xyz"])) == NEUTRAL and "king" not in example(pieces)
    with pytest.raises(UserError, match="such as: b - a \\+ c = d"):
        read_sum(train_characters(["abcde"]), "b-a+c")


def test_sums_are_read_in_single_tokens() -> None:
    letters = train_characters(["abcde"])
    assert read_sum(letters, "b - a + c = d") == (1, 0, 2, 3) == opening_sum(letters)
    assert read_sum(letters, " b - a + c ") == (1, 0, 2)
    for line in ("b-a+c", "", "b - a", "b + a - c"):
        with pytest.raises(UserError, match="spaces around"):
            read_sum(letters, line)
    with pytest.raises(UserError, match="not a token"):
        read_sum(letters, "x - a + b")
    pieces = train_bpe(["the cat the cat the cat the dog"], 270)
    assert single_token(pieces, "the") is not None and single_token(pieces, "zebra") is None
    with pytest.raises(UserError, match="tokens in this model"):
        read_sum(pieces, "zebra - the + the")
    assert whole_words(pieces) == () and opening_sum(train_characters(["xyz"])) == ()
