"""Whole tales: `documents` for a corpus, `stories` with the simulator's log and its entropy account.

Four documents in six tell a plot, one is about a word with two meanings, one explains something.
"""

from collections.abc import Iterator
from itertools import accumulate, count, islice
from typing import NamedTuple

from gpttui.corpora.tales import cast
from gpttui.corpora.tales.asides import aside
from gpttui.corpora.tales.chooser import Chooser
from gpttui.corpora.tales.explain import explanation
from gpttui.corpora.tales.phrases import BOOKS as p
from gpttui.corpora.tales.plots import PLOTS
from gpttui.corpora.tales.senses import SENSES, tell_sense
from gpttui.corpora.tales.telling import Teller
from gpttui.corpora.tales.world import Event


class Story(NamedTuple):
    """A tale, its events (each with the number of its sentence), where its sentences end, and what its choices cost."""

    text: str
    log: tuple[Event, ...]
    ends: tuple[int, ...]
    choice_nats: float


def _plot(t: Teller) -> None:
    t.choose_tense()
    x, noun = cast.hero(t)
    cast.opening(t, x, noun)
    if t.draw.flip(0.4):
        t.tell(x, p.LIKES, lead=())
    y, kind = cast.friend(t, x)
    t.roles["whoy"] = cast.described(t, kind)
    t.say(p.FRIENDS, x, y)
    t.focus = None
    t.draw.pick(PLOTS)(t, x, y)
    if t.draw.flip(0.6):
        t.say(p.ENDINGS, x)
    else:
        t.say(p.JOINT_ENDINGS, cast.pair(t, x, y))


def _double(t: Teller) -> None:
    t.choose_tense()
    x, noun = cast.hero(t)
    cast.opening(t, x, noun)
    t.tell(x, p.LIKES, lead=())
    if t.draw.flip(0.5):
        y, kind = cast.friend(t, x)
        t.roles["whoy"] = cast.described(t, kind)
        t.say(p.FRIENDS, x, y)
        t.focus = None
        tell_sense(t, x, t.draw.pick(SENSES))
        aside(t, x, y)
    else:
        tell_sense(t, x, t.draw.pick(SENSES))
    t.tell(x, p.JOYS)
    t.say(p.ENDINGS, x)


def tell(t: Teller) -> None:
    """Tell one document."""
    if t.draw.flip(0.7):
        _plot(t)
    elif t.draw.flip(0.5):
        _double(t)
    else:
        explanation(t)


def documents(seed: int, n: int | None = None) -> Iterator[str]:
    """`n` tales (endlessly many if None), one line each; seeds from 1,000,000 on are for evaluation only."""
    return (told.text for told in stories(seed, n))


def stories(seed: int, n: int | None = None, marked: bool = False) -> Iterator[Story]:
    """The same tales as `documents`, with what the simulator knows about them.

    `marked` leaves the probes' marks in the text.
    """
    draw = Chooser(seed)
    for _ in islice(count(), n):
        before = draw.nats
        t = Teller(draw, marked)
        tell(t)
        ends = accumulate((len(line) + 1 for line in t.lines), initial=-1)
        yield Story(" ".join(t.lines), tuple(t.world.log), tuple(ends)[1:], draw.nats - before)
