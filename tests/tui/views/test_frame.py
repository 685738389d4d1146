"""What holds in every view: tokens that left the context, other models and weights, keys that alter the model."""

from pathlib import Path

import pytest

from gpttui.interventions import AblateHead, AblateNeuron, AblatePart
from gpttui.storage import gallery
from gpttui.tui.session.hints import NO_CHECKPOINTS
from gpttui.tui.session.pairs import TwoTexts
from gpttui.tui.views.attention.screen import AttentionScreen
from gpttui.tui.views.compare.screen import CompareScreen
from gpttui.tui.views.frame import InsideScreen
from gpttui.tui.views.interventions.screen import InterventionsScreen
from gpttui.tui.views.journey.screen import JourneyScreen
from gpttui.tui.views.table import VIEWS
from gpttui.tui.views.vectors.screen import VectorsScreen
from gpttui.tui.widgets.lines import LinesPane
from tests.tui.opening import opened
from tests.tui.pilot import Playground
from tests.tui.training import training, weights
from tests.tui.views.keys import compare, neurons


def inside(page: Playground) -> InsideScreen:
    assert isinstance(page.app.screen, InsideScreen)
    return page.app.screen


@pytest.mark.parametrize("key", [view.key for view in VIEWS if view.id not in ("compare", "branches")])
async def test_a_token_that_left_the_context_is_not_shown_with_anothers_numbers(tmp_path: Path, key: str) -> None:
    async with opened(tmp_path, prompt="the cat sat on the mat and " * 12) as page:
        snapshot = page.play.link.snapshot
        assert snapshot is not None and snapshot.n_slid > 1
        page.play.select(page.play.selection.at(0, len(page.ids)))
        await page.press(key)
        screen = inside(page)
        assert screen.position == screen.token_line.position == snapshot.n_slid
        screen.action_look_at(0)
        await page.until(lambda: not page.play.link.busy)
        assert f"the first that the model sees is {snapshot.n_slid + 1}" in page.text
        await page.press("full_stop")
        assert screen.position == snapshot.n_slid + 1


async def test_x_silences_in_the_journey_too(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await page.press("i", "right_square_bracket", "x", "X")
        assert isinstance(page.app.screen, JourneyScreen)
        assert page.play.link.changes == (AblateHead(0, 1), AblatePart(0, "mlp"))
        await page.until(lambda: "ALTERED" in page.text and "U undoes the last; A lists them" in page.text)


async def test_x_in_the_neurons_is_about_the_neuron_that_is_shown(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await neurons(page)
        screen.about.focus()
        shown = screen.neuron
        await page.press("x")
        assert page.play.link.changes == (AblateNeuron(0, shown),)


async def test_neurons_say_what_they_do_to_the_likeliest_token_wherever_one_looks(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await neurons(page)
        for key in ("left", "left", "right", "home"):
            await page.press(key)
            found = screen.flow.found
            assert found is not None and found.position == screen.position
            assert found.token_id >= 0 and found.top_shares.size == found.top.size and screen.top.target


async def test_effects_go_with_the_prediction_that_they_were_measured_on(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await page.press("A", "comma", "E")
        screen = page.app.screen
        assert isinstance(screen, InterventionsScreen)
        await page.until(lambda: len(screen.board.effects) == 2)
        for key in ("comma", "full_stop", "x"):
            await page.press("E")
            await page.until(lambda: len(screen.board.effects) == 2)
            await page.press(key)
            assert not screen.board.effects, key


async def test_another_model_gets_two_texts_of_its_own(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await page.press("w")
        screen = page.app.screen
        assert isinstance(screen, CompareScreen) and screen.two is not None
        first = screen.two
        await page.press("escape", "v", "escape")
        other = str(gallery.find("translate"))
        page.play.link.open(other, None)
        await page.until(lambda: page.play.link.card is not None and page.play.link.card.path == other)
        await page.press("w")
        screen = page.app.screen
        assert isinstance(screen, CompareScreen)
        await page.until(lambda: isinstance(page.app.screen, CompareScreen) and "translate" in page.text.lower())
        assert screen.two is not None and screen.two != first
        await page.until(lambda: screen.distances.found is not None)


async def test_the_sum_is_made_again_when_the_weights_have_changed(tmp_path: Path, run: Path) -> None:
    async with training(tmp_path, model=str(run), prompt="the") as driven:
        await driven.until(lambda: driven.play.link.card is not None and driven.play.scrubber.display)
        await driven.pilot.press("v")
        screen = await driven.on(VectorsScreen)
        screen.link.kept["vectors"] = (1, 2, 3)
        screen._add()
        await driven.until(lambda: screen.sum.found is not None and not driven.play.link.busy)
        before = screen.sum.found
        await driven.pilot.press("less_than_sign")
        await driven.until(lambda: weights(driven) == "checkpoint 30" and not driven.play.link.busy)
        await driven.until(lambda: screen.sum.found is not before)
        await driven.pilot.press("greater_than_sign")
        await driven.until(lambda: weights(driven) != "checkpoint 30")


async def test_a_model_without_checkpoints_says_so_in_a_view(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await page.press("i", "less_than_sign")
        assert NO_CHECKPOINTS in page.text


async def test_where_one_pane_is_seen_the_others_are_named_and_a_click_away(tmp_path: Path) -> None:
    async with opened(tmp_path, size=(80, 24)) as page:
        await page.press("a")
        screen = page.app.screen
        assert isinstance(screen, AttentionScreen)
        assert "1 stages   2 one cell   3 all heads" in page.text and screen.deck.current is screen.stages
        await page.pilot.click("PaneDeck TabLine", offset=(28, 0))
        await page.until(lambda: screen.deck.current is screen.heads)
        await page.until(lambda: "All heads" in page.text)


async def test_a_click_on_a_views_name_opens_it_whatever_its_key_is(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        page.app.set_keymap({"view_compare": "D"})
        await page.press("i")
        await page.pilot.click("InsideScreen > TabLine", offset=(16, 0))
        await page.until(lambda: isinstance(page.app.screen, CompareScreen))


async def test_there_are_keys_for_the_panes_of_a_view_and_each_has_a_name(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        for view in VIEWS:
            await page.press(view.key)
            screen = inside(page)
            keys = {key for key, active in screen.active_bindings.items() if active.binding.action.startswith("pane")}
            assert keys == {str(n) for n, _ in enumerate(screen.panes, 1)}, view.id
            names = [pane.name for pane in screen.panes]
            assert all(names) and len(set(names)) == len(names), view.id
            await page.press("escape")


async def test_what_is_said_is_seen_where_one_pane_has_the_whole_screen(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await page.press("a", "z", "left_curly_bracket", "x")
        screen = inside(page)
        await page.until(lambda: "Altered: layer 2 head 1 silenced" in screen.hints.line)
        assert screen.deck.zoomed and screen.hints.region.height


async def test_two_texts_under_an_altered_model_say_so(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await compare(page)
        assert "altered model" not in page.text
        await page.press("escape", "x", "w")
        await page.until(lambda: "Both texts go through the altered model" in page.text)


async def test_two_equal_texts_draw_no_bars(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        page.play.link.kept["compare"] = TwoTexts("the cat", "the cat")
        screen = await compare(page)
        assert "0.00" in page.text and not set("█▉▊▋▌▍▎▏") & set(text_of(screen.distances))


async def test_forbidding_the_only_key_of_a_row_says_so(tmp_path: Path) -> None:
    async with opened(tmp_path, prompt="t") as page:
        await page.press("a", "F")
        await page.until(lambda: "the only key of its row" in page.text)


def text_of(pane: LinesPane) -> str:
    sheet = pane.sheet()
    return "" if sheet is None else "".join(text for line in sheet.lines for text, _ in line)
