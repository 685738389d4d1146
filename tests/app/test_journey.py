"""One token's journey, on the real engine and a tiny random model."""

from pathlib import Path

import pytest

from gpttui.tui.screens.journey import JourneyScreen
from gpttui.tui.screens.views import ViewContext
from tests.app.pilot import Playground
from tests.app.test_inside import opened


async def journey(page: Playground) -> JourneyScreen:
    play = page.play
    context = ViewContext(play.link, play.tokens.tokenizer, play.link.snapshot, play.selection, play.select)
    screen = JourneyScreen(context)
    await page.app.push_screen(screen)
    await page.until(lambda: screen.stops.journey is not None)
    return screen


async def test_every_stop_of_the_selected_token_is_shown(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await journey(page)
        await page.until(lambda: "layer 1 · MLP adds" in page.text)
        for words in ("embedding + position", "layer 0 · attention adds", "it would say", "next token"):
            assert words in page.text
        await page.press("i")
        assert page.app.screen is page.play


async def test_arrows_take_another_token_and_the_cursor_selects_its_layer(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen, last = await journey(page), len(page.ids) - 1
        await page.press("left", "h", "end")
        await page.until(lambda: screen.stops.journey is not None and screen.stops.journey.position == last - 2)
        assert screen.stops.stop == 4 and page.play.selection.layer == 1
        await page.press("left_curly_bracket")
        assert screen.stops.stop == 1


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (1, 1)])
async def test_the_journey_survives_any_terminal(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path, size) as page:
        screen = await journey(page)
        await page.press("home", "down", "down", "up", "end")
        assert screen.stops.stop == 4
