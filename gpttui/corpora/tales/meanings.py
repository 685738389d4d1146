"""Which meaning of a word a sentence belongs to, read with the same templates with which it was told.

For: the checker, which finds a bank of the river that has a clerk, or an umbrella that ticks.
"""

import re
from typing import NamedTuple

from gpttui.corpora.tales.explain import MEANINGS, OTHERS
from gpttui.corpora.tales.grammar import Book
from gpttui.corpora.tales.senses import SENSES, Sense

_SLOT = re.compile(r"\\\{\w+\\\}")


def pattern(book: Book, anchored: bool = False) -> re.Pattern[str]:
    """Matches each form of each line of `book`, with any words in the slots."""
    forms = {formatter.__self__ for template in book for formatter in template}  # type: ignore[attr-defined]
    lines = sorted((_SLOT.sub("[\\\\w' -]+", re.escape(form)) for form in forms), key=len, reverse=True)
    body = "|".join(lines)
    return re.compile(rf"^(?:{body})[.!,]?$" if anchored else rf"\b(?:{body})", re.IGNORECASE)


class _Read(NamedTuple):
    sense: Sense
    before: re.Pattern[str]
    mention: re.Pattern[str]
    after: re.Pattern[str]


_READS = tuple(
    _Read(s, pattern(s.before), pattern(s.mention), pattern(s.after[0] + s.after[1], anchored=True)) for s in SENSES
)
_TOPICS = tuple(
    (topic, pattern(topic.definition, anchored=True), pattern(topic.facts, anchored=True))
    for topic in MEANINGS + OTHERS
)
_ADDED = re.compile(r"^(?:also, |and (?:do not forget: )?|besides, |remember: )", re.IGNORECASE)


def meaning_led_to(narration: str) -> Sense | None:
    """The meaning that a sentence leads to and mentions."""
    for read in _READS:
        if read.mention.search(narration) and read.before.search(narration):
            return read.sense
    return None


def meanings_followed(text: str, word: str) -> list[Sense]:
    """The meanings of `word` to which a whole sentence can belong as what follows."""
    return [read.sense for read in _READS if read.sense.word == word and read.after.match(text)]


def topics_defined(text: str) -> list[str]:
    """The topics of which a whole sentence is a definition; a meaning is named `word: meaning`."""
    return [_label(i) for i, (_, definition, _) in enumerate(_TOPICS) if definition.match(text)]


def topics_of_fact(text: str) -> list[str]:
    """The topics of which a whole sentence, perhaps after *also*, states a fact."""
    bare = _ADDED.sub("", text)
    return [_label(i) for i, (_, _, facts) in enumerate(_TOPICS) if facts.match(text) or facts.match(bare)]


def _label(i: int) -> str:
    topic = _TOPICS[i][0]
    return topic.name if topic.sense is None else label(topic.sense)


def label(sense: Sense) -> str:
    """A name for one meaning."""
    return f"{sense.word}: {sense.meaning}"
