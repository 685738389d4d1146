"""Signed strips: nothing cancels, ends are ends."""

import numpy as np

from gpttui.tui.palette import BERLIN, VIK, ColourDepth
from gpttui.tui.renderables.signed import extremes, signed_steps, signed_strip


def test_opposite_values_in_a_cell_do_not_cancel() -> None:
    assert extremes(np.array([1.0, -3.0, 0.5, 0.25]), 2).tolist() == [-3.0, 0.5]
    assert extremes(np.array([1.0, 2.0]), 5).tolist() == [1.0, 2.0]


def test_signs_are_on_their_sides_of_the_map() -> None:
    assert signed_steps(np.array([-9.0, -2.0, -0.01, 0.0, 0.01, 2.0, 9.0, np.nan]), 2.0).tolist() == [
        0, 0, 15, 16, 16, 31, 31, 16,
    ]  # fmt: skip


def test_a_strip_is_one_line_of_the_maps_colours() -> None:
    vector = np.linspace(-1, 1, 128)
    for dark, table in ((True, BERLIN), (False, VIK)):
        strip = signed_strip(vector, 40, 1.0, ColourDepth.TRUE, dark)
        assert "".join(text for text, _ in strip) == "▌" * 40
        assert strip[0][1].color is not None and strip[0][1].color.name == table[0]
        assert strip[-1][1].bgcolor is not None and strip[-1][1].bgcolor.name == table[31]
    short = signed_strip(np.array([-1.0, 1.0]), 40, 1.0, ColourDepth.TRUE, True)
    assert [text for text, _ in short] == [" " * 20, " " * 20]


def test_without_colours_signs_are_glyphs() -> None:
    vector = np.array([-1.0, -0.2, 0.0, 0.2, 1.0])
    assert "".join(text for text, _ in signed_strip(vector, 5, 1.0, ColourDepth.NONE, True)) == "=-·+#"
