"""What happens in the tales, continued: gifts, meals and shops.

As in `plots`, a plot changes the world through its actions and tells each change.
"""

from __future__ import annotations

from gpttui.corpora import tables
from gpttui.corpora.tales import cast
from gpttui.corpora.tales import phrases as p
from gpttui.corpora.tales.asides import aside
from gpttui.corpora.tales.grammar import book
from gpttui.corpora.tales.telling import Teller
from gpttui.corpora.tales.world import Person

_TABLES = tables.read("tales_plots_two")

GIVES = book(_TABLES["GIVES"])
GIFT_REASON = book(_TABLES["GIFT_REASON"])

ADMIRES = book(_TABLES["ADMIRES"])
TREASURES = book(_TABLES["TREASURES"])


def gift(t: Teller, x: Person, y: Person) -> None:
    """X gives Y what Y longs for."""
    where = cast.place(t)
    thing = cast.thing(t)
    t.about(thing)
    t.world.get(x, thing)
    t.tell(x, p.ARRIVES, p.GETS, lead=p.DAYS)
    t.tell(y, ADMIRES, other=x)
    if t.draw.flip(0.4):
        aside(t, x, y)
        t.scene(where)
    t.world.give(x, thing, y)
    t.tell(x, GIVES, other=y, tail=GIFT_REASON, manner=True)
    t.tell(y, p.JOYS)
    t.quote(p.THANKS, y, x)
    t.tell(y, TREASURES)


EATS = book(_TABLES["EATS"])
OWNER_COMES = book(_TABLES["OWNER_COMES"])
WHO_ATE = book(_TABLES["WHO_ATE"])
I_ATE = book(_TABLES["I_ATE"])
MAKES_UP = book(_TABLES["MAKES_UP"])


def eaten(t: Teller, x: Person, y: Person) -> None:
    """X eats what Y has put aside, and owns up."""
    where = cast.place(t)
    thing = cast.food(t)
    t.about(thing)
    t.world.get(y, thing)
    spot = cast.spot(t, where)
    t.at(spot)
    t.world.put(y, thing, spot)
    t.tell(y, BRINGS_FOOD, p.PUTS, lead=p.DAYS)
    t.tell(x, GETS_HUNGRY, lead=p.LEADS)
    t.at(spot, recall=True)
    t.world.take(x, thing, "find")
    t.tell(x, p.FINDS)
    t.world.eat(x, thing)
    t.tell(x, EATS, manner=True)
    if t.draw.flip(0.3):
        aside(t, x, y)
        t.scene(where)
    t.at(spot, recall=True)
    t.tell(y, OWNER_COMES, other=x, lead=p.JUMPS)
    t.quote(WHO_ATE, y, x, asks=True)
    t.quote(I_ATE, x, y)
    if t.draw.flip(0.5):
        t.tell(y, FORGIVES, other=x)
    t.tell(cast.pair(t, x, y), MAKES_UP)


FORGIVES = book(_TABLES["FORGIVES"])
BRINGS_FOOD = book(_TABLES["BRINGS_FOOD"])
GETS_HUNGRY = book(_TABLES["GETS_HUNGRY"])
NEEDS_MONEY = book(_TABLES["NEEDS_MONEY"])
EARNS = book(_TABLES["EARNS"])
BUYS = book(_TABLES["BUYS"])


def bought(t: Teller, x: Person, y: Person) -> None:
    """X earns money, buys something from Y, and puts it in a good place at home."""
    thing = cast.thing(t)
    t.about(thing)
    t.tell(x, NEEDS_MONEY, lead=p.DAYS)
    t.tell(x, EARNS, lead=SO)
    t.world.get(x, thing)
    t.tell(x, BUYS, other=y, lead=p.JUMPS)
    where = cast.place(t)
    spot = cast.spot(t, where)
    t.at(spot)
    t.world.put(x, thing, spot)
    t.tell(x, p.ARRIVES, p.PUTS)
    aside(t, x, y)
    t.scene(where)
    t.at(spot, recall=True)
    t.world.take(y, thing, "find")
    t.tell(y, p.FINDS, lead=p.JUMPS)
    t.quote(ASKS_WHOSE, y, x, asks=True)
    t.quote(MINE, x, y)


SO = book(_TABLES["SO"])
ASKS_WHOSE = book(_TABLES["ASKS_WHOSE"])
MINE = book(_TABLES["MINE"])
