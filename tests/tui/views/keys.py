"""Into a view by its key, and a text into its editor: what tests of more than one view press."""

from gpttui.tui.views.compare.screen import CompareScreen
from gpttui.tui.views.mlp.screen import MLPScreen
from tests.tui.pilot import Playground


async def compare(page: Playground) -> CompareScreen:
    await page.press("w")
    screen = page.app.screen
    assert isinstance(screen, CompareScreen)
    await page.until(lambda: screen.distances.found is not None)
    return screen


async def neurons(page: Playground) -> MLPScreen:
    await page.press("n")
    screen = page.app.screen
    assert isinstance(screen, MLPScreen)
    await page.until(lambda: screen.about.found is not None)
    return screen


async def write(page: Playground, text: str) -> None:
    await page.press("f7", "delete", *("space" if letter == " " else letter for letter in text), "enter")
