"""Columns, bars that grow apart, and the names of stops."""

import numpy as np
import pytest
from rich.cells import cell_len
from rich.style import Style

from gpttui.tui.renderables.charts import (
    Pair,
    bar_from_right,
    column_names,
    columns,
    pairs,
    signed_bar,
    stop_name,
    stop_place,
    wings,
)


def test_stops_are_named_from_one() -> None:
    assert [stop_name(stop) for stop in ("embed", "0 attn", "4 mlp", "odd")] == [
        "embedding", "layer 1 attention", "layer 5 MLP", "odd"
    ]  # fmt: skip
    assert [stop_place(stop) for stop in ("embed", "0 attn", "4 mlp")] == [(-1, "embed"), (0, "attn"), (4, "mlp")]
    assert stop_place("token") == (-1, "token")


def test_columns_grow_upwards_and_what_is_not_nothing_shows() -> None:
    assert ["".join(line) for line in columns([0.0, 0.5, 1.0, 0.001], 1.0, 2)] == ["  █ ", " ██▁"]
    assert columns([1.0], 1.0, 0) == []


def test_layers_are_numbered_under_their_first_column() -> None:
    assert column_names(("embed", "0 attn", "0 mlp", "1 attn", "1 mlp"), 3) == "in 1     2"
    assert column_names(("embed", "0 attn", "1 attn"), 1) == "·12"


@pytest.mark.parametrize("share", [0.0, 0.001, 0.06, 0.3, 0.99, 1.0, 2.0])
def test_a_bar_to_the_left_is_as_wide_as_its_room(share: float) -> None:
    assert cell_len(bar_from_right(share, 10)) == 10
    assert bar_from_right(share, 10).strip() or share == 0
    assert bar_from_right(1.0, 4) == "████" and bar_from_right(0.5, 4) == "  ██"


def test_pairs_hold_every_token_once_by_the_larger_probability() -> None:
    ids, probs = np.array([[1, 2], [2, 3]]), np.array([[0.6, 0.1], [0.7, 0.2]])
    others = np.array([[0.0, 0.7], [0.1, 0.05]])
    assert pairs(ids, probs, others) == [Pair(2, 0.1, 0.7), Pair(1, 0.6, 0.0), Pair(3, 0.05, 0.2)]


@pytest.mark.parametrize("width", [24, 40, 77, 120])
def test_wings_are_even_and_fit(width: int) -> None:
    styles = (Style(), Style(), Style(), Style())
    head, line = wings([Pair(1, 0.5, 0.25)], ['"·walks"'], ("before", "after"), width, styles)
    for pieces, told in ((head, ("before", "after")), (line, ("50.0%", "25.0%"))):
        text = "".join(text for text, _ in pieces)
        assert cell_len(text) <= width and all(words in text for words in told)


@pytest.mark.parametrize(
    "share, left, right",
    [
        (1.0, "    ", "████"),
        (-1.0, "████", "    "),
        (0.5, "    ", "██  "),
        (-0.5, "  ██", "    "),
        (0.0, " " * 4, " " * 4),
    ],
)
def test_bars_grow_from_the_axis_by_their_sign(share: float, left: str, right: str) -> None:
    assert signed_bar(share, 8) == (left, right)


def test_a_bar_beyond_its_end_stays_within_its_cells() -> None:
    assert [len(part) for part in signed_bar(-7.0, 9)] == [4, 5]
