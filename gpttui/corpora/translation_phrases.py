"""Noun phrases in two languages at once: words of the lexicon, their English forms, determiners and adjectives.

For: `translation.py`, which puts verbs between them. Not for: whole sentences, nor French spelling (`french.py`).
The words stand in `tables/translation.txt`, typed by hand, each with one meaning. Their classes keep sentences
sensible: P person, A animal, F food that is counted, M food that is not, D drink, R reading, C clothing, T thing,
X container, O what opens, U surface, L place to be in, S place to be on, V vehicle, N nature, I instrument.
"""

import random
from dataclasses import dataclass

from gpttui.corpora import tables
from gpttui.corpora.french import IL, ILS, JE, NOUS, VOUS, elides, plural_of

_LEXICON = tables.read("translation")
# one pick each, so a word that stands twice is twice as likely; by number: singular, plural, uncountable
_DETERMINERS = {
    "subject": ("the the the the a a this POSSESSIVE POSSESSIVE every", "the the the these POSSESSIVE NUMBER many some",
                "the the POSSESSIVE this"),
    "object": ("the the the a a a this POSSESSIVE POSSESSIVE", "the the these POSSESSIVE NUMBER many some some",
               "the some some some POSSESSIVE"),
    "negated": ("the the a a this POSSESSIVE", "the these POSSESSIVE any any", "the any any any POSSESSIVE"),
    "definite": ("the the the this POSSESSIVE POSSESSIVE", "the the these POSSESSIVE", "the the POSSESSIVE this"),
    "kind": ("the the this POSSESSIVE", "the POSSESSIVE bare bare", "the bare bare bare"),
    "prepositional": ("the the the a this POSSESSIVE POSSESSIVE", "the the these POSSESSIVE NUMBER", "the"),
    "existing": ("a", "some some NUMBER NUMBER many", "some"),
    "not existing": ("no", "no", "no"),
}  # fmt: skip
_VOWEL_FORMS = {"ce": "cet", "beau": "bel", "nouveau": "nouvel", "vieux": "vieil"}
_FEMININE_VOWEL_FORMS = {"ma": "mon", "sa": "son"}
_PLACES = {  # noun class: English and French prepositions
    "L": (("in", "dans"), ("in", "dans"), ("near", "près de")),
    "B": (("in", "dans"), ("in", "dans"), ("behind", "derrière"), ("in front of", "devant")),
    "S": (("on", "sur"),),
    "U": (("on", "sur"), ("on", "sur"), ("under", "sous"), ("near", "près de")),
    "X": (("in", "dans"),),
    "V": (("in", "dans"), ("behind", "derrière")),
    "N": (("near", "près de"), ("behind", "derrière")),
}


@dataclass(frozen=True, slots=True)
class Noun:
    english: str
    english_plural: str
    french: str
    french_plural: str
    feminine: bool
    classes: str


@dataclass(frozen=True, slots=True)
class Adjective:
    english: str
    comparative: str
    """Empty where comparing makes little sense."""
    masculine: str
    feminine: str
    before_noun: bool
    classes: str

    def french(self, *, feminine: bool, plural: bool) -> str:
        """The form that agrees: noir, noire, noirs, noires."""
        form = self.feminine if feminine else self.masculine
        return plural_of(form) if plural else form


@dataclass(frozen=True, slots=True)
class Phrase:
    """A noun phrase or pronoun: English as written, French as dictionary words, and what agrees with it."""

    english: str
    french: tuple[str, ...]
    person: int
    feminine: bool
    plural: bool
    classes: str
    be: tuple[str, str] = ("is", "was")

    @property
    def third_singular(self) -> bool:
        return self.be[0] == "is"


PRONOUNS = (
    Phrase("I", ("je",), JE, False, False, "P", ("am", "was")),
    Phrase("you", ("vous",), VOUS, False, True, "P", ("are", "were")),
    Phrase("he", ("il",), IL, False, False, "P"),
    Phrase("she", ("elle",), IL, True, False, "P"),
    Phrase("we", ("nous",), NOUS, False, True, "P", ("are", "were")),
    Phrase("they", ("ils",), ILS, False, True, "P", ("are", "were")),
)


def english_plural(noun: str) -> str:
    """The regular English plural: cats, boxes, cities."""
    return noun[:-1] + "ies" if noun[-1] == "y" and noun[-2] not in "aeiou" else noun + _sibilant_e(noun) + "s"


def third_singular(verb: str) -> str:
    """`wakes up` for `wake up`, `goes`, `carries`, `has`."""
    first, space, rest = verb.partition(" ")
    irregular = {"have": "has", "go": "goes"}
    return (irregular.get(first) or english_plural(first)) + space + rest


def _sibilant_e(word: str) -> str:
    return "e" if word.endswith(("s", "sh", "ch", "x")) else ""


def rows(section: str) -> list[list[str]]:
    """A section of the lexicon, each line cut at its bars."""
    return [line.split("|") for line in _LEXICON[section].splitlines()]


def _noun(english: str, french: str, gender: str, classes: str) -> Noun:
    """From `English[/plural] | French[/plural] | gender | classes`."""
    singular_en, _, plural_en = english.partition("/")
    singular_fr, _, plural_fr = french.partition("/")
    plurals = plural_en or english_plural(singular_en), plural_fr or plural_of(singular_fr)
    return Noun(singular_en, plurals[0], singular_fr, plurals[1], gender == "f", classes)


def _adjective(english: str, comparative: str, masculine: str, feminine: str, place: str, classes: str) -> Adjective:
    """From `English | its comparative, or - | French masculine | feminine | b: before the noun | classes`."""
    return Adjective(english, comparative.strip("-"), masculine, feminine, place == "b", classes)


NOUNS = tuple(_noun(*row) for row in rows("NOUNS"))
ADJECTIVES = tuple(_adjective(*row) for row in rows("ADJECTIVES"))
_DETERMINER_FORMS = {english: french for english, *french in rows("DETERMINERS")}
_POSSESSIVES = ("my", "your", "his", "her", "our", "their")
_NUMBER_FORMS = dict(rows("NUMBERS"))
_LETTERS = sorted(set("".join(noun.classes for noun in NOUNS)))
_NOUNS_OF = {letter: [noun for noun in NOUNS if letter in noun.classes] for letter in _LETTERS}
_BEFORE = tuple(adjective for adjective in ADJECTIVES if adjective.before_noun)
_AFTER = tuple(adjective for adjective in ADJECTIVES if not adjective.before_noun)
_ADJECTIVES_OF = {
    side: {letter: [adjective for adjective in entries if letter in adjective.classes] for letter in _LETTERS}
    for side, entries in (("before", _BEFORE), ("after", _AFTER))
}


def noun_phrase(rng: random.Random, classes: str, style: str) -> Phrase:
    """A noun of one of `classes` (letters of the lexicon), with determiners of one of the styles above."""
    noun = rng.choice(_NOUNS_OF[rng.choice(classes)])
    uncountable = noun.classes in "MD"
    plural = not uncountable and noun.english != noun.english_plural and rng.random() < 0.33
    determiner = rng.choice(_DETERMINERS[style][2 if uncountable else plural].split())
    before, after = _adjectives(rng, noun, fewer=determiner == "bare")
    words_en = [adjective.english for adjective in (*before, *after)]
    words_en.append(noun.english_plural if plural else noun.english)
    agreement = {"feminine": noun.feminine, "plural": plural}
    words_fr = [adjective.french(**agreement) for adjective in before]
    words_fr.append(noun.french_plural if plural else noun.french)
    words_fr += [adjective.french(**agreement) for adjective in after]
    if before and not plural:
        words_fr[0] = _VOWEL_FORMS.get(words_fr[0], words_fr[0]) if elides(words_fr[1]) else words_fr[0]
    if determiner == "the" and rng.random() < 0.15:
        owner = _owner(rng)
        words_en[:0] = [owner.english, "'s"]
        words_fr += ["de", *owner.french]
        french_determiner = _french_determiner("the", noun, plural, words_fr[0], bool(before))
    else:
        if determiner in ("POSSESSIVE", "NUMBER"):
            determiner = rng.choice(_POSSESSIVES if determiner == "POSSESSIVE" else tuple(_NUMBER_FORMS))
        nothing = style == "negated" and determiner == "a"  # does not eat a cake: ne mange pas de gâteau
        french_determiner = _french_determiner("no" if nothing else determiner, noun, plural, words_fr[0], bool(before))
        words_en[:0] = _english_determiner(determiner, words_en[0])
    return Phrase(
        english=" ".join(words_en).replace(" 's", "'s"),
        french=(*french_determiner, *words_fr),
        person=ILS if plural else IL,
        feminine=noun.feminine,
        plural=plural,
        classes=noun.classes,
        be=("are", "were") if plural else ("is", "was"),
    )


def subject_phrase(rng: random.Random, classes: str) -> Phrase:
    """A pronoun, a noun phrase, or two joined by `and`."""
    kind = rng.random()
    if "P" in classes and kind < 0.45:
        return rng.choice(PRONOUNS)
    first = noun_phrase(rng, classes, "subject")
    if kind < 0.95 or first.classes not in "PA":
        return first
    second = noun_phrase(rng, first.classes, "definite")
    feminine = first.feminine and second.feminine
    english = f"{first.english} and {second.english}"
    french = (*first.french, "et", *second.french)
    return Phrase(english, french, ILS, feminine, True, first.classes, ("are", "were"))


def predicate(rng: random.Random, subject: Phrase) -> tuple[str, list[str]]:
    """An adjective that suits the subject, sometimes with `very` or `too`, and its French."""
    letter = rng.choice(subject.classes)
    adjective = rng.choice(_ADJECTIVES_OF["before"][letter] + _ADJECTIVES_OF["after"][letter])
    word = adjective.french(feminine=subject.feminine, plural=subject.plural)
    if adjective.comparative and rng.random() < 0.3:
        degree_en, degree_fr = rng.choice((("very", "très"), ("too", "trop")))
        return f"{degree_en} {adjective.english}", [degree_fr, word]
    return adjective.english, [word]


def place_phrase(rng: random.Random, classes: str = "LLLBBSSUUVN") -> tuple[str, list[str]]:
    """`behind the church`, and its French."""
    letter = rng.choice(classes)
    preposition_en, preposition_fr = rng.choice(_PLACES[letter])
    place = noun_phrase(rng, letter, "prepositional")
    return f"{preposition_en} {place.english}", [*preposition_fr.split(), *place.french]


def _owner(rng: random.Random) -> Phrase:
    noun = rng.choice(_NOUNS_OF["P"])
    determiner = rng.choice(("the", "the", "this", *_POSSESSIVES))
    french = (*_french_determiner(determiner, noun, False, noun.french, False), noun.french)
    return Phrase(f"{determiner} {noun.english}", french, IL, noun.feminine, False, "P")


def _adjectives(rng: random.Random, noun: Noun, *, fewer: bool) -> tuple[list[Adjective], list[Adjective]]:
    kind = rng.random() * (3 if fewer else 1)
    letter = noun.classes[0]
    before, after = _ADJECTIVES_OF["before"][letter], _ADJECTIVES_OF["after"][letter]
    return [rng.choice(before)] * (kind < 0.25), [rng.choice(after)] * (0.2 < kind < 0.45)


def _english_determiner(determiner: str, following: str) -> list[str]:
    if determiner == "a":
        return ["an" if following[0].lower() in "aeiou" else "a"]
    return [] if determiner == "bare" else [determiner]


def _french_determiner(determiner: str, noun: Noun, plural: bool, following: str, adjective_first: bool) -> list[str]:
    uncountable = noun.classes in "MD"
    definite = "les" if plural else "la" if noun.feminine else "le"
    if determiner in ("the", "bare"):
        return [definite]
    if determiner == "a":
        return ["une" if noun.feminine else "un"]
    if determiner == "some":
        return ["de", definite] if uncountable else ["de"] if adjective_first else ["des"]
    if determiner in ("any", "no"):
        return ["de"]
    if determiner == "many":
        return ["beaucoup", "de"]
    if determiner in _NUMBER_FORMS:
        return [_NUMBER_FORMS[determiner]]
    forms = _DETERMINER_FORMS[determiner]
    form = forms[2] if plural else forms[1] if noun.feminine else forms[0]
    if elides(following) and not plural:
        form = (_FEMININE_VOWEL_FORMS if noun.feminine else _VOWEL_FORMS).get(form, form)
    return [form]
