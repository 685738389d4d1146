"""The tour on a canned engine: cards beside the panes, deeds checked on the state, nothing locked, nothing lost."""

import math
from pathlib import Path

import pytest
from textual.binding import Binding, BindingType

from gpttui.lessons.lesson import Chapter, read
from gpttui.tui.screens.play import PlayScreen
from gpttui.tui.screens.train import TrainScreen
from gpttui.tui.session.opening import Opening
from gpttui.tui.tour import keeping
from gpttui.tui.tour.app import OFFER, TouringApp
from gpttui.tui.tour.card import TourCard
from gpttui.tui.views import table
from gpttui.tui.views.frame import InsideScreen
from tests.tui.pilot import Playground, playground

LESSON = """
title = "Mine"
model = "toy"
[[card]]
say = "Look at the bars: {vocab} tokens."
more = "In technical words."
point = "next"
[[card]]
say = "Draw one."
do = "tokens_drawn >= 1"
keys = ["space"]
hint = "The space bar."
why = "It drew {drawn}."
[[card]]
say = "Which one comes next?"
options = ["candidates"]
why = "It was {top} with {top_p}."
[[card]]
say = "Open a view."
do = 'view = "attention"'
keys = ["a"]
why = "There."
[[card]]
recap = true
say = "That was it."
"""


@pytest.fixture(autouse=True)
def never_toured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path))


def chapters(page: Playground) -> list[Chapter]:
    assert page.play.link.card is not None
    return [Chapter(1, "mine", read(LESSON.replace("toy", page.play.link.card.id), "mine.toml"))]


async def begin(page: Playground) -> None:
    page.app.begin_tour(chapters(page), "mine")
    await page.until(lambda: "Mine · 1 of 5" in page.text and not page.play.link.busy)


async def test_it_goes_on_at_a_key_alone_and_deeds_are_checked_on_the_state() -> None:
    async with playground((120, 40)) as page:
        await begin(page)
        await page.until(lambda: page.play.next.has_class("-pointed"))
        await page.press("ctrl+e")
        await page.until(lambda: "In technical words." in page.text)
        await page.press("enter")
        await page.until(lambda: "Draw one." in page.text)
        await page.press("enter")  # it is not done yet
        assert "2 of 5" in page.text
        await page.press("ctrl+e")
        await page.until(lambda: "The space bar." in page.text)
        page.play.link.step()  # not by its key: the deed counts
        await page.until(lambda: "It drew" in page.text)
        assert "2 of 5" in page.text, "nothing goes on by itself"


async def test_a_guess_hides_the_bars_until_it_is_made() -> None:
    async with playground((120, 40)) as page:
        await begin(page)
        page.app.tour.begin(page.app.tour.chapters, page.app.tour.chapters[0], 2)
        await page.until(lambda: page.app.tour.guessable)
        await page.until(lambda: "hidden until you have guessed" in page.text)
        await page.until(lambda: page.app.focused is page.app.screen.query_one(TourCard))
        await page.press(str(page.app.tour.right))
        await page.until(lambda: "It was" in page.text and "hidden until" not in page.text)
        (guess,) = page.app.tour.kept.guesses.values()
        assert guess.right and guess.options == 4 and guess.bits == guess.best_bits < guess.blind_bits
        assert keeping.load().guesses == {"mine 3": guess}


async def test_the_card_follows_into_views_and_every_key_still_works() -> None:
    async with playground((120, 40)) as page:
        await begin(page)
        page.app.tour.begin(page.app.tour.chapters, page.app.tour.chapters[0], 3)
        await page.until(lambda: "Open a view." in page.text)
        drawn = len(page.ids)
        await page.press("space")
        await page.until(lambda: len(page.ids) == drawn + 1)
        await page.press("a")
        await page.until(lambda: "✓ There." in page.text)
        assert page.app.screen.active_bindings["enter"].node is not page.app
        await page.until(lambda: "ctrl+n goes on" in page.text)  # in this view enter has a meaning
        await page.press("ctrl+n")
        await page.until(lambda: "That was it." in page.text)


async def test_a_deed_done_before_the_tour_first_looks_is_told_why() -> None:
    async with playground((120, 40)) as page:
        await begin(page)
        tour = page.app.tour
        assert tour._timer is not None
        tour._timer.pause()
        tour.begin(tour.chapters, tour.chapters[0], 3)
        assert not tour._laid, "the text is not answered for, so nothing has been checked yet"
        await page.press("a")
        assert not tour.done
        tour._timer.resume()
        await page.until(lambda: "✓ There." in page.text)


async def test_of_a_deed_done_before_its_card_the_reason_is_read_first() -> None:
    async with playground((80, 24)) as page:
        await begin(page)
        await page.press("space")
        await page.press("enter")
        await page.until(lambda: "✓ Draw one." in page.text)
        await page.press("enter")
        await page.until(lambda: "2 of 5" in page.text and "It drew" in page.text)
        await page.press("enter")
        await page.until(lambda: "3 of 5" in page.text)


async def test_a_chapter_begins_in_the_playground_with_its_own_text() -> None:
    async with playground((80, 24)) as page:
        await begin(page)
        await page.press("space", "a")
        await page.until(lambda: page.app.screen is not page.play)
        first = page.app.tour.chapters[0]
        page.app.tour.begin([first], first, 1)
        await page.until(lambda: page.app.screen is page.play and "2 of 5" in page.text and not page.play.link.busy)
        assert not page.app.tour.done and "✓" not in page.text


async def test_leaving_puts_back_what_was_there_and_the_place_is_kept() -> None:
    async with playground((80, 24)) as page:
        await page.press("space", "space")
        before = list(page.ids)
        await begin(page)
        await page.press("enter", "space")
        await page.press("escape")
        await page.until(lambda: not page.app.touring and page.ids == before)
        await page.until(lambda: not page.app.screen.query(TourCard))
        kept = keeping.load()
        assert (kept.chapter, kept.card) == ("mine", 1)
        page.app.begin_tour(chapters(page))
        await page.until(lambda: "2 of 5" in page.text)


async def test_a_finished_tour_says_what_was_done_in_numbers_beside_their_baselines() -> None:
    async with playground((80, 24)) as page:
        await begin(page)
        tour = page.app.tour
        tour.begin(tour.chapters, tour.chapters[0], 2)
        await page.until(lambda: tour.guessable)
        tour.guess(2 if tour.right == 1 else 1)
        tour.guess(tour.right)  # a guess once made stays
        for _ in range(3):
            tour.go_on()
        await page.until(lambda: "You finished the lesson." in page.text)
        said = " ".join(page.text.replace("│", " ").split())
        assert "Guesses: 0 of 1 right; picking blindly, about 0.2 would be." in said
        assert f"blind guess {math.log2(page.play.link.card.vocab_size):.1f}." in said  # type: ignore[union-attr]
        await page.press("enter")
        await page.until(lambda: not page.app.touring)
        assert keeping.load().chapter == ""


async def test_the_pane_that_a_card_speaks_of_is_shown_where_there_is_no_room_for_all() -> None:
    async with playground((80, 24)) as page:
        lesson = LESSON.replace('point = "next"', 'point = "attention"').replace("toy", page.play.link.card.id)  # type: ignore[union-attr]
        page.app.begin_tour([Chapter(1, "mine", read(lesson, "mine.toml"))], "mine")
        await page.until(lambda: page.play.attention.has_class("-shown", "-pointed"))
        await page.press("2")
        await page.until(lambda: page.play.next.has_class("-shown"))
        page.app.tour.look()
        assert page.play.next.has_class("-shown"), "a person may turn away from it"


async def test_the_offer_stands_once_and_any_key_but_enter_goes_on_as_before() -> None:
    opening = Opening("somewhere", offers_tour=True)
    async with playground((120, 40), opening=opening) as page:
        await page.until(lambda: OFFER[:30] in page.text)
        await page.press("space")
        await page.until(lambda: not page.app.offered and not page.app.touring)
    async with playground((120, 40), opening=opening) as page:
        assert not page.app.offered


async def test_the_chapters_are_a_key_away() -> None:
    async with playground((120, 40)) as page:
        await page.press("ctrl+g")
        await page.until(lambda: "Backpropagation" in page.text and "Tokens" in page.text)
        await page.press("escape")
        assert not page.app.touring


def test_no_screen_takes_a_key_of_the_tour() -> None:
    of_tour = {key for binding in TouringApp.BINDINGS for key in _keys(binding)} - {"enter", "escape"}
    screens = [PlayScreen, TrainScreen]
    for view in table.VIEWS:
        module = view.module()
        screens += [kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, InsideScreen)]
    for screen in screens:
        taken = {key for binding in screen.BINDINGS for key in _keys(binding)}
        assert not taken & of_tour, f"{screen.__name__}: {taken & of_tour}"


def _keys(binding: BindingType) -> list[str]:
    assert isinstance(binding, Binding)
    return binding.key.split(",")
