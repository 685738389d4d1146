"""The playground by its keys: every one of them, on a fake engine."""

import math
import re

import pytest

from gpttui.protocol import play as protocol
from gpttui.records import Sampling
from gpttui.tui.session.opening import Opening
from tests.tui.pilot import playground


async def test_all_four_panes_show_the_session_at_once() -> None:
    async with playground() as page:
        for title in ("Tokens", "Next token", "Attention", "Training loss"):
            assert title in page.text
        assert "fake" in page.text and "812k" in page.text
        assert "Press space" in page.text


async def test_space_and_right_append_a_token_and_left_takes_it_back() -> None:
    async with playground() as page:
        prompt = page.ids
        await page.press("space", "right")
        drawn = page.ids
        assert len(drawn) == len(prompt) + 2
        await page.press("left")
        assert page.ids == drawn[:-1]
        await page.press("l")
        assert page.ids == drawn
        await page.press("h", "h")
        assert page.ids == prompt


async def test_home_goes_back_to_the_prompt_from_anywhere() -> None:
    async with playground() as page:
        prompt = page.ids
        await page.press("space", "space", "space", "home")
        assert page.ids == prompt


async def test_g_runs_until_a_key_is_pressed_and_that_key_does_nothing_else() -> None:
    async with playground() as page:
        await page.pilot.press("g")
        await page.until(lambda: len(page.ids) > 12)
        await page.pilot.press("home")
        assert not page.play.link.running
        await page.until(lambda: not page.play.link.busy)
        assert len(page.ids) > 12


async def test_a_key_held_down_never_has_more_than_one_step_in_flight() -> None:
    async with playground() as page:
        for _ in range(40):
            await page.pilot.press("space")
        await page.until(lambda: not page.play.link.busy)
        steps = page.engine.asked(protocol.Step)
        await page.pilot.pause()
        assert page.engine.asked(protocol.Step) == steps <= 40


async def test_sampling_keys_reshape_the_distribution_at_once() -> None:
    async with playground() as page:
        await page.press("t")
        assert page.engine.session.sampling == Sampling(temperature=0.7)
        await page.press("T", "T", "k", "p", "p")
        assert page.engine.session.sampling == Sampling(0.9, 200, 0.98)
        assert all(shown in page.text for shown in ("T 0.9", "200", "0.98"))
        await page.press("K", "P", "P")
        assert page.engine.session.sampling == Sampling(0.9)


async def test_a_new_seed_is_shown() -> None:
    async with playground() as page:
        await page.press("r")
        assert f"seed {page.engine.session.seed}" in page.text


async def test_heads_and_layers_wrap_around() -> None:
    async with playground() as page:
        await page.press("[")
        assert (page.play.attention.layer_index, page.play.attention.head_index) == (0, 3)
        await page.press("{", "]")
        assert (page.play.attention.layer_index, page.play.attention.head_index) == (3, 0)
        snapshot = page.play.attention.snapshot
        assert snapshot is not None and snapshot.attention is not None
        assert (snapshot.attention.layer, snapshot.attention.head) == (3, 0)


async def test_only_missing_rows_of_attention_are_asked_for() -> None:
    async with playground() as page:
        await page.press("space")
        step = page.engine.requests[-1]
        assert isinstance(step, protocol.Step)
        assert step.look.have_rows == len(page.ids) - 1


async def test_an_earlier_token_is_shown_in_all_panes_and_stepping_returns_to_the_newest() -> None:
    async with playground() as page:
        await page.press("comma", "ctrl+left")
        at = len(page.ids) - 3
        assert page.play.tokens.position == page.play.attention.position == at
        prediction = page.play.next.snapshot.prediction  # type: ignore[union-attr]
        assert prediction is not None and prediction.position == at
        await page.press("space")
        assert page.play.tokens.position == len(page.ids) - 1
        await page.press("full_stop")
        assert page.play.tokens.position == len(page.ids) - 1


async def test_picking_a_candidate_puts_it_into_the_text() -> None:
    async with playground() as page:
        before = page.ids
        await page.press("2", "down", "down")
        wanted = int(page.play.next.snapshot.prediction.candidate_ids[2])  # type: ignore[union-attr]
        await page.press("enter")
        assert page.ids == [*before, wanted]


async def test_a_draw_is_marked_where_an_earlier_token_is_looked_at() -> None:
    async with playground() as page:
        await page.press("space", "comma")
        prediction = page.play.next.snapshot.prediction  # type: ignore[union-attr]
        assert prediction is not None and prediction.draw is not None
        assert prediction.draw.low <= prediction.draw.uniform < prediction.draw.high
        assert not math.isnan(prediction.draw.uniform) and "▼" in page.text


async def test_colours_go_round() -> None:
    async with playground() as page:
        seen = []
        for _ in range(3):
            await page.press("c")
            seen.append(page.play.tokens.colour_mode)
        assert seen == ["surprisal", "entropy", "alternate"]


async def test_editing_the_prompt_splits_it_at_every_key_and_enter_takes_it() -> None:
    async with playground() as page:
        await page.press("slash")
        await page.until(lambda: page.play.query("PromptEditor"))
        assert page.play.tokens.draft == "To be, or not"
        await page.pilot.press("space", "t", "o")
        await page.until(lambda: page.play.tokens.draft == "To be, or not to")
        await page.press("enter")
        await page.until(lambda: page.play.link.prompt == "To be, or not to")
        assert page.play.tokens.draft is None and not page.play.query("PromptEditor")
        await page.press("space")
        assert len(page.ids) == page.play.link.snapshot.n_prompt + 1  # type: ignore[union-attr]


async def test_places_count_from_1_as_everywhere() -> None:
    async with playground(size=(160, 40)) as page:
        await page.press("space")
        assert f"position {len(page.ids)}" in page.text
        await page.press(*["comma"] * (len(page.ids) - 1))
        assert page.play.tokens.selected == 0 and re.search(r"position 1\b", page.text)
        await page.press("slash")
        await page.until(lambda: page.play.query("PromptEditor"))
        assert f"position {len(page.play.tokens._shown)}" in page.text


async def test_escape_leaves_the_text_as_it_was() -> None:
    async with playground() as page:
        await page.press("space")
        before = page.ids
        await page.press("slash")
        await page.pilot.press("x", "q", "space", "escape")
        await page.until(lambda: not page.play.query("PromptEditor"))
        assert page.ids == before and page.play.tokens.draft is None
        assert page.engine.asked(protocol.SetPrompt) == 0


@pytest.mark.parametrize(
    "text",
    ["", "[/]", "[red]x", "\x1b[31m\x1b]0;x\x07\x00", "שלום ‮abc", "日本語", "👩‍👩‍👧", "\udc80\ud800", "x" * 200_000],
    ids=["empty", "closing tag", "tag", "escapes", "rtl", "cjk", "zwj", "surrogates", "long"],
)
async def test_any_text_can_be_a_prompt(text: str) -> None:
    async with playground(opening=Opening("somewhere", prompt=text[:400])) as page:
        await page.press("space", "slash")
        await page.until(lambda: page.play.query("PromptEditor"))
        page.play.query_one("PromptEditor")._area.text = text  # type: ignore[attr-defined]
        await page.pilot.press("x", "escape")
        await page.until(lambda: not page.play.query("PromptEditor"))
        assert "\x1b" not in page.text and "\x00" not in page.text


async def test_panes_by_number_and_tab_and_zoom_gives_one_the_screen() -> None:
    async with playground() as page:
        await page.press("3")
        assert page.play.attention.has_focus
        await page.press("tab")
        assert page.play.loss.has_focus
        await page.press("tab", "shift+tab", "shift+tab")
        assert page.play.attention.has_focus
        await page.press("z")
        assert "Next token ·" not in page.text and page.play.attention.size.width > 110
        await page.press("z")
        assert "Next token ·" in page.text


async def test_two_panes_and_a_switch_at_80_by_24() -> None:
    async with playground((80, 24)) as page:
        assert "Tokens" in page.text and "Next token · after" in page.text and "layer 1/4" not in page.text
        await page.press("3")
        assert "Next token · after" not in page.text and "layer 1/4" in page.text
        await page.press("4")
        assert "1 tokens   2 next token   3 attention   4 training loss" in page.text
        await page.press("1", "space")
        assert page.play.tokens.has_focus and page.play.loss.size.height > 0


@pytest.mark.parametrize("size", [(40, 12), (20, 6), (10, 3), (1, 1)])
async def test_no_terminal_is_too_small(size: tuple[int, int]) -> None:
    async with playground(size) as page:
        await page.press("space", "2", "3", "4", "z", "1", "question_mark", "escape", "c", "c", "slash", "escape", "[")
        await page.pilot.resize_terminal(120, 40)
        await page.until(lambda: "training loss" in page.text.lower())


async def test_a_storm_of_sizes() -> None:
    async with playground() as page:
        for width, height in [(80, 24), (1, 1), (200, 55), (40, 12), (120, 40), (3, 50), (300, 2), (120, 40)]:
            await page.pilot.resize_terminal(width, height)
        await page.press("space")
        await page.until(lambda: "Next token · after" in page.text)


async def test_a_dead_engine_is_replaced_and_the_text_is_back() -> None:
    async with playground() as page:
        await page.press("space", "space", "t")
        before = page.ids
        page.engine.die()
        await page.until(lambda: page.engine.starts == 2 and not page.play.link.busy)
        await page.until(lambda: "started again" in page.text)
        assert page.ids == before and page.engine.session.sampling.temperature == 0.7
        await page.press("space")
        assert len(page.ids) == len(before) + 1


async def test_a_model_that_cannot_be_opened_is_one_line_and_m_is_offered() -> None:
    async with playground(wait=False, opening=Opening("missing")) as page:
        await page.until(lambda: "holds no model" in page.text)
        assert "press m" in page.text
        await page.press("space", "left", "t", "[", "c", "y", "g", "comma")
        assert "holds no model" in page.text


async def test_the_text_is_copied() -> None:
    async with playground() as page:
        await page.press("y")
        assert page.app.clipboard == "To be, or not"
        assert "Copied" in page.text


async def test_help_is_about_the_pane_and_lists_keys() -> None:
    async with playground() as page:
        await page.press("3", "question_mark")
        await page.until(lambda: "One attention head" in page.text)
        await page.press("escape")
        await page.until(lambda: len(page.app.screen_stack) == 1)


async def test_keys_can_be_remapped_by_id() -> None:
    async with playground(keymap={"step": "n", "back": "b"}) as page:
        before = page.ids
        await page.press("space")
        assert page.ids == before
        await page.press("n", "n", "b")
        assert len(page.ids) == len(before) + 1
        assert "n next token" in page.text


async def test_every_key_of_the_playground_can_be_remapped_and_explains_itself() -> None:
    async with playground() as page:
        bindings = [binding for found in page.play._bindings.key_to_bindings.values() for binding in found]
        own = [binding for binding in bindings if binding.id]
        assert len({binding.id for binding in own}) >= 30
        assert all(binding.tooltip and binding.group for binding in own)


async def test_the_palette_finds_everything_that_has_a_key() -> None:
    async with playground() as page:
        titles = [command.title for command in page.app.get_system_commands(page.play)]
        names = set(titles)
        assert len(names) == len(titles), "each once"
        assert (
            "Draw one token and append it" in names and "Another seed: other draws from the same distributions" in names
        )
        await page.pilot.press("ctrl+p")
        await page.until(lambda: len(page.app.screen_stack) == 2)
        await page.pilot.press("escape")


async def test_q_leaves() -> None:
    async with playground() as page:
        await page.pilot.press("q")
        await page.until(lambda: not page.app.is_running or page.app._exit)
    assert page.app.return_code == 0


@pytest.mark.parametrize("leave", ["enter", "escape"])
@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_after_writing_the_focus_is_where_it_was(size: tuple[int, int], leave: str) -> None:
    async with playground(size) as page:
        for number, pane in enumerate(page.play.deck.panes, 1):
            await page.press(str(number), "slash")
            await page.until(lambda: page.play.writing.has_keys)
            await page.press(leave)
            await page.until(lambda: not page.play.query("PromptEditor"))
            assert page.play.deck.current is pane and page.app.focused is pane


async def test_enter_twice_after_writing_draws_nothing() -> None:
    async with playground((80, 24)) as page:
        await page.press("1", "slash")
        await page.until(lambda: page.play.writing.has_keys)
        await page.press("enter", "enter", "enter")
        await page.until(lambda: not page.play.query("PromptEditor"))
        assert page.engine.asked(protocol.Choose) == 0
