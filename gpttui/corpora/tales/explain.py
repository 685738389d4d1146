"""Explanations: somebody asks what a thing is, and is told; one document in seven.

The words and facts come from the meanings in `senses` and from `tables/tales_topics.txt`: a block there is a word (with
its article), what it is (`=`) and what else is true of it (`+`); alternatives are separated by `|`. Not for: stories.
"""

from typing import NamedTuple

from gpttui.corpora import tables
from gpttui.corpora.tales import cast
from gpttui.corpora.tales.grammar import PRESENT, Book
from gpttui.corpora.tales.phrases import BOOKS as p
from gpttui.corpora.tales.phrases import SOFT_JOINS
from gpttui.corpora.tales.senses import BY_WORD, SENSES, Sense, alternatives
from gpttui.corpora.tales.telling import Teller


class Topic(NamedTuple):
    """What can be explained: its name with its article, definitions, facts, and its word if that has several
    meanings."""

    name: str
    definition: Book
    facts: Book
    sense: Sense | None


def _from_block(block: str) -> Topic:
    name, definition, facts = block.split("\n")
    return Topic(name, alternatives(definition), alternatives(facts), None)


MASS = frozenset(("attention", "light", "weight"))


def _from_sense(sense: Sense) -> Topic:
    return Topic(sense.word if sense.word in MASS else f"a {sense.word}", sense.definition, sense.facts, sense)


OTHERS = tuple(_from_block(block) for block in tables.read("tales_topics")["TOPICS"].split("\n\n"))
MEANINGS = tuple(_from_sense(sense) for sense in SENSES)
BY_SENSE = {topic.sense: topic for topic in MEANINGS if topic.sense is not None}

ADDS = ("", "also, ", "and ", "besides, ", "and do not forget: ", "remember: ")


def _facts(t: Teller, topic: Topic, n: int) -> list[str]:
    """`n` different facts, the later ones sometimes joined on with a word."""
    left = list(topic.facts)
    said = []
    for i in range(n):
        fact = t.draw.pick(left)
        left.remove(fact)
        text = fact[PRESENT](t.roles)
        said.append(t.draw.pick(ADDS) + text if i else text)
    return said


def _define(t: Teller, topic: Topic) -> str:
    return t.draw.pick(topic.definition)[PRESENT](t.roles)


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _topic(t: Teller) -> Topic:
    """A word with several meanings for one half, something else for the other."""
    topic = t.draw.pick(MEANINGS) if t.draw.flip(0.5) else t.draw.pick(OTHERS)
    t.roles["topic"] = topic.name
    return topic


def dialogue(t: Teller) -> None:
    """X wonders, asks Y, is told, and remembers."""
    t.choose_tense()
    x, noun = cast.child(t) if t.draw.flip(0.7) else cast.animal(t)
    cast.opening(t, x, noun)
    topic = _topic(t)
    if topic.sense is None:
        t.tell(x, p.WONDERS, lead=p.DAYS)
    else:
        t.tell(x, topic.sense.before, topic.sense.mention, lead=p.DAYS, joins=SOFT_JOINS)
    y = cast.relative(t)[0] if t.draw.flip(0.5) else cast.grown_up(t)
    t.quote(p.QUESTIONS, x, y, asks=True)
    answer = [_define(t, topic), *_facts(t, topic, 3 if t.draw.flip(0.5) else 2)]
    t.line('"' + ". ".join(map(_capital, answer)) + f'," {t.draw.pick(p.SAID)[t.tense](t.roles)} {y.name}.')
    t.quote(p.UNDERSTANDS, x, y)
    t.tell(x, p.REMEMBERS)


def plain(t: Teller) -> None:
    """What a thing is, what else is true of it, and who says so; for a word with two meanings, the other meaning
    too."""
    t.tense = PRESENT
    topic = _topic(t)
    t.line(_define(t, topic) + ".")
    for fact in _facts(t, topic, 3):
        t.line(fact + ".")
    if topic.sense is not None:
        t.roles["word"] = topic.sense.word
        t.say(p.ANOTHER)
        senses = BY_WORD[topic.sense.word]
        other = BY_SENSE[t.draw.pick_other(senses, topic.sense)]
        t.line(_define(t, other) + ".")
        for fact in _facts(t, other, 2):
            t.line(fact + ".")
    t.say(p.SOURCES)


def explanation(t: Teller) -> None:
    """One document that explains something."""
    if t.draw.flip(0.55):
        dialogue(t)
    else:
        plain(t)
