"""How well a model knows the world of the tales: against the simulator's entropy, by probes, and by its own stories."""

import numpy as np

from gpttui.corpora import tales
from gpttui.corpora.registry import PREFIX, open_corpus
from gpttui.corpora.tales import checker
from gpttui.corpora.tales.probes import entropy_estimate, pronoun_probes, recall_probes
from gpttui.evaluation import everyday
from gpttui.evaluation.subject import Metrics, Subject
from gpttui.evaluation.tasks import HELD_OUT_SEED
from gpttui.records import Array, Sampling
from gpttui.training.recipes import recipe

TEMPERATURE = 0.8
"""Stories are sampled as the playground opens: at its default temperature, nothing cut."""
SPAN = 50
"""Tokens in a row that must not stand in the training text."""
LONGEST_STORY = 250
TRAINING_DOCUMENTS = 900
"""For each of the `n`: so many documents of the training text are searched for copies; from n 500 on, all of them."""
OPENING_WORDS = 4
"""Of a held-out tale, that a story is sampled from: from nothing the model says plain sentences as often."""


def evaluate(subject: Subject, n: int, seed: int) -> Metrics:
    """Loss and entropy over `n` held-out tales, `n` probes of each kind, and a fifth as many sampled stories.

    `spans_by_chance`: as many new tales of the simulator's would share so many spans with the training text. Then how
    the model goes on from plain prompts (`gpttui.evaluation.everyday`).
    """
    stories = own_stories(subject, max(20, n // 5), seed)
    consistent = [not checker.contradictions(story) for story in stories]
    entropy = entropy_estimate(seed, n, lambda text: len(subject.tokenizer.encode(text)))
    loss = held_out_loss(subject, n, seed)
    known = training_spans(subject, n * TRAINING_DOCUMENTS)
    fresh = list(tales.documents(seed, 2 * n))
    return {
        "loss_nats": loss,
        "entropy_nats": entropy,
        "gap_nats": loss - entropy,
        "pronoun": pronouns_right(subject, n, seed),
        "recall": places_recalled(subject, n, seed),
        "consistent": float(np.mean(consistent)),
        "copied_spans": float(spans_in(subject, stories, known)),
        "spans_by_chance": spans_in(subject, fresh, known) * len(stories) / len(fresh),
        **everyday.scores(subject),
    }


def held_out_loss(subject: Subject, n: int, seed: int) -> float:
    """Mean nats per token over whole tales, each read from its beginning (a newline stands before it)."""
    encode = subject.tokenizer.encode
    newline = encode("\n")
    rows = [newline + encode(text + "\n") for text in tales.documents(seed, n)]
    nats = subject.row_nats([row[: subject.model.config.context] for row in rows])
    return float(np.concatenate(nats).mean())


def pronouns_right(subject: Subject, n: int, seed: int) -> float:
    """Share of pronouns to which the model gives more probability than to each that disagrees with the antecedent."""
    probes = pronoun_probes(seed, n)
    options = [(probe.prefix, form) for probe in probes for form in (probe.right, *probe.wrong)]
    scores = iter(continuation_nats(subject, options))
    right = 0
    for probe in probes:
        best, *others = (next(scores) for _ in (probe.right, *probe.wrong))
        right += all(best < other for other in others)
    return right / len(probes)


def continuation_nats(subject: Subject, pairs: list[tuple[str, str]]) -> list[float]:
    """For each (text, continuation): -ln of the probability that the model gives the continuation."""
    encode = subject.tokenizer.encode
    newline, room = encode("\n"), subject.model.config.context
    heads = [newline + encode(text) for text, _ in pairs]
    tails = [encode(continuation) for _, continuation in pairs]
    nats = subject.row_nats([(head + tail)[-room:] for head, tail in zip(heads, tails, strict=True)])
    return [float(row[-len(tail) :].sum()) for row, tail in zip(nats, tails, strict=True)]


def places_recalled(subject: Subject, n: int, seed: int) -> float:
    """Share of places that the model, greedily, names as the tale does."""
    probes = recall_probes(seed, n)
    encode = subject.tokenizer.encode
    tails = [encode(probe.right) for probe in probes]
    given = subject.continue_ids([encode("\n" + probe.prefix) for probe in probes], max(map(len, tails)))
    return float(np.mean([ids[: len(tail)] == tail for ids, tail in zip(given, tails, strict=True)]))


def own_stories(subject: Subject, n: int, seed: int) -> list[str]:
    """Stories that the model tells from the opening words of `n` held-out tales."""
    openings = [" ".join(tale.split()[:OPENING_WORDS]) for tale in tales.documents(seed, n)]
    told = subject.complete(
        [f"\n{opening}" for opening in openings], LONGEST_STORY, sampling=Sampling(TEMPERATURE), seed=seed
    )
    return [opening + rest for opening, rest in zip(openings, told, strict=True)]


def training_spans(subject: Subject, searched: int) -> Array:
    """The hashes, ascending, of all `SPAN` tokens in a row of the first documents of the model's training text."""
    config = recipe("tales").config
    documents = open_corpus(config.data.removeprefix(PREFIX))
    training = documents(config.seed, min(searched, config.corpus_documents))
    return np.unique(np.concatenate([span_hashes(subject.tokenizer.encode(text)) for text in training]))


def spans_in(subject: Subject, stories: list[str], known: Array) -> int:
    """How many stories hold one of the `known` spans. Some of the simulator's own, new ones do: its explanations have
    only so many facts to tell."""
    return sum(bool(in_sorted(span_hashes(subject.tokenizer.encode(story)), known).any()) for story in stories)


def in_sorted(values: Array, known: Array) -> Array:
    """Which of `values` stand in `known`, which ascends (np.isin would sort it again each time)."""
    places = np.searchsorted(known, values).clip(0, len(known) - 1)
    return np.asarray(known[places] == values)


def span_hashes(ids: list[int]) -> Array:
    """`[len(ids) - SPAN + 1]` uint64: a hash of each run of `SPAN` ids; empty for shorter texts."""
    if len(ids) < SPAN:
        return np.empty(0, np.uint64)
    runs = np.lib.stride_tricks.sliding_window_view(np.asarray(ids, np.uint64), SPAN)
    weights = np.random.default_rng(HELD_OUT_SEED).integers(1, 2**63, SPAN, dtype=np.uint64)
    return np.asarray((runs * weights).sum(axis=1), dtype=np.uint64)
