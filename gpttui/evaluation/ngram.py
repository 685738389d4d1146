"""A character 4-gram with interpolated Kneser-Ney smoothing: the honest rival of a small GPT on short strings.

For: the `names` card, which claims to beat it. Not for: long texts (everything is kept in dictionaries).
Source: Chen and Goodman, "An Empirical Study of Smoothing Techniques for Language Modeling" (1998), section 4.1.6. The
discount is tuned on a tenth of the training strings and the model then rebuilt from all of them.
"""

import math
from collections import Counter
from collections.abc import Sequence

START, END = "\x02", "\n"
ORDER = 4
DISCOUNTS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


class KneserNey:
    """Probabilities of the next character given the three before it.

    The highest order counts occurrences; lower orders count in how many contexts a character was seen to continue.
    """

    def __init__(self, strings: Sequence[str], discount: float, order: int = ORDER) -> None:
        self.discount, self.order = discount, order
        self.counts: list[dict[str, Counter[str]]] = [{} for _ in range(order)]
        for string in strings:
            text = START * (order - 1) + string + END
            for at in range(order - 1, len(text)):
                top = self.counts[-1].setdefault(text[at - order + 1 : at], Counter())
                top[text[at]] += 1
        for length in range(order - 1, 0, -1):  # continuation counts of contexts one character shorter
            for context, following in self.counts[length].items():
                shorter = self.counts[length - 1].setdefault(context[1:], Counter())
                shorter.update(following.keys())
        self.totals = [{context: following.total() for context, following in level.items()} for level in self.counts]
        self.alphabet_size = len({char for string in strings for char in string} | {END}) + 1  # one for the unseen

    def prob(self, context: str, char: str) -> float:
        """P(char | context); `context` is at least `order - 1` characters, START-padded."""
        p = 1.0 / self.alphabet_size
        for length in range(self.order):
            key = context[len(context) - length :]
            following = self.counts[length].get(key)
            if following is None:
                break
            total = self.totals[length][key]
            kept = max(following[char] - self.discount, 0.0) / total
            p = kept + self.discount * len(following) / total * p
        return p

    def nats(self, string: str) -> float:
        """-ln P(string and its end)."""
        text = START * (self.order - 1) + string + END
        return -sum(
            math.log(self.prob(text[at - self.order + 1 : at], text[at])) for at in range(self.order - 1, len(text))
        )


def tuned(strings: Sequence[str]) -> KneserNey:
    """The 4-gram with the discount that does best on every tenth string when learned from the others."""
    kept, probe = [s for n, s in enumerate(strings) if n % 10], list(strings[::10])
    best = min(DISCOUNTS, key=lambda discount: loss_nats(KneserNey(kept, discount), probe))
    return KneserNey(strings, best)


def loss_nats(model: KneserNey, strings: Sequence[str]) -> float:
    """Mean nats per character, the end of each string counted as one."""
    return sum(map(model.nats, strings)) / sum(len(string) + 1 for string in strings)
