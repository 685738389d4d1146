"""What simple guesses cost on a run's own held-out text: token frequencies, and pairs of tokens.

For: labelled lines beside a loss. Not for: training, or text of other tokenizers. Frequencies and pairs are counted in
the training text, losses are means over the held-out one, every token that is not padding counting the same: what the
validation loss counts too. Pairs are smoothed by the frequencies as Witten and Bell do ("The zero-frequency problem",
1991): a token that was followed by many different ones is the less sure of what follows.
"""

import numpy as np

from gpttui.records import Array
from gpttui.training.data import TokenFile

MOST_TRAIN_TOKENS, MOST_VAL_TOKENS = 2_000_000, 500_000
"""More are not counted: the start of a run does not wait for them."""


def pairs(data: TokenFile, most: int) -> tuple[Array, Array]:
    """Tokens and what follows each, `[n]` int64 both: of a stream's beginning, of rows without their padding."""
    if not data.is_rows:
        stream = np.asarray(data.array[: most + 1], dtype=np.int64)
        return stream[:-1], stream[1:]
    rows = np.asarray(data.array[: max(1, most // data.array.shape[1])], dtype=np.int64)
    before, after = rows[:, :-1].ravel(), rows[:, 1:].ravel()
    real = (before != data.pad) & (after != data.pad)
    return before[real], after[real]


def losses(train: TokenFile, val: TokenFile, vocab_size: int) -> tuple[float, float]:
    """Held-out loss in nats a token of guessing by token frequencies, and by pairs; 0, 0 where there is no text."""
    before, after = pairs(train, MOST_TRAIN_TOKENS)
    given, right = pairs(val, MOST_VAL_TOKENS)
    if not len(after) or not len(right):
        return 0.0, 0.0
    single = np.bincount(after, minlength=vocab_size).astype(np.float64) + 1  # none is impossible
    single /= single.sum()
    seen, counts = np.unique(before * vocab_size + after, return_counts=True)
    totals = np.bincount(before, minlength=vocab_size)
    kinds = np.bincount(seen // vocab_size, minlength=vocab_size)  # different tokens that followed each
    wanted = given * vocab_size + right
    at = np.minimum(np.searchsorted(seen, wanted), len(seen) - 1)
    together = np.where(seen[at] == wanted, counts[at], 0)
    alone = single[right]
    known = totals[given] > 0
    paired = (together + kinds[given] * alone) / np.maximum(1, totals[given] + kinds[given])
    return float(-np.log(alone).mean()), float(-np.log(np.where(known, paired, alone)).mean())
