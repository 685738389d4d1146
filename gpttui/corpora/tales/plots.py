"""What happens in the tales: things kept, moved, lost, stolen, broken, given, eaten, bought, lent, locked, blown.

A plot is a function that changes the world through its actions and tells each change; X and Y are already
introduced.
"""

from collections.abc import Callable

from gpttui.corpora.tales import cast
from gpttui.corpora.tales.asides import aside
from gpttui.corpora.tales.grammar import Book
from gpttui.corpora.tales.lexicon import POOLS, Place
from gpttui.corpora.tales.phrases import BOOKS as p
from gpttui.corpora.tales.telling import Teller
from gpttui.corpora.tales.world import Person, Thing


def _own(t: Teller, who: Person, draw: Callable[[Teller], Thing] = cast.thing) -> tuple[Place, Thing]:
    """Somebody has a thing at a place, which is not told yet."""
    where, thing = cast.place(t), draw(t)
    t.about(thing)
    t.world.get(who, thing)
    return where, thing


def _arrive(t: Teller, x: Person) -> tuple[Place, Thing]:
    """X comes to a place and gets a thing there."""
    where, thing = _own(t, x)
    t.tell(x, p.ARRIVES, p.GETS, lead=p.DAYS)
    return where, thing


def _find(t: Teller, who: Person, thing: Thing, lead: Book | None = None) -> None:
    """The thing is found where it was put."""
    t.at(t.world.take(who, thing, "find"), recall=True)
    t.tell(who, p.FINDS, lead=lead)


def _interlude(t: Teller, x: Person, y: Person, where: Place) -> None:
    aside(t, x, y)
    t.scene(where)


def keep(t: Teller, x: Person, y: Person) -> None:
    """X puts something away, does something else, and remembers where it is."""
    where, thing = _arrive(t, x)
    spot = cast.spot(t, where)
    t.world.put(x, thing, spot)
    t.tell(x, p.PUTS, tail=p.KEEPING, manner=True)
    _interlude(t, x, y, where)
    t.tell(x, p.COMES_BACK, p.WANTS, lead=p.JUMPS)
    _find(t, x, thing)
    t.tell(x, p.JOYS)


def moved(t: Teller, x: Person, y: Person) -> None:
    """X puts something away, Y moves it, X looks in vain, Y tells."""
    where, thing = _arrive(t, x)
    first = cast.spot(t, where)
    t.world.put(x, thing, first)
    t.tell(x, p.PUTS, tail=p.KEEPING, manner=True)
    t.at(first, recall=True)
    t.world.take(y, thing)
    t.tell(y, p.MOVES_IT, other=x, lead=p.WHILE_AWAY)
    second = cast.spot(t, where, first)
    t.world.put(y, thing, second)
    t.tell(y, p.PUTS, manner=True)
    t.at(first, recall=True)
    t.tell(x, p.LOOKS_IN_VAIN, lead=p.JUMPS)
    t.quote(p.WHERE_IS, x, asks=True)
    t.at(second, recall=True)
    t.quote(p.IT_IS, y)
    _find(t, x, thing)
    t.tell(x, p.JOYS)


def lost(t: Teller, x: Person, y: Person) -> None:
    """X loses something, and finds it with Y's help."""
    where, thing = _arrive(t, x)
    spot = cast.spot(t, where)
    t.world.put(x, thing, spot, "lose")
    t.say(p.FALLS_OUT, x)
    aside(t, x, y)
    t.tell(x, p.MISSES_IT, lead=p.JUMPS)
    t.tell(x, p.SORROWS)
    if t.draw.flip(0.5):
        t.tell(x, p.ASKS_FOR_HELP, other=y)
    else:
        t.quote(p.WHERE_IS, x, asks=True)
    both = cast.pair(t, x, y)
    t.scene(where)
    t.tell(both, p.SEARCHES, lead=p.LEADS, manner=True)
    finder = x if t.draw.flip(0.5) else y
    _find(t, finder, thing)
    if finder is y:
        t.world.give(y, thing, x)
        t.tell(y, p.GIVES_BACK, other=x, manner=True)
    t.tell(x, p.JOYS)


def stolen(t: Teller, x: Person, y: Person) -> None:
    """An animal takes something and hides it; the friends get it back."""
    where, thing = _arrive(t, x)
    kind = t.draw.pick(POOLS.THIEF)
    thief = cast.stranger(t, kind)
    t.roles["thief"] = kind
    t.say(p.APPEARS)
    t.world.steal(thief, thing)
    t.tell(thief, p.STEALS, other=x, manner=True)
    spot = cast.spot(t, where)
    t.world.put(thief, thing, spot, "hide")
    t.tell(thief, p.HIDES_IT, lead=p.LEADS)
    t.tell(x, p.SORROWS)
    t.tell(y, p.CHASES, other=thief, manner=True)
    _find(t, y, thing, p.LEADS)
    t.world.give(y, thing, x)
    t.tell(y, p.GIVES_BACK, other=x, manner=True)
    t.quote(p.THANKS, x, other=y)


def broken(t: Teller, x: Person, y: Person) -> None:
    """X breaks something, and Y mends it."""
    _, thing = _arrive(t, x)
    t.tell(x, p.WANTS)
    t.world.damage(x, thing)
    t.tell(x, p.BREAKS, lead=p.BUT)
    t.tell(x, p.SORROWS)
    t.world.give(x, thing, y, lend=True)
    t.tell(x, p.TAKES_IT_TO, other=y, manner=True)
    t.quote(p.CAN_YOU, x, y, asks=True)
    t.world.mend(y, thing)
    t.tell(y, p.MENDS, manner=True)
    t.world.give(y, thing, x, lend=True)
    t.say(p.GOOD_AS_NEW, x)
    t.tell(x, p.JOYS)
    t.quote(p.THANKS, x, y)


def gift(t: Teller, x: Person, y: Person) -> None:
    """X gives Y what Y longs for."""
    where, thing = _arrive(t, x)
    t.tell(y, p.ADMIRES, other=x)
    if t.draw.flip(0.4):
        _interlude(t, x, y, where)
    t.world.give(x, thing, y)
    t.tell(x, p.GIVES, other=y, tail=p.GIFT_REASON, manner=True)
    t.tell(y, p.JOYS)
    t.quote(p.THANKS, y, x)
    t.tell(y, p.TREASURES)


def eaten(t: Teller, x: Person, y: Person) -> None:
    """X eats what Y has put aside, and owns up."""
    where, thing = _own(t, y, cast.food)
    spot = cast.spot(t, where)
    t.world.put(y, thing, spot)
    t.tell(y, p.BRINGS_FOOD, p.PUTS, lead=p.DAYS)
    t.tell(x, p.GETS_HUNGRY, lead=p.LEADS)
    _find(t, x, thing)
    t.world.eat(x, thing)
    t.tell(x, p.EATS, manner=True)
    if t.draw.flip(0.3):
        _interlude(t, x, y, where)
    t.at(spot, recall=True)
    t.tell(y, p.OWNER_COMES, other=x, lead=p.JUMPS)
    t.quote(p.WHO_ATE, y, x, asks=True)
    t.quote(p.I_ATE, x, y)
    if t.draw.flip(0.5):
        t.tell(y, p.FORGIVES, other=x)
    t.tell(cast.pair(t, x, y), p.MAKES_UP)


def bought(t: Teller, x: Person, y: Person) -> None:
    """X earns money, buys something from Y, and puts it in a good place at home."""
    thing = cast.thing(t)
    t.about(thing)
    t.tell(x, p.NEEDS_MONEY, lead=p.DAYS)
    t.tell(x, p.EARNS, lead=p.SO)
    t.world.get(x, thing)
    t.tell(x, p.BUYS, other=y, lead=p.JUMPS)
    where = cast.place(t)
    spot = cast.spot(t, where)
    t.world.put(x, thing, spot)
    t.tell(x, p.ARRIVES, p.PUTS)
    _interlude(t, x, y, where)
    _find(t, y, thing, p.JUMPS)
    t.quote(p.ASKS_WHOSE, y, x, asks=True)
    t.quote(p.MINE, x, y)


def lent(t: Teller, x: Person, y: Person) -> None:
    """X borrows from Y, and gives it back."""
    where, thing = _own(t, y)
    t.tell(y, p.ARRIVES, p.SHOWS, other=x, lead=p.DAYS)
    t.quote(p.MAY_I, x, y, asks=True)
    t.world.give(y, thing, x, lend=True)
    t.tell(y, p.LENDS, other=x, manner=True)
    t.tell(x, p.USES)
    _interlude(t, x, y, where)
    t.world.give(x, thing, y, lend=True)
    t.tell(x, p.COMES_BACK, p.GIVES_BACK, other=y, lead=p.JUMPS)
    spot = cast.spot(t, where)
    t.world.put(y, thing, spot)
    t.tell(y, p.PUTS, manner=True)
    t.tell(x, p.JOYS)


def locked(t: Teller, x: Person, y: Person) -> None:
    """X finds something locked, remembers where the key is, and opens it."""
    where = cast.place(t)
    t.tell(x, p.ARRIVES, p.FINDS_CHEST, lead=p.DAYS)
    spot = cast.spot(t, where)
    t.say(p.LOCKED_WITH_KEY, None, y)
    if t.draw.flip(0.6):
        _interlude(t, x, y, where)
    t.at(spot, recall=True)
    t.tell(x, p.FETCHES_KEY, p.OPENS)
    thing = cast.thing(t)
    t.about(thing)
    t.world.get(x, thing)
    t.say(p.INSIDE)
    t.tell(cast.pair(t, x, y), p.JOYS)
    if t.draw.flip(0.5):
        t.tell(x, p.SHARES, other=y, manner=True)
    else:
        inner = cast.spot(t, where, spot)
        t.world.put(x, thing, inner)
        t.tell(x, p.PUTS, tail=p.KEEPING, manner=True)


def hide_and_seek(t: Teller, x: Person, y: Person) -> None:
    """Y hides, X looks in a wrong spot and then in the right one."""
    where = cast.place(t)
    t.tell(cast.pair(t, x, y), p.ARRIVES, lead=p.DAYS)
    t.quote(p.LETS_PLAY, y, x)
    t.tell(x, p.COUNTS, manner=True)
    spot = cast.spot(t, where)
    t.tell(y, p.HIDES, manner=True)
    cast.spot(t, where, spot)
    t.tell(x, p.LOOKS_WRONG, other=y, lead=p.LEADS)
    if t.draw.flip(0.5):
        _interlude(t, x, y, where)
    t.say(p.GIVEN_AWAY, None, y)
    t.at(spot, recall=True)
    t.tell(x, p.FOUND_YOU, other=y)
    t.tell(cast.pair(t, x, y), p.JOYS)


def surprise(t: Teller, x: Person, y: Person) -> None:
    """X hides a present for Y, who guesses wrong and is told where to look."""
    where, thing = _own(t, x)
    t.tell(x, p.FOR_BIRTHDAY, other=y, lead=p.DAYS)
    spot = cast.spot(t, where)
    t.world.put(x, thing, spot, "hide")
    t.tell(x, p.GOES_IN, p.PUTS)
    aside(t, x, y)
    t.quote(p.GUESSES, y, x, asks=True)
    t.at(spot, recall=True)
    t.quote(p.NO_GUESS, x, y)
    _find(t, y, thing, p.JUMPS)
    t.tell(y, p.JOYS)
    t.quote(p.THANKS, y, x)


def blown(t: Teller, x: Person, y: Person) -> None:
    """The wind takes something; Y has seen where to."""
    where, thing = _arrive(t, x)
    spot = cast.spot(t, where)
    t.world.put(x, thing, spot, "blow")
    t.say(p.BLOWS, x)
    t.say(p.LANDS, None, y)
    t.tell(x, p.SORROWS)
    if t.draw.flip(0.5):
        _interlude(t, x, y, where)
    t.at(spot, recall=True)
    t.quote(p.SAW_IT, y, x)
    _find(t, x, thing)
    t.tell(x, p.JOYS)
    t.quote(p.THANKS, x, y)


def two_things(t: Teller, x: Person, y: Person) -> None:
    """X puts two things at two spots, and wants first one and then the other."""
    where = cast.place(t)
    first = cast.thing(t)
    second = cast.thing(t, first)
    t.about(first)
    t.roles["q"], t.roles["aq"] = second.words["o"], second.words["ao"]
    t.world.get(x, first)
    t.world.get(x, second)
    t.tell(x, p.ARRIVES, p.HAS_TWO, lead=p.DAYS)
    near = cast.spot(t, where)
    far = cast.spot(t, where, near)
    t.at(near)
    t.roles["at2"] = f"{far.prep} the {far.noun}"
    t.world.put(x, first, near)
    t.world.put(x, second, far)
    t.tell(x, p.PUTS_BOTH)
    _interlude(t, x, y, where)
    swapped = t.draw.flip(0.5)
    one, other = (second, first) if swapped else (first, second)
    t.about(one)
    t.tell(x, p.COMES_BACK, p.WANTS, lead=p.JUMPS)
    _find(t, x, one)
    t.about(other)
    t.quote(p.WHERE_IS, y, x, asks=True)
    t.at(near if swapped else far, recall=True)
    t.quote(p.IT_IS, x, y)
    _find(t, y, other)
    t.tell(cast.pair(t, x, y), p.JOYS)


PLOTS = (
    keep, moved, lost, stolen, broken, gift, eaten, bought, lent, locked, hide_and_seek, surprise, blown, two_things,
)  # fmt: skip
