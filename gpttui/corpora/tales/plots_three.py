"""What happens in the tales, continued: lending, locks, hide-and-seek, surprises, the wind, and two things at two
spots.

As in `plots`, a plot changes the world through its actions and tells each change.
"""

from __future__ import annotations

from gpttui.corpora import tables
from gpttui.corpora.tales import cast
from gpttui.corpora.tales import phrases as p
from gpttui.corpora.tales.asides import aside
from gpttui.corpora.tales.grammar import book
from gpttui.corpora.tales.plots import COMES_BACK, GIVES_BACK
from gpttui.corpora.tales.telling import Teller
from gpttui.corpora.tales.world import Person

_TABLES = tables.read("tales_plots_three")

SHOWS = book(_TABLES["SHOWS"])
MAY_I = book(_TABLES["MAY_I"])
LENDS = book(_TABLES["LENDS"])
USES = book(_TABLES["USES"])


def lent(t: Teller, x: Person, y: Person) -> None:
    """X borrows from Y, and gives it back."""
    where = cast.place(t)
    thing = cast.thing(t)
    t.about(thing)
    t.world.get(y, thing)
    t.tell(y, p.ARRIVES, SHOWS, other=x, lead=p.DAYS)
    t.quote(MAY_I, x, y, asks=True)
    t.world.give(y, thing, x, lend=True)
    t.tell(y, LENDS, other=x, manner=True)
    t.tell(x, USES)
    aside(t, x, y)
    t.scene(where)
    t.world.give(x, thing, y, lend=True)
    t.tell(x, COMES_BACK, GIVES_BACK, other=y, lead=p.JUMPS)
    spot = cast.spot(t, where)
    t.at(spot)
    t.world.put(y, thing, spot)
    t.tell(y, p.PUTS, manner=True)
    t.tell(x, p.JOYS)


FINDS_CHEST = book(_TABLES["FINDS_CHEST"])
LOCKED_WITH_KEY = book(_TABLES["LOCKED_WITH_KEY"])
FETCHES_KEY = book(_TABLES["FETCHES_KEY"])
OPENS = book(_TABLES["OPENS"])
INSIDE = book(_TABLES["INSIDE"])


def locked(t: Teller, x: Person, y: Person) -> None:
    """X finds something locked, remembers where the key is, and opens it."""
    where = cast.place(t)
    t.tell(x, p.ARRIVES, FINDS_CHEST, lead=p.DAYS)
    spot = cast.spot(t, where)
    t.at(spot)
    t.say(LOCKED_WITH_KEY, None, y)
    if t.draw.flip(0.6):
        aside(t, x, y)
        t.scene(where)
    t.at(spot, recall=True)
    t.tell(x, FETCHES_KEY, OPENS)
    thing = cast.thing(t)
    t.about(thing)
    t.world.get(x, thing)
    t.say(INSIDE)
    t.tell(cast.pair(t, x, y), p.JOYS)
    if t.draw.flip(0.5):
        t.tell(x, SHARES, other=y, manner=True)
    else:
        inner = cast.spot(t, where, spot)
        t.at(inner)
        t.world.put(x, thing, inner)
        t.tell(x, p.PUTS, tail=p.KEEPING, manner=True)


SHARES = book(_TABLES["SHARES"])
LETS_PLAY = book(_TABLES["LETS_PLAY"])
COUNTS = book(_TABLES["COUNTS"])
HIDES = book(_TABLES["HIDES"])
LOOKS_WRONG = book(_TABLES["LOOKS_WRONG"])
GIVEN_AWAY = book(_TABLES["GIVEN_AWAY"])
FOUND_YOU = book(_TABLES["FOUND_YOU"])


def hide_and_seek(t: Teller, x: Person, y: Person) -> None:
    """Y hides, X looks in a wrong spot and then in the right one."""
    where = cast.place(t)
    t.tell(cast.pair(t, x, y), p.ARRIVES, lead=p.DAYS)
    t.quote(LETS_PLAY, y, x)
    t.tell(x, COUNTS, manner=True)
    spot = cast.spot(t, where)
    t.at(spot)
    t.tell(y, HIDES, manner=True)
    wrong = cast.spot(t, where, spot)
    t.at(wrong)
    t.tell(x, LOOKS_WRONG, other=y, lead=p.LEADS)
    if t.draw.flip(0.5):
        aside(t, x, y)
        t.scene(where)
    t.say(GIVEN_AWAY, None, y)
    t.at(spot, recall=True)
    t.tell(x, FOUND_YOU, other=y)
    t.tell(cast.pair(t, x, y), p.JOYS)


FOR_BIRTHDAY = book(_TABLES["FOR_BIRTHDAY"])
GUESSES = book(_TABLES["GUESSES"])
NO_GUESS = book(_TABLES["NO_GUESS"])


def surprise(t: Teller, x: Person, y: Person) -> None:
    """X hides a present for Y, who guesses wrong and is told where to look."""
    where = cast.place(t)
    thing = cast.thing(t)
    t.about(thing)
    t.world.get(x, thing)
    t.tell(x, FOR_BIRTHDAY, other=y, lead=p.DAYS)
    spot = cast.spot(t, where)
    t.at(spot)
    t.world.put(x, thing, spot, "hide")
    t.tell(x, GOES_IN, p.PUTS)
    aside(t, x, y)
    t.quote(GUESSES, y, x, asks=True)
    t.at(spot, recall=True)
    t.quote(NO_GUESS, x, y)
    t.world.take(y, thing, "find")
    t.tell(y, p.FINDS, lead=p.JUMPS)
    t.tell(y, p.JOYS)
    t.quote(p.THANKS, y, x)


GOES_IN = book(_TABLES["GOES_IN"])
BLOWS = book(_TABLES["BLOWS"])
LANDS = book(_TABLES["LANDS"])
SAW_IT = book(_TABLES["SAW_IT"])


def blown(t: Teller, x: Person, y: Person) -> None:
    """The wind takes something; Y has seen where to."""
    where = cast.place(t)
    thing = cast.thing(t)
    t.about(thing)
    t.world.get(x, thing)
    t.tell(x, p.ARRIVES, p.GETS, lead=p.DAYS)
    spot = cast.spot(t, where)
    t.at(spot)
    t.world.put(x, thing, spot, "blow")
    t.say(BLOWS, x)
    t.say(LANDS, None, y)
    t.tell(x, p.SORROWS)
    if t.draw.flip(0.5):
        aside(t, x, y)
        t.scene(where)
    t.at(spot, recall=True)
    t.quote(SAW_IT, y, x)
    t.world.take(x, thing, "find")
    t.tell(x, p.FINDS)
    t.tell(x, p.JOYS)
    t.quote(p.THANKS, x, y)


HAS_TWO = book(_TABLES["HAS_TWO"])
PUTS_BOTH = book(_TABLES["PUTS_BOTH"])


def two_things(t: Teller, x: Person, y: Person) -> None:
    """X puts two things at two spots, and wants first one and then the other."""
    where = cast.place(t)
    first = cast.thing(t)
    second = cast.thing(t, first)
    t.about(first)
    t.roles["q"], t.roles["aq"] = second.words["o"], second.words["ao"]
    t.world.get(x, first)
    t.world.get(x, second)
    t.tell(x, p.ARRIVES, HAS_TWO, lead=p.DAYS)
    near = cast.spot(t, where)
    far = cast.spot(t, where, near)
    t.at(near)
    t.roles["at2"] = f"{far.prep} the {far.noun}"
    t.world.put(x, first, near)
    t.world.put(x, second, far)
    t.tell(x, PUTS_BOTH)
    aside(t, x, y)
    t.scene(where)
    swapped = t.draw.flip(0.5)
    one, other = (second, first) if swapped else (first, second)
    t.about(one)
    t.tell(x, COMES_BACK, p.WANTS, lead=p.JUMPS)
    t.at(far if swapped else near, recall=True)
    t.world.take(x, one, "find")
    t.tell(x, p.FINDS)
    t.about(other)
    t.quote(p.WHERE_IS, y, x, asks=True)
    t.at(near if swapped else far, recall=True)
    t.quote(p.IT_IS, x, y)
    t.world.take(y, other, "find")
    t.tell(y, p.FINDS)
    t.tell(cast.pair(t, x, y), p.JOYS)
