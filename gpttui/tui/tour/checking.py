"""Plays a lesson without a terminal, on the real model, by the keys written in it: `gpttui tour --check`.

What it finds: a deed that the keys never do, a `point` that names no pane, a card that does not fit 80×24, a number
that is not there when it is named.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gpttui.errors import UserError, no_such
from gpttui.lessons import words
from gpttui.lessons.lesson import Chapter
from gpttui.tui.tour import facts
from gpttui.tui.tour.card import LINES, TourCard
from gpttui.tui.tour.tour import Tour
from gpttui.tui.widgets.deck import PaneDeck

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from gpttui.tui.tour.app import TouringApp

SIZE = (80, 24)
PATIENCE_S = 120.0
"""For a model to open, or a deed to be done."""


async def play(app: "TouringApp", chapter: Chapter, name: str) -> int:
    """Play a chapter to its end; how many cards it has. Raises UserError at the first card that is wrong."""
    async with app.run_test(size=SIZE) as pilot:
        playground = facts.playground(app)
        assert playground is not None
        await until(pilot, lambda: playground.link.snapshot is not None, f"{name}: no model opens")
        app.begin_tour([chapter], chapter.id)
        tour = app.tour
        for number, card in enumerate(chapter.lesson.card, 1):
            where = f"{name}, card {number}"
            await until(pilot, lambda: _settled(app), f"{where}: the engine never answers")
            await pilot.pause()
            tour.look()
            _check_face(app, tour, where)
            if card.do:
                for key in keys(card.keys):
                    await pilot.press(key)
                    await until(pilot, lambda: _settled(app), f"{where}: the engine never answers")
                await until(pilot, lambda: tour.done, lambda at=where: f"{at}, field do: {_not_done(app, tour)}")  # type: ignore[misc]
                playground.link.stop()
            elif card.options:
                await until(pilot, lambda: tour.guessable, f"{where}: no candidates to guess among")
                _check_face(app, tour, where)
                tour.guess(tour.right)
            tour.look()
            _check_face(app, tour, where)
            await pilot.pause()
            if number < len(chapter.lesson.card):
                tour.go_on()
        tour.leave(keep_place=False)
    return len(chapter.lesson.card)


def keys(written: list[str]) -> list[str]:
    """Keys as they are pressed; a text in quotes letter by letter."""
    pressed: list[str] = []
    for key in written:
        typed = key.startswith('"') and key.endswith('"') and len(key) > 1
        pressed += list(key[1:-1]) if typed else [key]
    return pressed


async def until(pilot: "Pilot[Any]", condition: Callable[[], object], otherwise: str | Callable[[], str]) -> None:
    """Let the app work until `condition` holds. Raises UserError with what stands in `otherwise` where it does not."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                await pilot.pause(0.02)
    except TimeoutError as error:
        raise UserError(otherwise if isinstance(otherwise, str) else otherwise()) from error


def _not_done(app: "TouringApp", tour: Tour) -> str:
    """Which keys were pressed, and what the facts of the deed are now."""
    known, deed = facts.facts(app), tour.lesson.deeds[tour.at]
    now = ", ".join(f"{clause.fact} is {known.get(clause.fact, 'unknown')!r}" for clause in deed)
    return f"the keys {' '.join(tour.card.keys) or '(none)'} do not do it: {now}"


def _settled(app: "TouringApp") -> bool:
    playground = facts.playground(app)
    return playground is not None and (playground.link.running or not playground.link.busy)


def _check_face(app: "TouringApp", tour: Tour, where: str) -> None:
    """The card fits, points at something that is there, and its numbers are known."""
    card, face, screen = tour.card, tour.face(), facts.top_screen(app)
    shown = [] if screen is None else [str(pane.id) for deck in screen.query(PaneDeck) for pane in deck.panes]
    if card.point and not tour.done and card.point not in shown:
        raise UserError(f"{where}, field point: {no_such('pane', card.point, shown)}")
    if words.UNKNOWN in face.text and words.UNKNOWN not in getattr(card, tour.page):
        missing = [name for name in words.named(getattr(card, tour.page)) if name not in facts.numbers(app)]
        raise UserError(f"{where}, field {tour.page}: {{{missing[0] if missing else '?'}}} is not known there")
    for page in ("say", "hint", "more", "why"):
        if text := getattr(card, page):
            drawn = TourCard.drawn(
                words.filled(text, facts.numbers(app)), tour.guessable if page in ("say", "why") else ()
            )
            lines = drawn.wrap(app.console, SIZE[0] - 4)
            if len(lines) > LINES - 2:
                raise UserError(f"{where}, field {page}: {len(lines)} lines at 80×24, and a card has {LINES - 2}")
