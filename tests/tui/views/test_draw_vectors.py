"""Names and dots on the plane of cells."""

import numpy as np
import pytest

from gpttui.tui.views.vectors.draw_map import cells_of, lay_out

SQUARE = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])


def drawn(points: np.ndarray, names: list[str], order: list[int], width: int, height: int) -> list[str]:
    return ["".join(mark.text for mark in line) for line in lay_out(points, names, order, width, height)]


def test_the_second_axis_grows_upwards_and_names_stay_inside() -> None:
    assert drawn(SQUARE, ["low", "right", "up", "both"], [0, 1, 2, 3], 12, 3) == [
        "up      both",
        "            ",
        "low    right",
    ]


def test_the_most_wanted_get_their_names_and_none_covers_another() -> None:
    points = np.array([[0.0, 0.0], [0.1, 0.0], [1.0, 0.0]])
    assert drawn(points, ["one", "two", "end"], [1, 0, 2], 12, 1) == ["·two     end"]
    assert drawn(points, ["one", "two", "end"], [0, 1, 2], 12, 1) == ["one      end"]


def test_a_crowd_is_a_thicker_dot() -> None:
    points = np.zeros((7, 2)) + np.array([[0.0, 0.0]] * 6 + [[1.0, 0.0]])
    assert drawn(points, ["x"] * 7, [], 3, 1) == ["● ·"]


@pytest.mark.parametrize("width, height", [(0, 5), (5, 0), (1, 1)])
def test_any_size_will_do(width: int, height: int) -> None:
    lines = drawn(SQUARE, ["long name"] * 4, [0, 1, 2, 3], width, height)
    assert all(len(line) == width for line in lines)


def test_equal_points_stand_in_the_middle() -> None:
    assert cells_of(np.ones((3, 2)), 11, 5).tolist() == [[5, 2]] * 3


def test_every_line_is_as_wide_as_the_plane() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(300, 2))
    names = [f"w{n}" for n in range(300)]
    lines = drawn(points, names, list(range(300)), 40, 12)
    assert len(lines) == 12 and {len(line) for line in lines} == {40}
