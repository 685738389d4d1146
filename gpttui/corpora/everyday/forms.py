"""English forms that the frames of the everyday world ask for: plurals, -ing, pronouns."""

from typing import NamedTuple

from gpttui.corpora.tales.grammar import third_person


class Pronouns(NamedTuple):
    """One person's forms, and what verbs agree with."""

    he: str
    him: str
    his: str
    himself: str
    plural: bool = False


PRONOUNS = {
    "he": Pronouns("he", "him", "his", "himself"),
    "she": Pronouns("she", "her", "her", "herself"),
    "it": Pronouns("it", "it", "its", "itself"),
    "I": Pronouns("I", "me", "my", "myself", True),
    "you": Pronouns("you", "you", "your", "yourself", True),
    "we": Pronouns("we", "us", "our", "ourselves", True),
    "they": Pronouns("they", "them", "their", "themselves", True),
}
_IRREGULAR_PLURALS = dict(
    pair.split("/")
    for pair in """
    mouse/mice man/men woman/women child/children person/people sheep/sheep fish/fish deer/deer goose/geese wolf/wolves
    calf/calves leaf/leaves knife/knives loaf/loaves foot/feet tooth/teeth tomato/tomatoes potato/potatoes trout/trout
    salmon/salmon carp/carp scarf/scarves postman/postmen policeman/policemen fisherman/fishermen thief/thieves
    shelf/shelves wife/wives life/lives match/matches
    """.split()
)
_DOUBLED = frozenset(
    "swim run sit get put cut dig win hit begin let shut stop chat clap drag drop grab hop hug hum jog nod pat pet "
    "plan rub shop skip slip step trip wag wrap stir".split()
)


def plural(noun: str) -> str:
    """The plural; of *piece of cake* it is *pieces of cake*."""
    head, of, rest = noun.partition(" of ")
    first, _, word = head.rpartition(" ")
    word = _IRREGULAR_PLURALS.get(word) or third_person(word)
    return f"{first} {word}".strip() + of + rest


def ing(verb: str) -> str:
    """*-ing* of a verb phrase's first word: *getting up*."""
    word, _, rest = verb.partition(" ")
    if word in _DOUBLED:
        word += word[-1]
    elif word.endswith("ie"):
        word = word[:-2] + "y"
    elif word.endswith("e") and word not in ("be", "see"):
        word = word[:-1]
    return f"{word}ing {rest}".strip()


def is_plural(phrase: str) -> bool:
    """Whether a noun phrase takes *are*."""
    return phrase.endswith("s") and not phrase.endswith("ss") and not phrase.startswith(("a ", "an "))
