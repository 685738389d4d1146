"""How a model goes on from plain prompts of everyday English, each with the set of words that a person would accept.

The prompts stand in `gpttui/corpora/tables/everyday_prompts.txt`, by kind; they were written apart from the sentences
that the `everyday` corpus is made of.
"""

import re
from typing import NamedTuple

import numpy as np

from gpttui.corpora import tables
from gpttui.evaluation.subject import Metrics, Subject

_FIRST_WORD = re.compile(r"\W*([\w'-]+)")
LONGEST_WORD = 6
"""Tokens of a continuation in which its first word must end."""


class Prompt(NamedTuple):
    """A prompt, its kind, and the words that may follow it."""

    kind: str
    text: str
    accepted: frozenset[str]


def prompts() -> list[Prompt]:
    """Every prompt of the table, in its order."""
    return [
        Prompt(kind, text, frozenset(words.split()))
        for kind, lines in tables.read("everyday_prompts").items()
        for text, _, words in (line.partition(" = ") for line in lines.split("\n"))
    ]


def first_words(subject: Subject, asked: list[Prompt]) -> list[str]:
    """The word that the model most probably writes after each prompt, without marks around it."""
    rows = [subject.tokenizer.encode(f"\n{prompt.text}") for prompt in asked]
    written = [subject.tokenizer.decode(ids) for ids in subject.continue_ids(rows, LONGEST_WORD)]
    return [found[1] if (found := _FIRST_WORD.match(text)) else "" for text in written]


def accepted_shares(subject: Subject, asked: list[Prompt]) -> list[float]:
    """For each prompt, the probability that the model gives to the accepted words together."""
    encode = subject.tokenizer.encode
    rows: list[list[int]] = []
    lengths: list[list[int]] = []
    for prompt in asked:
        head = encode(f"\n{prompt.text}")
        tails = sorted(tuple(encode(f"\n{prompt.text} {word}")[len(head) :]) for word in prompt.accepted)
        apart = [tail for tail in tails if not any(tail != other and tail[: len(other)] == other for other in tails)]
        rows += [head + list(tail) for tail in apart]
        lengths.append([len(tail) for tail in apart])
    nats = iter(subject.row_nats(rows))
    return [min(1.0, sum(float(np.exp(-next(nats)[-n:].sum())) for n in counts)) for counts in lengths]


def scores(subject: Subject) -> Metrics:
    """`everyday`: the share of prompts whose first word is accepted; `everyday_probability`: the mean probability of
    the accepted words."""
    asked = prompts()
    words = first_words(subject, asked)
    return {
        "everyday": float(np.mean([word in prompt.accepted for word, prompt in zip(words, asked, strict=True)])),
        "everyday_probability": float(np.mean(accepted_shares(subject, asked))),
    }
