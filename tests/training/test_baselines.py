"""What simple guesses cost, against counting by hand."""

from collections import Counter
from itertools import pairwise
from math import log

import numpy as np
import pytest

from gpttui.training.baselines import losses, pairs
from gpttui.training.data import TokenFile


def stream(ids: list[int]) -> TokenFile:
    return TokenFile(np.array(ids, dtype=np.uint16), 4)


def test_frequencies_and_pairs_are_those_of_the_text_counted_by_hand() -> None:
    rng = np.random.default_rng(0)
    train, val, size = rng.integers(0, 5, 400).tolist(), rng.integers(0, 6, 100).tolist(), 6
    singles = Counter(train[1:])
    total = len(train) - 1 + size
    after: dict[int, Counter[int]] = {}
    for a, b in pairwise(train):
        after.setdefault(a, Counter())[b] += 1

    def single(b: int) -> float:
        return (singles[b] + 1) / total

    def pair(a: int, b: int) -> float:
        if a not in after:
            return single(b)
        followers = after[a]
        return (followers[b] + len(followers) * single(b)) / (followers.total() + len(followers))

    wanted = list(pairwise(val))
    by_hand = [-sum(map(log, found)) / len(found) for found in
               ([single(b) for _, b in wanted], [pair(a, b) for a, b in wanted])]  # fmt: skip
    assert losses(stream(train), stream(val), size) == pytest.approx(by_hand, rel=1e-12)


def test_a_text_of_pairs_alone_is_guessed_by_them() -> None:
    text = [0, 1] * 500
    frequencies, together = losses(stream(text), stream(text[:100]), 2)
    assert frequencies == pytest.approx(log(2), abs=1e-2) and together < 0.01


def test_padding_is_neither_read_nor_guessed() -> None:
    pad = int(np.iinfo(np.uint16).max)
    rows = TokenFile(np.array([[1, 2, pad, pad, pad], [3, 1, 2, pad, pad]], dtype=np.uint16), 4)
    before, after = pairs(rows, 1000)
    assert (before.tolist(), after.tolist()) == ([1, 3, 1], [2, 1, 2])
    assert all(value > 0 for value in losses(rows, rows, 4))
    assert losses(stream([1]), stream([1, 2]), 4) == (0.0, 0.0)
