"""The panes in a tiny app: what they show, what their keys and the mouse post, and that nothing crashes them."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from textual.pilot import Pilot
from textual.widget import Widget

from gpttui.records import LossHistory, Sampling, Snapshot
from gpttui.tokenizers import Tokenizer, train_characters
from gpttui.tui.renderables.labels import percent
from gpttui.tui.widgets.attention import AttentionPane
from gpttui.tui.widgets.loss import LossPane
from gpttui.tui.widgets.next_token import NextTokenPane
from gpttui.tui.widgets.pane import TokenWanted
from gpttui.tui.widgets.tokens import COLOUR_MODES, TokensPane
from tests.tui import made
from tests.tui.bench import HOSTILE, Bench, screen_text, until
from tests.tui.made import Bigrams


def shot(bpe: Tokenizer, bigrams: Bigrams, text: str = "the king of the north", **more: object) -> Snapshot:
    ids = bpe.encode(text)
    return made.snapshot(bpe, bigrams, ids, n_prompt=more.pop("n_prompt", len(ids)), **more)  # type: ignore[arg-type]


async def fed(pilot: Pilot[None], pane: Widget, tokenizer: Tokenizer, snapshot: Snapshot) -> None:
    pane.tokenizer = tokenizer  # type: ignore[attr-defined]
    pane.snapshot = snapshot  # type: ignore[attr-defined]
    await pilot.pause()


PANES = (TokensPane, NextTokenPane, AttentionPane, LossPane)


@pytest.mark.parametrize("kind", PANES)
async def test_a_pane_without_data_says_what_it_waits_for(kind: type[Widget]) -> None:
    app = Bench(kind())
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        assert "waiting for the engine" in screen_text(app)


@pytest.mark.parametrize("kind", PANES[:3])
async def test_an_empty_text_says_what_to_do(kind: type[Widget], bpe: Tokenizer, bigrams: Bigrams) -> None:
    app = Bench(kind())
    async with app.run_test(size=(60, 12)) as pilot:
        empty = made.snapshot(bpe, bigrams, [], n_prompt=0)
        await fed(pilot, app.pane, bpe, empty)
        assert "press /" in screen_text(app)


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (8, 4), (40, 12), (80, 24), (200, 55)])
@pytest.mark.parametrize("kind", PANES)
async def test_no_size_crashes_a_pane(
    kind: type[Widget], size: tuple[int, int], bpe: Tokenizer, bigrams: Bigrams
) -> None:
    app = Bench(kind())
    async with app.run_test(size=size) as pilot:
        if isinstance(app.pane, LossPane):
            app.pane.history = falling(50)
            app.pane.marker = 20
        else:
            await fed(pilot, app.pane, bpe, shot(bpe, bigrams))
        await pilot.resize_terminal(60, 20)
        await pilot.resize_terminal(*size)
        await pilot.pause()


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "ansi-dark"])
@pytest.mark.parametrize("no_colour", [False, True])
async def test_themes_and_no_color(
    theme: str, no_colour: bool, monkeypatch: pytest.MonkeyPatch, bpe: Tokenizer, bigrams: Bigrams
) -> None:
    if no_colour:
        monkeypatch.setenv("NO_COLOR", "1")
    for kind in PANES:
        app = Bench(kind())
        async with app.run_test(size=(70, 20)) as pilot:
            app.theme = theme if theme in app.available_themes else "textual-ansi"
            if isinstance(app.pane, LossPane):
                app.pane.history = falling(300)
            else:
                await fed(pilot, app.pane, bpe, shot(bpe, bigrams))
            await pilot.pause()
            assert len(screen_text(app).strip()) > 40


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_shown_and_never_sent(text: str) -> None:
    tokenizer = train_characters([*HOSTILE, "the "])
    bigrams = Bigrams(tokenizer, "".join(HOSTILE))
    ids = tokenizer.encode("the " + text)
    for kind in PANES[:3]:
        app = Bench(kind())
        async with app.run_test(size=(70, 20)) as pilot:
            await fed(pilot, app.pane, tokenizer, made.snapshot(tokenizer, bigrams, ids, n_prompt=2))
            drawn = screen_text(app)
            assert not set(drawn) & set("\x1b\x00\x07\r\x9b\u202e\u200d\ud800")


# ── Tokens ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_tokens_show_text_detail_and_counts(bpe: Tokenizer, bigrams: Bigrams) -> None:
    app = Bench(TokensPane())
    async with app.run_test(size=(90, 10)) as pilot:
        snapshot = shot(bpe, bigrams, "the king of the", n_prompt=2)
        await fed(pilot, app.pane, bpe, snapshot)
        drawn = screen_text(app)
        assert "the·king·of·the" in drawn
        assert f"id {snapshot.ids[-1]}" in drawn and "bytes 20 74 68 65" in drawn
        assert f"surprisal {snapshot.surprisal_bits[-1]:.2f}" in drawn
        assert f"2 prompt + {len(snapshot.ids) - 2} new" in drawn


async def test_up_and_down_select_in_the_line_above_and_below(bpe: Tokenizer, bigrams: Bigrams) -> None:
    app = Bench(TokensPane())
    async with app.run_test(size=(16, 10)) as pilot:
        await fed(pilot, app.pane, bpe, shot(bpe, bigrams, "the king of the north saw the king"))
        await pilot.press("up")
        await pilot.pause()
        event = app.posted[-1]
        assert isinstance(event, TokenWanted) and event.position < len(app.pane.snapshot.ids) - 1  # type: ignore[attr-defined]


async def test_a_click_selects_the_token_under_it(bpe: Tokenizer, bigrams: Bigrams) -> None:
    app = Bench(TokensPane())
    async with app.run_test(size=(60, 10)) as pilot:
        snapshot = shot(bpe, bigrams, "the king of the north")
        await fed(pilot, app.pane, bpe, snapshot)
        column = screen_text(app).splitlines()[1].index("king")
        await pilot.click(TokensPane, offset=(column, 1))
        event = app.posted[-1]
        assert isinstance(event, TokenWanted)
        assert bpe.token_bytes(int(snapshot.ids[event.position])) == b" king"


async def test_colour_modes_bring_a_legend_and_other_colours(bpe: Tokenizer, bigrams: Bigrams) -> None:
    app = Bench(TokensPane())
    async with app.run_test(size=(80, 12)) as pilot:
        await fed(pilot, app.pane, bpe, shot(bpe, bigrams))
        seen = set()
        for mode in COLOUR_MODES:
            app.pane.colour_mode = mode  # type: ignore[attr-defined]
            await pilot.pause()
            seen.add(str(list(app.pane.render_line(0))))  # type: ignore[attr-defined]
            assert ("9 bits" in screen_text(app)) is (mode != "alternate")
        assert len(seen) == 3


async def test_a_draft_is_split_live(bpe: Tokenizer) -> None:
    app = Bench(TokensPane())
    async with app.run_test(size=(60, 8)) as pilot:
        app.pane.tokenizer = bpe  # type: ignore[attr-defined]
        app.pane.draft = "the que"  # type: ignore[attr-defined]
        await pilot.pause()
        assert "the·que" in screen_text(app) and "your draft" in screen_text(app)


async def test_a_long_draft_shows_its_end(bpe: Tokenizer) -> None:
    app = Bench(TokensPane())
    async with app.run_test(size=(60, 8)) as pilot:
        app.pane.tokenizer = bpe  # type: ignore[attr-defined]
        app.pane.draft = "the king " * 100_000 + "north"  # type: ignore[attr-defined]
        await pilot.pause()
        assert "·north" in screen_text(app) and "of 900,005 characters" in screen_text(app)


async def test_a_long_text_follows_its_end(bpe: Tokenizer, bigrams: Bigrams) -> None:
    app = Bench(TokensPane())
    async with app.run_test(size=(40, 8)) as pilot:
        ids = bpe.encode("the king of the south\n" * 500 + "the light")
        plain = made.snapshot(bpe, bigrams, ids[:50], n_prompt=50)
        long = np.array(ids, dtype=np.int32)
        nothing = np.full(len(ids), np.nan, dtype=np.float32)
        await fed(
            pilot,
            app.pane,
            bpe,
            Snapshot(
                epoch=1,
                ids=long,
                n_prompt=len(ids),
                n_slid=0,
                surprisal_bits=nothing,
                entropy_bits=nothing,
                context=len(ids),
                sampling=Sampling(),
                seed=0,
                prediction=None,
                attention=plain.attention,
                can_back=False,
                elapsed_ms=0.0,
            ),
        )
        await pilot.pause()
        assert "the·light" in screen_text(app)


# ── Next token ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_candidates_show_both_probabilities_cuts_and_the_rest(bpe: Tokenizer, bigrams: Bigrams) -> None:
    app = Bench(NextTokenPane())
    async with app.run_test(size=(80, 24)) as pilot:
        pane = app.pane
        assert isinstance(pane, NextTokenPane)
        snapshot = shot(bpe, bigrams, top_k=pane.rows_wanted, sampling=Sampling(0.7, 8, 0.9))
        await fed(pilot, pane, bpe, snapshot)
        drawn, prediction = screen_text(app), snapshot.prediction
        assert prediction is not None
        assert f"entropy {prediction.entropy_bits:.2f} bits" in drawn
        assert "top-k 8" in drawn and "top-p 0.9" in drawn and "cut by top-k" in drawn
        assert percent(float(prediction.model_probs[0])) in drawn and percent(float(prediction.final_probs[0])) in drawn
        assert f"{prediction.tail_count} others" in drawn
        assert "nothing drawn yet" in drawn


async def test_the_draw_and_the_token_that_followed_are_marked(bpe: Tokenizer, bigrams: Bigrams) -> None:
    app = Bench(NextTokenPane())
    async with app.run_test(size=(80, 24)) as pilot:
        snapshot = shot(bpe, bigrams, n_prompt=2, position=2)
        await fed(pilot, app.pane, bpe, snapshot)
        drawn, prediction = screen_text(app), snapshot.prediction
        assert prediction is not None and prediction.draw is not None
        assert f"▼ {prediction.draw.uniform:.4f}" in drawn
        assert "●" in drawn


async def test_down_and_enter_pick(bpe: Tokenizer, bigrams: Bigrams) -> None:
    app = Bench(NextTokenPane())
    async with app.run_test(size=(60, 20)) as pilot:
        snapshot = shot(bpe, bigrams)
        await fed(pilot, app.pane, bpe, snapshot)
        await pilot.press("down", "down", "up", "enter")
        event = app.posted[-1]
        assert isinstance(event, NextTokenPane.Picked) and snapshot.prediction is not None
        assert event.token_id == snapshot.prediction.candidate_ids[1]
        assert event.position == snapshot.prediction.position


async def test_height_decides_how_many_candidates(bpe: Tokenizer) -> None:
    app = Bench(NextTokenPane())
    async with app.run_test(size=(60, 30)) as pilot:
        tall = app.pane.rows_wanted  # type: ignore[attr-defined]
        await pilot.resize_terminal(60, 12)
        await pilot.pause()
        events = [event.rows for event in app.posted if isinstance(event, NextTokenPane.RowsChanged)]
        assert events[-1] == app.pane.rows_wanted < tall  # type: ignore[attr-defined]


# ── Attention ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_attention_names_the_cell_under_the_cursor(bpe: Tokenizer, bigrams: Bigrams) -> None:
    app = Bench(AttentionPane())
    async with app.run_test(size=(100, 30)) as pilot:
        pane = app.pane
        assert isinstance(pane, AttentionPane)
        pane.n_layer, pane.n_head, pane.head_index = 4, 4, 1
        snapshot = shot(bpe, bigrams, head=1)
        await fed(pilot, pane, bpe, snapshot)
        drawn = screen_text(app)
        assert "layer 1/4 · head 2/4" in drawn
        assert snapshot.attention is not None
        strongest = int(snapshot.attention.weights[-1].argmax())
        assert pane.cursor == strongest
        assert f"{snapshot.attention.weights[-1, strongest]:.3f}" in drawn
        await pilot.press("left")
        assert pane.cursor == strongest - 1
        await pilot.press("up")
        event = app.posted[-1]
        assert isinstance(event, TokenWanted) and event.position == len(snapshot.ids) - 2


async def test_rows_are_put_together_and_taken_back(bpe: Tokenizer, bigrams: Bigrams) -> None:
    app = Bench(AttentionPane())
    async with app.run_test(size=(100, 30)) as pilot:
        pane = app.pane
        assert isinstance(pane, AttentionPane)
        whole = shot(bpe, bigrams, "the king of the north saw the king")
        assert whole.attention is not None
        count = len(whole.ids)
        await fed(pilot, pane, bpe, shot(bpe, bigrams, "the king of the north"))
        held = pane.have_rows
        assert 0 < held < count and pane.have_epoch == 1
        rest = made.AttentionSlice(0, 0, held, whole.attention.weights[held:])
        pane.snapshot = replace(whole, attention=rest)
        await pilot.pause()
        assert pane.have_rows == count
        assert np.allclose(pane._weights[held:], whole.attention.weights[held:])
        pane.snapshot = replace(whole, ids=whole.ids[:4], attention=None)
        await pilot.pause()
        assert pane.have_rows == 4 and len(pane._weights) == 4
        pane.snapshot = replace(whole, epoch=2, attention=None)
        await pilot.pause()
        assert pane.have_rows == 0 and "waiting for layer 1" in screen_text(app)


async def test_another_head_is_shown_when_it_is_here(bpe: Tokenizer, bigrams: Bigrams) -> None:
    app = Bench(AttentionPane())
    async with app.run_test(size=(100, 30)) as pilot:
        pane = app.pane
        assert isinstance(pane, AttentionPane)
        await fed(pilot, pane, bpe, shot(bpe, bigrams))
        pane.head_index = 2
        await pilot.pause()
        assert "head 1" in screen_text(app) and pane.have_rows == 0
        pane.snapshot = shot(bpe, bigrams, head=2)
        await pilot.pause()
        assert "head 3" in screen_text(app)


async def test_a_thousand_tokens_scroll_with_the_selection_and_fit_on_demand(bpe: Tokenizer, bigrams: Bigrams) -> None:
    app = Bench(AttentionPane())
    async with app.run_test(size=(80, 24)) as pilot:
        pane = app.pane
        assert isinstance(pane, AttentionPane)
        ids = (bpe.encode("the king of the north saw the queen ") * 200)[:600]
        await fed(pilot, pane, bpe, made.snapshot(bpe, bigrams, ids, n_prompt=600))
        assert pane.max_scroll_y > 200 and pane.scroll_offset.y > 200
        pane.position = 0
        await pilot.pause()
        assert pane.scroll_offset == (0, 0)
        await pilot.press("f")
        await pilot.pause()
        assert pane.max_scroll_y == 0 and "largest weight of its block" in screen_text(app)


async def test_rows_after_a_slide_are_about_the_window(bpe: Tokenizer, bigrams: Bigrams) -> None:
    app = Bench(AttentionPane())
    async with app.run_test(size=(100, 30)) as pilot:
        pane = app.pane
        assert isinstance(pane, AttentionPane)
        ids = bpe.encode("the king of the north saw the king")
        await fed(pilot, pane, bpe, made.snapshot(bpe, bigrams, ids, n_prompt=3, n_slid=4))
        assert pane.selected == len(ids) - 5
        pane.position = 1
        await pilot.pause()
        assert pane.selected == -1


# ── Loss ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def falling(count: int, title: str = "a small text") -> LossHistory:
    steps = np.arange(count)
    losses = 1.5 + 2 * np.exp(-steps / (count / 5))
    return LossHistory(steps, losses, steps[::10], losses[::10] + 0.1, title)


@pytest.fixture
def loss() -> Iterator[LossPane]:
    yield LossPane()


async def drawn_plot(pilot: Pilot[None], pane: LossPane) -> None:
    """Wait for a curve."""
    await until(
        pilot, lambda: pane._plot is not None and any("\u2800" < char <= "\u28ff" for char in screen_text(pilot.app))
    )


async def test_a_recorded_run_is_drawn_with_its_figures(loss: LossPane) -> None:
    app = Bench(loss)
    async with app.run_test(size=(80, 20)) as pilot:
        loss.history = falling(400)
        await drawn_plot(pilot, loss)
        drawn = screen_text(app)
        assert "a small text" in drawn and "train 1.5" in drawn and "validation 1.6" in drawn and "399 steps" in drawn


@pytest.mark.parametrize("prompts", [0.1, 0.0])
async def test_losses_that_count_other_tokens_are_not_to_be_compared(loss: LossPane, prompts: float) -> None:
    app = Bench(loss)
    async with app.run_test(size=(60, 16)) as pilot:
        loss.history = replace(falling(400), prompt_counts=prompts)
        await drawn_plot(pilot, loss)
        drawn = screen_text(app)
        assert "train 1.515 answers" in drawn and "all tokens" in drawn and "not comparable · 399 steps" in drawn
        loss.history = falling(400)
        await drawn_plot(pilot, loss)
        assert "comparable" not in screen_text(app)
    assert "by heart" not in loss.HELP


async def test_simple_guesses_are_labelled_lines_where_they_are_in_sight(loss: LossPane) -> None:
    app = Bench(loss)
    async with app.run_test(size=(80, 24)) as pilot:
        loss.history = replace(falling(400), baselines=(("blind guess", 3.7), ("bigrams", 2.25), ("of nothing", 90.0)))
        await drawn_plot(pilot, loss)
        drawn = screen_text(app)
        assert "blind guess 3.70" in drawn and "bigrams 2.25" in drawn and "┄┄┄" in drawn and "nothing" not in drawn
        await pilot.press("Y")
        await drawn_plot(pilot, loss)
        assert "bigrams 2.25" in screen_text(app)
        await pilot.press("G")
        await drawn_plot(pilot, loss)
        assert "bigrams" not in screen_text(app)


async def test_live_points_are_drawn_a_little_later(loss: LossPane) -> None:
    app = Bench(loss)
    async with app.run_test(size=(80, 20)) as pilot:
        for step in range(200):
            loss.train.append(step, 3.0 - step / 100)
            loss.grown()
        loss.validation.append(199, 1.2)
        loss.grown()
        await drawn_plot(pilot, loss)
        await until(pilot, lambda: "validation 1.200" in screen_text(app))
        assert "199 steps" in screen_text(app)


async def test_log_smooth_zoom_pan_and_back(loss: LossPane) -> None:
    app = Bench(loss)
    async with app.run_test(size=(80, 20)) as pilot:
        loss.history = falling(400)
        await drawn_plot(pilot, loss)
        await pilot.press("Y", "w", "w")
        await drawn_plot(pilot, loss)
        assert "log" in screen_text(app) and "mean of" not in screen_text(app)
        whole = loss._x_range()
        await pilot.press("plus", "plus")
        closer = loss._x_range()
        assert closer[0] > whole[0] and closer[1] < whole[1]
        await pilot.press("L")
        assert loss._x_range()[0] > closer[0]
        await pilot.press("0")
        assert loss._x_range() == whole


async def test_pointing_reads_values_off_and_a_marker_does_too(loss: LossPane) -> None:
    app = Bench(loss)
    async with app.run_test(size=(80, 20)) as pilot:
        loss.history = falling(400)
        loss.marker = 100
        await drawn_plot(pilot, loss)
        assert "step 100  train" in screen_text(app) and "┊" in screen_text(app)
        await pilot.hover(LossPane, offset=(50, 8))
        assert any(isinstance(event, LossPane.StepHovered) and event.step for event in app.posted)
        assert "step 100  train" not in screen_text(app)


async def test_other_runs_lie_over_it_and_hostile_titles_are_shown(loss: LossPane) -> None:
    app = Bench(loss)
    async with app.run_test(size=(100, 20)) as pilot:
        loss.history = falling(400, "[/]\x1b[31m")
        loss.others = (falling(300, "[red]other"), falling(200, "third"))
        await drawn_plot(pilot, loss)
        drawn = screen_text(app)
        assert "[red]other" in drawn and "third" in drawn and "[/]␛[31m" in drawn


async def test_runs_of_other_tokenizers_are_drawn_and_read_in_one_unit(loss: LossPane) -> None:
    app = Bench(loss)
    async with app.run_test(size=(100, 20)) as pilot:
        loss.history = falling(400)
        await drawn_plot(pilot, loss)
        per_token = float(loss.train.y[-1])
        loss.lay_over((falling(300, "pieces"),), (0.5, 0.25))
        await drawn_plot(pilot, loss)
        assert "nats a byte" in screen_text(app) and f"train {per_token / 2:.2f}"[:9] in screen_text(app)
        loss.lay_over(())
        await drawn_plot(pilot, loss)
        assert "nats a byte" not in screen_text(app)


async def test_strange_runs_do_not_crash(loss: LossPane) -> None:
    app = Bench(loss)
    async with app.run_test(size=(80, 20)) as pilot:
        nothing = np.empty(0)
        for steps, losses in (
            (np.array([0]), np.array([2.0])),
            (np.array([0, 1]), np.array([2.0, 2.0])),
            (np.array([0, 1, 2]), np.array([np.nan, np.inf, 2.0])),
            (np.array([0, 1, 2]), np.array([0.0, -1.0, 1e30])),
            (nothing, nothing),
        ):
            loss.history = LossHistory(steps, losses, nothing, nothing, "")
            loss.log_y = not loss.log_y
            await pilot.pause()
            await pilot.press("plus", "minus", "L", "0")
