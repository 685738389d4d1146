"""First names, one a document: read from the public list, not generated.

For: the smallest model that is fun. Each distinct name belongs to one side of the split, decided by a stable hash, so
that a held-out name was never in training, however often the list repeats it. Source: karpathy/makemore (MIT).
"""

from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path

from gpttui.corpora import datasets
from gpttui.corpora.splits import is_held_out, is_held_out_seed, shuffled


def documents(seed: int, n: int | None = None) -> Iterator[str]:
    """Names of the seed's side, shuffled anew each round. Raises UserError where the list has not been fetched."""
    yield from islice(shuffled(split()[is_held_out_seed(seed)], seed), n)


def split() -> tuple[list[str], list[str]]:
    """Training and held-out names, each distinct name once, in the order of the list."""
    return split_of(datasets.here("names"))


@cache
def split_of(file: Path) -> tuple[list[str], list[str]]:
    """The two sides of a list with one name a line."""
    sides: tuple[list[str], list[str]] = ([], [])
    for name in dict.fromkeys(file.read_text(encoding="utf-8").split()):
        sides[is_held_out(name)].append(name)
    return sides
