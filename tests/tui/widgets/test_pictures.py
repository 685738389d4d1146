"""Tokens as pixels and as a spectrogram: every token has cells, what is to come is open, clicks find tokens."""

import numpy as np
import pytest
from rich.cells import cell_len

from gpttui.corpora.digits import GREYS
from gpttui.corpora.speech_codes import CHARACTERS
from gpttui.tokenizers import train_characters
from gpttui.tui.palette import ColourDepth
from gpttui.tui.renderables.pictures import picture_tokens, pixel_lines, spectrogram_lines
from gpttui.tui.widgets.pane import TokenWanted
from gpttui.tui.widgets.tokens import TokensPane
from tests.tui import made
from tests.tui.bench import Bench, screen_text
from tests.tui.made import Bigrams


def test_pixels_and_codes_are_told_from_text() -> None:
    tokenizer = train_characters([f"digit 7:{GREYS}"])
    positions, values = picture_tokens(
        "digits", tokenizer, np.array(tokenizer.encode(f"digit 7:{GREYS[3]}{GREYS[16]}"))
    )
    assert positions.tolist() == [8, 9] and values.tolist() == [3, 16]
    positions, _ = picture_tokens("text", tokenizer, np.array(tokenizer.encode("digit")))
    assert len(positions) == 0


@pytest.mark.parametrize("depth", list(ColourDepth))
@pytest.mark.parametrize(("width", "height", "scale"), [(60, 30, 3), (40, 16, 2), (17, 8, 1), (5, 3, 1)])
def test_a_digit_grows_with_its_pane_and_shows_what_is_to_come(
    depth: ColourDepth, width: int, height: int, scale: int
) -> None:
    values = np.arange(20) % 17
    positions = np.arange(8, 28)
    lines = pixel_lines(values, positions, width, height, selected=27, steps=None, depth=depth)
    assert len(lines) == 8 * scale
    assert {sum(cell_len(cell.text) for cell in line) for line in lines} == {16 * scale}
    cells = [cell for line in lines for cell in line]
    assert {cell.position for cell in cells} == {-1, *positions.tolist()}
    assert sum("◆" in cell.text for cell in cells) == 1
    assert any("·" in cell.text for cell in cells if cell.position == -1)


@pytest.mark.parametrize("depth", list(ColourDepth))
@pytest.mark.parametrize(("width", "height"), [(80, 20), (12, 5), (1, 1)])
def test_a_voice_wraps_and_marks_the_moment(depth: ColourDepth, width: int, height: int) -> None:
    codes, positions = np.arange(30) % len(CHARACTERS), np.arange(5, 35)
    lines = spectrogram_lines(codes, positions, width, height, selected=20, depth=depth)
    assert all(sum(cell_len(cell.text) for cell in line) <= max(1, width) for line in lines)
    assert {cell.position for line in lines for cell in line} == set(positions.tolist())
    assert [cell.position for line in lines for cell in line if "▲" in cell.text] == [20]


async def test_a_click_on_a_pixel_selects_its_token() -> None:
    text = "digit 3:" + GREYS * 2
    tokenizer = train_characters([text])
    app = Bench(TokensPane())
    async with app.run_test(size=(60, 14)) as pilot:
        pane = app.pane
        assert isinstance(pane, TokensPane)
        pane.token_view = "digits"
        pane.tokenizer = tokenizer
        pane.snapshot = made.snapshot(tokenizer, Bigrams(tokenizer, text), tokenizer.encode(text), n_prompt=8)
        await pilot.pause()
        assert "digit·3:" in screen_text(app) and GREYS[:8] not in screen_text(app)
        await pilot.click(TokensPane, offset=(2 + 2 * 3, 2 + 1))  # column 3 of the picture's second row
        event = app.posted[-1]
        assert isinstance(event, TokenWanted) and event.position == 8 + 8 + 3
        pane.position = event.position
        await pilot.press("down")
        await pilot.pause()
        below = app.posted[-1]
        assert isinstance(below, TokenWanted) and below.position == event.position + 8
