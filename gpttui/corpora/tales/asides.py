"""Small things that happen between the parts of a plot: the weather, a stray animal, a meal, a chat, a walk.

An aside leaves no thing moved, so that what was put somewhere must be remembered across it.
"""

from __future__ import annotations

from gpttui.corpora.tales import cast
from gpttui.corpora.tales.grammar import book
from gpttui.corpora.tales.lexicon import STRAYS
from gpttui.corpora.tales.senses import SENSES, tell_sense
from gpttui.corpora.tales.telling import Teller
from gpttui.corpora.tales.world import Person

WEATHERS = book("""
it <begin-> to rain, and everybody <run+> inside
the sun <come-> out, and the puddles <shine+>
{A_COLOUR} rainbow <hang-> over the roofs
it <snow-> for hours, until the world <be-> white
the wind <sing-> in the chimney
a cloud like {A_KIND} <drift-> by
far away there <be-> thunder, but no rain
it <get-> dark, and {NUMBER} stars <come+> out
the fog <be-> so thick that nobody <can-> see {A_KIND}
""")
WALKS = book("""
<go> {to}
<walk> {to}
<take> the bus {to}
<spend> an hour {in}
<have> something to do {in}
<run> {to}
""")
DOES = book("""
<eat> {MEAL}
<buy> {NUMBER} {FRUIT}
<talk> to {A_JOB}
<wave> to {A_KIND}
<draw> {A_KIND}
<count> {NUMBER} {STRAYS} there
<play> {SPORT} with {A_JOB}
<read> a book about {SUBJECT}
<help> {A_JOB}
<sing> a song about {A_KIND}
<tell> {A_JOB} a joke
<learn> a little {SUBJECT}
<dance> with {A_KIND}
<rest> for a while
""")
STRAY_SEEN = book("""
<see> {A_COLOUR} {stray}
<meet> a small {stray}
<hear> a {SOUND}, and there <be-> {A_COLOUR} {stray}
<stop> to look at a lost {stray}
<watch> a {stray} with {COLOUR} spots
""")
STRAY_DOES = book("""
<look> hungry and <get> some {MEAL}
<want> to get back to {his} nest
<sit> on a stone and <clean> {himself}
<sleep> with {his} eyes open
<look> at {his} own shadow
<carry> a leaf to {his} family
<hide> under {his} own tail
<build> {himself} a house of straw
<be> lost and <look> for {his} mother
<hum> to {himself}
""")
CHAT = book("""
do you like {HOBBY}
shall we have {MEAL} tonight
did you know that {A_KIND} can swim
what is your favourite colour
have you ever seen {A_COLOUR} {KIND}
what would you buy with {NUMBER} coins
are you any good at {SPORT}
do you want to be {A_JOB} one day
who taught you {SUBJECT}
""")
CHAT_BACK = book("""
yes, and my {RELATIVE} too
no, but I like {HOBBY}
only on {WEEKDAY}s
I will tell you tomorrow
let us talk about {SUBJECT} instead
I would rather have {MEAL}
what a funny question
ask my {RELATIVE}
{COLOUR}, I think
""")
TOGETHER = book("""
<play> {SPORT}
<share> {NUMBER} {FRUIT}
<have> a picnic with {MEAL}
<tell> each other stories about {A_KIND}
<look> at {NUMBER} {STRAYS}
<lie> in the grass and <talk> about {SUBJECT}
<race> {A_KIND} and <win>
<sing> about {A_KIND}
""")


def aside(t: Teller, x: Person, y: Person) -> None:
    """One or two sentences that change nothing."""
    kind = t.draw.pick(KINDS)
    kind(t, x, y)


def _weather(t: Teller, x: Person, y: Person) -> None:
    t.say(WEATHERS)


def _walk(t: Teller, x: Person, y: Person) -> None:
    cast.place(t)
    t.tell(x, WALKS, DOES)


def _stray(t: Teller, x: Person, y: Person) -> None:
    kind = t.draw.pick(STRAYS)
    t.roles["stray"] = kind
    t.tell(x, STRAY_SEEN)
    t.tell(cast.stranger(t, kind), STRAY_DOES)


def _chat(t: Teller, x: Person, y: Person) -> None:
    t.quote(CHAT, x, y, asks=True)
    t.quote(CHAT_BACK, y, x)


def _together(t: Teller, x: Person, y: Person) -> None:
    cast.place(t)
    t.tell(cast.pair(t, x, y), WALKS, TOGETHER)


def _double(t: Teller, x: Person, y: Person) -> None:
    tell_sense(t, x, t.draw.pick(SENSES), short=True)


KINDS = (_weather, _walk, _stray, _chat, _together, _double)
