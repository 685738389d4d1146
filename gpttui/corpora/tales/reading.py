"""Reading a tale back: sentences, speech, people, things and spots, as the checker needs them.

For: text that the simulator wrote, and text that a model wrote in its manner, perhaps badly. It knows the
lexicon, not the plots. Not for: judging what it reads (`checker`).
"""

import re
from typing import NamedTuple

from gpttui.corpora.tales.lexicon import FOOD, HOMES, PLACES, POOLS, SORTS
from gpttui.corpora.tales.senses import WORDS

MALE = frozenset(POOLS.BOY + POOLS.PET_HE)
FEMALE = frozenset(POOLS.GIRL + POOLS.PET_SHE)
_TITLES = {"Mr": "he", "Uncle": "he", "Grandpa": "he", "Mrs": "she", "Aunt": "she", "Grandma": "she"}
PRONOUN_GENDER = {
    "he": "he", "him": "he", "his": "he", "himself": "he", "she": "she", "her": "she", "herself": "she",
}  # fmt: skip
_WOMEN = frozenset(("girl", "woman", "queen", "star", "model"))
_MEN = frozenset(("boy", "man", "referee"))

SINGULAR = frozenset(noun for sort in (*SORTS, FOOD) for noun in sort.nouns) | {"key"}
PLURAL = frozenset(noun for sort in (*SORTS, FOOD) for noun in sort.plurals)
_LISTED_SPOTS = frozenset((spot.prep, spot.noun) for place in PLACES for spot in place.spots)
_SPOT_NOUNS = frozenset(noun for _, noun in _LISTED_SPOTS)
_PET_NAMES = MALE | FEMALE


def _any_of(words: frozenset[str] | tuple[str, ...]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))


NAME = re.compile(rf"\b(?:(?:{_any_of(tuple(_TITLES))}) [A-Z][a-z]+|(?:{_any_of(_PET_NAMES)}))\b")
THING = re.compile(
    rf"\b([Tt]he|a|an|some|his|her|[Ii]ts|these|this) (?:[a-z-]+ )??({_any_of(SINGULAR | PLURAL)})\b"
    rf"(?! (?:of|{_any_of(SINGULAR | PLURAL)})\b)"
)
SPOT = re.compile(rf"\b(in|on|under|behind) the ({_any_of(_SPOT_NOUNS)})\b")
_HOME = re.compile(_any_of(HOMES))
_QUOTE = re.compile(r'"[^"]*"')
_BREAK = re.compile(r'(?<=[.!?])\s+(?=["A-Z])|(?<=[.!?]")\s+(?=["A-Z])')
_AWAY = re.compile(r"^(?:While|When) [^,]*,")
SENSE_WORD = re.compile(rf"\b(?:the|a|that|another|every) (?:[a-z-]+ )?({_any_of(WORDS)})\b")
STRAY = re.compile(rf"\b[Tt]he ({_any_of(POOLS.STRAY + POOLS.THIEF)})\b")


class Mention(NamedTuple):
    """A word of the text that means something of the world, and where it begins in its sentence."""

    what: str
    start: int


class Sentence(NamedTuple):
    """One sentence, its narration (speech blanked out), its speech, and what is mentioned in the narration."""

    text: str
    narration: str
    speech: tuple[str, ...]
    people: tuple[Mention, ...]
    things: tuple[Mention, ...]
    spots: tuple[Mention, ...]
    within_speech: bool = False
    """It is part of a speech of several sentences."""

    @property
    def speaker(self) -> str | None:
        """Who speaks, by name, if somebody does."""
        return self.people[0].what if self.speech and self.people else None


def sentences(text: str) -> list[str]:
    """The sentences of a tale; speech stays with its speaker."""
    return [piece for piece in _BREAK.split(text.strip()) if piece]


def gender_of(name: str) -> str | None:
    """`he` or `she` for a name of the world, otherwise None."""
    title = name.split(" ")[0]
    if title in _TITLES:
        return _TITLES[title]
    return "he" if name in MALE else "she" if name in FEMALE else None


def mentions_of_things(text: str) -> tuple[Mention, ...]:
    """Things, by noun; those that are part of a spot (*behind the map*) are left out."""
    masked = SPOT.sub(_mask_spot, text)
    return tuple(Mention(match.group(2), match.start()) for match in THING.finditer(masked))


def _mask_spot(match: re.Match[str]) -> str:
    pair = (match.group(1), match.group(2))
    is_thing = match.group(2) in SINGULAR | PLURAL
    return match.group() if is_thing and pair not in _LISTED_SPOTS else " " * len(match.group())


def mentions_of_spots(text: str) -> tuple[Mention, ...]:
    """Spots, as *under the bed*."""
    return tuple(
        Mention(match.group(), match.start())
        for match in SPOT.finditer(_HOME.sub(lambda m: "~" * len(m.group()), text))
        if match.group(2) not in SINGULAR | PLURAL or (match.group(1), match.group(2)) in _LISTED_SPOTS
    )


def read_all(pieces: list[str]) -> list[Sentence]:
    """The sentences of a tale, read; one that stands inside a longer speech has no narration."""
    read_so_far = []
    inside = False
    for piece in pieces:
        odd = piece.count('"') % 2 == 1
        if not inside and not odd:
            read_so_far.append(read(piece))
        else:
            spoken = piece.rfind('"') + 1 if inside and odd else len(piece)
            part = read(f'"{piece[:spoken].strip(chr(34))}"{piece[spoken:]}')
            read_so_far.append(part._replace(within_speech=True))
        inside ^= odd
    return read_so_far


def read(text: str) -> Sentence:
    """One sentence, read."""
    narration = _QUOTE.sub(lambda match: "~" * len(match.group()), after_lead(text))
    people = tuple(Mention(match.group(), match.start()) for match in NAME.finditer(narration))
    speech = tuple(match.group().strip('"') for match in _QUOTE.finditer(text))
    return Sentence(text, narration, speech, people, mentions_of_things(narration), mentions_of_spots(narration))


def after_lead(text: str) -> str:
    """A sentence without an opening *while somebody was out,* or *when it was time,*; its length is kept."""
    return _AWAY.sub(lambda match: "_" * len(match.group()), text)


def gendered_nouns(narration: str) -> set[str]:
    """The genders of people who are only described: *his mother*, *a woman*, *the star*."""
    words = set(re.findall(r"[a-z]+", narration))
    return ({"she"} if words & _WOMEN else set()) | ({"he"} if words & _MEN else set())
