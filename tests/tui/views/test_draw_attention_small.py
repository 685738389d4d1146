"""Small maps: how large, what pooling keeps, and which head is the best of its kind."""

import numpy as np
import pytest
from rich.cells import cell_len

from gpttui.tui.palette import ColourDepth
from gpttui.tui.renderables.heatmap import HeatmapLines
from gpttui.tui.views.attention.draw_small import best_heads, map_lines, small_maps

INK = HeatmapLines(ColourDepth.TRUE, "#000000", "#222222")
PLAIN = HeatmapLines(ColourDepth.NONE, "#000000", "#222222")


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (5, 6), (12, 12), (24, 16)])
@pytest.mark.parametrize("room", [(10, 2), (38, 6), (72, 14), (196, 48)])
@pytest.mark.parametrize("tokens", [1, 3, 11, 1024])
def test_maps_fit_their_room(shape: tuple[int, int], room: tuple[int, int], tokens: int) -> None:
    found = small_maps(*shape, tokens, *room)
    assert 1 <= found.layers <= shape[0] and found.columns >= 1 and found.lines >= 1
    assert found.layers * (found.lines + found.gap) <= max(room[1], found.lines + found.gap)
    assert shape[1] * (found.columns + 1) + 1 <= max(room[0], 2 * shape[1] + 1)


@pytest.mark.parametrize("side", [1, 2, 5, 24])
@pytest.mark.parametrize("ink", [INK, PLAIN])
def test_a_map_fills_its_box(side: int, ink: HeatmapLines) -> None:
    room = small_maps(4, 4, side, 60, 16)
    lines = map_lines(np.tril(np.full((side, side), 1 / side, np.float16)), room, ink)
    assert len(lines) == room.lines
    assert all(sum(cell_len(text) for text, _ in line) == room.columns for line in lines)


def test_pooling_keeps_a_spike_and_the_threshold_hides_it() -> None:
    room = small_maps(1, 1, 24, 9, 3)
    weights = np.zeros((24, 24), np.float16)
    weights[20, 3] = 0.3
    spiked, blank = (map_lines(x, room, INK) for x in (weights, np.zeros_like(weights)))
    assert spiked != blank
    assert map_lines(weights, room, INK, threshold=0.5) == blank


def test_the_best_head_of_each_kind_and_none_where_no_text_has_such_a_place() -> None:
    scores = np.full((2, 3, 4), np.nan, np.float32)
    scores[..., 0], scores[1, 2, 0] = 0.1, 0.7
    scores[0, 1, 1] = 0.0
    found = best_heads(scores)
    assert found[0] is not None and found[0][:2] == (1, 2) and found[0][2] == pytest.approx(0.7)
    assert found[1] == (0, 1, 0.0) and found[2:] == [None, None]
