"""Where maps lie side by side, how their cells are painted, and the rectangle that a scrolled map shows."""

import numpy as np
import pytest
from rich.cells import cell_len
from rich.style import Style

from gpttui.tui.palette import ColourDepth
from gpttui.tui.renderables.ink import Ink
from gpttui.tui.views.attention.draw_maps import (
    FORBIDDEN,
    HIDDEN,
    MASKED,
    UNKNOWN,
    MapInk,
    arrange,
    lay_out,
    short,
)
from gpttui.tui.views.attention.draw_stages import Viewport, window


def ink(depth: ColourDepth = ColourDepth.TRUE, *, signed: bool = True) -> MapInk:
    return MapInk(Ink(*(Style() for _ in range(8)), depth, True), signed)


@pytest.mark.parametrize("tokens", [1, 2, 7, 32, 1024])
@pytest.mark.parametrize("room", [(30, 5), (76, 17), (116, 16), (196, 45)])
def test_maps_never_leave_their_room_and_every_cell_is_found_again(tokens: int, room: tuple[int, int]) -> None:
    layout = arrange(tokens, *room, longest_label=9)
    assert 1 <= layout.queries <= tokens and 1 <= layout.keys <= tokens
    for number in range(layout.maps):
        left, top = layout.corner(number)
        assert left + layout.map_width <= room[0] and top + layout.queries * layout.high <= room[1]
        x, y = left + layout.map_width - 1, top + layout.queries * layout.high - 1
        assert layout.at(x, y) == (number, layout.queries - 1, layout.keys - 1)
        assert layout.at(left, top) == (number, 0, 0)
        assert layout.at(left - 1, top) is None


def test_four_maps_where_there_is_room_and_one_where_there_is_not() -> None:
    assert arrange(1024, 116, 16, 9).maps == 4
    assert arrange(1024, 40, 12, 9).maps == 1
    assert arrange(5, 76, 17, 4).maps == 4, "a short text needs little room"
    assert arrange(1024, 116, 16, 9, one=True).maps == 1
    assert lay_out(4, 100, 20, 3, 1, 1).columns == 6, "cells grow where the text is short"


def test_steps_tell_sign_mask_and_what_is_not_known() -> None:
    steps = ink().steps(np.array([-4.0, -0.1, 0.1, 4.0, -np.inf, np.nan]), 4.0).tolist()
    assert steps == [0, 15, 16, 31, MASKED, UNKNOWN]
    assert ink(signed=False).steps(np.array([0.0, 1.0]), 1.0).tolist() == [0, 31]


def test_a_row_of_cells_is_exactly_as_wide_as_its_columns() -> None:
    steps = np.array([3, 3, 3, MASKED, FORBIDDEN, HIDDEN, UNKNOWN])
    for depth in (ColourDepth.NONE, ColourDepth.TRUE):
        for columns in (2, 3, 5, 6):
            for marked in (-1, 0, 1, 4):
                pieces = ink(depth).cells(steps, [""] * 7, columns, marked, banded=marked >= 0)
                assert sum(cell_len(text) for text, _ in pieces) == 7 * columns


def test_without_colours_signs_are_glyphs_and_the_cursor_is_seen() -> None:
    row = ink(ColourDepth.NONE).cells(np.array([0, 10, 16, 20, 31]), [""] * 5, 2, -1, banded=False)
    assert "".join(text for text, _ in row) == "==--··++##"
    marked = ink(ColourDepth.NONE).cells(np.array([0, 0, 0]), [""] * 3, 2, 1, banded=True)
    assert "◆" in marked[1][0]
    numbered = ink().cells(np.array([0, 0]), ["-1.2", "-1.2"], 5, 1, banded=True)
    assert [text.strip() for text, _ in numbered] == ["-1.2", "-1.2"], "a number is never cut for the cursor"
    legend = "".join(text for text, _ in ink(ColourDepth.NONE).legend(3.0, 30))
    assert legend == "-3.00 =-·+# +3.00"


def test_scores_fit_their_cells_or_are_left_out() -> None:
    assert ink().number(-12.34, 6) == "-12.3" and ink().number(-12.34, 4) == "-12"
    assert ink().number(-123.4, 4) == "" and ink().number(-0.01, 5) == "0" and ink().number(float("-inf"), 6) == ""
    assert ink(signed=False).number(0.412, 4) == ".41"
    assert [short(x) for x in (0.5, 12.34, 512.3)] == ["0.50", "12.3", "512"]


def test_a_scrolled_map_shows_what_it_has_and_leaves_the_rest_open() -> None:
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    seen = window(values, 10, 20, Viewport(11, 3, 18, 4))
    assert seen.shape == (3, 4)
    assert np.array_equal(seen[:2, 2:], values[1:, :2])
    assert np.isnan(seen[:, :2]).all() and np.isnan(seen[2]).all()
    assert np.isnan(window(values, 0, 0, Viewport(50, 2, 50, 2))).all()
