"""What happens in the tales, continued: gifts, meals and shops.

As in `plots`, a plot changes the world through its actions and tells each change.
"""

from __future__ import annotations

from gpttui.corpora.tales import cast
from gpttui.corpora.tales import phrases as p
from gpttui.corpora.tales.asides import aside
from gpttui.corpora.tales.grammar import book
from gpttui.corpora.tales.telling import Teller
from gpttui.corpora.tales.world import Person

GIVES = book("""
<give> {o} to {Y}
<give> {Y} {o}
<make> {Y} a present of {o}
<hand> {ro} to {Y}
<say> that {Y} <can-> keep {o}
<let> {Y} have {ro}
""")
GIFT_REASON = book("""
because they <be+> friends
because it <be-> {Y}'s birthday
because {he} <have> two
because sharing <be-> fun
because {Y} <have-> nothing
""")

ADMIRES = book("""
<look> at {o} for a long time
<say> that {ro} {was} lovely
<need> {ao} badly
<wish> for {ao} too
<want> to {use}, but <have> nothing
<like> {ro} very much
""")
TREASURES = book("""
<promise> to take good care of {o}
<keep> {o} for ever
<carry> {o} home
<give> {o} a place of honour
<show> {o} to {his} {RELATIVE}
""")


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


EATS = book("""
<eat> {o} all up
<take> one bite, then another, until {o} {was} gone
<eat> {ro}
<swallow> {o} in one go
<eat> every bit of {o}
<nibble> at {o} until nothing <be-> left
""")
OWNER_COMES = book("""
<come> in and <look> {at}
<come> home and <look> for {o}
<be> looking forward to {ro}
<want> {o} for supper
<open> the door and <see> that {o} {was} gone
""")
WHO_ATE = book("""
who has eaten {o}
did you eat {o}, {Y}
where {is} {o}
what has happened to {o}
have you seen {o}, {Y}
""")
I_ATE = book("""
I ate {it}, I am sorry
I was so hungry that I ate {it}
please do not be cross, I have eaten {it}
{they} smelled so good that I ate {it}
I thought nobody wanted {it}
""")
MAKES_UP = book("""
<bake> another one together
<have> {MEAL} instead
<make> {MEAL} together
<laugh> and <share> {A_FRUIT1}
<go> to the shop and <buy> {FRUIT}
<cook> {MEAL} for everyone
""")


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


FORGIVES = book("""
<smile> and <forgive> {Y}
<be> not cross with {Y}
<laugh> and <hug> {Y}
<pat> {Y} on the back
<shake> a finger at {Y}, and then <laugh>
""")
BRINGS_FOOD = book("""
<bring> {ao} {to}
<buy> {ao} for the party {in}
<come> {to} with {ao}
<have> {ao} with {him} {in}
<carry> {ao} {to}
""")
GETS_HUNGRY = book("""
<be> hungry
<smell> something good
<feel> very hungry
<have> had no breakfast
<think> of nothing but food
<come> in, as hungry as a wolf
""")
NEEDS_MONEY = book("""
<want> {ao} but <have> no money
<see> {ao} in the window of {A_SHOP}
<wish> for {ao}
<dream> of {ao}
<need> {ao}
<hear> that {ao} {was} for sale
""")
EARNS = book("""
<sweep> the yard for {A_JOB}
<wash> windows for {A_JOB}
<sell> {FRUIT} on the street
<help> {A_JOB} in the garden
<carry> boxes for {A_JOB}
<save> {NUMBER} coins in a jar
<go> to the bank and <take> out {NUMBER} coins
<sell> an old {COLOUR} bicycle
""")
BUYS = book("""
<buy> {o} from {Y}
<pay> {Y} {NUMBER} coins for {o}
<give> {Y} {NUMBER} coins and {Y} <give-> {him} {o}
<put> {NUMBER} coins on the counter and <get> {o}
<count> out {NUMBER} coins and <buy> {o}
""")


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


SO = book("""
so
that is why
to get some money,
for {NUMBER} days,
for a whole week
""")
ASKS_WHOSE = book("""
who owns {ro}
{is} {thiso} yours
may I use {o}, {Y}
""")
MINE = book("""
{o} {is} mine, but you may borrow {it}
I bought {it} from you, {Y}
I paid for {it} with my own money
{they} belong{s} to me now
""")
