"""The logit lens, ranks of pinned tokens and who made a logit; on the real engine and tiny random models."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from textual import events

from gpttui.protocol.stream import AskLens
from gpttui.tui.views.layers.screen import LayersScreen
from tests.fakes import tiny_model_dir
from tests.tui.opening import opened, opened_on, settled
from tests.tui.pilot import Playground


async def layers(page: Playground) -> LayersScreen:
    await page.press("L")
    screen = page.app.screen
    assert isinstance(screen, LayersScreen)
    await page.until(lambda: screen.shares.found is not None and screen.grid_pane.cells.known)
    await page.pilot.pause()
    return screen


def asked(page: Playground) -> list[AskLens]:
    return [request for request in page.engine.asked if isinstance(request, AskLens)]  # type: ignore[attr-defined]


async def test_the_grid_its_ranks_and_the_sum(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await layers(page)
        for words in ("embedding", "layer 1", "layer 2", "came next", "probability 0", "Ranks of", "rank 1", "2 MLP"):
            assert words in page.text
        snapshot = page.play.tokens.snapshot
        assert snapshot is not None and snapshot.prediction is not None
        says = int(snapshot.prediction.candidate_ids[0])
        cells = screen.grid_pane.cells
        assert cells.ids[-1, screen.position] == says, "the last row is what the model says"
        assert screen.ranks.found is not None and screen.ranks.found.ids == (says,)
        assert screen.ranks.found.column.watched_ranks[-1, 0, 0] == 0


async def test_two_answers_that_name_other_rows_leave_the_list_empty(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        pane = (await layers(page)).grid_pane
        assert pane.column is not None and pane._tops()
        pane.column = msgspec.structs.replace(pane.column, numbers=pane.column.numbers + 100)
        await page.pilot.pause()
        assert not pane._tops() and "Ranks of" in page.text


async def test_the_shares_sum_to_the_logit_and_the_last_line_says_so(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await layers(page)
        found = screen.shares.found
        assert found is not None
        total = sum(part.share for part in screen.shares.parts())
        assert total == pytest.approx(float(found.logits[0]), abs=1e-4)
        assert f"sum {float(found.totals[0]):+.4f}" in page.text
        assert f"logit {float(found.logits[0]):+.4f}" in page.text and "difference 0.0000" in page.text


async def test_the_cell_moves_the_selection_and_is_moved_by_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await layers(page)
        last = len(page.ids) - 1
        await page.press("left", "down")
        here = page.play.selection
        assert (here.index(len(page.ids)), here.layer) == (last - 1, 1)
        assert screen.grid_pane.cursor == 2 and "after layer 2" in page.text
        await page.press("left_curly_bracket")
        assert screen.grid_pane.cursor == 1
        await page.press("up")
        assert screen.grid_pane.cursor == 0 and page.play.selection.layer == 0
        assert "after embedding" in page.text


async def test_p_pins_the_cells_token_and_p_again_lets_it_go(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await layers(page)
        await page.press("up")
        wanted = screen.grid_pane.token_id
        first = screen.watched
        if wanted in first:
            pytest.skip("this random model's embedding row says what the last row says")
        await page.press("p")
        await page.until(lambda: screen.ranks.found is not None and screen.ranks.found.ids == (*first, wanted))
        await page.press("2", "down")
        await page.until(lambda: screen.shares.token_id == wanted)
        assert screen.shares.parts(), "its shares are known too"
        await page.press("p")
        await page.until(lambda: screen.ranks.found is not None and screen.ranks.found.ids == first)


async def test_the_next_token_can_be_let_go_and_pinned_again(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await layers(page)
        await page.press("2", "p")
        await page.until(lambda: screen.ranks.found is not None and screen.ranks.found.ids == ())
        assert "Nothing is pinned" in page.text and "No token is pinned" in page.text
        await page.press("P")
        await page.until(lambda: screen.ranks.found is not None and len(screen.ranks.found.ids) == 1)
        await page.press("left")
        await page.until(lambda: screen.ranks.found is not None and screen.ranks.found.ids == (page.ids[-1],))


async def test_pins_stay_while_the_view_is_closed_and_there_is_an_end_to_them(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await layers(page)
        for token_id in range(8):
            if token_id not in screen.watched:
                screen._toggle(token_id)
        assert len(screen.watched) == 6 and "unpin one" in str(screen.hints.render())
        await settled(page)
        pins = screen.pins
        await page.press("escape")
        again = await layers(page)
        assert again.pins == pins


async def test_by_mouse(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await layers(page)
        grid = screen.grid_pane
        cell, _ = grid._columns
        await page.pilot.click(grid, offset=(2 + grid._name_cells + 2 * cell, 2))
        await settled(page)
        assert (screen.position, grid.cursor) == (2, 0)
        await page.pilot.click(grid, offset=(2 + grid._name_cells + 2 * cell, 2))
        await page.until(lambda: grid.token_id in screen.watched or not screen.follows)
        await page.pilot._post_mouse_events([events.MouseScrollDown], grid, offset=(20, 2))
        await settled(page)
        assert grid.cursor == 1


async def test_m_looks_between_attention_and_mlp(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await layers(page)
        await page.press("m")
        await page.until(lambda: "1 attn" in page.text and len(screen.grid_pane.cells.stops) == 5)
        assert screen.grid_pane.cursor == 2, "still the end of layer 1"
        await page.press("m")
        await page.until(lambda: len(screen.grid_pane.cells.stops) == 3)


async def test_a_long_text_is_asked_for_as_far_as_it_is_seen(tmp_path: Path) -> None:
    prompt = "the cat sat on the mat. the dog "
    async with opened(tmp_path, size=(80, 24), prompt=prompt) as page:
        screen = await layers(page)
        first, count = screen.grid_pane.viewport
        assert 0 < count < len(page.ids) and first + count == len(page.ids)
        before = len(asked(page))
        await page.press("left")
        assert all(request.count == 1 for request in asked(page)[before:])
        await page.press("home")
        await page.until(lambda: screen.grid_pane.cells.missing(*screen.grid_pane.viewport) is None)
        assert screen.grid_pane.viewport[0] == 0 and not np.any(screen.grid_pane.cells.ids[:, :count] < 0)


async def test_stepping_back_and_forth_keeps_the_grid_right(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await layers(page)
        await page.press("space", "space", "backspace")
        await page.until(lambda: screen.grid_pane.cells.ids.shape[1] == len(page.ids))
        await page.until(lambda: screen.grid_pane.token_id >= 0)


async def test_of_many_layers_the_ranks_keep_the_first_the_last_and_the_chosen_one(tmp_path: Path) -> None:
    async with opened_on(tiny_model_dir(tmp_path, n_layer=20), size=(80, 40)) as page:
        screen = await layers(page)
        await page.press("down", "down", "down", "down")
        assert screen.ranks.found is not None
        shown, ends = screen.ranks._stops(screen.ranks.found.column, 24)
        names = [screen.ranks.found.column.stops[row] for row in shown]
        assert ends and len(names) <= 6 and names[0] == "embed" and names[-1] == "19 mlp" and "4 mlp" in names
        assert "sum +" in page.text or "sum -" in page.text, "the last line stays in sight"
        await page.until(lambda: "↓" in page.text and " more" in page.text)
        before = page.text
        await page.press("3", "down", "down")
        assert page.text != before and ("sum +" in page.text or "sum -" in page.text)


@pytest.mark.parametrize("changes", [{"d_mlp": 0}, {}])
async def test_both_architectures_and_attention_alone(tmp_path: Path, changes: dict[str, int]) -> None:
    arch = "gpt2" if changes else "modern"
    async with opened_on(tiny_model_dir(tmp_path, arch, **changes)) as page:  # type: ignore[arg-type]
        screen = await layers(page)
        await page.press("m", "down", "down", "p", "P")
        await settled(page)
        assert screen.shares.has_mlps is not bool(changes) and ("1 MLP" in page.text) is not bool(changes)
        found = screen.shares.found
        assert found is not None
        assert sum(part.share for part in screen.shares.parts()) == pytest.approx(
            float(found.logits[found.token_ids.index(screen.shares.token_id)]), abs=1e-4
        )


@pytest.mark.parametrize("prompt", ["", "t"])
@pytest.mark.parametrize("size", [(80, 24), (40, 12), (1, 1)])
async def test_it_survives_any_terminal_and_hardly_any_text(tmp_path: Path, size: tuple[int, int], prompt: str) -> None:
    async with opened(tmp_path, size, prompt=prompt) as page:
        await page.press("L", "down", "up", "p", "P", "m", "left", "2", "p", "3", "down", "tab", "m", "escape")
        assert page.app.screen is page.play


async def test_without_colours_the_cursor_is_in_brackets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened(tmp_path) as page:
        await layers(page)
        assert "[" in page.text and "░" in page.text
