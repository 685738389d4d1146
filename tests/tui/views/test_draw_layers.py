"""Ranks as lines, and what the grid remembers of the lens."""

import numpy as np
import pytest

from gpttui.protocol.stream import LensGrid
from gpttui.tui.views.layers.draw_cells import UNKNOWN, LensCells
from gpttui.tui.views.layers.draw_chart import (
    around,
    chart_ticks,
    rank_chart,
    row_name,
    short_rank,
)

NOTHING = np.empty((2, 1, 0))


def grid(first: int, ids: list[list[int]], stops: tuple[str, ...] = ("embed", "0 mlp")) -> LensGrid:
    """The lens at two stops, for as many columns as `ids` has."""
    tops = np.asarray(ids, dtype=np.int32)[..., None]
    probs = np.full(tops.shape, 0.5, dtype=np.float32)
    return LensGrid(first, stops, np.arange(len(stops)), tops, probs, NOTHING, NOTHING)


# ── Names and numbers ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "stop, ends, short, name",
    [
        ("embed", True, False, "embedding"),
        ("embed", False, True, "in"),
        ("1 mlp", True, False, "layer 2"),
        ("1 mlp", True, True, "2"),
        ("1 mlp", False, True, "2m"),
        ("0 attn", False, False, "1 attn"),
    ],
)
def test_stops_are_named_from_layer_1(stop: str, ends: bool, short: bool, name: str) -> None:
    assert row_name(stop, ends, short) == name


def test_ranks_stay_short() -> None:
    assert [short_rank(n) for n in (1, 999, 1_000, 50_257)] == ["1", "999", "1k", "50k"]


def test_a_window_follows_what_it_shows_and_stays_inside() -> None:
    assert [around(at, 3, 4, 10) for at in (0, 3, 6, 7, 9)] == [0, 3, 3, 4, 6]
    assert around(2, 0, 10, 3) == 0


# ── Lines ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_rank_is_on_top_and_the_worst_below() -> None:
    chart = rank_chart(np.array([[100], [10], [1]]), [0, 4, 8], 9, 5, 0)
    lines = ["".join(line) for line in chart.glyphs]
    assert lines[0][8] == "a" and lines[2][4] == "a" and lines[4][0] == "a"
    assert chart_ticks(100, 5) == {0: "1", 2: "10", 4: "100"}


def test_the_chosen_curve_lies_over_the_others() -> None:
    ranks = np.ones((2, 2), dtype=int)
    assert rank_chart(ranks, [0, 3], 4, 2, 1).glyphs[0][3] == "b"
    assert rank_chart(ranks, [0, 3], 4, 2, 0).glyphs[0][3] == "a"


@pytest.mark.parametrize("width, lines", [(1, 1), (0, 0), (3, 1)])
def test_a_chart_fits_any_room(width: int, lines: int) -> None:
    chart = rank_chart(np.array([[5], [1]]), [0, 2], width, lines, 0)
    assert len(chart.glyphs) == lines and all(len(line) == width for line in chart.glyphs)


# ── What is remembered ────────────────────────────────────────────────────────────────────────────────────────────


def test_only_what_is_not_known_is_asked_for() -> None:
    cells = LensCells()
    cells.about("these weights", np.arange(6))
    assert cells.missing(0, 4) == (0, 4)
    cells.take(grid(1, [[7, 8], [9, 9]]))
    assert cells.missing(1, 2) is None and cells.missing(0, 4) == (0, 4) and cells.missing(1, 4) == (3, 2)
    assert cells.ids[:, 1].tolist() == [7, 9] and cells.ids[0, 0] == UNKNOWN


def test_a_large_vocabulary_is_asked_for_a_few_columns_at_a_time_the_nearest_first() -> None:
    cells, asked = LensCells(), []
    cells.about("these weights", np.arange(9))
    cells.take(grid(3, [[7], [9]]))
    while (stretch := cells.missing(0, 9, near=4, most=2)) is not None:
        asked.append(stretch)
        cells.take(grid(stretch[0], [[7] * stretch[1], [9] * stretch[1]]))
    assert {n for first, count in asked for n in range(first, first + count)} == set(range(9)) - {3}
    assert asked[0] == (4, 2) and all(count <= 2 for _, count in asked)


def test_another_continuation_keeps_what_both_share() -> None:
    cells = LensCells()
    cells.about("these weights", np.array([1, 2, 3]))
    cells.take(grid(0, [[4, 5, 6], [4, 5, 6]]))
    cells.about("these weights", np.array([1, 2, 9, 9]))
    assert cells.missing(0, 4) == (2, 2) and cells.ids[0].tolist() == [4, 5, UNKNOWN, UNKNOWN]


def test_other_weights_are_asked_anew_and_the_last_answer_stands_until_then() -> None:
    cells = LensCells()
    cells.about("step 1", np.array([1, 2]))
    cells.take(grid(0, [[4, 5], [4, 5]]))
    cells.about("step 2", np.array([1, 2]))
    assert cells.missing(0, 2) == (0, 2) and cells.ids[0].tolist() == [4, 5]


def test_an_answer_about_a_longer_text_is_cut() -> None:
    cells = LensCells()
    cells.about("these weights", np.array([1]))
    cells.take(grid(0, [[4, 5], [4, 5]]))
    assert cells.ids.shape == (2, 1)


def test_other_stops_replace_all() -> None:
    cells = LensCells()
    cells.about("these weights", np.array([1, 2]))
    cells.take(grid(0, [[4, 5], [4, 5]]))
    cells.take(grid(1, [[6], [6], [6]], ("embed", "0 attn", "0 mlp")))
    assert cells.ids.shape == (3, 2) and cells.missing(0, 2) == (0, 1)
