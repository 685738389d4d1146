"""Small things that happen between the parts of a plot: the weather, a stray animal, a meal, a chat, a walk.

An aside leaves no thing moved, so that what was put somewhere must be remembered across it.
"""

from __future__ import annotations

from gpttui.corpora import tables
from gpttui.corpora.tales import cast
from gpttui.corpora.tales.grammar import book
from gpttui.corpora.tales.lexicon import STRAYS
from gpttui.corpora.tales.senses import SENSES, tell_sense
from gpttui.corpora.tales.telling import Teller
from gpttui.corpora.tales.world import Person

_TABLES = tables.read("tales_asides")

WEATHERS = book(_TABLES["WEATHERS"])
WALKS = book(_TABLES["WALKS"])
DOES = book(_TABLES["DOES"])
STRAY_SEEN = book(_TABLES["STRAY_SEEN"])
STRAY_DOES = book(_TABLES["STRAY_DOES"])
CHAT = book(_TABLES["CHAT"])
CHAT_BACK = book(_TABLES["CHAT_BACK"])
TOGETHER = book(_TABLES["TOGETHER"])


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
