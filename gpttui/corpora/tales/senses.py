"""Words with more than one meaning, told so that what follows depends on the meaning.

For each word `tables/tales_senses.txt` gives verb phrases that mention it in the same
words for every meaning (`@`); and for each meaning (`#`) what leads to it (`>`), what follows (`1`, then
`2`), what it is (`=`) and what else is true of it (`+`). Alternatives are separated by `|`.
Not for: the frame of an explanation (`explain`).
"""

from typing import NamedTuple

from gpttui.corpora import tables
from gpttui.corpora.tales.grammar import Book, book
from gpttui.corpora.tales.phrases import BOOKS as p
from gpttui.corpora.tales.phrases import SOFT_JOINS
from gpttui.corpora.tales.telling import Teller
from gpttui.corpora.tales.world import Person


class Sense(NamedTuple):
    """One meaning of one word."""

    word: str
    meaning: str
    mention: Book
    before: Book
    after: tuple[Book, Book]
    definition: Book
    facts: Book


def alternatives(line: str) -> Book:
    """A book of a line that begins with its mark; `|` stands between its templates."""
    return book("\n".join(line[1:].split("|")))


def parse(text: str) -> tuple[Sense, ...]:
    """The senses in a block of data (see the module's docstring)."""
    senses = []
    for block in text.strip().split("\n\n"):
        lines = block.split("\n")
        word, mention = lines[0], alternatives(lines[1])
        fields: dict[str, Book] = {}
        meaning = ""
        for line in lines[2:]:
            if line[0] == "#":
                meaning = line[1:].strip()
                continue
            fields[line[0]] = alternatives(line)
            if line[0] == "+":
                after = (fields["1"], fields["2"])
                senses.append(Sense(word, meaning, mention, fields[">"], after, fields["="], fields["+"]))
    return tuple(senses)


SENSES = tuple(sense for text in tables.read("tales_senses").values() for sense in parse(text))
WORDS = tuple(dict.fromkeys(sense.word for sense in SENSES))
BY_WORD = {word: tuple(sense for sense in SENSES if sense.word == word) for word in WORDS}


def tell_sense(t: Teller, x: Person, sense: Sense, short: bool = False) -> None:
    """X comes upon the word in one meaning; two to three sentences."""
    t.tell(x, sense.before, sense.mention, lead=None if short else p.DAYS, joins=SOFT_JOINS)
    t.say(sense.after[0], None)
    if not short or t.draw.flip(0.5):
        t.say(sense.after[1], None)
