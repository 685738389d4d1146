"""The values that one key press goes up or down through, for every stage of the sampling."""

from bisect import bisect_left, bisect_right
from dataclasses import replace
from typing import Any

from gpttui.records import Sampling

TOP_KS = (1, 2, 3, 5, 10, 20, 40, 100, 200)
PENALTIES = (-2.0, -1.0, -0.5, -0.2, 0.0, 0.1, 0.2, 0.5, 1.0, 1.5, 2.0)
LADDERS: dict[str, tuple[float, ...]] = {
    "repetition_penalty": (0.8, 0.9, 1.0, 1.05, 1.1, 1.15, 1.2, 1.3, 1.5, 2.0),
    "presence_penalty": PENALTIES,
    "frequency_penalty": PENALTIES,
    "temperature": (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0, 3.0),
    "top_p": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0),
    "min_p": (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5),
}


def _next(ladder: tuple[float, ...], value: float, up: bool) -> float:
    """The rung above or below `value`, which need not be one itself; the ends hold."""
    if up:
        return ladder[min(bisect_right(ladder, value), len(ladder) - 1)]
    return ladder[max(bisect_left(ladder, value) - 1, 0)]


def turned(sampling: Sampling, field: str, up: bool, vocab_size: int) -> Sampling:
    """One rung up or down. Above the highest top-k below the vocabulary's size stands 0: all of it."""
    if field != "top_k":
        rung: Any = _next(LADDERS[field], getattr(sampling, field), up)
        return replace(sampling, **{field: rung})
    ladder = (*(k for k in TOP_KS if k < vocab_size), vocab_size)
    top_k = int(_next(ladder, sampling.top_k or vocab_size, up))
    return replace(sampling, top_k=0 if top_k >= vocab_size else top_k)


def biased(sampling: Sampling, token_id: int, by: float, most: float = 100.0) -> Sampling:
    """`by` more on a token's logit; a bias of 0 is none."""
    bias = dict(sampling.logit_bias)
    bias[token_id] = max(-most, min(most, bias.get(token_id, 0.0) + by))
    return replace(sampling, logit_bias=tuple(sorted((i, amount) for i, amount in bias.items() if amount)))
