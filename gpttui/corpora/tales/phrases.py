"""The phrases that every plot of the tales world shares.

Verb phrases follow a subject ("Mia", "she", "Mia and Tom"); books of sentences say so. Not for: phrases of
one plot (`plots`).
Slots: X the subject; Y the other one; o the thing (ao "a red kite", ro "the red kite", it, they); at a spot;
in, to a place.
"""

from __future__ import annotations

from gpttui.corpora import tables
from gpttui.corpora.tales import lexicon
from gpttui.corpora.tales.grammar import book
from gpttui.corpora.tales.lexicon import with_article

_TABLES = tables.read("tales_phrases")

ADVERBS = lexicon.ADVERBS

_FRUIT = lexicon.words("apple banana cherry fig grape lemon melon orange peach pear plum strawberry")

POOLS: dict[str, tuple[str, ...]] = {
    "HOME": lexicon.HOMES,
    "HOBBY": lexicon.HOBBIES,
    "HAPPY": lexicon.HAPPY,
    "SAD": lexicon.SAD,
    "SHOP": lexicon.SHOPS,
    "WEATHER": lexicon.WEATHER,
    "COLOUR": lexicon.COLOURS,
    "TRAIT": lexicon.TRAITS,
    "A_TRAIT": tuple(map(with_article, lexicon.TRAITS)),
    "KIND": lexicon.KINDS,
    "STRAY": lexicon.STRAYS,
    "A_KIND": tuple(map(with_article, lexicon.KINDS)),
    "A_STRAY": tuple(map(with_article, lexicon.STRAYS)),
    "A_JOB": tuple(map(with_article, lexicon.JOBS)),
    "RELATIVE": lexicon.RELATIVES,
    "NUMBER": lexicon.NUMBERS,
    "FRUIT": lexicon.words(
        "apples bananas cherries figs grapes lemons melons oranges peaches pears plums strawberries"
    ),
    "FRUIT1": _FRUIT,
    "MEAL": lexicon.words("soup porridge noodles pancakes rice beans toast salad stew spaghetti dumplings potatoes"),
    "BAG": lexicon.words("pocket bag basket backpack suitcase satchel"),
    "SOUND": lexicon.words("bang crash splash creak whistle rumble knock squeak thump giggle bark roar"),
    "NAME": lexicon.BOYS + lexicon.GIRLS,
    "A_COLOUR": tuple(map(with_article, lexicon.COLOURS)),
    "FEEL": lexicon.words("hungry thirsty tired sleepy surprised breathless dizzy hot cold confused"),
    "WEEKDAY": lexicon.words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday"),
    "MENDER": lexicon.words("string glue wire tape wax paint wool thread paper ribbon"),
    "STRAYS": tuple(w[:-1] + "ies" if w.endswith("fly") else w + "s" for w in lexicon.STRAYS),
    "A_SHOP": tuple(map(with_article, lexicon.SHOPS)),
    "A_FRUIT1": tuple(map(with_article, _FRUIT)),
    "FEW": lexicon.words("two three four five six seven"),
    "SPORT": lexicon.words("tennis football chess cricket hockey basketball badminton rugby golf cards"),
    "SUBJECT": lexicon.words("history music geography arithmetic science poetry art grammar astronomy cooking"),
}

OPENINGS = book(_TABLES["OPENINGS"])
LIKES = book(_TABLES["LIKES"])
FRIENDS = book(_TABLES["FRIENDS"])
DAYS = book(_TABLES["DAYS"])
LEADS = book(_TABLES["LEADS"])
JUMPS = book(_TABLES["JUMPS"])
SOFT_JOINS = (" and", ", and so {he}", " and soon", ", and {he}")
JOINS = (" and", ", and then {he}", ", then", ".", ", and after that {he}", " and at once")
SAID = book(_TABLES["SAID"])
ASKED = book(_TABLES["ASKED"])

ARRIVES = book(_TABLES["ARRIVES"])
GETS = book(_TABLES["GETS"])
PUTS = book(_TABLES["PUTS"])
KEEPING = book(_TABLES["KEEPING"])
WANTS = book(_TABLES["WANTS"])
FINDS = book(_TABLES["FINDS"])
LOOKS_IN_VAIN = book(_TABLES["LOOKS_IN_VAIN"])
JOYS = book(_TABLES["JOYS"])
SORROWS = book(_TABLES["SORROWS"])
WHERE_IS = book(_TABLES["WHERE_IS"])
IT_IS = book(_TABLES["IT_IS"])
THANKS = book(_TABLES["THANKS"])
ENDINGS = book(_TABLES["ENDINGS"])
JOINT_ENDINGS = book(_TABLES["JOINT_ENDINGS"])
