"""Tasks with one right answer: sums, sorted letters, translations. The score is the share answered to the letter."""

from collections.abc import Sequence
from functools import partial

from gpttui.corpora import arithmetic
from gpttui.corpora.registry import corpus_spec, open_corpus
from gpttui.evaluation.subject import Metrics, Subject

LONGEST_ANSWER = 64
"""Tokens after which an answer that has not ended counts as wrong."""


def problems(corpus: str, n: int, seed: int) -> list[tuple[str, str]]:
    """`n` pairs (prompt with its marker, right answer) that training never saw: `("1+2=", "3")`."""
    marker = corpus_spec(corpus).answer_after
    split = (document.partition(marker) for document in open_corpus(corpus)(seed, n))
    return [(head + marker, answer) for head, _, answer in split]


def share_right(subject: Subject, asked: Sequence[tuple[str, str]]) -> float:
    """Share of prompts that the model continues, greedily, with exactly the right answer and then a newline."""
    answers = subject.complete([prompt for prompt, _ in asked], LONGEST_ANSWER)
    return sum(given == right for given, (_, right) in zip(answers, asked, strict=True)) / len(asked)


def exact(corpus: str, subject: Subject, n: int, seed: int) -> Metrics:
    """The evaluation of an exact task."""
    return {"exact": share_right(subject, problems(corpus, n, seed))}


def addition(subject: Subject, n: int, seed: int) -> Metrics:
    """Sums, and how well those do that carry in three columns or more."""
    asked = problems("addition", n, seed)
    long_carries = [pair for pair in asked if arithmetic.carries(pair[0].rstrip("=")) >= 3]
    metrics = {"exact": share_right(subject, asked)}
    if long_carries:
        metrics["exact_three_carries"] = share_right(subject, long_carries)
    return metrics


sort = partial(exact, "sort")
translate = partial(exact, "translate")
