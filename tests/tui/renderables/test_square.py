"""Where weights go in a square, and what is left of them without the first key."""

import numpy as np
import pytest

from gpttui.tui.renderables.square import first_share, is_sink, without_first


@pytest.mark.parametrize("tokens", [1, 2, 9])
def test_without_the_first_key_the_rest_of_each_row_sums_to_one(tokens: int) -> None:
    scores = np.tril(np.random.default_rng(0).random((tokens, tokens))).astype(np.float32)
    weights = scores / scores.sum(axis=1, keepdims=True)
    rest = without_first(weights)
    assert not rest[:, 0].any() and np.allclose(rest[1:].sum(axis=1), 1) and rest.dtype == weights.dtype
    for row in range(1, tokens):
        left = weights[row, 1:]
        assert np.allclose(rest[row, 1:], left / left.sum())


def test_a_row_that_gives_the_first_key_everything_is_empty_without_it() -> None:
    weights = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.5, 0.25, 0.25]], dtype=np.float32)
    assert without_first(weights).tolist() == [[0, 0, 0], [0, 0, 0], [0, 0.5, 0.5]]
    assert first_share(weights) == 0.75 and first_share(weights[:1, :1]) == 0


def test_a_short_text_has_no_sink_for_its_first_token_is_most_of_it() -> None:
    assert not is_sink(0.68, 2)
    assert not is_sink(0.35, 8)
    assert is_sink(0.6, 8)
    assert is_sink(0.31, 64) and not is_sink(0.29, 64)
    assert not is_sink(1.0, 1)
