"""What happens in the tales, first half: things kept, moved, lost, stolen, broken, given, swapped, lent.

A plot is a function that changes the world through its actions and tells each change; X and Y are already
introduced.
"""

from __future__ import annotations

from gpttui.corpora.tales import cast
from gpttui.corpora.tales import phrases as p
from gpttui.corpora.tales.asides import aside
from gpttui.corpora.tales.grammar import book
from gpttui.corpora.tales.lexicon import THIEVES
from gpttui.corpora.tales.telling import Teller
from gpttui.corpora.tales.world import Person

ASKS_FOR_HELP = book("""
<ask> {Y} for help
<run> to {Y}
<go> to {Y} and <tell> {yhim} about it
<call> {Y}
<tell> {Y} everything
""")
COMES_BACK = book("""
<come> back {to}
<go> back {to}
<return> {to}
<run> back {to}
<be> back {in}
""")


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


MOVES_IT = book("""
<find> {o} {at}
<take> {o} away from where {they} {was}, {at}
<see> {o} {at} and <pick> {it} up
<take> {o}, which {was} {at}
<need> the space {at}, and <take> {o}
""")
WHILE_AWAY = book("""
while {Y} <be-> out,
when nobody <be-> looking,
when {Y} <have-> gone home,
that evening,
a little later,
while {Y} <be-> asleep,
""")


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


FALLS_OUT = book("""
{X} <drop> {o} {at} and <do> not notice
without knowing it, {he} <lose> {o} {at}
{X} <let> {o} slip from {his} {BAG} {at}
{X} <forget> {o} {at}
somehow {X} <leave> {o} {at}
{o} {was} soon lost {at}, but {X} <do> not know it
""")
MISSES_IT = book("""
<want> to {use}, but {o} {was} gone
<see> that {o} {was} missing
<look> for {ro}, but {o} {was} lost
<feel> in {his} {BAG}, but {o} {was} not in it
<notice> that {ro} {was} gone
""")
SEARCHES = book("""
<look> everywhere
<search> high and low
<walk> {to} together
<go> back {to}
<look> for {ro}
<follow> {his} own footprints {to}
""")


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


GIVES_BACK = book("""
<give> {o} back to {Y}
<hand> {o} back to {Y}
<return> {o} to {Y}
<bring> {o} back to {Y}
""")
STEALS = book("""
<grab> {o} and <run> away
<snatch> {ro} from {Y}
<steal> {o}
<creep> up and <take> {o}
<take> {o} and <laugh>
<want> {o} and <take> {it}
""")
APPEARS = book("""
{A_COLOUR} {thief} <come-> along
{A_COLOUR} {thief} <watch-> {X}
there <be-> {A_COLOUR} {thief} nearby
{X} <do> not see {A_COLOUR} {thief} behind {him}
a hungry {thief} <look-> at {ro}
a cheeky {thief} <sit-> down beside {X}
""")
HIDES_IT = book("""
<hide> {o} {at}
<drop> {o} {at}
<leave> {o} {at}
<bury> {o} {at}
<carry> {ro} off and <hide> {it} {at}
""")
CHASES = book("""
<run> after {Y}
<shout> at {Y}
<follow> {Y} without a sound
<chase> {Y}
<see> it all and <follow> {Y}
""")


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


BREAKS = book("""
<drop> {o}, and now {they} {was} broken
<trip> and <break> {o}
<hear> a {SOUND}: {o} {was} broken
<sit> on {o} and <break> {it}
<break> {o} by accident
<let> {o} fall and <break> {it}
""")
CAN_YOU = book("""
can you mend {o}
can you help me, {Y}
do you know how to mend {o}
could you look at {o}, please
what shall I do with {thiso}
""")
MENDS = book("""
<mend> {o} with {MENDER}
<repair> {ro}
<fix> {o} with {MENDER} and {A_COLOUR} needle
<take> {o} and <mend> {it}
<work> until {o} {was} whole again
<glue> the pieces of {o} together
""")
GOOD_AS_NEW = book("""
now {o} {was} as good as new
now {ro} {was} better than before
nobody <can+> see where {o} {was} mended
{o} {was} whole again
at last {X} <can> {use}
""")


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


BUT = book("""
but then
but
alas,
but after {NUMBER} minutes
oh dear,
""")
TAKES_IT_TO = book("""
<take> {o} to {Y}
<bring> the pieces to {Y}
<show> {Y} what {was} left of {ro}
<carry> {o} to {Y}
<go> to {Y} with {o}
""")
