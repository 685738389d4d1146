"""A very small GPT against a tuned 4-gram, on names that neither has seen."""

from gpttui.corpora import names
from gpttui.evaluation import ngram
from gpttui.evaluation.subject import Metrics, Subject
from gpttui.records import Sampling

LONGEST_NAME = 20


def evaluate(subject: Subject, n: int, seed: int) -> Metrics:
    """Nats per character of the held-out names for both, and what share of `n` sampled names is new.

    The first letter is predicted from a newline, the end of a name counts as one character.
    """
    training, held_out = names.split()
    encode = subject.tokenizer.encode
    nats = subject.row_nats([encode(f"\n{name}\n") for name in held_out])
    loss = float(sum(row.sum() for row in nats) / sum(len(row) for row in nats))
    rival = ngram.loss_nats(ngram.tuned(training), held_out)
    known = set(training)
    sampled = subject.complete(["\n"] * n, LONGEST_NAME, sampling=Sampling(1.0), seed=seed)
    return {
        "loss_nats": loss,
        "four_gram_nats": rival,
        "better_by": rival - loss,
        "new": sum(name not in known for name in sampled) / n,
    }
