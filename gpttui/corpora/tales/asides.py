"""Small things that happen between the parts of a plot: the weather, a stray animal, a meal, a chat, a walk.

An aside leaves no thing moved, so that what was put somewhere must be remembered across it.
"""

from gpttui.corpora.tales import cast
from gpttui.corpora.tales.lexicon import POOLS
from gpttui.corpora.tales.phrases import BOOKS as p
from gpttui.corpora.tales.senses import SENSES, tell_sense
from gpttui.corpora.tales.telling import Teller
from gpttui.corpora.tales.world import Person


def aside(t: Teller, x: Person, y: Person) -> None:
    """One or two sentences that change nothing."""
    kind = t.draw.pick(KINDS)
    kind(t, x, y)


def _weather(t: Teller, x: Person, y: Person) -> None:
    t.say(p.WEATHERS)


def _walk(t: Teller, x: Person, y: Person) -> None:
    cast.place(t)
    t.tell(x, p.WALKS, p.DOES)


def _stray(t: Teller, x: Person, y: Person) -> None:
    kind = t.draw.pick(POOLS.STRAY)
    t.roles["stray"] = kind
    t.tell(x, p.STRAY_SEEN)
    t.tell(cast.stranger(t, kind), p.STRAY_DOES)


def _chat(t: Teller, x: Person, y: Person) -> None:
    t.quote(p.CHAT, x, y, asks=True)
    t.quote(p.CHAT_BACK, y, x)


def _together(t: Teller, x: Person, y: Person) -> None:
    cast.place(t)
    t.tell(cast.pair(t, x, y), p.WALKS, p.TOGETHER)


def _double(t: Teller, x: Person, y: Person) -> None:
    tell_sense(t, x, t.draw.pick(SENSES), short=True)


KINDS = (_weather, _walk, _stray, _chat, _together, _double)
