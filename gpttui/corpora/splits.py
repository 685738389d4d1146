"""Keeps held-out problems out of training, by construction.

For: the generated corpora, whose every document belongs to exactly one side, decided by a stable hash of the
problem it poses. Not for: natural text, where a split is by position.
Idea: the train/validation split by hash that large crawls use, here small enough to prove disjointness.
"""

import itertools
import random
import zlib
from collections.abc import Callable, Iterable, Iterator

HELD_OUT_FROM_SEED = 1_000_000
HELD_OUT_ONE_IN = 20


def is_held_out_seed(seed: int) -> bool:
    """Seeds from 1,000,000 up draw evaluation data, smaller ones draw training data."""
    return seed >= HELD_OUT_FROM_SEED


def is_held_out(problem: str) -> bool:
    """Whether this problem is kept for evaluation: one in twenty, the same on every machine."""
    return zlib.crc32(problem.encode()) % HELD_OUT_ONE_IN == 0


def draw(
    sample: Callable[[random.Random], tuple[str, str]],
    seed: int,
    n: int | None = None,
    *,
    always_taught: Callable[[str], bool] = lambda problem: False,
) -> Iterator[str]:
    """Documents from `sample`, which returns (problem, document), keeping only those of the seed's side.

    Yields `n` documents, or without end if n is None. Problems that are `always_taught` are never held out: of a
    hundred one-digit sums, say, five would be, and would come up over and over.
    """
    rng, held_out = random.Random(seed), is_held_out_seed(seed)
    samples = (sample(rng) for _ in itertools.count())
    ours = (text for problem, text in samples if (is_held_out(problem) and not always_taught(problem)) == held_out)
    return itertools.islice(ours, n)


def shuffled(documents: Iterable[str], seed: int) -> Iterator[str]:
    """`documents` in an order drawn from the seed, over and over, each round in another one."""
    rng, order = random.Random(seed), list(documents)
    while order:
        rng.shuffle(order)
        yield from order
