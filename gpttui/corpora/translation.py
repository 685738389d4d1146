"""English sentences and their French: `the red cat sleeps. = le chat rouge dort.`

For: seeing how attention aligns words whose order, number and gender differ between two languages. Not for: real
translation; each English sentence has exactly one French one here (`you` is always a polite plural, `they` is
masculine), so that answers can be compared letter by letter.
The grammar: articles, partitives, demonstratives, possessives and possessors; adjectives before or after the
noun; negation; present, future and past (passé composé with its agreements, imparfait for states); object
pronouns; reflexive and modal verbs; comparison; questions; relative and subordinate clauses.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from gpttui.corpora.french import ETRE_VERBS, IL, ILS, JE, NOUS, VOUS, agree, conjugation, sentence
from gpttui.corpora.splits import draw
from gpttui.corpora.translation_phrases import (
    ADJECTIVES,
    Phrase,
    noun_phrase,
    place_phrase,
    predicate,
    rows,
    subject_phrase,
    third_singular,
)

MARKER = " ="
MAX_TOKENS = 32
WORD_PATTERN = r"'s\b| ?[^\W_]+(?:-[^\W_]+)*(?:'(?!s\b))?| ?[^\w\s]|\s"
"""One token a word with its leading space; `l'`, `n'` and `qu'` are tokens of their own, and so is `'s`."""

PRESENT, PAST, FUTURE = range(3)
_TENSES, _TENSE_WEIGHTS = (PRESENT, PAST, FUTURE), (5, 4, 3)
_REFLEXIVE = ("me", "se", "nous", "vous", "se")
_OBJECT_PRONOUNS = (  # English, French, person, (feminine, plural)
    ("me", "me", JE, (False, False)),
    ("you", "vous", VOUS, (False, True)),
    ("him", "le", IL, (False, False)),
    ("her", "la", IL, (True, False)),
    ("us", "nous", NOUS, (False, True)),
    ("them", "les", ILS, (False, True)),
)
_NOT = ("not", ["pas"], True)  # English adverb, French after the finite verb, whether French says ne
_POLARITIES: list[tuple[str, list[str], bool]] = (
    [("", [], False)] * 13
    + [_NOT] * 4
    + [("never", ["jamais"], True), ("always", ["toujours"], False), ("often", ["souvent"], False)]
)
_CONJUNCTIONS = (("but", ["mais"]), ("and", ["et"]), ("because", ["parce", "que"]), ("when", ["quand"]))
_BELIEFS = (("think", "thought", "penser"), ("know", "knew", "savoir"), ("believe", "believed", "croire"))
_MODALS = (("can", "pouvoir"), ("must", "devoir"), ("want to", "vouloir"))
_QUESTION_WORDS: tuple[tuple[str, list[str]], ...] = (("", []), ("", []), ("why ", ["pourquoi"]), ("when ", ["quand"]))


@dataclass(frozen=True, slots=True)
class _Verb:
    english: str
    past: str
    french: str
    subjects: str
    objects: str
    """Classes; empty where it takes none."""
    preposition: str
    """What comes before the object in French."""
    flags: str
    """s stative (its past is the imparfait), g gives to somebody, p may take an object pronoun, l may take a place,
    d takes definite objects only, e takes bare ones that stand for a kind (loves cheese)."""


@dataclass(frozen=True, slots=True)
class _Clause:
    """An English clause, also cut where a question inverts it, and its French words."""

    subject: str
    auxiliary: str
    rest: str
    statement: str
    french: list[str]


@dataclass(frozen=True, slots=True)
class _Complement:
    english: str = ""
    french: tuple[str, ...] = ()
    clitics: tuple[str, ...] = ()
    agreement: tuple[bool, bool] = (False, False)
    """Feminine and plural of an object that precedes the verb, with which a participle agrees."""


def _verb(english: str, french: str, subjects: str, objects: str, preposition: str, flags: str) -> _Verb:
    """From `English, past | French infinitive (se X: reflexive) | subjects | objects, or - | preposition | flags`."""
    words_en = english.split()
    half = len(words_en) // 2
    return _Verb(
        " ".join(words_en[:half]), " ".join(words_en[half:]), french, subjects, objects.strip("-"), preposition, flags
    )


VERBS = tuple(_verb(*row) for row in rows("VERBS"))
STATES = rows("STATES")
"""Predicates of `be` that French says with avoir or être: English, French, verb, classes of subjects."""
TIMES = rows("TIMES")
"""What may end a sentence: English, French, tenses (n now, p past, f future)."""


def documents(seed: int, n: int | None = None) -> Iterator[str]:
    """`english = french` lines; seeds from 1,000,000 up give only English that training never shows."""
    return draw(_sample, seed, n)


def words(text: str) -> list[str]:
    """The tokens that suit this corpus; joined, they give the text back."""
    return re.findall(WORD_PATTERN, text)


def _sample(rng: random.Random) -> tuple[str, str]:
    makers = (_statement, _question, _comparison, _there_is, _belief, _two_clauses)
    while True:
        english, french = rng.choices(makers, (60, 12, 6, 6, 7, 9))[0](rng)
        document = f"{english}{MARKER} {french}"
        if len(words(document)) <= MAX_TOKENS:
            return english, document


def _statement(rng: random.Random) -> tuple[str, str]:
    tense = rng.choices(_TENSES, _TENSE_WEIGHTS)[0]
    clause = _clause(rng, tense)
    if rng.random() < 0.7:
        return f"{clause.statement}.", sentence(clause.french) + "."
    time_en, time_fr, _ = rng.choice([entry for entry in TIMES if "npf"[tense] in entry[2]])
    return f"{clause.statement} {time_en}.", sentence([*clause.french, *time_fr.split()]) + "."


def _question(rng: random.Random) -> tuple[str, str]:
    clause = _clause(rng, rng.choices(_TENSES, _TENSE_WEIGHTS)[0])
    word_en, word_fr = rng.choice(_QUESTION_WORDS)
    english = f"{word_en}{clause.auxiliary} {clause.subject} {clause.rest}?"
    return english, sentence([*word_fr, "est-ce", "que", *clause.french]) + " ?"


def _comparison(rng: random.Random) -> tuple[str, str]:
    adjective = rng.choice([entry for entry in ADJECTIVES if entry.comparative])
    letter = rng.choice(adjective.classes)
    left, right = noun_phrase(rng, letter, "definite"), noun_phrase(rng, letter, "definite")
    tense = rng.choices(_TENSES, _TENSE_WEIGHTS)[0]
    word = adjective.french(feminine=left.feminine, plural=left.plural)
    if rng.random() < 0.3:
        middle_en, middle_fr = f"as {adjective.english} as", ["aussi", word]
    else:
        middle_en, middle_fr = f"{adjective.comparative} than", ["plus", word]
        if adjective.english == "good":
            middle_fr = [agree("meilleur", feminine=left.feminine, plural=left.plural)]
    english = f"{left.english} {_be(left, tense)} {middle_en} {right.english}."
    finite = _finite("être", tense, left.person, stative=True)
    return english, sentence([*left.french, finite, *middle_fr, "que", *right.french]) + "."


def _there_is(rng: random.Random) -> tuple[str, str]:
    tense = rng.choices(_TENSES, _TENSE_WEIGHTS)[0]
    negated = rng.random() < 0.25
    thing = noun_phrase(rng, "PATFMDRCXUVN", "not existing" if negated else "existing")
    place_en, place_fr = place_phrase(rng)
    finite = _finite("avoir", tense, IL, stative=True)
    french = ["il", *["ne"] * negated, "y", finite, *["pas"] * negated, *thing.french, *place_fr]
    return f"there {_be(thing, tense)} {thing.english} {place_en}.", sentence(french) + "."


def _belief(rng: random.Random) -> tuple[str, str]:
    subject = subject_phrase(rng, "P")
    present, past, infinitive = rng.choice(_BELIEFS)
    tense = rng.choice((PRESENT, PRESENT, PAST))
    clause = _clause(rng, rng.choices(_TENSES, _TENSE_WEIGHTS)[0])
    verb_en = past if tense == PAST else third_singular(present) if subject.third_singular else present
    finite = _finite(infinitive, tense, subject.person, stative=True)
    french = sentence([*subject.french, finite, "que", *clause.french])
    return f"{subject.english} {verb_en} that {clause.statement}.", french + "."


def _two_clauses(rng: random.Random) -> tuple[str, str]:
    first, second = (_clause(rng, rng.choices(_TENSES, _TENSE_WEIGHTS)[0]) for _ in range(2))
    join_en, join_fr = rng.choice(_CONJUNCTIONS)
    french = sentence([*first.french, *join_fr, *second.french])
    return f"{first.statement} {join_en} {second.statement}.", french + "."


def _clause(rng: random.Random, tense: int) -> _Clause:
    kind = rng.random()
    if kind < 0.22:
        return _be_clause(rng, tense)
    if kind < 0.34 and tense == PRESENT:
        return _modal_clause(rng)
    verb = rng.choice(VERBS)
    return _verb_clause(rng, verb, _subject(rng, verb.subjects), tense)


def _subject(rng: random.Random, classes: str) -> Phrase:
    """A subject, now and then with a relative clause: `the cat that sleeps`, `the man who reads the book`."""
    phrase = subject_phrase(rng, classes)
    if phrase.classes not in "PA" or phrase.person not in (IL, ILS) or rng.random() > 0.1:
        return phrase
    if phrase.english in ("he", "she", "they") or " and " in phrase.english:
        return phrase
    verb = rng.choice([entry for entry in VERBS if phrase.classes in entry.subjects])
    inner = _verb_clause(rng, verb, phrase, rng.choice((PRESENT, PRESENT, PAST)))
    pronoun = "who" if phrase.classes == "P" else "that"
    english = f"{phrase.english} {pronoun}{inner.statement.removeprefix(phrase.english)}"
    return replace(phrase, english=english, french=(*phrase.french, "qui", *inner.french[len(phrase.french) :]))


def _be_clause(rng: random.Random, tense: int) -> _Clause:
    """`the cat is not black`; also `I am hungry`, where French has hunger: `j'ai faim`."""
    if rng.random() < 0.25:
        english, state_fr, infinitive, classes = rng.choice(STATES)
        subject = _subject(rng, classes)
        rest_fr = state_fr.split()
    else:
        infinitive = "être"
        subject = _subject(rng, rng.choice(("P", "P", "A", "TFMDRCXUVNLBO")))
        english, rest_fr = predicate(rng, subject)
    adverb_en, adverb_fr, negated = rng.choice(_POLARITIES)
    auxiliary, _, infinitive_en = _be(subject, tense).partition(" ")
    rest = " ".join(part for part in (adverb_en, infinitive_en, english) if part)
    finite = _finite(infinitive, tense, subject.person, stative=True)
    french = [*subject.french, *["ne"] * negated, finite, *adverb_fr, *rest_fr]
    return _Clause(subject.english, auxiliary, rest, f"{subject.english} {auxiliary} {rest}", french)


def _verb_clause(rng: random.Random, verb: _Verb, subject: Phrase, tense: int) -> _Clause:
    """`the girl did not give the book to her friend`."""
    adverb_en, adverb_fr, negated = rng.choice(_POLARITIES)
    if verb.past == verb.english and not subject.third_singular:
        adverb_en, adverb_fr, negated = _NOT  # `they read` could be present or past, `they do not read` cannot
    complement = _complement(rng, verb, subject, negated=negated)
    reflexive, infinitive, rest_fr = _parts(verb)
    clitics = [_REFLEXIVE[subject.person]] * reflexive + list(complement.clitics)
    participle = []
    stative = "s" in verb.flags
    if tense == PAST and not stative:
        with_be = reflexive or infinitive in ETRE_VERBS
        finite = _finite("être" if with_be else "avoir", PRESENT, subject.person)
        feminine, plural = (subject.feminine, subject.plural) if with_be else complement.agreement
        participle = [agree(conjugation(infinitive).participle, feminine=feminine, plural=plural)]
    else:
        finite = _finite(infinitive, tense, subject.person, stative=stative)
    french = [*subject.french, *["ne"] * negated, *clitics, finite, *adverb_fr, *participle, *rest_fr]
    return _english_clause(subject, verb, tense, adverb_en, complement.english, [*french, *complement.french])


def _modal_clause(rng: random.Random) -> _Clause:
    """`she cannot see him`, `the boy wants to sleep`."""
    verb = rng.choice([entry for entry in VERBS if "s" not in entry.flags and "V" not in entry.subjects])
    subject = _subject(rng, verb.subjects)
    negated = rng.random() < 0.3
    complement = _complement(rng, verb, subject, negated=negated)
    modal_en, modal_fr = rng.choice(_MODALS)
    reflexive, infinitive, rest_fr = _parts(verb)
    clitics = [_REFLEXIVE[subject.person]] * reflexive + list(complement.clitics)
    finite = _finite(modal_fr, PRESENT, subject.person)
    french = [*subject.french, *["ne"] * negated, finite, *["pas"] * negated, *clitics, infinitive, *rest_fr]
    french += complement.french
    if modal_en == "want to":
        wanted = replace(verb, english=f"want to {verb.english}")
        adverb_en = "not" if negated else ""
        return _english_clause(subject, wanted, PRESENT, adverb_en, complement.english, french)
    rest = "not " * negated + verb.english + complement.english
    statement = f"{subject.english} {modal_en} {rest}".replace(" can not ", " cannot ")
    return _Clause(subject.english, modal_en, rest, statement, french)


def _english_clause(
    subject: Phrase, verb: _Verb, tense: int, adverb: str, complement: str, french: list[str]
) -> _Clause:
    auxiliary = ("does" if subject.third_singular else "do", "did", "will")[tense]
    rest = f"{adverb} {verb.english}".strip() + complement
    statement = f"{subject.english} {auxiliary} {rest}"
    if tense != FUTURE and adverb != "not":
        present = third_singular(verb.english) if subject.third_singular else verb.english
        finite = verb.past if tense == PAST else present
        statement = " ".join(part for part in (subject.english, adverb, finite) if part) + complement
    return _Clause(subject.english, auxiliary, rest, statement, french)


def _complement(rng: random.Random, verb: _Verb, subject: Phrase, *, negated: bool) -> _Complement:
    """The verb's object, receiver and place, as far as it takes them."""
    english, french = "", list[str]()
    if "p" in verb.flags and rng.random() < 0.25:
        same = {JE: (JE, NOUS), NOUS: (JE, NOUS), VOUS: (VOUS,)}.get(subject.person, ())  # not "we thank me"
        others = [entry for entry in _OBJECT_PRONOUNS if entry[2] not in same]
        english, clitic, _, agreement = rng.choice(others)
        return _Complement(f" {english}", clitics=(clitic,), agreement=agreement)
    if verb.objects:
        style = "prepositional" if verb.preposition else "negated" if negated else "object"
        if "d" in verb.flags:
            style = "kind" if "e" in verb.flags else "definite"
        thing = noun_phrase(rng, verb.objects, style)
        english += f" {thing.english}"
        french += [*verb.preposition.split(), *thing.french]
    if "g" in verb.flags and rng.random() < 0.4:
        receiver = noun_phrase(rng, "P", "prepositional")
        english += f" to {receiver.english}"
        french += ["à", *receiver.french]
    if "l" in verb.flags and rng.random() < 0.4:
        place_en, place_fr = place_phrase(rng)
        english += f" {place_en}"
        french += place_fr
    return _Complement(english, tuple(french))


def _parts(verb: _Verb) -> tuple[bool, str, list[str]]:
    """Whether a French verb is reflexive, its infinitive, and what follows that: `avoir besoin`."""
    reflexive = verb.french.startswith("se ")
    infinitive, *rest = verb.french.removeprefix("se ").split()
    return reflexive, infinitive, rest


def _finite(infinitive: str, tense: int, person: int, *, stative: bool = False) -> str:
    forms = conjugation(infinitive)
    past = forms.imparfait if stative else ()
    return (forms.present, past, forms.future)[tense][person]


def _be(subject: Phrase, tense: int) -> str:
    return "will be" if tense == FUTURE else subject.be[tense]
