"""Altering the model by keys: silence, forbid, patch, steer, undo; on the real engine and a tiny random model."""

from pathlib import Path

import pytest

from gpttui.interventions import AblateHead, AblatePart, ForbidEdge, PatchResidual, Steer
from gpttui.tui.views.interventions.pane_board import MLP
from gpttui.tui.views.interventions.screen import InterventionsScreen
from tests.tui.opening import opened
from tests.tui.pilot import Playground
from tests.tui.views.keys import write


async def alter(page: Playground) -> InterventionsScreen:
    await page.press("A")
    screen = page.app.screen
    assert isinstance(screen, InterventionsScreen)
    await page.until(lambda: screen.bars.found is not None)
    return screen


async def test_the_switchboard_silences_and_the_bars_say_what_that_does(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await alter(page)
        assert "Nothing is changed" in page.text and "0.00 bits apart" in page.text
        await page.press("down", "right", "x")
        assert page.play.link.changes == (AblateHead(1, 1),)
        await page.until(lambda: screen.bars.found is not None and screen.bars.found.divergence_bits > 0)
        assert "layer 2 head 2 silenced" in page.text and "ALTERED" in page.text
        await page.press("right", "right", "x", "M", "up", "x")
        assert page.play.link.changes[1:] == (AblatePart(1, "mlp"), AblatePart(0, "mlp", "mean"))  # type: ignore[comparison-overlap]
        assert screen.board.column == MLP
        await page.press("x", "U")
        assert page.play.link.changes == (AblateHead(1, 1),)
        await page.press("2", "d")
        await page.until(lambda: "ALTERED" not in page.text)


async def test_changes_hold_while_stepping(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await alter(page)
        await page.press("x", "space", "space")
        assert "ALTERED" in page.text and page.play.link.snapshot is not None
        assert page.play.link.snapshot.interventions == ("layer 1 head 1 silenced",)


async def test_every_head_silenced_still_says_something(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await alter(page)
        for keys in (("x",), ("right", "x"), ("down", "x"), ("left", "x")):
            await page.press(*keys)
        assert len(page.play.link.changes) == 4
        await page.until(lambda: screen.bars.found is not None and screen.bars.found.divergence_bits > 0)
        await page.press("0")
        await page.until(lambda: "ALTERED" not in page.text)


async def test_who_matters_is_measured_layer_by_layer(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await alter(page)
        await page.press("E")
        await page.until(lambda: len(screen.board.effects) == 2)
        measured = float(screen.board.effects[0].heads[0])
        await page.press("x")
        await page.until(lambda: screen.bars.found is not None and screen.bars.found.divergence_bits > 0)
        assert screen.bars.found is not None
        assert screen.bars.found.divergence_bits == pytest.approx(measured, abs=1e-4)


async def test_an_edge_is_forbidden_a_vector_patched_and_steering_grows(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await alter(page)
        await page.press("f")
        await write(page, "99")
        assert "from 1 to" in page.text and not page.play.link.changes
        await page.press("f")
        await write(page, "2")
        await page.press("p")
        await write(page, "the dog")
        await page.press("S")
        await write(page, "the dog")
        await write(page, "the cat")
        await page.press("plus")
        edge, patch, steer = page.play.link.changes
        last = len(page.ids) - 1
        assert edge == ForbidEdge(0, 0, last, 1)
        assert patch == PatchResidual(0, "mlp", last, "the dog", -1)
        assert steer == Steer(0, "the dog", "the cat", 2.5)
        await page.until(lambda: "steered after layer 1 by 2.5" in page.text)


async def test_a_refused_change_leaves_the_list_as_it_was(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await alter(page)
        await page.press("p")
        await write(page, "the dog " * 9)
        await page.until(lambda: not page.play.link.changes)
        assert "Changed: nothing" in page.text and "ALTERED" not in page.text


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (1, 1)])
async def test_it_survives_any_terminal_and_an_empty_text(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path, size, prompt="") as page:
        await page.press(
            "A", "x", "E", "f", "escape", "tab", "d", "tab", "M", "U", "0", "left", "down", "escape", "escape"
        )
        if page.app.screen is not page.play:
            await page.press("escape")
        assert page.app.screen is page.play


async def test_u_undoes_in_the_playground_and_a_patch_goes_with_its_prompt(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await alter(page)
        await page.press("p")
        await write(page, "the dog")
        await page.press("x", "escape")
        assert [type(change) for change in page.play.link.changes] == [PatchResidual, AblateHead]
        page.play.link.set_prompt("the log")
        await page.until(lambda: "Undone with the old text: token" in page.text)
        assert page.play.link.changes == page.play.link.made == (AblateHead(0, 0),) and "ALTERED" in page.text
        await page.press("U")
        await page.until(lambda: "ALTERED" not in page.text)
        await page.press("U")
        await page.until(lambda: "Nothing of the model is changed" in page.text)
