"""What the views into the model write, by string."""

import numpy as np
from rich.style import Style

from gpttui.tui.renderables.compare import beside, contributors, crop

NONE = Style()


def test_the_largest_share_of_a_difference_comes_first_whatever_its_sign() -> None:
    heads, mlps = np.array([[0.1, -0.6], [0.0, 0.2]]), np.array([0.3, np.nan])
    found = contributors(heads, mlps, 3)
    assert [part.name for part in found] == ["head 0.1", "MLP 0", "head 1.1"]
    assert contributors(np.full((1, 1), np.nan), np.array([np.nan]), 5) == []


def test_blocks_side_by_side_keep_their_columns() -> None:
    left, right = [[("long line", NONE)], [("b", NONE)]], [[("1", NONE)], [("2", NONE)], [("3", NONE)]]
    lines = ["".join(text for text, _ in line) for line in beside(left, right, 4)]
    assert lines == ["lon…  1", "b     2", "      3"]
    assert "".join(text for text, _ in crop([("日本", NONE), ("語", NONE)], 3)) == "日…"
