"""A small text, tokenizers learned from it, and a way to wait for a condition."""

from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot

from gpttui.tokenizers import Tokenizer, train_bpe, train_characters
from tests.widgets.made import Bigrams

TEXT = "the king of the north saw the king of the south and the queen of the north saw the light.\n" * 20


@pytest.fixture(scope="session")
def bpe() -> Tokenizer:
    return train_bpe([TEXT], 300)


@pytest.fixture(scope="session")
def characters() -> Tokenizer:
    return train_characters([TEXT])


@pytest.fixture(scope="session")
def bigrams(bpe: Tokenizer) -> Bigrams:
    return Bigrams(bpe, TEXT)


@pytest.fixture
def until() -> Callable[[Pilot[None], Callable[[], bool]], Awaitable[None]]:
    """`await until(pilot, condition)`: lets the app work until the condition holds; fails after many turns."""

    async def wait(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
        for _ in range(200):
            if condition():
                return
            await pilot.pause(0.01)
        raise AssertionError("the condition never came true")

    return wait
