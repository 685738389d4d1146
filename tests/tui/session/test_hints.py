"""A text that is not of the kind that the model has read is said to be so, calmly, and no other is."""

import math
from dataclasses import replace

import numpy as np
import pytest

from gpttui.records import LossHistory
from gpttui.tui.session.hints import far
from tests.tui.pilot import playground

VOCAB = 1024
OWN = LossHistory(*(np.array([1.0]),) * 2, np.array([1.0]), np.array([1.5 * math.log(2)]))


@pytest.mark.parametrize(
    ("bits", "history", "said"),
    [
        ([math.nan, 9.0, 8.0, 9.0, 8.0, 9.0], OWN, True),
        ([math.nan, 9.0, 1.0, 0.5, 2.0, 1.0], OWN, False),
        ([math.nan, 9.0, 9.0], OWN, False),
        ([9.0] * 6, None, False),
        ([9.0] * 6, replace(OWN, prompt_counts=0.1), False),
        ([9.0] * 6, replace(OWN, val_losses_nats=np.array([])), False),
        ([9.0] * 6, replace(OWN, val_losses_nats=np.array([6.0])), False),
    ],
)
async def test_far_from_what_it_has_read(bits: list[float], history: LossHistory | None, said: bool) -> None:
    async with playground() as page:
        snapshot = page.play.tokens.snapshot
        card = page.play.header.card
        assert snapshot is not None and card is not None
        text = replace(snapshot, surprisal_bits=np.array(bits), n_prompt=len(bits), n_slid=0)
        line = far(text, history, replace(card, vocab_size=VOCAB))
        assert bool(line) == said
        assert not said or ("8.6 bits a token" in line and "take 1.5" in line and len(line) <= 74)


async def test_it_is_said_when_the_text_is_taken() -> None:
    async with playground() as page:
        page.play.loss.history = replace(OWN, val_losses_nats=np.array([0.1]))
        await page.press("slash", "ctrl+u", *"Zy qx? Vv 9", "enter")
        snapshot = page.play.tokens.snapshot
        assert snapshot is not None
        expected = far(snapshot, page.play.loss.history, page.play.header.card)
        assert expected and expected in page.text
