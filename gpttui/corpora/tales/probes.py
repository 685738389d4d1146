"""What a model of the tales should know: pronouns, places of things, and the entropy it cannot get below.

For: evaluation on held-out seeds (from 1,000,000 on). Prefixes begin at the beginning of a tale; a
continuation carries its own leading space, so that `prefix + right` is the tale's own text.
"""

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

from gpttui.corpora.tales.story import stories
from gpttui.corpora.tales.world import BOUND, COUNT, END, FORMS, FREE, RECALL


class PronounProbe(NamedTuple):
    """A tale up to a pronoun, the pronoun, and pronouns of the same case that disagree with its antecedent."""

    prefix: str
    right: str
    wrong: tuple[str, ...]


class RecallProbe(NamedTuple):
    """A tale up to the spot where something was put, and the spot's noun."""

    prefix: str
    right: str


_MARK = re.compile(f"[{FREE}{BOUND}{COUNT}{RECALL}{END}]")
_MARKED = re.compile(f"([{FREE}{BOUND}{COUNT}{RECALL}])([^{END}]*){END}")
_DISAGREE: dict[str, tuple[str, ...]] = {
    "he": ("she",), "she": ("he",), "him": ("her",), "his": ("her", "their"), "himself": ("herself", "themselves"),
    "her": ("his", "him"), "herself": ("himself", "themselves"), "its": ("his", "her"), "itself": ("himself",
    "herself"),
    "they": ("he", "she"), "their": ("his", "her"), "themselves": ("himself", "herself"),
}  # fmt: skip


def _marks(text: str) -> Iterator[tuple[str, str, str]]:
    """For each mark, the mark, the unmarked text before it, and what it encloses."""
    for match in _MARKED.finditer(text):
        yield match[1], _MARK.sub("", text[: match.start()]), match[2]


def _continuation(prefix: str, word: str) -> tuple[str, str]:
    return (prefix[:-1], f" {word}") if prefix.endswith(" ") else (prefix, word)


def pronoun_probes(seed: int, n: int) -> list[PronounProbe]:
    """The first `n` pronouns, at most four of a tale, whose gender or number their antecedent settles."""

    def of_a_tale(text: str) -> Iterator[PronounProbe]:
        for mark, before, word in _marks(text):
            if mark == RECALL:
                continue
            wrong = ({"it": ("them",), "them": ("it",)} if mark == COUNT else _DISAGREE).get(word.lower(), ())
            if wrong:
                prefix, right = _continuation(before, word)
                lead = right[: len(right) - len(word)]
                yield PronounProbe(
                    prefix, right, tuple(lead + (form.capitalize() if word[0].isupper() else form) for form in wrong)
                )

    found = (probe for story in stories(seed, marked=True) for probe in islice(of_a_tale(story.text), 4))
    return list(islice(found, n))


def recall_probes(seed: int, n: int) -> list[RecallProbe]:
    """The first `n` places where a tale says again where something was put."""

    def of_a_tale(text: str) -> Iterator[RecallProbe]:
        for mark, before, word in _marks(text):
            if mark == RECALL:
                yield RecallProbe(*_continuation(before, word))

    found = (probe for story in stories(seed, marked=True) for probe in of_a_tale(story.text))
    return list(islice(found, n))


def entropy_estimate(seed: int, n: int, tokens_of: Callable[[str], int]) -> float:
    """The simulator's own entropy in nats per token, over `n` tales and the newline after each.

    `tokens_of` counts the tokens of a text. The estimate is the mean cost of the choices that made the tales;
    see `chooser`.
    What bias remains: choices whose outcomes happen to give the same text (none were found by redrawing single choices)
    would make it too high, and a model that sees a tale from its middle must do worse than it.
    """
    nats = 0.0
    tokens = 0
    for story in stories(seed, n):
        nats += story.choice_nats
        tokens += tokens_of(story.text + "\n")
    return nats / tokens


assert set(_DISAGREE) | {"it", "them"} == {form for forms in FORMS.values() for form in forms}
