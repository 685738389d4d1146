"""Titles of views and panes in any width."""

import pytest
from rich.cells import cell_len

from gpttui.tui.widgets.tabs import fitted

VIEWS = [("i", "journey"), ("w", "contexts"), ("a", "attention"), ("L", "layers"), ("b", "branches")]


def line(width: int, current: int = 3) -> str:
    gap, titles = fitted(VIEWS, current, width)
    shown = zip(VIEWS, titles, strict=True)
    return (" " * gap).join(f"{key} {title}" if title else key for (key, _), title in shown)


@pytest.mark.parametrize(
    "width, text",
    [
        (80, "i journey   w contexts   a attention   L layers   b branches"),
        (52, "i journey w contexts a attention L layers b branches"),
        (46, "i w contexts a attention L layers b branches"),
        (38, "i w a attention L layers b branches"),
        (20, "i w a L layers b"),
    ],
)
def test_gaps_shrink_then_titles_are_left_out_whole_the_farthest_first(width: int, text: str) -> None:
    assert line(width) == text


@pytest.mark.parametrize("width", range(16, 90))
def test_all_keys_stay_in_sight(width: int) -> None:
    assert cell_len(line(width)) <= width
