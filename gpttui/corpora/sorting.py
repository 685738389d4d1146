"""Letters and the same letters in order: `hello>ehllo`.

For: reading an algorithm off attention heads: each output letter looks for the smallest one not yet written.
Not for: sorting by anything but the alphabet.
Idea: the sorting demo of minGPT (`demo.ipynb`), with letters so that people can type their own words.
"""

import random
from collections.abc import Iterator
from string import ascii_lowercase

from gpttui.corpora.splits import draw

MAX_LETTERS = 12
FEW_LETTERS_SHARE = 0.3


def documents(seed: int, n: int | None = None) -> Iterator[str]:
    """Lines without a trailing newline; seeds from 1,000,000 up give only words that training never shows.

    Words of one letter are all taught.
    """
    return draw(_sample, seed, n, always_taught=lambda word: len(word) == 1)


def answer(problem: str) -> str:
    """The letters of `hello` (a trailing `>` is allowed) in order: `ehllo`."""
    return "".join(sorted(problem.rstrip(">")))


def _sample(rng: random.Random) -> tuple[str, str]:
    length = rng.randint(1, MAX_LETTERS)
    letters = ascii_lowercase
    if rng.random() < FEW_LETTERS_SHARE:  # real words repeat letters far more often than uniform ones do
        letters = "".join(rng.sample(ascii_lowercase, rng.randint(2, 8)))
    word = "".join(rng.choices(letters, k=length))
    return word, f"{word}>{''.join(sorted(word))}"
