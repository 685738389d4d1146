"""From a family's config and tensors to ours and back: `gpttui.storage.families` says what goes where, this does it.

What a family computes otherwise is either a switch of `GPTConfig` or folded into the weights on the way in (a scale of
scores into the queries, the one that Gemma's norms are stored without), and unfolded on the way out.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from gpttui.errors import UserError
from gpttui.model.gpt import GPTConfig, RopeScaling
from gpttui.storage.families.family import HEADS_OF_OTHERS, Family, NotComputed
from gpttui.storage.families.ops import (
    From,
    Joined,
    Op,
    Plus,
    Sizes,
    Take,
    Times,
    Transposed,
    Unwoven,
    Zeros,
    size,
    sources,
)


def to_shape(config: Family, where: str = "config.json") -> GPTConfig:
    """The shape that our code builds. Raises UserError for what it cannot."""
    try:
        fields = config.shape()
        if fields.get("rope_scaling") is not None:
            fields["rope_scaling"] = RopeScaling(*fields["rope_scaling"])
        return GPTConfig(**fields)
    except NotComputed as error:
        raise UserError(
            f"{where} is of a {config.MODEL_TYPE} model: it has {error}, which gpttui does not compute"
        ) from error
    except ValueError as error:
        raise UserError(f"{where} describes an impossible model: {error}") from error


T = TypeVar("T")
Made = tuple[dict[str, T], tuple[str, ...]]


class Loaded(NamedTuple):
    """A file's tensors under our names."""

    state: dict[str, Tensor]
    left_out: tuple[str, ...]
    """Names in the file of what belongs to no language model, and was not loaded."""


def load_state(stored: Mapping[str, Tensor], config: Family) -> Loaded:
    """The file's tensors as ours; names that the family does not know are kept, so that whoever checks names them.

    Raises UserError where a tensor cannot be what its family makes of it.

    A head that is stored beside a tied embedding and differs from it is kept: `transformers` 5 uses it too.
    """
    return Loaded(*_made(stored, config, load))


def load_each(stored: Mapping[str, Callable[[], Tensor]], config: Family) -> dict[str, Callable[[], Tensor]]:
    """The same of tensors that are made when they are called for: ours, each made likewise."""

    def later(op: Op, parts: Mapping[str, Callable[[], Tensor]]) -> Callable[[], Tensor]:
        return lambda: load(op, {source: make() for source, make in parts.items()})

    return _made(stored, config, later)[0]


def load_sizes(stored: Mapping[str, Sizes], config: Family) -> dict[str, Sizes]:
    """The same of the tensors' sizes alone. (Tensors on "meta" would do it, and load torch._dynamo: a second.)"""
    return _made(stored, config, size)[0]


def _made(stored: Mapping[str, T], config: Family, make: Callable[[Op, Mapping[str, T]], T]) -> Made[T]:
    names = config.renamed(stored)
    known: dict[str, T] = {}
    used: set[str] = set()
    for ours, op in config.tables(names).items():
        if all(source in names for source in sources(op)):
            try:
                known[ours] = make(op, {source: stored[names[source]] for source in sources(op)})
            except (RuntimeError, ValueError) as error:
                raise UserError(f"{names[sources(op)[0]]} is of another shape than config.json calls for") from error
            used.update(sources(op))
    rest = [name for name in names if name not in used]
    left_out = tuple(name for name in rest if HEADS_OF_OTHERS.match(name))
    surplus = {n: stored[names[n]] for n in rest if config.counts(n)}
    return known | surplus, left_out


def stored_state(state: Mapping[str, Tensor], config: Family, shape: GPTConfig) -> dict[str, Tensor]:
    """Our parameters as the family's file keeps them: contiguous, no second copy of a tied head."""
    found: dict[str, Tensor] = {}
    for ours, op in config.tables(state).items():
        if ours in state and not (shape.tied and ours == "lm_head.weight"):
            found |= store(op, state[ours], shape)
    return {name: x.detach().contiguous() for name, x in found.items()}


def load(op: Op, stored: Mapping[str, Tensor]) -> Tensor:
    """What an op makes of the file's tensors."""
    match op:
        case Take(name):
            return stored[name]
        case Transposed(of):
            x = load(of, stored)
            return x.t() if x.dim() <= 2 else x  # whoever checks sizes will name it
        case Joined(parts):
            return torch.cat([load(part, stored) for part in parts])
        case Plus(of, number):
            return load(of, stored) + number
        case Times(of, number, rows):
            return scaled(load(of, stored), number, rows)
        case From(of, row):
            return load(of, stored)[row:]
        case Unwoven(of, heads):
            x = load(of, stored)
            return x.view(heads, 3, -1, *x.shape[1:]).transpose(0, 1).reshape(x.shape)
        case Zeros(of):
            x = load(of, stored)
            return x.new_zeros(x.shape[:1])


def store(op: Op, x: Tensor, shape: GPTConfig) -> dict[str, Tensor]:
    """The file's tensors that an op would make `x` of. Raises UserError where they cannot be had back."""
    match op:
        case Take(name):
            return {name: x}
        case Transposed(of):
            return store(of, x.t(), shape)
        case Joined(parts):
            D = shape.d_head
            sizes = (shape.n_head * D, shape.kv_heads * D, shape.kv_heads * D)
            found: dict[str, Tensor] = {}
            for part, piece in zip(parts, torch.split(x, list(sizes)), strict=True):
                found |= store(part, piece, shape)
            return found
        case Plus(of, number):
            return store(of, x - number, shape)
        case Times(of, number, rows):
            return store(of, scaled(x, 1 / number, rows), shape)
        case Unwoven(of, heads):
            return store(of, x.view(3, heads, -1, *x.shape[1:]).transpose(0, 1).reshape(x.shape), shape)
        case Zeros() if not x.any():
            return {}
        case From() | Zeros():
            raise UserError("this family lacks what the model has learned; it cannot be written")


def scaled(x: Tensor, number: float, rows: int) -> Tensor:
    """`x` with its first `rows` rows (all: 0) multiplied."""
    return x * number if not rows else torch.cat((x[:rows] * number, x[rows:]))
