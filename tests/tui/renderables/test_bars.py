"""Bars, percentages and the cumulative bar, as text."""

import pytest
from rich.cells import cell_len

from gpttui.tui.renderables.bars import bar, cumulative, plain_bar, tick_column
from gpttui.tui.renderables.labels import clip, fit, percent


@pytest.mark.parametrize(
    ("share", "drawn"),
    [(0.0, ""), (1e-9, "▏"), (0.5, "██"), (0.53125, "██▏"), (1.0, "████"), (2.0, "████"), (float("nan"), "")],
)
def test_a_bar_is_exact_to_an_eighth_and_never_nothing_for_something(share: float, drawn: str) -> None:
    assert bar(share, 4) == drawn


def test_plain_bars_never_leave_out_something() -> None:
    assert plain_bar(0.001, 10) == "=" and plain_bar(0, 10) == "" and plain_bar(3, 10) == "=" * 10


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0%"),
        (1e-7, "<0.01%"),
        (0.0003, "0.03%"),
        (0.00994, "0.99%"),
        (0.412, "41.2%"),
        (0.99951, ">99.9%"),
        (1, "100%"),
    ],
)
def test_percentages_do_not_round_to_a_lie(value: float, words: str) -> None:
    assert percent(value) == words
    assert len(words) <= 6


def test_the_cumulative_bar_fills_its_width_and_puts_what_is_missing_last() -> None:
    stretches = cumulative([0.5, 0.25, 0.001], ["·king", "·queen", "·x"], 40)
    assert [stretch.rank for stretch in stretches] == [0, 1, -1]
    assert sum(cell_len(stretch.text) for stretch in stretches) == 40
    assert cell_len(stretches[0].text) == 20 and stretches[0].text.strip() == "·king"


def test_a_number_falls_on_the_stretch_that_covers_it() -> None:
    shares = [0.4, 0.3, 0.2, 0.1]
    low = 0.0
    for rank, share in enumerate(shares):
        column = tick_column(low + share / 2, 50)
        start = 0
        for stretch in cumulative(shares, ["a", "b", "c", "d"], 50):
            if start <= column < start + cell_len(stretch.text):
                assert stretch.rank == rank
            start += cell_len(stretch.text)
        low += share


def test_labels_fit_their_cells_whatever_is_in_them() -> None:
    assert fit("漢字漢字", 5) == "漢字…"
    assert fit("ab", 4, right=True) == "  ab"
    assert cell_len(clip("漢字漢字", 4)) <= 4
    assert clip("abc", 0) == ""
