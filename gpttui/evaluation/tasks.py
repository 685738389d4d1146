"""What each bundled model claims, and how it is measured: the table behind `gpttui eval-task`.

Every score is taken on data drawn from held-out seeds or kept back by a stable split, so none of it was in training.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import msgspec

from gpttui.corpora.registry import corpus_spec, open_corpus
from gpttui.errors import UserError, no_such
from gpttui.evaluation import lengths, text
from gpttui.evaluation.subject import Metrics, Subject
from gpttui.inference.precision import Precision

HELD_OUT_SEED = 1_000_000


class Result(msgspec.Struct, frozen=True):
    """What `gpttui eval-task ID --json` prints."""

    id: str
    metrics: Metrics
    n: int
    seed: int


@dataclass(frozen=True, slots=True)
class Task:
    """`evaluator` is `module:function` under gpttui.evaluation, called as f(subject, n, seed)."""

    evaluator: str
    n: int
    """How many documents or problems the card's score is taken over."""
    headline: str
    """The metric that lists show."""
    says: str
    """The score as a sentence, with the metrics' names (and `n`) where their values go."""
    traced: str = ""
    """The metric whose course over a run's checkpoints is worth telling."""


TASKS = {
    "tales": Task(
        "tales:evaluate", 500, "gap_nats",
        "Goes on acceptably from {everyday:.0%} of plain prompts. In stories: {gap_nats:.3f} nats a token above the "
        "least that is possible in their world; {pronoun:.1%} of pronouns and {recall:.1%} of places right; "
        "{consistent:.0%} of its own stories without a contradiction.",
    ),
    "shakespeare": Task(
        "text:shakespeare", 0, "loss_nats",
        "{loss_nats:.3f} nats a character on plays it has not read, {loss_sliding_nats:.3f} with a sliding window.",
    ),
    "names": Task(
        "names:evaluate", 3000, "better_by",
        "{better_by:.3f} nats a character better than a 4-gram, which counts letters; {new:.0%} of its names are new.",
    ),
    "addition": Task("exact:addition", 10_000, "exact", "{exact:.2%} of {n:,} sums exactly right."),
    "sort": Task("exact:sort", 10_000, "exact", "{exact:.2%} of {n:,} words put in order without a mistake."),
    "induction": Task(
        "induction:evaluate", 500, "repeated_half",
        "{repeated_half:.1%} of the copies right; one head pays {best_head_induction:.0%} of its attention to the "
        "symbol to copy.",
        traced="best_head_induction",
    ),
    "translate": Task("exact:translate", 2000, "exact", "{exact:.2%} of {n:,} sentences exactly right."),
    "digits": Task(
        "digits:evaluate", 500, "recognised",
        "{recognised:.1%} of {n:,} paintings recognised by a judge that was trained on real ones; "
        "{copies_of_training:.0%} are copies.",
    ),
    "say": Task(
        "say:evaluate", 400, "heard",
        "{heard:.1%} of the words of new voices heard rightly; {recognised:.1%} of its own recognised by a template "
        "matcher.",
    ),
}  # fmt: skip


def evaluate(
    task_id: str, path: Path, *, n: int | None = None, seed: int = HELD_OUT_SEED, precision: Precision = "auto"
) -> Result:
    """Examine the model in directory `path`, computed in `precision`.

    Raises UserError for an unknown task or a seed that training used.
    """
    if task_id not in TASKS:
        raise UserError(no_such("task", task_id, TASKS))
    if seed < HELD_OUT_SEED:
        raise UserError(f"seeds below {HELD_OUT_SEED:,} are for training: examine with a seed from there up")
    task = TASKS[task_id]
    module, function = task.evaluator.split(":")
    examine: Callable[[Subject, int, int], Metrics] = getattr(import_module(f"gpttui.evaluation.{module}"), function)
    count, subject = task.n if n is None else n, Subject.open(path, precision)
    grown = lengths.measures(lengths.mean_lengths(subject, held_out(task_id, subject)))
    return Result(task_id, examine(subject, count, seed) | grown, count, seed)


def held_out(task_id: str, subject: Subject) -> list[list[int]]:
    """The ids of `lengths.DOCUMENTS` held-out texts of a task, each from its beginning."""
    encode = subject.tokenizer.encode
    if task_id == "shakespeare":
        return text.held_out_rows(subject, lengths.DOCUMENTS)
    lead = "" if corpus_spec(task_id).row_tokens else "\n"
    return [encode(lead + document) for document in open_corpus(task_id)(HELD_OUT_SEED, lengths.DOCUMENTS)]
