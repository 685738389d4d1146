"""From logits to the next token: shifts, temperature, cuts, one random number, each step open to view.

The stages and their order are `gpttui.records.STAGES`. A shift (logit bias, penalties) changes the logits of single
tokens; every cut (top-k, top-p, min-p) keeps a prefix of one ranking (most probable first, ties by id). So a
distribution is a softmax, that ranking and a few counts. The random number is a hash of (seed, position), not the state
of a generator: going back and forward again lands on the same token, on every machine. Probabilities are float64,
shifted logits float32 as in transformers. Numpy only: no torch, no screen.

Top-p is nucleus sampling (Holtzman et al. 2020), min-p that of Nguyen et al. (2024), the repetition penalty that of
CTRL (Keskar et al. 2019), presence and frequency penalties those of OpenAI's API; the hash is splitmix64 (Steele, Lea &
Flood 2014).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gpttui.errors import UserError
from gpttui.records import STAGES, Array, Cut, CutName, Draw, Prediction, Sampling, Shift, ShiftName, frozen

Text = Array | Sequence[int]
"""Ids of all tokens that came before, the prompt's too."""
_LN2 = math.log(2.0)
_MASK = (1 << 64) - 1
LOWEST = -1e5
"""Stands in for -inf where a zero probability is multiplied by its logit."""


def uniform(seed: int, position: int) -> float:
    """The random number in [0, 1) for the token after `position`: a pure function, equal on every machine."""
    return float(_splitmix64(_splitmix64(seed & _MASK) ^ (position & _MASK)) >> 11) * 2.0**-53


def _splitmix64(x: int) -> int:
    x = (x + 0x9E3779B97F4A7C15) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)


class Ranking:
    """Token ids from the highest logit down, ties by id, sorted no further than somebody asked for."""

    def __init__(self, logits: Array) -> None:
        self.logits = logits.astype(np.float32, copy=False)
        self.size = int(logits.size)
        self._ids: Array = np.empty(0, dtype=np.int64)

    def first(self, count: int) -> Array:
        """The `count` highest (or all there are), in order."""
        count = min(count, self.size)
        if count > self._ids.size:
            self._ids = self._sort(count)
        return self._ids[:count]

    def _sort(self, count: int) -> Array:
        x = self.logits
        if self.size <= 2048:
            return np.argsort(-x, kind="stable")
        if count > self.size // 8:
            return self._sort_all()
        last = np.partition(x, self.size - count)[self.size - count]
        above = np.flatnonzero(x > last)
        ties = np.flatnonzero(x == last)[: count - above.size]
        ids = np.concatenate((above, ties))
        return ids[np.argsort(-x[ids], kind="stable")]

    def _sort_all(self) -> Array:
        """Sorts integers whose high half falls with the logit and whose low half is the id, so that no two tie."""
        bits = (self.logits + np.float32(0)).view(np.int32)  # + 0: minus zero is zero
        falling = np.where(bits < 0, bits, ~bits & 0x7FFFFFFF).view(np.uint32)
        keys = falling.astype(np.uint64) << np.uint64(32) | np.arange(self.size, dtype=np.uint64)
        keys.sort()
        return (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)


@dataclass(slots=True, eq=False)
class Distribution:
    """What the next token is drawn from, with every stage on the way."""

    ranking: Ranking
    sampling: Sampling
    model_probs: Array
    """`[V]` softmax of the raw logits."""
    entropy_bits: float
    """Of `model_probs`."""
    probs: Array
    """`[V]` after shifts and temperature, before any cut."""
    heat_entropy_bits: float
    """Of `probs`."""
    shifts: tuple[Shift, ...] = ()
    shifted_by: tuple[Array, ...] = ()
    """For each shift: what it added to the logits, `[V]`."""
    cuts: tuple[Cut, ...] = ()
    kept: int = 0
    """How many of the ranking's first are left after all cuts."""
    mass: float = 1.0
    """Their share of `probs`."""

    def final_probs(self, count: int) -> Array:
        """`[count]` of the ranking's first: the probability each is drawn with; 0 where cut."""
        final = self.probs[self.ranking.first(count)] / self.mass
        final[self.kept :] = 0.0
        return final

    def cut_by(self, count: int) -> Array:
        """`[count]` of the ranking's first: 0 if still in, n if `cuts[n - 1]` removed it."""
        removed = np.zeros(min(count, self.ranking.size), dtype=np.int8)
        for n in range(len(self.cuts), 0, -1):
            removed[self.cuts[n - 1].kept :] = n
        return removed

    def sampled_entropy_bits(self) -> float:
        """Of the distribution drawn from."""
        if not self.cuts:
            return self.heat_entropy_bits
        final = self.final_probs(self.kept)
        final = final[final > 0]
        return max(0.0, float(-(final * np.log2(final)).sum()))

    def draw(self, number: float) -> Draw:
        """The token on whose stretch of the cumulative bar `number` (in [0, 1)) falls."""
        if self.sampling.temperature == 0:
            return Draw(int(self.ranking.first(1)[0]), math.nan, 0.0, 1.0, sampling=self.sampling)
        count, bar = self._bar(number, past=True)
        rank = min(int(np.searchsorted(bar, number, side="right")), count - 1)
        while rank and bar[rank] == bar[rank - 1]:  # only where rounding left the bar short of `number`
            rank -= 1
        low = float(bar[rank - 1]) if rank else 0.0
        high = 1.0 if rank == self.kept - 1 else float(bar[rank])
        return Draw(int(self.ranking.first(rank + 1)[rank]), number, low, high, sampling=self.sampling)

    def stretch(self, token_id: int) -> tuple[float, float]:
        """Where on the cumulative bar `token_id` lies: (low, high); an empty stretch at the end if it was cut."""
        x = self.ranking.logits
        rank = int((x > x[token_id]).sum() + (x[:token_id] == x[token_id]).sum())
        if rank >= self.kept:
            return 1.0, 1.0
        bar = np.cumsum(self.probs[self.ranking.first(rank + 1)]) / self.mass
        return (float(bar[rank - 1]) if rank else 0.0), min(1.0, float(bar[rank]))

    def _bar(self, mass: float, *, past: bool = False) -> tuple[int, Array]:
        """As much of the cumulative bar as holds `mass` (more than `mass` with `past`), or all that is kept."""
        count = 64
        while True:
            count = min(count, self.kept)
            bar = np.cumsum(self.probs[self.ranking.first(count)]) / self.mass
            if count == self.kept or bar[-1] > mass or (bar[-1] == mass and not past):
                return count, bar
            count *= 16


LIMITS = {
    "temperature": (0, 1e6, "0 (greedy) or more"),
    "top_k": (0, (1 << 31) - 1, "0 (off) or more"),
    "top_p": (0, 1, "between 0 and 1 (off)"),
    "min_p": (0, 1, "between 0 (off) and 1"),
    "repetition_penalty": (0.01, 100, "between 0.01 and 100, 1 is off"),
    "presence_penalty": (-100, 100, "between -100 and 100, 0 is off"),
    "frequency_penalty": (-100, 100, "between -100 and 100, 0 is off"),
}
OF_THE_TEXT = "repetition_penalty", "presence_penalty", "frequency_penalty"
"""Stages that depend on which tokens have come."""
MOST_BIAS = 100
"""As in OpenAI's API: it forces a token, and its opposite bans one."""


def check(sampling: Sampling, vocab_size: int = 1 << 31) -> Sampling:
    """The same settings. Raises UserError for values that no distribution can have."""
    for field, (low, high, words) in LIMITS.items():
        if not low <= getattr(sampling, field) <= high:
            name = next(stage.name for stage in STAGES if stage.field == field)
            raise UserError(f"{name} must be {words}; it is {getattr(sampling, field)}")
    ids = [token_id for token_id, _ in sampling.logit_bias]
    if ids != sorted(set(ids)) or not all(0 <= i < vocab_size for i in ids):
        raise UserError("logit bias must name tokens of the model, each once")
    if not all(-MOST_BIAS <= amount <= MOST_BIAS for _, amount in sampling.logit_bias):
        raise UserError(f"logit bias must be between -{MOST_BIAS} (never) and {MOST_BIAS}")
    return sampling


def shifted(logits: Array, sampling: Sampling, text: Text) -> Iterator[tuple[ShiftName, Array, Array]]:
    """Each shift that is on, in order: its name, the tokens it is about, and the logits `[V]` float32 behind it."""
    x = logits.astype(np.float32)
    if sampling.logit_bias:
        of = np.array([token_id for token_id, _ in sampling.logit_bias])
        x[of] += np.array([amount for _, amount in sampling.logit_bias], dtype=np.float32)
        yield "logit bias", of, x.copy()
    if not any(map(sampling.is_on, OF_THE_TEXT)):
        return
    seen, counts = np.unique(np.asarray(text, dtype=np.int64), return_counts=True)
    if sampling.repetition_penalty != 1:
        before, penalty = x[seen], sampling.repetition_penalty
        x[seen] = np.where(before < 0, before * penalty, before / penalty)
        yield "repetition", seen, x.copy()
    if sampling.presence_penalty:
        x[seen] -= sampling.presence_penalty
        yield "presence", seen, x.copy()
    if sampling.frequency_penalty:
        x[seen] -= (counts * sampling.frequency_penalty).astype(np.float32)
        yield "frequency", seen, x.copy()


def distribution(logits: Array, sampling: Sampling, text: Text = ()) -> Distribution:
    """`logits` `[V]`, said after the tokens `text`, through all stages. Raises UserError where they are not numbers."""
    model_probs, entropy = softmax(_from_top(logits))
    shifts, by, before, probs = [], [], logits, model_probs
    for name, of, after in shifted(logits, sampling, text):
        now, _ = softmax(_from_top(after))
        shifts.append(Shift(name, of.size, min(1.0, float(np.abs(now - probs).sum() / 2))))
        with np.errstate(invalid="ignore"):
            by.append(np.nan_to_num(after - before, posinf=0, neginf=0))  # of -inf nothing is left to change
        before, probs = after, now
    ranking, told = Ranking(before), (tuple(shifts), tuple(by))
    if sampling.temperature == 0:
        greedy = np.zeros_like(model_probs)
        greedy[ranking.first(1)] = 1.0
        return Distribution(ranking, sampling, model_probs, entropy, greedy, 0.0, *told, kept=ranking.size)
    if sampling.temperature == 1 and not shifts:
        heated = model_probs, entropy
    else:
        with np.errstate(over="ignore"):
            heated = softmax(_from_top(before) / sampling.temperature)
    found = Distribution(ranking, sampling, model_probs, entropy, *heated, *told, kept=ranking.size)
    if 0 < sampling.top_k < found.kept:
        _cut(found, "top-k", sampling.top_k)
    if sampling.top_p < 1:
        count, bar = found._bar(sampling.top_p)
        reached = int(np.searchsorted(bar, sampling.top_p, side="left")) + 1
        _cut(found, "top-p", min(reached, count))
    if sampling.min_p > 0:
        enough = int((found.probs >= sampling.min_p * found.probs.max()).sum())
        _cut(found, "min-p", min(enough, found.kept))
    return found


def _from_top(logits: Array) -> Array:
    """`logits` in float64, the largest at 0. Raises UserError where it is no number."""
    x = logits.astype(np.float64)
    with np.errstate(invalid="ignore"):
        x -= x.max()
    if not x.max() == 0:
        raise UserError("the model's output is not a number; its weights are broken (did its training diverge?)")
    return x


def _cut(found: Distribution, name: CutName, kept: int) -> None:
    mass = float(found.probs[found.ranking.first(kept)].sum())
    removed = max(0.0, 1.0 - mass / found.mass) if kept < found.kept else 0.0
    found.cuts += (Cut(name, kept, removed),)
    found.kept, found.mass = kept, mass


def softmax(x: Array) -> tuple[Array, float]:
    """Probabilities of float64 logits whose largest is 0, and their entropy in bits."""
    probs = np.exp(x)
    total = float(probs.sum())
    probs /= total
    mean = float((probs * np.maximum(x, LOWEST)).sum())
    return probs, max(0.0, (math.log(total) - mean) / _LN2)


def predict(
    logits: Array,
    sampling: Sampling,
    count: int,
    *,
    position: int,
    text: Text = (),
    draw: Draw | None = None,
    next_id: int = -1,
) -> Prediction:
    """The `count` most probable tokens after `position`, where `text` ends, and what the settings make of them."""
    found = distribution(logits, sampling, text)
    ids = found.ranking.first(max(1, count))
    probs = found.probs[ids]
    return Prediction(
        position=position,
        candidate_ids=frozen(ids.astype(np.int32)),
        model_probs=frozen(found.model_probs[ids]),
        probs=frozen(probs),
        final_probs=frozen(found.final_probs(ids.size)),
        cut_by=frozen(found.cut_by(ids.size)),
        cuts=found.cuts,
        shifts=found.shifts,
        shifted_by=frozen(np.array([by[ids] for by in found.shifted_by], dtype=np.float32)),
        tail_mass=max(0.0, 1.0 - float(probs.sum())) if ids.size < found.ranking.size else 0.0,
        tail_count=found.ranking.size - int(ids.size),
        entropy_bits=found.entropy_bits,
        sampled_entropy_bits=found.sampled_entropy_bits(),
        draw=draw,
        next_id=next_id,
    )
