"""Every stage from logits to token, against a plain sort in float64, and against what the numbers must add up to."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpttui.errors import UserError
from gpttui.inference.sampling import Ranking, check, distribution, predict, uniform
from gpttui.records import Array, Sampling


def logits_of(size: int, seed: int, *, steps: float = 0.0) -> Array:
    """Random logits; with `steps` they are rounded, so that many tie."""
    x = np.random.default_rng(seed).normal(scale=3, size=size)
    return (np.round(x / steps) * steps if steps else x).astype(np.float32)


def plainly(logits: Array, sampling: Sampling) -> tuple[Array, Array, int]:
    """The slow plain path: order, final probabilities in that order, tokens kept."""
    order = np.lexsort((np.arange(logits.size), -logits.astype(np.float64)))
    x = logits.astype(np.float64)[order] / sampling.temperature
    probs = np.exp(x - x[0])
    probs /= probs.sum()
    kept = min(sampling.top_k or logits.size, logits.size)
    probs[kept:] = 0
    probs /= probs.sum()
    if sampling.top_p < 1:
        kept = min(kept, int(np.searchsorted(np.cumsum(probs), sampling.top_p)) + 1)
        probs[kept:] = 0
        probs /= probs.sum()
    return order, probs, kept


KNOWN = [0.6524484863740322, 0.03401170130434639, 0.36818951565166946, 0.8355177968422253]

settings_of_sampling = st.builds(
    Sampling,
    temperature=st.floats(0.05, 5),
    top_k=st.integers(0, 80),
    top_p=st.one_of(st.just(1.0), st.floats(0.01, 1)),
)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 200), st.integers(0, 10_000), st.sampled_from([0.0, 0.5, 3.0]), settings_of_sampling)
def test_it_is_what_a_plain_sort_says(size: int, seed: int, steps: float, sampling: Sampling) -> None:
    logits = logits_of(size, seed, steps=steps)
    order, expected, kept = plainly(logits, sampling)
    found = distribution(logits, sampling)
    final = found.final_probs(size)
    assert np.array_equal(found.ranking.first(size), order)
    assert found.kept == kept
    np.testing.assert_allclose(final, expected, atol=1e-12)
    assert math.isclose(final.sum(), 1, abs_tol=1e-9)
    assert (found.cut_by(size) == 0).sum() == kept
    remaining = 1.0
    for cut in found.cuts:
        assert 0 <= cut.removed_mass < 1
        remaining *= 1 - cut.removed_mass
    assert math.isclose(remaining, found.mass, abs_tol=1e-9)
    number = uniform(seed, size)
    draw = found.draw(number)
    rank = int(np.searchsorted(np.cumsum(expected), number, side="right"))
    assert draw.low <= number < draw.high
    assert draw.token_id == order[min(rank, kept - 1)] or abs(np.cumsum(expected)[rank - 1] - number) < 1e-12
    assert math.isclose(draw.high - draw.low, final[list(order).index(draw.token_id)], abs_tol=1e-9)
    assert found.stretch(draw.token_id) == pytest.approx((draw.low, draw.high))


@pytest.mark.parametrize("steps", [0.0, 1.0])
@pytest.mark.parametrize(
    "sampling", [Sampling(1.0), Sampling(0.7, 50), Sampling(1.5, 0, 0.9), Sampling(3.0, 9000, 0.99)]
)
def test_a_large_vocabulary_is_sorted_no_further_than_needed(steps: float, sampling: Sampling) -> None:
    logits = logits_of(50_257, 1, steps=steps)
    order, expected, kept = plainly(logits, sampling)
    found = distribution(logits, sampling)
    assert found.kept == kept
    for number in (0.0, 0.3, 0.9, 0.999999, 1 - 2**-53):
        draw = found.draw(number)
        at = min(int(np.searchsorted(np.cumsum(expected), number, side="right")), kept - 1)
        assert draw.low <= number < draw.high
        assert draw.token_id in order[max(0, at - 1) : at + 2]
    prediction = predict(logits, sampling, 20, position=0)
    assert np.array_equal(prediction.candidate_ids, order[:20])
    np.testing.assert_allclose(prediction.final_probs, expected[:20], rtol=1e-9)


@settings(max_examples=100, deadline=None)
@given(st.integers(3000, 6000), st.integers(0, 100), st.integers(1, 6000), st.sampled_from([0.0, 2.0]))
def test_partial_sorting_agrees_with_sorting(size: int, seed: int, count: int, steps: float) -> None:
    logits = logits_of(size, seed, steps=steps)
    order = np.lexsort((np.arange(size), -logits))
    assert np.array_equal(Ranking(logits).first(count), order[:count])


def test_temperature_zero_takes_the_first_of_the_best() -> None:
    logits = np.array([1, 3, 3, -np.inf], dtype=np.float32)
    found = distribution(logits, Sampling(temperature=0, top_k=2, top_p=0.1))
    draw = found.draw(0.99)
    assert (draw.token_id, draw.low, draw.high) == (1, 0.0, 1.0)
    assert math.isnan(draw.uniform)
    assert found.final_probs(4).tolist() == [1, 0, 0, 0]
    assert found.cuts == ()
    assert found.sampled_entropy_bits() == 0


def test_entropies() -> None:
    even = np.zeros(8, dtype=np.float32)
    found = distribution(even, Sampling(temperature=1.0, top_k=4))
    assert found.entropy_bits == pytest.approx(3)
    assert found.sampled_entropy_bits() == pytest.approx(2)
    certain = distribution(np.array([0, -np.inf, -np.inf], dtype=np.float32), Sampling(0.5))
    assert certain.entropy_bits == 0
    assert certain.draw(0.999).token_id == 0


def test_what_is_cut_first_is_told_first() -> None:
    logits = np.log(np.array([0.5, 0.2, 0.15, 0.1, 0.05], dtype=np.float32))
    told = predict(logits, Sampling(1.0, top_k=4, top_p=0.7), 5, position=7, next_id=3)
    assert [(cut.name, cut.kept) for cut in told.cuts] == [("top-k", 4), ("top-p", 2)]
    assert told.cuts[0].removed_mass == pytest.approx(0.05)
    assert told.cuts[1].removed_mass == pytest.approx(0.25 / 0.95)
    assert told.cut_by.tolist() == [0, 0, 2, 2, 1]
    np.testing.assert_allclose(told.final_probs, [5 / 7, 2 / 7, 0, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(told.model_probs, [0.5, 0.2, 0.15, 0.1, 0.05], rtol=1e-6)
    assert (told.position, told.next_id, told.tail_count, told.tail_mass) == (7, 3, 0, 0.0)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 100), st.integers(1, 120), st.floats(0.1, 3))
def test_what_is_shown_and_the_tail_are_everything(size: int, shown: int, temperature: float) -> None:
    told = predict(logits_of(size, shown), Sampling(temperature), shown, position=0)
    assert told.probs.sum() + told.tail_mass == pytest.approx(1)
    assert len(told.candidate_ids) + told.tail_count == size
    assert not told.probs.flags.writeable


def test_the_random_number_is_a_fixed_function() -> None:
    """These values are part of the file format, so to speak: a seed names the same text for ever."""
    assert [uniform(0, 0), uniform(0, 1), uniform(1, 0), uniform(2**40, 10**6)] == KNOWN
    many = np.array([uniform(seed, position) for seed in range(60) for position in range(60)])
    assert 0 <= many.min() < many.max() < 1
    assert abs(many.mean() - 0.5) < 0.02
    counts = np.bincount((many * 16).astype(int), minlength=16)
    assert ((counts - 225) ** 2 / 225).sum() < 40  # chi-squared with 15 degrees of freedom, p = 0.0005


def test_draws_follow_the_probabilities() -> None:
    found = distribution(logits_of(12, 3), Sampling(1.3, top_k=8))
    drawn = np.bincount([found.draw(uniform(9, n)).token_id for n in range(8000)], minlength=12)
    expected = np.zeros(12)
    expected[found.ranking.first(12)] = found.final_probs(12)
    np.testing.assert_allclose(drawn / 8000, expected, atol=0.02)
    assert drawn[expected == 0].sum() == 0


@pytest.mark.parametrize("logits", [[math.nan, 1], [math.inf, 1], [-math.inf, -math.inf], [math.nan, math.nan]])
def test_logits_that_are_no_numbers_are_refused(logits: list[float]) -> None:
    with pytest.raises(UserError, match="not a number"):
        distribution(np.array(logits, dtype=np.float32), Sampling())


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(-0.1),
        Sampling(math.nan),
        Sampling(math.inf),
        Sampling(1, -1),
        Sampling(1, 0, 1.1),
        Sampling(1, 0, -0.1),
    ],
)
def test_settings_that_make_no_distribution_are_refused(sampling: Sampling) -> None:
    with pytest.raises(UserError):
        check(sampling)


@pytest.mark.parametrize("temperature", [1e-300, 1e-12, 1e6])
def test_extreme_temperatures_are_no_trouble(temperature: float) -> None:
    found = distribution(logits_of(300, 5), Sampling(temperature, 0, 0.5))
    assert found.final_probs(300).sum() == pytest.approx(1)
    assert found.draw(0.5).high <= 1
