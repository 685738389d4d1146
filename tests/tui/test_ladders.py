"""One press up or down: temperature, top-k, top-p; selection; which panes fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpttui.records import Sampling
from gpttui.tui import ladders
from gpttui.tui.selection import NEWEST, Selection
from gpttui.tui.session.hints import FIRST, Seen, hint
from gpttui.tui.widgets.deck import room_for, visible


def test_ladders_go_by_rungs_from_anywhere_and_stop_at_the_ends() -> None:
    assert ladders.turned(Sampling(0.8), "temperature", True, 65).temperature == 0.9
    assert ladders.turned(Sampling(0.85), "temperature", False, 65).temperature == 0.8
    assert ladders.turned(Sampling(0.0), "temperature", False, 65).temperature == 0.0
    assert ladders.turned(Sampling(top_p=1.0), "top_p", True, 65).top_p == 1.0
    assert ladders.turned(Sampling(top_p=0.95), "top_p", False, 65).top_p == 0.9


def test_top_k_knows_the_vocabulary_and_0_is_all_of_it() -> None:
    assert ladders.turned(Sampling(top_k=0), "top_k", False, 65).top_k == 40
    assert ladders.turned(Sampling(top_k=40), "top_k", True, 65).top_k == 0
    assert ladders.turned(Sampling(top_k=0), "top_k", True, 65).top_k == 0
    assert ladders.turned(Sampling(top_k=1), "top_k", False, 65).top_k == 1


@given(st.floats(0, 5), st.booleans())
def test_a_press_moves_the_right_way_or_not_at_all(temperature: float, up: bool) -> None:
    after = ladders.turned(Sampling(temperature), "temperature", up, 65).temperature
    assert after >= temperature or temperature > 3 if up else after <= temperature


def test_the_last_token_means_follow_the_newest() -> None:
    assert Selection().at(9, 10).position == NEWEST
    assert Selection().at(8, 10).position == 8
    assert Selection().at(-5, 10).position == 0
    assert Selection(position=8).index(10) == 8
    assert Selection().index(0) == -1
    assert Selection().on(-1, 4, n_layer=3, n_head=4) == Selection(layer=2, head=0)


@pytest.mark.parametrize(
    ("width", "height", "layout"),
    [(120, 40, "all"), (200, 55, "all"), (80, 24, "two"), (120, 20, "two"), (40, 12, "one"), (1, 1, "one")],
)
def test_panes_by_size(width: int, height: int, layout: str) -> None:
    assert room_for((width, height), (100, 28), (56, 16)) == layout
    assert room_for((width, height), (100, 28), (100, 28)) in ("all", "one")


def test_of_two_the_first_is_always_there() -> None:
    panes = ("tokens", "next", "attention", "loss")
    assert visible("all", panes, "loss", "loss") == list(panes)
    assert visible("two", panes, "tokens", "attention") == ["tokens", "attention"]
    assert visible("one", panes, "loss", "loss") == ["loss"]


def test_hints_go_on_and_end() -> None:
    assert hint(Seen()) == FIRST
    seen, said = Seen(), []
    for kind in ("step", "back", "choose", "head", "prompt"):
        said.append(hint(seen))
        seen = seen.after(kind)
    assert len(set(said)) == 5 and hint(seen) == ""
    assert hint(seen.after("sampling")) == ""
