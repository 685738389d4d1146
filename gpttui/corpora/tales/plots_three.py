"""What happens in the tales, continued: lending, locks, hide-and-seek, surprises, the wind, and two things at two
spots.

As in `plots`, a plot changes the world through its actions and tells each change.
"""

from __future__ import annotations

from gpttui.corpora.tales import cast
from gpttui.corpora.tales import phrases as p
from gpttui.corpora.tales.asides import aside
from gpttui.corpora.tales.grammar import book
from gpttui.corpora.tales.plots import COMES_BACK, GIVES_BACK
from gpttui.corpora.tales.telling import Teller
from gpttui.corpora.tales.world import Person

SHOWS = book("""
<find> {ao} and <show> {it} to {Y}
<get> {ao} from {his} {RELATIVE} and <show> {it} to {Y}
<take> {ao} out of {his} {BAG} and <show> {it} to {Y}
<buy> {ao} from {A_JOB} and <show> {it} to {Y}
<notice> {ao}, <take> {it} and <show> {it} to {Y}
<win> {ao} in a game of {SPORT} and <show> {it} to {Y}
""")
MAY_I = book("""
may I borrow {o}, {Y}
could you lend me {o}
can I have {o} until {WEEKDAY}, please
do you need {o} today, {Y}
would you lend me {ro}, please
""")
LENDS = book("""
<lend> {Y} {o}
<lend> {o} to {Y}
<let> {Y} borrow {ro}
<hand> {Y} {o}
<say> yes and <lend> {Y} {o}
""")
USES = book("""
<carry> {o} home and <say> hello to {A_KIND}
<take> good care of {o}
<show> {o} to {his} {RELATIVE}
<be> very careful with {ro}
<clean> {o} with {A_COLOUR} cloth
<keep> {o} for {NUMBER} days
""")


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


FINDS_CHEST = book("""
<find> {A_COLOUR} box with a lock
<see> {A_COLOUR} door that <be-> locked
<come> across {A_COLOUR} chest that <will-> not open
<notice> {A_COLOUR} suitcase without a key
<discover> {A_COLOUR} cupboard that nobody <can-> open
""")
LOCKED_WITH_KEY = book("""
it <be-> locked, and the key <be-> {at}
its key <lie-> {at}
the key <hang-> on a nail {at}
a note <say-> that the key <be-> {at}
{Y} <know-> that the key <be-> {at}
""")
FETCHES_KEY = book("""
<fetch> the key from its place {at}
<find> the key {at}
<look> {at} and <take> the key
<go> to get the key {at}
""")
OPENS = book("""
<turn> the key and <look> inside
<open> it
<unlock> it
<put> the key into the lock and <turn> it
<count> to {NUMBER} and <open> it
""")
INSIDE = book("""
inside {was} {ao}
there {was} {ao} inside
there <be-> a lot of dust inside, but under the dust {was} {ao}
when it <be-> open, there {was} {ao} in it
""")


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


SHARES = book("""
<show> {o} to {Y}
<let> {Y} hold {o}
<say> that {ro} <belong-> to both of them
<run> to tell {Y}
""")
LETS_PLAY = book("""
let us play hide and seek
come, we will play hide and seek
I will hide and you must find me
close your eyes and count to {NUMBER}
you count, and I will hide
""")
COUNTS = book("""
<count> to {NUMBER}
<close> {his} eyes and <count> to {NUMBER}
<turn> to the wall and <count>
<count> slowly, but <forget> the number after {NUMBER}
""")
HIDES = book("""
<hide> {at}
<crawl> to a place {at} and <hide>
<sit> down {at} and <keep> still
<hold> {his} breath {at}
<choose> a place {at}
""")
LOOKS_WRONG = book("""
<look> {at}, but {Y} <be-> not there
<search> {at}, but there <be-> nobody
<find> only {A_STRAY} {at}
<peep> {at}, but <see> no one
<think> that {Y} <be-> {at}, but {he} <be> wrong
""")
GIVEN_AWAY = book("""
just then {Y} <sneeze->
a giggle <come-> from somewhere
{A_STRAY} <fly-> up in surprise
there <be-> a {SOUND}, and somebody <laugh->
something <move->
""")
FOUND_YOU = book("""
<look> {at} and <find> {Y}
<find> {Y} {at}
<see> {Y}'s foot {at}
<discover> {Y} {at} and <laugh>
""")


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


FOR_BIRTHDAY = book("""
<want> to give {ao} to {Y}
<have> {ao} for {Y}
<buy> {ao} for {Y} with {NUMBER} coins
<wrap> {ao} in {COLOUR} paper for {Y}
<make> a card for {Y} and <find> {ao}
""")
GUESSES = book("""
is it {A_KIND}
is it {A_COLOUR} elephant
can I eat it
does it make a {SOUND}
is it bigger than {A_KIND}
""")
NO_GUESS = book("""
no, it is not
wrong, guess again
you will never guess
wait until {WEEKDAY}
look {at}
""")


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


GOES_IN = book("""
<go> {to}
<hurry> {to}
<slip> {to}
<walk> {to}
<creep> {to}
<run> {to}
""")
BLOWS = book("""
the wind <blow-> {o} out of {his} hands
a strong wind <come-> and <take-> {o} away
the wind <pull-> at {o}, and {he} <let> go
{X} <open> {his} hand, and the wind <carry-> {o} off
a {SOUND} <make-> {X} jump, and {o} {was} gone with the wind
""")
LANDS = book("""
in the end {o} {was} {at}
at last the wind <leave-> {it} {at}
{o} {was} soon {at}
at the end of its journey {o} {was} {at}
{Y} <see-> {it} {at}
""")
SAW_IT = book("""
{they} {is} {at}
I saw where {they} went: look {at}
don't cry, {o} {is} {at}
look, {at}
the wind has put {it} {at}
""")


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


HAS_TWO = book("""
<have> two things in {his} {BAG}: {ao} and {aq}
<find> {ao} and {aq}
<get> {ao} and {aq} from {his} {RELATIVE}
<buy> {ao} and {aq} from {A_JOB}
<bring> {ao} and {aq} along
""")
PUTS_BOTH = book("""
<put> {o} {at} and {q} {at2}
<lay> {o} {at} and {q} {at2}
<leave> {o} {at}, and {q} {at2}
<hide> {q} {at2} and {o} {at}
<tuck> {o} away {at} and <put> {q} {at2}
""")


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
