"""What happens in the tales, first half: things kept, moved, lost, stolen, broken, given, swapped, lent.

A plot is a function that changes the world through its actions and tells each change; X and Y are already
introduced.
"""

from __future__ import annotations

from gpttui.corpora import tables
from gpttui.corpora.tales import cast
from gpttui.corpora.tales import phrases as p
from gpttui.corpora.tales.asides import aside
from gpttui.corpora.tales.grammar import book
from gpttui.corpora.tales.lexicon import THIEVES
from gpttui.corpora.tales.telling import Teller
from gpttui.corpora.tales.world import Person

_TABLES = tables.read("tales_plots")

ASKS_FOR_HELP = book(_TABLES["ASKS_FOR_HELP"])
COMES_BACK = book(_TABLES["COMES_BACK"])


def keep(t: Teller, x: Person, y: Person) -> None:
    """X puts something away, does something else, and remembers where it is."""
    where = cast.place(t)
    thing = cast.thing(t)
    t.about(thing)
    t.world.get(x, thing)
    t.tell(x, p.ARRIVES, p.GETS, lead=p.DAYS)
    spot = cast.spot(t, where)
    t.at(spot)
    t.world.put(x, thing, spot)
    t.tell(x, p.PUTS, tail=p.KEEPING, manner=True)
    aside(t, x, y)
    t.scene(where)
    t.tell(x, COMES_BACK, p.WANTS, lead=p.JUMPS)
    t.at(spot, recall=True)
    t.world.take(x, thing, "find")
    t.tell(x, p.FINDS)
    t.tell(x, p.JOYS)


MOVES_IT = book(_TABLES["MOVES_IT"])
WHILE_AWAY = book(_TABLES["WHILE_AWAY"])


def moved(t: Teller, x: Person, y: Person) -> None:
    """X puts something away, Y moves it, X looks in vain, Y tells."""
    where = cast.place(t)
    thing = cast.thing(t)
    t.about(thing)
    t.world.get(x, thing)
    t.tell(x, p.ARRIVES, p.GETS, lead=p.DAYS)
    first = cast.spot(t, where)
    t.at(first)
    t.world.put(x, thing, first)
    t.tell(x, p.PUTS, tail=p.KEEPING, manner=True)
    t.at(first, recall=True)
    t.world.take(y, thing)
    t.tell(y, MOVES_IT, other=x, lead=WHILE_AWAY)
    second = cast.spot(t, where, first)
    t.at(second)
    t.world.put(y, thing, second)
    t.tell(y, p.PUTS, manner=True)
    t.at(first, recall=True)
    t.tell(x, p.LOOKS_IN_VAIN, lead=p.JUMPS)
    t.quote(p.WHERE_IS, x, asks=True)
    t.at(second, recall=True)
    t.quote(p.IT_IS, y)
    t.world.take(x, thing, "find")
    t.tell(x, p.FINDS)
    t.tell(x, p.JOYS)


FALLS_OUT = book(_TABLES["FALLS_OUT"])
MISSES_IT = book(_TABLES["MISSES_IT"])
SEARCHES = book(_TABLES["SEARCHES"])


def lost(t: Teller, x: Person, y: Person) -> None:
    """X loses something, and finds it with Y's help."""
    where = cast.place(t)
    thing = cast.thing(t)
    t.about(thing)
    t.world.get(x, thing)
    t.tell(x, p.ARRIVES, p.GETS, lead=p.DAYS)
    spot = cast.spot(t, where)
    t.at(spot)
    t.world.put(x, thing, spot, "lose")
    t.say(FALLS_OUT, x)
    aside(t, x, y)
    t.tell(x, MISSES_IT, lead=p.JUMPS)
    t.tell(x, p.SORROWS)
    if t.draw.flip(0.5):
        t.tell(x, ASKS_FOR_HELP, other=y)
    else:
        t.quote(p.WHERE_IS, x, asks=True)
    both = cast.pair(t, x, y)
    t.scene(where)
    t.tell(both, SEARCHES, lead=p.LEADS, manner=True)
    t.at(spot, recall=True)
    finder = x if t.draw.flip(0.5) else y
    t.world.take(finder, thing, "find")
    t.tell(finder, p.FINDS)
    if finder is y:
        t.world.give(y, thing, x)
        t.tell(y, GIVES_BACK, other=x, manner=True)
    t.tell(x, p.JOYS)


GIVES_BACK = book(_TABLES["GIVES_BACK"])
STEALS = book(_TABLES["STEALS"])
APPEARS = book(_TABLES["APPEARS"])
HIDES_IT = book(_TABLES["HIDES_IT"])
CHASES = book(_TABLES["CHASES"])


def stolen(t: Teller, x: Person, y: Person) -> None:
    """An animal takes something and hides it; the friends get it back."""
    where = cast.place(t)
    thing = cast.thing(t)
    t.about(thing)
    t.world.get(x, thing)
    t.tell(x, p.ARRIVES, p.GETS, lead=p.DAYS)
    kind = t.draw.pick(THIEVES)
    thief = cast.stranger(t, kind)
    t.roles["thief"] = kind
    t.say(APPEARS)
    t.world.steal(thief, thing)
    t.tell(thief, STEALS, other=x, manner=True)
    spot = cast.spot(t, where)
    t.at(spot)
    t.world.put(thief, thing, spot, "hide")
    t.tell(thief, HIDES_IT, lead=p.LEADS)
    t.tell(x, p.SORROWS)
    t.tell(y, CHASES, other=thief, manner=True)
    t.at(spot, recall=True)
    t.world.take(y, thing, "find")
    t.tell(y, p.FINDS, lead=p.LEADS)
    t.world.give(y, thing, x)
    t.tell(y, GIVES_BACK, other=x, manner=True)
    t.quote(p.THANKS, x, other=y)


BREAKS = book(_TABLES["BREAKS"])
CAN_YOU = book(_TABLES["CAN_YOU"])
MENDS = book(_TABLES["MENDS"])
GOOD_AS_NEW = book(_TABLES["GOOD_AS_NEW"])


def broken(t: Teller, x: Person, y: Person) -> None:
    """X breaks something, and Y mends it."""
    cast.place(t)
    thing = cast.thing(t)
    t.about(thing)
    t.world.get(x, thing)
    t.tell(x, p.ARRIVES, p.GETS, lead=p.DAYS)
    t.tell(x, p.WANTS)
    t.world.damage(x, thing)
    t.tell(x, BREAKS, lead=BUT)
    t.tell(x, p.SORROWS)
    t.world.give(x, thing, y, lend=True)
    t.tell(x, TAKES_IT_TO, other=y, manner=True)
    t.quote(CAN_YOU, x, y, asks=True)
    t.world.mend(y, thing)
    t.tell(y, MENDS, manner=True)
    t.world.give(y, thing, x, lend=True)
    t.say(GOOD_AS_NEW, x)
    t.tell(x, p.JOYS)
    t.quote(p.THANKS, x, y)


BUT = book(_TABLES["BUT"])
TAKES_IT_TO = book(_TABLES["TAKES_IT_TO"])
