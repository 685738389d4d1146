"""What a token costs; on the real engine and tiny random models."""

import re
from pathlib import Path

import numpy as np
import pytest

from gpttui.inference.cost import REPEATS
from gpttui.protocol.parts import AskCost
from gpttui.tui.views.cost.draw_table import amount
from gpttui.tui.views.cost.screen import POINTS, CostScreen
from tests.fakes import tiny_model_dir
from tests.tui.opening import opened, opened_on, settled
from tests.tui.pilot import Playground


async def costs(page: Playground) -> CostScreen:
    await page.press("C")
    screen = page.app.screen
    assert isinstance(screen, CostScreen)
    await page.until(lambda: screen.parts.found is not None and asked(page)[-1].points == POINTS)
    await settled(page)
    return screen


def asked(page: Playground) -> list[AskCost]:
    return [request for request in page.engine.asked if isinstance(request, AskCost)]  # type: ignore[attr-defined]


async def test_the_token_first_then_the_other_lengths(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await costs(page)
        assert [request.points for request in asked(page)] == [1, POINTS]
        found = screen.parts.found
        assert found is not None and found.position == len(page.ids) - 1
        assert found.contexts[-1] == len(page.ids) and len(found.contexts) > 1
        for words in ("measured", "counted", "q, k, v", "attend", "MLP", "logits", "all together", "KV cache", "● "):
            assert words.strip() in page.text
        assert amount(found.flops.sum(), "FLOP") in page.text and amount(found.kv_bytes, "B") in page.text
        assert found.passes == REPEATS and f"median of {REPEATS} passes" in page.text and "from the shapes" in page.text


async def test_shares_are_of_the_whole_and_every_figure_has_its_unit(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await costs(page)
        rows = screen.parts.rows()
        assert sum(row.ms for row in rows) == pytest.approx(float(np.sum(screen.parts.found.ms)), rel=1e-5)  # type: ignore[union-attr]
        line = next(line for line in page.text.splitlines() if "all together" in line)
        assert all(unit in line for unit in (" ms", "100%", "FLOP", "B"))


async def test_g_groups_and_a_row_of_a_layer_selects_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await costs(page)
        await page.press("g")
        assert "layer 2" in page.text and "by layer" in page.text
        await page.press("down", "down")
        assert page.play.selection.layer == 1 and "its attention and its MLP" in page.text
        await page.press("g")
        assert "1 q, k, v" in page.text and len(screen.parts.rows()) == 10
        await page.press("g")
        assert len(screen.parts.rows()) == 6


async def test_m_changes_bars_and_chart(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await costs(page)
        assert "milliseconds of a token, measured" in page.text
        await page.press("m")
        assert "FLOPs of a token, counted" in page.text and "32 tokens" in page.text
        await page.press("m")
        assert "bytes of the KV cache, counted" in page.text and "bytes read" in page.text


async def test_it_follows_the_selection_and_r_measures_again(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await costs(page)
        await page.press("left")
        there = len(page.ids) - 2
        await page.until(lambda: asked(page)[-1].points == POINTS and asked(page)[-1].position == there)
        await settled(page)
        assert screen.parts.found is not None and screen.parts.found.position == there
        before = len(asked(page))
        await page.press("r")
        await page.until(lambda: len(asked(page)) == before + 1)
        assert asked(page)[-1].position == there


async def test_another_look_at_the_same_token_measures_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await costs(page)
        before = len(asked(page))
        screen.follow()
        await page.press("right_curly_bracket", "tab")
        await settled(page)
        assert len(asked(page)) == before


async def test_by_mouse(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await costs(page)
        await page.press("g")
        await page.pilot.click(screen.parts, offset=(6, 5))
        await settled(page)
        assert screen.parts.cursor == 2 and page.play.selection.layer == 1


@pytest.mark.parametrize("attention_only", [True, False])
async def test_both_architectures_and_attention_alone(tmp_path: Path, attention_only: bool) -> None:
    path = tiny_model_dir(tmp_path, d_mlp=0) if attention_only else tiny_model_dir(tmp_path, "modern")
    async with opened_on(path) as page:
        screen = await costs(page)
        assert any(row.part == "mlp" for row in screen.parts.rows()) is not attention_only


@pytest.mark.parametrize("prompt", ["", "t"])
@pytest.mark.parametrize("size", [(80, 24), (40, 12), (1, 1)])
async def test_it_survives_any_terminal_and_hardly_any_text(tmp_path: Path, size: tuple[int, int], prompt: str) -> None:
    async with opened(tmp_path, size, prompt=prompt) as page:
        await page.press("C", "down", "g", "m", "r", "left", "2", "m", "tab", "down", "g", "escape")
        assert page.app.screen is page.play


async def test_one_token_is_singular_everywhere(tmp_path: Path) -> None:
    async with opened(tmp_path, prompt="t") as page:
        assert "1 token" in page.text and not re.search(r"(?<![\d,])1 tokens", page.text)
        await page.press("C")
        await page.until(lambda: "milliseconds of a token, measured" in page.text)
        assert "1 token" in page.text and not re.search(r"(?<![\d,])1 tokens", page.text)
        await page.press("escape", "space", "b")
        assert "1 continuation, 1 token " in page.text and "1 token, log p" in page.text
        assert not re.search(r"(?<![\d,])1 tokens", page.text)
