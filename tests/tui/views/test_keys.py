"""The views into the model by their keys, on the real engine and a tiny random model."""

from pathlib import Path

from gpttui.tui.views.frame import InsideScreen
from tests.tui.opening import opened


async def test_arrows_in_a_view_move_the_playgrounds_selection_too(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        last = len(page.ids) - 1
        await page.press("i", "left", "h", "right_curly_bracket", "right_square_bracket", "escape")
        here = page.play.selection
        assert (here.index(len(page.ids)), here.layer, here.head) == (last - 2, 1, 1)


async def test_an_empty_text_says_what_to_do(tmp_path: Path) -> None:
    async with opened(tmp_path, prompt="") as page:
        await page.press("i")
        if not page.ids:
            await page.until(lambda: "no text" in page.text)
        await page.press("left", "right", "down", "escape")
        assert not isinstance(page.app.screen, InsideScreen)


async def test_x_silences_the_head_and_x_again_wakes_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await page.press("x")
        await page.until(lambda: "ALTERED" in page.text)
        assert "layer 1 head 1 silenced" in page.text
        await page.press("X")
        await page.until(lambda: "layer 1 MLP" in page.text)
        await page.press("x", "X")
        await page.until(lambda: "ALTERED" not in page.text)
