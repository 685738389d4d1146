"""Random sequences that repeat: `k7QeXp`, and then pieces of the same, `QeXk7QeX…`.

For: watching an induction head form: nothing in these documents can be predicted but by finding the present
symbol earlier on and copying what came after it. Symbols within one sequence are distinct, so that the place
to copy from is never in doubt. The pieces begin anywhere: of a sequence that only repeats from its beginning, a model
learns to copy what stood near and was not yet said, and no head need look at one place. Not for: language.
Idea: "In-context Learning and Induction Heads" (Olsson et al., 2022), TransformerLens's repeated-token test.
"""

import random
from collections.abc import Iterator
from string import ascii_letters, digits

from gpttui.corpora.splits import draw

SYMBOLS = ascii_letters + digits
MIN_LENGTH, MAX_LENGTH = 8, 30
LEAP = 0.25
"""How likely a piece ends after each of its symbols."""


def documents(seed: int, n: int | None = None) -> Iterator[str]:
    """Documents of 2 * L symbols, L uniform in 8..30, without a trailing newline: the sequence, then pieces of it."""
    return draw(_sample, seed, n)


def repeated_once(document: str) -> str:
    """The sequence of a document, twice: what a head is examined on."""
    return document[: len(document) // 2] * 2


def repeated_half_mask(document: str) -> list[bool]:
    """For each symbol of a sequence repeated once, whether it can be predicted from those before it.

    The first symbol of the second half is not: nothing tells where the first half ends.
    """
    half = len(document) // 2
    return [position > half for position in range(len(document))]


def _sample(rng: random.Random) -> tuple[str, str]:
    sequence = "".join(rng.sample(SYMBOLS, rng.randint(MIN_LENGTH, MAX_LENGTH)))
    length = len(sequence)
    again: list[str] = []
    place = rng.randrange(length)
    while len(again) < length:
        again.append(sequence[place])
        place += 1
        if place == length or rng.random() < LEAP:
            place = rng.randrange(length)
    return sequence, sequence + "".join(again)
