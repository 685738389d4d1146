"""How long the vectors of the residual stream are, block after block: a picture in which each block adds a little.

In a real GPT a token's own vector stays a visible part of the sum; where a block makes it a thousand times longer, what
is drawn of early layers shows noise.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch

from gpttui.evaluation.subject import Metrics, Subject
from gpttui.inference.trace import layer_ends, stops
from gpttui.model.taps import Recorder

DOCUMENTS = 64
"""Held-out texts that the means are taken over."""


def mean_lengths(subject: Subject, rows: Sequence[Sequence[int]]) -> list[float]:
    """`[1 + n_layer]`: the mean length of the vectors that enter the first block, and of those after each block, over
    all positions of `rows` but each row's first."""
    config = subject.model.config
    sites = [stops(config)[n].site for n in layer_ends(config)]
    total, seen = torch.zeros(len(sites)), 0
    for row in rows:
        recorder = Recorder(sites if config.positions != "learned" else [*sites, "pos_embed"])
        ids = torch.tensor([row[: config.context]])
        with torch.inference_mode():
            subject.model(ids, tap=recorder)
        found = [recorder.sites[site][0, 1:].float() for site in sites]
        if config.positions == "learned":
            found[0] = found[0] + recorder.sites["pos_embed"].reshape(-1, config.d_model)[1:].float()
        total += torch.stack([vectors.norm(dim=-1).sum() for vectors in found])
        seen += ids.numel() - 1
    return (total / max(1, seen)).tolist()


def in_words(metrics: Metrics) -> str:
    """What `measures` found, as a sentence."""
    last = max(int(name.removeprefix("length_")) for name in metrics if name.startswith("length_"))
    start, first, later, whole = (
        _digits(metrics[name]) for name in ("length_0", "first_growth", "later_growth", "whole_growth")
    )
    return (
        f"A token's vector has length {start}; the first block makes it {first} times as long, a later one at most "
        f"{later} times, all {last} together {whole} times."
    )


def _digits(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.2f}"


def measures(lengths: Sequence[float]) -> Metrics:
    """The lengths by name, and how many times longer the first block, the steepest later one, and all of them make a
    vector."""
    steps = [after / before for before, after in pairwise(lengths)]
    named = {f"length_{n}": length for n, length in enumerate(lengths)}
    return named | {
        "first_growth": steps[0],
        "later_growth": max(steps[1:], default=1.0),
        "whole_growth": lengths[-1] / lengths[0],
    }
