"""Where one of our tensors comes from: a name in the file, and what is done to it on the way in (and undone going out).

A family writes its tables with these; `gpttui.model.families` carries them out. Data only, no torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Take:
    """The file's tensor as it is."""

    name: str


@dataclass(frozen=True, slots=True)
class Transposed:
    """Stored `[in, out]`, as GPT-2's Conv1D keeps a matrix; ours are `[out, in]`."""

    of: "Op"


@dataclass(frozen=True, slots=True)
class Joined:
    """Several tensors under each other."""

    parts: "tuple[Op, ...]"


@dataclass(frozen=True, slots=True)
class Plus:
    """A number added to every entry: Gemma stores a norm's weight less one."""

    of: "Op"
    number: float


@dataclass(frozen=True, slots=True)
class Times:
    """A number multiplied into the first `rows` rows (all of them: 0): a scale of scores, folded into the queries."""

    of: "Op"
    number: float
    rows: int = 0


@dataclass(frozen=True, slots=True)
class From:
    """Without the first rows: OPT's positions begin with two that nothing uses. They cannot be had back."""

    of: "Op"
    row: int


@dataclass(frozen=True, slots=True)
class Unwoven:
    """Queries, keys and values stored head by head, `[heads, 3, D, …]`, as `[3, heads, D, …]`."""

    of: "Op"
    heads: int


@dataclass(frozen=True, slots=True)
class Zeros:
    """A zero for each row of a matrix: the bias that a family does not have where ours has one."""

    of: "Op"


Op = Take | Transposed | Joined | Plus | Times | From | Unwoven | Zeros
Table = dict[str, Op]
"""Our name → where it comes from."""
Sizes = tuple[int, ...]
"""Of a tensor's axes."""


def sources(op: Op) -> tuple[str, ...]:
    """The names in the file that an op reads."""
    match op:
        case Take(name):
            return (name,)
        case Joined(parts):
            return tuple(name for part in parts for name in sources(part))
        case _:
            return sources(op.of)


def size(op: Op, stored: Mapping[str, Sizes]) -> Sizes:
    """What an op makes of the file's sizes. Raises ValueError where it cannot."""
    match op:
        case Take(name):
            return stored[name]
        case Transposed(of):
            found = size(of, stored)
            return found[::-1] if len(found) <= 2 else found
        case Joined(parts):
            sizes = [size(part, stored) for part in parts]
            if len({part[1:] for part in sizes}) > 1 or not all(sizes):
                raise ValueError("parts do not lie under each other")
            return (sum(part[0] for part in sizes), *sizes[0][1:])
        case From(of, row):
            rows, *rest = size(of, stored) or (0,)
            return (max(0, rows - row), *rest)
        case Unwoven(of, heads):
            found = size(of, stored)
            if not found or found[0] % (3 * heads):
                raise ValueError("rows do not divide into heads")
            return found
        case Plus(of) | Times(of):
            return size(of, stored)
        case Zeros(of):
            return size(of, stored)[:1]


def qkv(prefix: str, suffix: str, *, query: float = 1.0) -> Joined:
    """Three matrices (or biases) as one; `query` is multiplied into the queries."""
    q, k, v = (Take(f"{prefix}{letter}_proj.{suffix}") for letter in "qkv")
    return Joined((q if query == 1 else Times(q, query), k, v))
