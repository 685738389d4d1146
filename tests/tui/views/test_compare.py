"""One word in two contexts, by its keys, on the real engine and a tiny random model."""

from pathlib import Path

import numpy as np
import pytest

from gpttui.interventions import AblateHead, AblatePart, PatchResidual
from gpttui.records import ModelCard
from gpttui.tokenizers import train_characters
from gpttui.tui.session.pairs import ESSAY, opening, readable
from tests.tui.opening import opened
from tests.tui.views.keys import compare, write


async def test_it_opens_on_two_texts_that_the_model_can_read(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await compare(page)
        for words in ("How far apart", "Who drew them apart", "What follows", "layer 2 MLP"):
            assert words in page.text
        found = screen.distances.found
        assert found is not None and found.same_tokens and found.word
        total = found.share_embed + float(found.share_heads.sum() + found.share_mlps.sum())
        assert abs(total - 1) < 1e-4
        assert found.lens_ids.shape == (2, len(found.stops))
        assert np.array_equal(found.lens_ids[:, -1], found.top_ids[:, 0])


async def test_slash_writes_two_others_and_says_what_to_do_where_they_share_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await compare(page)
        await page.press("slash")
        await write(page, "the cat")
        await write(page, "dogs ate")
        await page.until(lambda: "share no word" in page.text and "mark a token in each" in page.text)
        await page.press("1", "left")
        await page.until(lambda: screen.distances.found is not None)
        found = screen.distances.found
        assert found is not None and (found.position_a, found.position_b) == (6, 7)
        await page.press("escape")
        assert page.app.screen is page.play


async def test_n_takes_the_next_shared_word_and_arrows_any_token(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await compare(page)
        await page.press("slash")
        await write(page, "the cat sat")
        await write(page, "the dog sat")
        await page.until(lambda: screen.texts.marks == (10, 10))
        await page.press("n")
        await page.until(lambda: screen.texts.marks == (2, 2))
        assert "Both texts have: sat, the" in page.text
        await page.press("1", "down", "right")
        await page.until(lambda: screen.texts.marks == (2, 3))


async def test_x_silences_the_part_under_the_cursor_and_the_comparison_is_made_anew(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await compare(page)
        before = screen.distances.found
        await page.press("3")
        _, layer, head = screen.parts.parts()[0]
        await page.press("x")
        await page.until(lambda: "ALTERED" in page.text and screen.distances.found is not before)
        wanted = AblateHead(layer, head) if head >= 0 else AblatePart(layer, "mlp")
        assert page.play.link.changes == (wanted,)


async def test_a_patch_brings_text_a_to_the_playground_with_bs_vector_in_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await compare(page)
        found = screen.distances.found
        assert found is not None and screen.two is not None
        await page.press("2", "P")
        await page.until(lambda: "ALTERED" in page.text)
        assert page.play.link.prompt == screen.two.a
        (change,) = page.play.link.changes
        assert isinstance(change, PatchResidual)
        assert (change.position, change.source_position) == (found.position_a, found.position_b)
        await page.until(lambda: "A is in the playground, its word after layer" in page.text)
        await page.press("w", "2", *["down"] * 9, "P")
        await page.until(lambda: "its word after layer 2 MLP taken from B" in page.text)


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (1, 1)])
async def test_it_survives_any_terminal_and_an_empty_text(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path, size, prompt="") as page:
        await page.press("w", "tab", "down", "down", "d", "up", "tab", "down", "x", "left", "tab", "z", "z")
        await page.press("escape", "escape")
        assert page.app.screen is page.play


def test_models_that_cannot_read_the_essay_compare_texts_of_their_own() -> None:
    card = ModelCard("x", "x", 1, 1, 1, 1, 1, 1, "characters", 1, prompts=("12+3=", "9+99="))
    digits = train_characters(["0123456789+="])
    two = opening(card, digits)
    assert two is not None and (two.a, two.b) == card.prompts
    assert (two.position_a, two.position_b) == (4, 4)
    assert not any(readable(digits, text) for text in ESSAY)
    letters = train_characters(["abcdefghijklmnopqrstuvwxyz A"])
    assert opening(card, letters) == opening(card, letters) is not None
    alone = ModelCard("x", "x", 1, 1, 1, 1, 1, 1, "characters", 1, prompts=("12+3=",))
    assert opening(alone, digits) is None
