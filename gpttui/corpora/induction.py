"""Random sequences that repeat once: `k7Qe…` followed by `k7Qe…` again.

For: watching an induction head form: nothing in these documents can be predicted but by finding the present
symbol earlier on and copying what came after it. Symbols within one sequence are distinct, so that the place
to copy from is never in doubt. Not for: language.
Idea: "In-context Learning and Induction Heads" (Olsson et al., 2022), TransformerLens's repeated-token test.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from string import ascii_letters, digits

from gpttui.corpora.splits import draw

SYMBOLS = ascii_letters + digits
MIN_LENGTH, MAX_LENGTH = 8, 30


def documents(seed: int, n: int | None = None) -> Iterator[str]:
    """Documents of 2 * L symbols, L uniform in 8..30, without a trailing newline."""
    return draw(_sample, seed, n)


def repeated_half_mask(document: str) -> list[bool]:
    """For each symbol of a document, whether it can be predicted from those before it.

    The first symbol of the second half is not: nothing tells where the first half ends.
    """
    half = len(document) // 2
    return [position > half for position in range(len(document))]


def _sample(rng: random.Random) -> tuple[str, str]:
    sequence = "".join(rng.sample(SYMBOLS, rng.randint(MIN_LENGTH, MAX_LENGTH)))
    return sequence, sequence * 2
