"""Guesses outside the tour: the bars are hidden until one is made, and every surprisal stands beside its baselines."""

import math

import numpy as np
import pytest

from gpttui.tui.tour.guessing import bits, first_tokens, pair_bits
from tests.fake_engine import tokenizer
from tests.tui.pilot import Playground, playground

HIDDEN = "hidden until you have guessed"


async def begin(page: Playground) -> None:
    await page.press("G")
    await page.until(lambda: HIDDEN in page.text and "Which token follows" in page.text)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_guess_is_shown_beside_its_baselines_and_the_next_token_hides_the_bars_again(
    size: tuple[int, int],
) -> None:
    async with playground(size) as page:
        await begin(page)
        prediction, vocab = page.play.link.snapshot.prediction, tokenizer().vocab_size  # type: ignore[union-attr]
        guessing = page.app._guessing
        assert guessing is not None and prediction is not None
        await page.press("1")
        await page.until(lambda: "Your guess:" in page.text and HIDDEN not in page.text)
        (made,) = guessing.rounds
        probs = prediction.model_probs
        assert made.guessed == pytest.approx(-math.log2(probs[guessing._order[0]]))
        assert made.best == pytest.approx(-math.log2(probs[0])) and made.blind == math.log2(vocab)
        said = " ".join(page.text.replace("│", " ").split())
        assert f"surprisal {made.guessed:.1f} bits" in said and f"A blind guess: {made.blind:.1f}" in said
        assert "Score: " in said
        await page.press("space")
        await page.until(lambda: HIDDEN in page.text and "Guess 2" in page.text)
        await page.press("enter")  # without a guess
        await page.until(lambda: HIDDEN not in page.text)
        assert len(guessing.rounds) == 1
        await page.press("escape")
        await page.until(lambda: "Which token" not in page.text and "Score: " in page.text)
        assert not page.play.next.hidden


async def test_a_typed_guess_that_cannot_be_looked_up_leaves_the_round_open() -> None:
    async with playground((120, 40)) as page:
        await begin(page)
        await page.press("5")
        await page.until(lambda: "Your guess: the next word" in page.text)
        await page.press("k", "i", "n", "g", "enter")  # the fake engine looks up no probability
        await page.until(lambda: "does not do this" in page.text)
        assert HIDDEN in page.text


async def test_its_key_ends_the_game_too() -> None:
    async with playground((120, 40)) as page:
        await begin(page)
        await page.press("G")
        await page.until(lambda: not page.app.guesses and HIDDEN not in page.text)


def test_a_count_of_pairs_shares_one_count_among_all_tokens() -> None:
    assert pair_bits([1, 2, 1, 2, 1], 2, 4) == pytest.approx(-math.log2((2 + 1 / 4) / 3))
    assert pair_bits([1, 2, 3], 7, 256) == 8.0  # 3 is new: a blind guess
    total = sum(2 ** -pair_bits([1, 2, 1, 3, 1], token, 5) for token in range(5))
    assert total == pytest.approx(1)


def test_a_typed_word_is_tried_as_it_stands_and_after_a_space() -> None:
    tried = first_tokens(tokenizer(), "king")
    assert len(tried) == 2 and tokenizer().decode(tried[1:]).strip() in "king"
    assert bits(1.0) == 0.0 and math.isfinite(bits(0.0)) and np.isclose(bits(0.25), 2)
