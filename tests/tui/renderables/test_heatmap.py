"""Squares of weights: sizes, pooling, masks, marks, and the same in glyphs."""

import numpy as np
import pytest
from rich.cells import cell_len
from rich.style import Style
from textual.strip import Strip

from gpttui.tui.palette import CIVIDIS, ColourDepth
from gpttui.tui.renderables.axes import column_label_lines
from gpttui.tui.renderables.heatmap import BAND, MASKED, HeatmapLines, max_pool
from gpttui.tui.renderables.ink import Ink
from gpttui.tui.renderables.square import SquareLayout, arrange, pooled, row_steps, seen_columns
from gpttui.tui.renderables.square_lines import SquareView


def causal(tokens: int, seed: int = 0) -> np.ndarray:
    weights = np.tril(np.random.default_rng(seed).exponential(1, (tokens, tokens))).astype(np.float32)
    return weights / weights.sum(axis=1, keepdims=True)


def view(
    weights: np.ndarray,
    width: int,
    height: int,
    *,
    depth: ColourDepth = ColourDepth.TRUE,
    overview: bool = False,
    **more: int,
) -> SquareView:
    labels = [f"t{i}" for i in range(len(weights))]
    layout = arrange(len(weights), width, height, 3, overview=overview)
    plain = Style(color="white", bgcolor="black")
    return SquareView(
        layout=layout,
        cells=HeatmapLines(depth, "#000000", "#222222"),
        ink=Ink(plain, plain, plain, plain + Style(bold=True), plain, plain, plain, plain, depth, True),
        weights=weights,
        pooled=pooled(weights, layout),
        labels=labels,
        longest_label=3,
        selected=more.get("selected", len(weights) - 1),
        cursor=more.get("cursor", 0),
        width=width,
        scroll_x=more.get("scroll_x", 0),
        scroll_y=more.get("scroll_y", 0),
    )


def lines_of(square: SquareView) -> list[Strip]:
    layout = square.layout
    return [square.matrix_line(y) for y in range(layout.size.lines(layout.shown_rows))]


@pytest.mark.parametrize("tokens", [1, 2, 7, 8, 20, 39, 60, 300])
@pytest.mark.parametrize(("width", "height"), [(78, 20), (40, 10), (120, 45), (12, 4)])
def test_every_line_is_exactly_as_wide_as_the_pane(tokens: int, width: int, height: int) -> None:
    for overview in (False, True):
        square = view(causal(tokens), width, height, overview=overview)
        assert all(line.cell_length == width == cell_len(line.text) for line in lines_of(square))
        assert [line.cell_length for line in square.label_lines()] == [width] * square.layout.top


def test_short_texts_get_large_cells_and_long_ones_scroll() -> None:
    def size(tokens: int) -> tuple[int, int]:
        found = arrange(tokens, 70, 24, 4).size
        return found.columns, found.half_lines

    assert size(6) == (6, 4)
    assert size(12) == (5, 2) or size(12)[0] >= 5
    assert size(30)[0] >= 2
    assert size(200) == (1, 1)


def test_a_spike_survives_pooling() -> None:
    weights = np.zeros((1024, 1024), dtype=np.float32)
    weights[777, 333] = 1.0
    small = max_pool(weights, 40, 60)
    assert small.shape == (40, 60) and small.max() == 1.0 and (small > 0).sum() == 1


@pytest.mark.parametrize("tokens", [3, 17, 64, 500])
@pytest.mark.parametrize("overview", [False, True])
def test_screen_rows_and_matrix_rows_agree(tokens: int, overview: bool) -> None:
    layout = arrange(tokens, 50, 16, 4, overview=overview)
    for row in range(tokens):
        shown = layout.shown_row(row)
        assert layout.first_row(shown) <= row < layout.first_row(shown + 1)
        shown = layout.shown_column(row)
        assert layout.first_column(shown) <= row < layout.first_column(shown + 1)


def test_the_future_is_masked_and_only_the_future() -> None:
    weights = causal(6)
    layout = SquareLayout(6, 6, 6, arrange(6, 60, 20, 2).size, 2, 1, 1)
    for row in range(6):
        steps = row_steps(weights, layout, row, 0, 6, selected=3)
        assert (steps[: row + 1] < MASKED).all()
        assert (steps[row + 1 :] == (BAND if row == 3 else MASKED)).all()
        assert seen_columns(layout, row) == row + 1


def test_numbers_stand_in_cells_with_room_for_them() -> None:
    square = view(np.array([[1.0, 0.0], [0.75, 0.25]], dtype=np.float32), 40, 12, cursor=0)
    drawn = [line.text for line in lines_of(square)]
    assert "1.0" in drawn[0] and "‹.75›" in drawn[2] and ".25" in drawn[2]


def test_the_selected_query_says_in_figures_what_it_looks_at() -> None:
    weights = np.zeros((30, 30), dtype=np.float32)
    weights[:, 0] = 1.0
    weights[29, 0], weights[29, 7] = 0.25, 0.75
    text = "\n".join(line.text for line in lines_of(view(weights, 110, 30)))
    assert "t29 looks at" in text
    first, second = (text.index(number) for number in ("0.750", "0.250"))
    assert first < second


def test_the_cursor_is_a_diamond_on_the_colour_of_its_cell() -> None:
    square = view(causal(30), 100, 20, selected=29, cursor=5)
    marked = [segment for line in lines_of(square) for segment in line if "◆" in segment.text]
    assert len(marked) == 1
    assert marked[0].style is not None and marked[0].style.bgcolor is not None
    assert marked[0].style.bgcolor.name in CIVIDIS


@pytest.mark.parametrize("depth", [ColourDepth.NONE, ColourDepth.BASIC])
def test_without_colours_amounts_are_glyphs_and_every_segment_has_a_style(depth: ColourDepth) -> None:
    weights = np.array([[1.0, 0, 0], [0.5, 0.5, 0], [0.98, 0.02, 0.0]], dtype=np.float32)
    square = view(weights, 30, 9, depth=depth, selected=1, cursor=1)
    drawn = lines_of(square)
    text = "\n".join(line.text for line in drawn)
    assert "█1.0█" in text and "▓.50▓" in text and "‹.50›" in text and "·" in text
    assert all(segment.style is not None for line in drawn for segment in line)


def test_runs_of_equal_cells_are_one_segment() -> None:
    lines = HeatmapLines(ColourDepth.TRUE, "#000000", "#222222")
    steps = np.array([0] * 50 + [31] * 50, dtype=np.uint8)
    assert [segment.text for segment in lines.line(steps, steps, 1)] == [" " * 50, " " * 50]


def test_labels_are_written_across_where_they_fit_and_down_where_not() -> None:
    assert column_label_lines(["a", "b", "c"], 2, 4) == ["a b c "]
    assert column_label_lines(["·the", "⏎", "king"], 2, 3) == ["t   k ", "h   i ", "e ⏎ ⋮ "]
    assert column_label_lines(["·kingdom", "a"], 6, 3) == ["king…   a   "]
    assert column_label_lines([], 2, 3) == []
