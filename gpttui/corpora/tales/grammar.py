"""Templates and verb forms: the tales world's small English grammar.

A template is a sentence or a verb phrase in which `<put>` is a verb in the story's tense, agreeing with the
subject (`<be+>` is always plural, `<be->` always singular), and `{name}` is a slot. `compile_template` turns
it into four ready formatters.
Not for: choosing between templates (`telling`) or the words that fill the slots (`lexicon`).
"""

import re
from collections.abc import Callable, Mapping

from gpttui.corpora import tables

Formatter = Callable[[Mapping[str, str]], str]
Template = tuple[Formatter, Formatter, Formatter, Formatter]
"""Indexed by `2 * present + plural`."""
Book = tuple[Template, ...]

PAST, PRESENT = 0, 2

_VERBS = tables.read("tales_verbs")
_IRREGULAR_PAST = dict(pair.split("/") for pair in _VERBS["PAST"].split())
_DOUBLING = frozenset(_VERBS["DOUBLING"].split())
_PLURAL_PAST = {"be": "were"}
_PRESENT_PLURAL = {"be": "are"}
_THIRD = {"be": "is", "have": "has", "can": "can", "will": "will", "do": "does", "go": "goes", "shall": "should"}


def past(verb: str) -> str:
    """The simple past, singular."""
    if verb in _IRREGULAR_PAST:
        return _IRREGULAR_PAST[verb]
    if verb in _DOUBLING:
        return verb + verb[-1] + "ed"
    if verb.endswith("e"):
        return verb + "d"
    if verb.endswith("y") and verb[-2] not in "aeou":
        return verb[:-1] + "ied"
    return verb + "ed"


def third_person(verb: str) -> str:
    """The simple present with *he*, *she* or *it*."""
    if verb in _THIRD:
        return _THIRD[verb]
    if verb.endswith(("s", "x", "z", "ch", "sh")):
        return verb + "es"
    if verb.endswith("y") and verb[-2] not in "aeou":
        return verb[:-1] + "ies"
    return verb + "s"


def inflect(verb: str, tense: int, plural: bool) -> str:
    """The finite form of `verb`; `tense` is `PAST` or `PRESENT`."""
    if tense == PAST:
        return _PLURAL_PAST.get(verb, past(verb)) if plural else past(verb)
    return _PRESENT_PLURAL.get(verb, verb) if plural else third_person(verb)


_VERB = re.compile(r"<([a-z]+)([+-]?)>")


def compile_template(text: str) -> Template:
    """Formatters for past singular, past plural, present singular, present plural."""

    def render(tense: int, plural: bool) -> Formatter:
        def verb(match: re.Match[str]) -> str:
            mark = match.group(2)
            return inflect(match.group(1), tense, plural if not mark else mark == "+")

        return _VERB.sub(verb, text).format_map

    return (render(PAST, False), render(PAST, True), render(PRESENT, False), render(PRESENT, True))


def book(text: str) -> Book:
    """One template a line; the lines are distinct, because each is one outcome of a uniform draw."""
    lines = [line.strip() for line in text.strip().split("\n")]
    if len(set(lines)) != len(lines):
        raise ValueError(f"a phrase book repeats a line: {lines}")
    return tuple(compile_template(line) for line in lines)
