"""The words of the translation corpus, typed by hand: nouns, adjectives, verbs and fixed phrases with their French.

For: `translation.py`, which makes sentences of them. Not for: a dictionary; a word is here with one meaning.
The letters are classes that keep sentences sensible: P person, A animal, F food that is counted, M food that is
not, D drink, R reading, C clothing, T thing, X container, O what opens, U surface, L place to be in, S place to be
on, V vehicle, N nature, I instrument.
"""

from __future__ import annotations

from gpttui.corpora import tables

_TABLES = tables.read("translation")

# English[/plural] | French[/plural] | gender | class
NOUNS = _TABLES["NOUNS"]

# English | its comparative, or - | French masculine | feminine | before (b) or after (a) the noun | classes
ADJECTIVES = _TABLES["ADJECTIVES"]

# English, past | French infinitive (se X: reflexive) | subject | object classes, or - | what comes before the object
# in French | flags: s stative (its past is the imparfait), g gives to somebody, p may take an object pronoun,
# l may take a place, d takes definite objects only, e takes bare ones that stand for a kind (loves cheese)
VERBS = _TABLES["VERBS"]

# predicates of `be` that French says with avoir or être: English | French | verb | classes
STATES = _TABLES["STATES"]

# what may end a sentence: English | French | tenses: n now, p past, f future
TIMES = _TABLES["TIMES"]

DETERMINERS = _TABLES["DETERMINERS"]

NUMBERS = "two deux three trois four quatre five cinq six six seven sept ten dix twenty vingt several plusieurs"
