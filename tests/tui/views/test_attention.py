"""One head stage by stage, the cell under the cursor, all heads: by keys and mouse, on the real engine."""

from pathlib import Path

import numpy as np
import pytest

from gpttui.interventions import AblateHead, ForbidEdge, Intervention
from gpttui.protocol.parts import AskHeads, AskStages, Stages
from gpttui.tui.views.attention.screen import AttentionScreen
from tests.tui.engine_inside import EngineInside
from tests.tui.opening import opened
from tests.tui.pilot import Playground

LONG = "the cat sat on the mat.\nthe dog "


async def attention(page: Playground) -> AttentionScreen:
    await page.press("a")
    screen = page.app.screen
    assert isinstance(screen, AttentionScreen)
    await page.until(lambda: screen.stages.stages is not None and screen.stages.key >= 0)
    return screen


def shown(screen: AttentionScreen) -> Stages:
    found = screen.stages.stages
    assert found is not None
    return found


def inside(page: Playground) -> EngineInside:
    engine = page.play.link._engine
    assert isinstance(engine, EngineInside)
    return engine


def requests(page: Playground) -> list[AskStages]:
    return [request for request in inside(page).asked if isinstance(request, AskStages)]


def altered(page: Playground) -> tuple[Intervention, ...]:
    return page.play.link.changes


async def test_four_stages_and_the_cell_looked_at_most(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await attention(page)
        for words in (
            "layer 1/2 · head 1/2",
            "1 q·k",
            "2 ÷ √8",
            "3 masked",
            "4 softmax",
            "looks at",
            "sum of 8 products",
        ):
            assert words in page.text
        found, last = shown(screen), len(page.ids) - 1
        assert found.cell == (last, int(found.pattern[-1].argmax()))
        assert found.masked[0, 1] == -np.inf and np.allclose(found.pattern.sum(axis=1), 1, atol=1e-5)
        assert np.allclose(found.raw / np.sqrt(8), found.scaled, atol=1e-5)


async def test_the_products_sum_to_the_score_that_is_shown(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await attention(page)
        for moves in ("left", "up", "up", "right"):
            await page.press(moves)
            await page.until(lambda: shown(screen).cell == (screen.stages.asking, screen.stages.key))
            found = shown(screen)
            raw, scaled, _, weight = found.met.tolist()
            row, column = found.cell[0] - found.first_query, found.cell[1] - found.first_key
            assert abs(float(found.products.sum()) - raw) < 1e-4
            assert abs(raw / np.sqrt(len(found.products)) - scaled) < 1e-5
            assert weight == pytest.approx(float(found.pattern[row, column]))
            sheet = screen.cell.sheet()
            assert sheet is not None
            lines = ["".join(text for text, _ in line) for line in sheet.lines]
            assert f"{raw:+.3f}" in lines[0] and f"{weight:.3f}"[:3] in lines[2]
            assert lines[-1].rstrip().endswith(f"{raw:+.2f}"), "the sum so far ends at the score"


async def test_arrows_move_key_and_query_and_the_playground_follows(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await attention(page)
        key, last = screen.stages.key, len(page.ids) - 1
        await page.press("right" if key < last else "left")
        await page.until(lambda: shown(screen).cell[1] == (key + 1 if key < last else key - 1))
        await page.press("up")
        await page.until(lambda: shown(screen).cell[0] == last - 1)
        assert page.play.selection.index(len(page.ids)) == last - 1
        await page.press("enter")
        await page.until(lambda: screen.stages.key == int(shown(screen).pattern[last - 1].argmax()))


async def test_the_future_may_be_looked_at_and_says_that_it_is_masked(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await attention(page)
        await page.press("up", "up", *["right"] * len(page.ids))
        await page.until(lambda: shown(screen).cell == (len(page.ids) - 3, len(page.ids) - 1))
        assert "masked: in the future" in page.text
        await page.press("F")
        assert not altered(page) and "no head may look there" in page.text


async def test_a_click_chooses_a_cell_in_any_of_the_maps(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await attention(page)
        for number, (query, key) in enumerate(((4, 1), (2, 2), (5, 0), (3, 1))):
            left, top = screen.stages._layout.corner(number)
            offset = (2 + left + key * screen.stages._layout.columns, 1 + top + query * screen.stages._layout.high)
            await page.pilot.click(screen.stages, offset=offset)
            await page.until(lambda cell=(query, key): shown(screen).cell == cell)  # type: ignore[misc]


async def test_stages_one_after_the_other(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await attention(page)
        for name in ("1 q·k", "2 ÷ √8", "3 masked", "4 softmax"):
            await page.press("m")
            assert name in page.text and len(screen.stages.shown) == 1
        await page.press("m")
        assert "1 q·k" in page.text and "→ 4 softmax" in page.text


async def test_a_threshold_hides_and_is_said(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await attention(page)
        await page.press("t", "t", "t")
        assert "weights below 5% hidden" in page.text
        await page.press("T", "T", "T", "T")
        assert "hidden" not in page.text.split("╰")[0] and "Every weight is shown." in page.text
        await page.press(*"t" * 9)
        assert "weights below 50% hidden" in page.text


async def test_an_edge_is_forbidden_and_the_head_silenced(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await attention(page)
        query, key = shown(screen).cell
        before = float(shown(screen).met[3])
        await page.press("F")
        await page.until(lambda: "ALTERED" in page.text and "✕" in page.text)
        assert altered(page) == (ForbidEdge(0, 0, query, key),)
        await page.until(lambda: float(shown(screen).met[3]) == 0 and shown(screen).cell == (query, key))
        assert "masked: forbidden" in page.text
        await page.press("F")
        await page.until(lambda: "ALTERED" not in page.text and "✕" not in page.text)
        await page.until(lambda: float(shown(screen).met[3]) == pytest.approx(before))
        await page.press("x")
        await page.until(lambda: "head 1/2 ○ silenced" in page.text)
        assert altered(page) == (AblateHead(0, 0),)


async def test_only_what_is_seen_is_asked_for_and_scrolling_follows_the_cursor(tmp_path: Path) -> None:
    async with opened(tmp_path, (60, 16), prompt=LONG) as page:
        screen = await attention(page)
        seen = screen.stages.viewport
        assert seen is not None and seen.queries < len(page.ids)
        asked = requests(page)
        assert (asked[-1].queries, asked[-1].keys) == (seen.queries, seen.keys)
        assert seen.first_query + seen.queries == len(page.ids)
        await page.press(*["up"] * seen.queries)
        moved = screen.stages.viewport
        assert moved is not None and moved.first_query < seen.first_query
        await page.until(lambda: shown(screen).first_query == moved.first_query)
        assert "of 32" in page.text


async def test_a_held_key_leaves_no_queue(tmp_path: Path) -> None:
    async with opened(tmp_path, prompt=LONG) as page:
        screen = await attention(page)
        before = len(requests(page))
        for _ in range(20):
            screen.stages.action_cell(-1, 0)
        await page.pilot.pause()
        await page.until(lambda: not page.play.link.busy)
        assert len(requests(page)) - before < 20
        assert shown(screen).cell[0] == len(page.ids) - 21


async def test_a_modern_model_says_what_happens_to_q_and_k(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await attention(page)
        assert "after QK-norm" not in page.text
    async with opened(tmp_path, arch="modern") as page:
        await attention(page)
        assert "after QK-norm and RoPE" in page.text
    async with opened(tmp_path / "gain", arch="modern", qk_gain=True) as page:
        await attention(page)
        assert "after QK-norm with a learned gain and RoPE" in page.text


@pytest.mark.parametrize("prompt", ["", "t"])
@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12), (1, 1)])
async def test_it_survives_any_terminal_and_hardly_any_text(tmp_path: Path, size: tuple[int, int], prompt: str) -> None:
    async with opened(tmp_path, size, prompt=prompt) as page:
        await page.press("a", "left", "down", "m", "t", "tab", "d", "tab", "up", "enter", "F", "right", "escape")
        assert page.app.screen is page.play


async def test_all_heads_their_scores_and_the_best_of_each_kind(tmp_path: Path) -> None:
    async with opened(tmp_path, prompt="the cat the cat ") as page:
        screen = await attention(page)
        await page.until(lambda: screen.heads.of_draws == screen._draws)
        for words in ("All heads", "this text", "probe", "P previous token", "I induction", "best head"):
            assert words in page.text
        assert "probe 1/" not in page.text
        assert len(screen.heads._maps) == 2
        await page.press("3", "right", "down")
        assert (page.play.selection.layer, page.play.selection.head) == (1, 1)
        await page.until(lambda: (shown(screen).layer, shown(screen).head) == (1, 1))
        assert "layer 2 head 2" in page.text
        await page.press("enter")
        assert page.app.focused is screen.stages


async def test_a_click_on_a_small_map_and_on_a_best_head_picks_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await attention(page)
        await page.until(lambda: screen.heads.of_draws == screen._draws)
        region = screen.heads.content_region
        found = [
            (x, y)
            for y in range(region.y, region.bottom)
            for x in range(region.x, region.right)
            if page.app.screen.get_style_at(x, y).meta.get("hit") == (1, 0)
        ]
        assert found
        await page.pilot.click(offset=found[0])
        await page.until(lambda: page.play.selection.layer == 1 and page.play.selection.head == 0)


async def test_the_survey_is_made_once_for_a_text_and_again_for_another(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await attention(page)
        await page.until(lambda: screen.heads.of_draws == screen._draws)
        surveys = [request for request in inside(page).asked if isinstance(request, AskHeads)]
        assert layers_of(surveys) == [0, 1]
        draws = [request.draws for request in surveys if not request.layers]
        assert draws[-1] >= 4 and draws == sorted(set(draws))
        await page.press("up", "left", "right_square_bracket", "m")
        assert len([request for request in inside(page).asked if isinstance(request, AskHeads)]) == len(surveys)
        await page.press("space")
        again = [request for request in inside(page).asked if isinstance(request, AskHeads)][len(surveys) :]
        assert layers_of(again) == [0, 1]


def layers_of(surveys: list[AskHeads]) -> list[int]:
    """Every layer that was asked about, as often as it was."""
    return [request.first_layer + n for request in surveys for n in range(request.layers)]


async def test_where_panes_come_one_at_a_time_heads_wait_until_they_are_seen(tmp_path: Path) -> None:
    async with opened(tmp_path, (80, 24)) as page:
        screen = await attention(page)
        assert not any(isinstance(request, AskHeads) for request in inside(page).asked)
        assert "Attention by stages" in page.text and "All heads" not in page.text
        await page.press("tab")
        assert "sum of 8 products" in page.text
        await page.press("tab")
        await page.until(lambda: "All heads" in page.text and "P previous token" in page.text)
        assert page.app.focused is screen.heads


async def test_a_text_longer_than_the_context_shows_what_is_left_of_it(tmp_path: Path) -> None:
    async with opened(tmp_path, prompt=LONG + "ate the log!\nthe ") as page:
        screen = await attention(page)
        snapshot = page.play.link.snapshot
        assert snapshot is not None and snapshot.n_slid > 0
        await page.press("home")
        await page.until(lambda: shown(screen).cell[0] == snapshot.n_slid)
        assert "softmax over the one key" in page.text
        await page.press("up", "left", "space")
        await page.until(lambda: shown(screen).cell[0] == len(page.ids) - 1)
        assert "All heads" in page.text


async def test_H_hides_the_first_tokens_column_and_says_so(tmp_path: Path) -> None:
    async with opened(tmp_path, prompt=LONG) as page:
        screen = await attention(page)
        whole = shown(screen)
        await page.press("H")
        await page.until(lambda: shown(screen) is not whole and "the rest of each row sums to 1" in page.text)
        there = shown(screen).first_key == 0
        assert screen.stages.key > 0 and (not there or not shown(screen).pattern[:, 0].any())
        assert (shown(screen).pattern[:, int(there) :] >= whole.pattern[:, int(there) :]).all()
        assert np.array_equal(shown(screen).raw, whole.raw)
        await page.until(lambda: "first token hidden" in page.text)
        await page.press("H")
        await page.until(lambda: "first token hidden" not in page.text and "rest of each row" not in page.text)
        await page.until(lambda: np.array_equal(shown(screen).pattern, whole.pattern))


async def test_in_the_playground_too_and_the_number_stays_the_models_own(tmp_path: Path) -> None:
    async with opened(tmp_path, prompt=LONG) as page:
        pane = page.play.attention
        pane.focus()
        await page.press("up", "H")
        await page.until(lambda: "the rest sums to 1" in page.text)
        assert pane._weights is not None and pane._raw is not None
        assert not pane._weights[:, 0].any() and np.allclose(pane._weights[1:].sum(axis=1), 1, atol=1e-5)
        assert f"{pane._raw[pane.selected, pane.cursor]:.3f}" in page.text
        table = pane.table()
        assert table is not None and np.allclose(np.asarray(table["weights"]).sum(axis=1), 1, atol=1e-5)
