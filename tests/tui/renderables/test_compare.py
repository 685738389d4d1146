"""What the views into the model write, by string."""

from rich.style import Style

from gpttui.tui.renderables.compare import beside, crop

NONE = Style()


def test_blocks_side_by_side_keep_their_columns() -> None:
    left, right = [[("long line", NONE)], [("b", NONE)]], [[("1", NONE)], [("2", NONE)], [("3", NONE)]]
    lines = ["".join(text for text, _ in line) for line in beside(left, right, 4)]
    assert lines == ["lon…  1", "b     2", "      3"]
    assert "".join(text for text, _ in crop([("日本", NONE), ("語", NONE)], 3)) == "日…"
