"""Whatever the order in which answers come: what a pane shows is what its label says."""

from pathlib import Path

import pytest

from gpttui.tui.app import GpttuiApp
from gpttui.tui.session.opening import Opening
from gpttui.tui.views.interventions.screen import InterventionsScreen
from tests.fakes import tiny_model_dir
from tests.late_answers import LateEngine, disagreements, press
from tests.late_keys import sequences
from tests.tui.pilot import Playground


async def test_effects_asked_for_twice_stand_under_their_own_layers(tmp_path: Path) -> None:
    engine = LateEngine(seed=0)
    app = GpttuiApp(engine, Opening(str(tiny_model_dir(tmp_path, n_layer=4))))
    async with app.run_test(size=(120, 40)) as pilot:
        page = Playground(app, pilot, engine)  # type: ignore[arg-type]
        await page.opened()
        await page.press("A")
        screen = app.screen
        assert isinstance(screen, InterventionsScreen)
        await page.until(lambda: screen.bars.found is not None)
        for _ in range(3):
            press(app, "E")
            await page.until(lambda: screen.board.effects)
            press(app, "E")
            await page.until(lambda: len(screen.board.effects) == 4)
            assert not disagreements(app, engine)


@pytest.mark.parametrize("seed", (1, 12))
async def test_a_few_sequences_of_keys(tmp_path: Path, seed: int) -> None:
    assert not await sequences(tmp_path, seed, 3)
