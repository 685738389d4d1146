"""Where one of our tensors comes from: a name in the file, and what is done to it on the way in (and undone going out).

A family writes its tables with these; `gpttui.model.families` carries them out. Data only, no torch.
"""

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


Op = Take | Transposed | Joined | Plus | Times | From | Unwoven
Table = dict[str, Op]
"""Our name → where it comes from."""


def sources(op: Op) -> tuple[str, ...]:
    """The names in the file that an op reads."""
    match op:
        case Take(name):
            return (name,)
        case Joined(parts):
            return tuple(name for part in parts for name in sources(part))
        case _:
            return sources(op.of)


def qkv(prefix: str, suffix: str, *, query: float = 1.0) -> Joined:
    """Three matrices (or biases) as one; `query` is multiplied into the queries."""
    q, k, v = (Take(f"{prefix}{letter}_proj.{suffix}") for letter in "qkv")
    return Joined((q if query == 1 else Times(q, query), k, v))
