"""Sums such as `123+456=579`: operands of one to four digits, the answer written as people write it.

For: seeing how a GPT aligns digits and passes carries from right to left while it must write left to right.
Not for: other operations or longer numbers.
Idea: the adder demo of minGPT (`projects/adder`); long carry chains are sampled on purpose, as in "Teaching
Arithmetic to Small Transformers" (Lee et al., 2023), because uniform operands almost never show them.
"""

import random
from collections.abc import Iterator

from gpttui.corpora.splits import draw

MAX_DIGITS = 4
CARRY_CHAIN_SHARE = 0.3


def documents(seed: int, n: int | None = None) -> Iterator[str]:
    """Sums without a trailing newline; seeds from 1,000,000 up give only sums that training never shows.

    The hundred sums of two one-digit numbers are all taught.
    """
    return draw(_sample, seed, n, always_taught=lambda problem: len(problem) == len("1+1"))


def answer(problem: str) -> str:
    """The right answer to `123+456` (a trailing `=` is allowed): `579`."""
    left, right = problem.rstrip("=").split("+")
    return str(int(left) + int(right))


def carries(problem: str) -> int:
    """How many columns of `123+456` carry into the next one."""
    left, right = (int(part) for part in problem.rstrip("=").split("+"))
    count = carry = 0
    while left or right:
        carry = (left % 10 + right % 10 + carry) // 10
        count += carry
        left, right = left // 10, right // 10
    return count


def _sample(rng: random.Random) -> tuple[str, str]:
    chained = rng.random() < CARRY_CHAIN_SHARE
    left, right = _carry_chain(rng) if chained else (_number(rng), _number(rng))
    problem = f"{left}+{right}"
    return problem, f"{problem}={left + right}"


def _number(rng: random.Random) -> int:
    """A number whose length is uniform, so that short sums are not drowned by long ones."""
    digits = rng.randint(1, MAX_DIGITS)
    return rng.randrange(0 if digits == 1 else 10 ** (digits - 1), 10**digits)


def _carry_chain(rng: random.Random) -> tuple[int, int]:
    """Operands with a run of columns that add to nine: a carry from below, if any, ripples through them."""
    columns = rng.randint(2, MAX_DIGITS)
    first = rng.randrange(columns)
    last = rng.randrange(first, columns)
    left = right = 0
    for column in reversed(range(columns)):
        digit = rng.randrange(10)
        nine = first <= column <= last
        left, right = left * 10 + digit, right * 10 + (9 - digit if nine else rng.randrange(10))
    return left, right
