"""Curves of any length: extremes survive, memory does not grow, smoothing is a mean."""

import numpy as np
import pytest

from gpttui.runs.series import Series
from gpttui.tui.renderables.braille import braille_line


def noisy(count: int) -> tuple[np.ndarray, np.ndarray]:
    steps = np.arange(count)
    return steps, (3 * np.exp(-steps / count * 5) + np.random.default_rng(1).normal(0, 0.1, count)).astype(np.float32)


def test_an_outline_keeps_every_extreme() -> None:
    steps, losses = noisy(100_000)
    losses[61_803] = 9.0
    outline = Series(steps, losses).outline(0, 100_000, 80)
    assert len(outline.x) <= 160
    assert outline.y.max() == 9.0 and outline.y.min() == losses.min()
    assert (np.diff(outline.x) >= 0).all()


def test_few_points_are_shown_as_they_are() -> None:
    series = Series(np.array([0, 5, 9]), np.array([3.0, 2.0, 1.0]))
    outline = series.outline(0, 9, 80)
    assert outline.x.tolist() == [0, 5, 9] and outline.y.tolist() == [3.0, 2.0, 1.0]


def test_a_stretch_has_a_neighbour_on_either_side() -> None:
    series = Series(np.arange(100), np.arange(100.0))
    points = series.between(40, 60)
    assert points.x.tolist() == list(range(39, 62))


def test_beyond_its_capacity_a_series_thins_but_keeps_spikes_and_order() -> None:
    series = Series(capacity=1_000)
    steps, losses = noisy(50_000)
    losses[123], losses[40_000] = 50.0, -7.0
    for start in range(0, 50_000, 321):
        series.extend(steps[start : start + 321], losses[start : start + 321])
    assert series.size <= 1_000 and len(series._x) <= 1_000
    assert series.y.max() == 50.0 and series.y.min() == -7.0
    assert (np.diff(series.x) > 0).all()
    at_once = Series(steps, losses, capacity=1_000)
    assert at_once.size <= 1_000 and at_once.y.max() == 50.0 and at_once.y.min() == -7.0


def test_appending_equals_extending_and_drops_what_is_not_finite() -> None:
    steps, losses = noisy(500)
    losses[[3, 77]] = np.nan, np.inf
    one_by_one = Series()
    for step, loss in zip(steps.tolist(), losses.tolist(), strict=True):
        one_by_one.append(step, loss)
    whole = Series(steps, losses)
    assert one_by_one.x.tolist() == whole.x.tolist() and one_by_one.y.tolist() == whole.y.tolist()
    assert one_by_one.dropped == whole.dropped == 2


def test_a_million_steps_take_less_than_20_mb() -> None:
    series = Series(*noisy(1_000_000))
    assert series.size == 1_000_000
    assert series._x.nbytes + series._y.nbytes < 20e6


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 1.0])
def test_smoothing_a_constant_or_a_ramp_changes_nothing(share: float) -> None:
    steps = np.arange(5_000)
    flat, _ = Series(steps, np.full(5_000, 2.5)).smooth(0, 4_999, 100, share)
    assert np.allclose(flat.y, 2.5)
    ramp, _ = Series(steps, steps / 100).smooth(0, 4_999, 100, share)
    assert np.allclose(ramp.y, ramp.x / 100, atol=1e-3)


def test_smoothing_says_how_many_points_it_averages() -> None:
    mean, averaged = Series(*noisy(10_000)).smooth(0, 9_999, 100, 0.1)
    assert averaged == 1_100 and len(mean.x) == 100


def test_the_nearest_point_is_found() -> None:
    series = Series(np.array([0, 10, 100]), np.array([1.0, 2.0, 3.0]))
    assert series.nearest(-5) == (0, 1.0) and series.nearest(54) == (10, 2.0) and series.nearest(1e9) == (100, 3.0)
    assert Series().nearest(3) is None


def drawn(cells: np.ndarray) -> list[str]:
    return ["".join(chr(0x2800 + dots) for dots in row) for row in cells.tolist()]


def test_a_line_is_drawn_in_dots() -> None:
    assert drawn(braille_line(np.array([0.0, 4.0]), np.array([0.5, 0.5]), 4, 1)) == ["⠤⠤⠤⠤"]
    assert drawn(braille_line(np.array([0.0, 0.0]), np.array([0.0, 2.0]), 2, 2)) == ["⡇⠀", "⡇⠀"]
    assert drawn(braille_line(np.array([0.0, 2.0]), np.array([0.3, 0.3]), 2, 1, thick=True)) == ["⠛⠛"]


def test_what_lies_outside_is_clipped_where_it_crosses() -> None:
    inside = braille_line(np.array([0.0, 10.0]), np.array([0.0, 5.0]), 10, 5)
    beyond = braille_line(np.array([-1e6, 1e6]), np.array([-5e5, 5e5]), 10, 5)
    assert (inside & ~beyond).sum() == 0 or np.count_nonzero(inside ^ beyond) <= 2
    assert not braille_line(np.array([20.0, 30.0]), np.array([1.0, 1.0]), 10, 5).any()
    assert not braille_line(np.array([1.0]), np.array([1.0]), 10, 5).any()
