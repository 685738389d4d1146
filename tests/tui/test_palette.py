"""Colour maps and token backgrounds: complete, ordered, readable, told apart."""

import numpy as np
import pytest
from rich.color import Color, ColorSystem

from gpttui.tui import palette
from gpttui.tui.palette import ColourDepth


@pytest.mark.parametrize("table", [palette.CIVIDIS, palette.VIRIDIS])
def test_amounts_only_get_brighter(table: tuple[str, ...]) -> None:
    brightness = [palette.luminance(colour) for colour in table]
    assert len(table) == palette.STEPS
    assert all(np.diff(brightness) > 0)


@pytest.mark.parametrize(("table", "middle_is_dark"), [(palette.BERLIN, True), (palette.VIK, False)])
def test_signed_maps_have_their_ends_opposite_their_middle(table: tuple[str, ...], middle_is_dark: bool) -> None:
    ends, middle = [palette.luminance(table[i]) for i in (0, -1)], palette.luminance(table[16])
    assert len(table) == palette.STEPS
    assert all(end > middle for end in ends) is middle_is_dark


@pytest.mark.parametrize("dark", [True, False])
def test_neighbouring_tokens_differ_at_every_depth_and_can_be_read(dark: bool) -> None:
    for depth in ColourDepth:
        cycle = palette.token_styles(depth, dark)
        assert all(one != other for one, other in zip(cycle, [*cycle[1:], cycle[0]], strict=True))
    backgrounds = palette.TOKEN_DARK if dark else palette.TOKEN_LIGHT
    at_256 = [Color.parse(colour).downgrade(ColorSystem.EIGHT_BIT) for colour in backgrounds]
    assert all(one != other for one, other in zip(at_256, [*at_256[1:], at_256[0]], strict=True))
    text = palette.luminance(palette.TOKEN_TEXT_DARK if dark else palette.TOKEN_TEXT_LIGHT)
    for colour in backgrounds:
        bright, dim = sorted((text, palette.luminance(colour)), reverse=True)
        assert (bright + 0.05) / (dim + 0.05) >= 7


def test_levels_meet_their_ends_and_survive_nan() -> None:
    assert palette.levels(np.array([-1, 0, 0.5, 1, 2, np.nan])).tolist() == [0, 0, 16, 31, 31, 0]
    assert [palette.level(value) for value in (-1, 0, 0.5, 1, 2, float("nan"))] == [0, 0, 16, 31, 31, 0]


def test_only_nothing_is_blank_without_colours() -> None:
    glyphs = [palette.ramp_glyph(step) for step in range(palette.STEPS)]
    assert glyphs[0] == " " and " " not in glyphs[1:]
    assert "".join(dict.fromkeys(glyphs)) == palette.RAMP
