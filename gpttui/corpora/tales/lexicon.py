"""The words of the tales world: who lives there, what they own, where they keep it.

For: plain data, grouped into pools from which the teller draws uniformly, and from which the checker knows
what a word is.
Not for: sentences (see `phrases`, `senses`, `topics`) or inflection (see `grammar`).
Every pool holds distinct entries, because a doubled entry would make the entropy account wrong.
"""

from __future__ import annotations

from typing import NamedTuple

from gpttui.corpora import tables

_TABLES = tables.read("tales_lexicon")


class Spot(NamedTuple):
    """Where a thing can be put: a preposition and a noun, as in *under the bed*."""

    prep: str
    noun: str


class Place(NamedTuple):
    """Where a person can be; its spots are the only ones a thing can be put at there."""

    prep: str
    noun: str
    spots: tuple[Spot, ...]


def words(text: str) -> tuple[str, ...]:
    """Split a block of words; `_` stands for a space inside an entry."""
    return tuple(word.replace("_", " ") for word in text.split())


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().split("\n"))


def article(phrase: str) -> str:
    """*a* or *an*, by the sound the phrase begins with."""
    if phrase.startswith(("us", "uni", "uk", "one")):
        return "a"
    return "an" if phrase[0] in "aeiou" or phrase.startswith("hon") else "a"


def with_article(phrase: str) -> str:
    return f"{article(phrase)} {phrase}"


BOYS = words(_TABLES["BOYS"])
GIRLS = words(_TABLES["GIRLS"])
PETS_HE = words(_TABLES["PETS_HE"])
PETS_SHE = words(_TABLES["PETS_SHE"])
SURNAMES = words(_TABLES["SURNAMES"])
UNCLES = words("Albert Dmitri Frank George Jack Oliver Pedro Sam")
AUNTS = words("Alma Carmen Ella Flora Hilda Joan Marta Pearl")

KINDS = words(_TABLES["KINDS"])
STRAYS = words(_TABLES["STRAYS"])
THIEVES = words("crow gull jackdaw magpie monkey puppy raven squirrel weasel kitten goat ferret parrot seagull")
JOBS = words(_TABLES["JOBS"])

TRAITS = words(_TABLES["TRAITS"])
HAPPY = words(_TABLES["HAPPY"])
SAD = words("sad upset unhappy worried miserable cross sorry gloomy ashamed disappointed tearful annoyed")
ADVERBS = words(_TABLES["ADVERBS"])
WEATHER = words(_TABLES["WEATHER"])
DAYTIMES = words(_TABLES["DAYTIMES"])
HOMES = _lines(_TABLES["HOMES"])
HOBBIES = _lines(_TABLES["HOBBIES"])

COLOURS = words("red blue green yellow white black brown purple pink orange silver golden grey turquoise")
_TOY_LOOKS = COLOURS + words(_TABLES["TOY_LOOKS"])
_CLOTH_LOOKS = COLOURS + words("woollen warm soft striped spotted knitted velvet torn new old silk checked")
_TOOL_LOOKS = words("rusty heavy sharp old new shiny useful sturdy long short iron copper brass strong wooden")
_FOOD_LOOKS = words("sweet warm fresh delicious tasty ripe crunchy juicy big small tempting fine enormous round")
_TREASURE_LOOKS = words(_TABLES["TREASURE_LOOKS"])
_BOOK_LOOKS = words("thick thin dusty old new secret beautiful blue red green torn long short famous puzzling")


class Sort(NamedTuple):
    """A sort of thing: its nouns, its adjectives, what one does with it (`{it}` is the thing)."""

    name: str
    nouns: tuple[str, ...]
    plurals: tuple[str, ...]
    looks: tuple[str, ...]
    uses: tuple[str, ...]


SORTS = (
    Sort(
        "toy",
        words(_TABLES["SORT_TOY"]),
        words("marbles blocks dominoes crayons stilts skates skittles stickers"),
        _TOY_LOOKS,
        ("play with {it}", "have fun with {it}", "show {it} to everyone", "try {it} out", "play with {it} again"),
    ),
    Sort(
        "clothes",
        words(_TABLES["SORT_CLOTHES"]),
        words("boots gloves mittens socks shoes slippers trousers sandals"),
        _CLOTH_LOOKS,
        ("wear {it}", "put {it} on", "try {it} on", "keep warm with {it}", "wear {it} to the party"),
    ),
    Sort(
        "tool",
        words(_TABLES["SORT_TOOL"]),
        words("scissors pliers tongs tacks candles binoculars"),
        _TOOL_LOOKS,
        ("work with {it}", "use {it}", "oil {it}", "finish the job with {it}", "clean {it}"),
    ),
    Sort(
        "treasure",
        words(_TABLES["SORT_TREASURE"]),
        words("jewels beads earrings pebbles stamps"),
        _TREASURE_LOOKS,
        ("look at {it}", "admire {it}", "hold {it}", "polish {it}", "touch {it}"),
    ),
    Sort(
        "book",
        words(_TABLES["SORT_BOOK"]),
        words("letters maps photographs notes"),
        _BOOK_LOOKS,
        ("read {it}", "study {it}", "read {it} aloud", "look at {it}", "read {it} again"),
    ),
    Sort(
        "instrument",
        words(_TABLES["SORT_INSTRUMENT"]),
        words("cymbals bagpipes castanets maracas"),
        COLOURS + words("old new shiny wooden tiny beautiful"),
        ("play {it}", "practise with {it}", "play {it} for the neighbours", "tune {it}", "learn to play {it}"),
    ),
)
FOOD = Sort(
    "food",
    words(_TABLES["FOOD"]),
    words("cherries strawberries nuts grapes berries noodles dumplings raisins figs peas"),
    _FOOD_LOOKS,
    ("eat {it}", "taste {it}", "share {it}", "have {it} for supper", "try {it}"),
)


def _places(text: str) -> tuple[Place, ...]:
    places = []
    for line in _lines(text):
        head, tail = line.split(": ")
        prep, noun = head.split(" ", 1)
        spots = tuple(Spot(*spot.split(" ", 1)) for spot in tail.split(", "))
        places.append(Place(prep, noun, spots))
    return tuple(places)


PLACES = _places(_TABLES["PLACES"])
SHOPS = words(_TABLES["SHOPS"])
RELATIVES = words("grandmother grandfather mother father aunt uncle cousin godmother sister brother neighbour teacher")
NUMBERS = words("two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty")
