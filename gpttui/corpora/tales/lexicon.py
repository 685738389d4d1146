"""The words of the tales world: who lives there, what they own, where they keep it.

For: plain data (`tables/tales_words.txt`, `tales_things.txt`, `tales_places.txt`), grouped into pools from which the
teller draws uniformly, and from which the checker knows what a word is.
Not for: sentences (see `phrases`, `senses`, `topics`) or inflection (see `grammar`).
Every pool holds distinct entries, because a doubled entry would make the entropy account wrong.
"""

from typing import NamedTuple

from gpttui.corpora.tables import Table, read


class Spot(NamedTuple):
    """Where a thing can be put: a preposition and a noun, as in *under the bed*."""

    prep: str
    noun: str


class Place(NamedTuple):
    """Where a person can be; its spots are the only ones a thing can be put at there."""

    prep: str
    noun: str
    spots: tuple[Spot, ...]


class Sort(NamedTuple):
    """A sort of thing: its nouns, its adjectives, what one does with it (`{it}` is the thing)."""

    name: str
    nouns: tuple[str, ...]
    plurals: tuple[str, ...]
    looks: tuple[str, ...]
    uses: tuple[str, ...]


def words(text: str) -> tuple[str, ...]:
    """Split a block of words; `_` stands for a space inside an entry."""
    return tuple(word.replace("_", " ") for word in text.split())


def article(phrase: str) -> str:
    """*a* or *an*, by the sound the phrase begins with."""
    if phrase.startswith(("us", "uni", "uk", "one")):
        return "a"
    return "an" if phrase[0] in "aeiou" or phrase.startswith("hon") else "a"


def with_article(phrase: str) -> str:
    return f"{article(phrase)} {phrase}"


def _sort(name: str, block: str) -> Sort:
    """From four lines: nouns, plurals, looks (`COLOUR` stands for all colours), uses."""
    nouns, plurals, looks, uses = block.split("\n")
    looks = looks.replace("COLOUR", " ".join(POOLS.COLOUR))
    return Sort(name, words(nouns), words(plurals), words(looks), tuple(uses.split(" | ")))


def _place(line: str) -> Place:
    """From `in kitchen: in cupboard, under table`."""
    head, spots = line.split(": ")
    prep, noun = head.split(" ", 1)
    return Place(prep, noun, tuple(Spot(*spot.split(" ", 1)) for spot in spots.split(", ")))


POOLS = Table(words, "tales_words")
_PLACES = Table(str.splitlines, "tales_places")
HOMES, HOBBIES = tuple(_PLACES.HOMES), tuple(_PLACES.HOBBIES)
PLACES = tuple(_place(line) for line in _PLACES.PLACES)
*_SORTS, FOOD = (_sort(name, block) for name, block in read("tales_things").items())
SORTS = tuple(_SORTS)
