"""The border: what another process sent is what its types declare, or it is refused in one line.

An engine may run on another machine, and what it sends is drawn, used as an index and sent back. `Border.checked` walks
an answer once, by its declared types (`gpttui.records.Numbers`, `Text`): arrays have the kind, axes and range that
stand on their fields, numbers are finite where nothing else is said, strings are safe to draw unless `Exact`, and
the answer is one to the question that was asked. A new field needs no more than its type.
"""

import math
import operator
import types
import typing
from collections.abc import Callable
from dataclasses import is_dataclass
from functools import cache
from typing import Annotated, Any, TypeVar

import msgspec
import numpy as np

from gpttui.errors import UserError
from gpttui.records import LARGEST, Array, Numbers, Text
from gpttui.text import safe_text

A = TypeVar("A")


class Misfit(UserError):
    """What arrived is not what its type declares. The line names the field and what is wrong with it."""

    not_finite = False
    """Only that a number is nan or infinite: training, or an intervention, can bring a model to that."""


class Scope:
    """Sizes of axes: `own` those of one record and of the records around it, `lasting` those of the open model."""

    __slots__ = "lasting", "own", "request"

    def __init__(self, own: dict[str, int], lasting: dict[str, int], request: Any) -> None:
        self.own, self.lasting, self.request = own, lasting, request

    def size(self, axis: str) -> int | None:
        found = self.own.get(axis)
        return self.lasting.get(axis) if found is None else found

    def tie(self, axis: str, size: int) -> None:
        """Whatever names `axis` has as much of it."""
        name = axis.removesuffix("?")
        wanted = int(name) if name.isdigit() else self.size(name)
        if wanted is None:
            self.own[name] = size
            if not size and name == axis:
                raise _Wrong(f"has nothing along {name}")
        elif wanted != size:
            raise _Wrong(f"has {size:,} along {name} instead of {wanted:,}")

    def highest(self, rule: Numbers) -> float:
        if not isinstance(rule.high, str):
            return rule.high
        size = self.size(rule.high)
        return LARGEST if size is None else size if rule.ends else size - 1


Check = Callable[[Any, Scope], Any]
"""A value becomes itself, or what takes its place. Raises _Wrong."""


class Border:
    """What is known of the open model and its text: every answer is checked against it."""

    def __init__(self) -> None:
        self._sizes: dict[str, int] = {}

    def checked(self, answer: A, request: Any = None) -> A:
        """`answer`, its strings made safe. Raises Misfit where it is none to `request` or, without, no event."""
        kind: Any = type(answer)
        asked: Any = type(request)
        if asked not in getattr(kind, "TO", (asked,)):
            raise Misfit(f"{kind.__name__} answers nothing that was asked")
        named = {} if request is None else {name: len(getattr(request, field)) for field, name in _axes_of(asked)}
        lasting = dict(self._sizes)
        try:
            _record(kind)(answer, Scope(named, lasting, request))
        except _Wrong as wrong:
            misfit = Misfit(f"{kind.__name__}.{'.'.join(reversed(wrong.path))} {wrong}")
            misfit.not_finite = wrong.not_finite
            raise misfit from None
        self._sizes = lasting
        return answer


class _Wrong(Exception):
    def __init__(self, words: str, *, not_finite: bool = False) -> None:
        super().__init__(words)
        self.not_finite = not_finite
        self.path: list[str] = []
        """Names of fields, the innermost first."""


def _declared(hint: Any) -> tuple[Any, Numbers | Text | None]:
    """A type without its annotations, and what they say of its values."""
    if typing.get_origin(hint) is not Annotated:
        return hint, None
    kind, *said = typing.get_args(hint)
    return kind, next((rule for rule in said if isinstance(rule, Numbers | Text)), None)


@cache
def _axes_of(request: type) -> list[tuple[str, str]]:
    """Fields of a request that are axes of its answer: so many tokens were asked about."""
    rules = {field: _declared(hint)[1] for field, hint in typing.get_type_hints(request, include_extras=True).items()}
    return [
        (field, rule.axes[0].removesuffix("?"))
        for field, rule in rules.items()
        if isinstance(rule, Numbers) and rule.axes
    ]


@cache
def _record(kind: type) -> Check:
    hints = typing.get_type_hints(kind, include_extras=True)
    by_need = sorted(hints, key=lambda name: _needs_axes(_declared(hints[name])[1]))
    checks = [(name, check) for name in by_need if (check := check_of(hints[name])) is not None]
    echoes = [name for name in hints if isinstance(rule := _declared(hints[name])[1], Numbers) and rule.asked]
    put = msgspec.structs.force_setattr if issubclass(kind, msgspec.Struct) else object.__setattr__
    has_sizes, more = hasattr(kind, "sizes"), getattr(kind, "misfit", None)

    def record(value: Any, around: Scope) -> Any:
        scope = Scope(dict(around.own), around.lasting, around.request)
        for name, check in checks:
            before = getattr(value, name)
            try:
                after = check(before, scope)
            except _Wrong as wrong:
                wrong.path.append(name)
                raise
            if after is not before:
                put(value, name, after)
        for name in echoes:
            if getattr(scope.request, name, here := getattr(value, name)) != here:
                raise _Wrong(f"is of {name} {here}, which was not asked for")
        if more is not None and (words := more(value)):
            raise _Wrong(words)
        if has_sizes:
            around.lasting |= value.sizes
        return value

    return record


def _needs_axes(rule: Numbers | Text | None) -> int:
    """Arrays and tuples give the axes their sizes; what is bounded by those comes after them."""
    return 2 if not isinstance(rule, Numbers) or not rule.axes else 1 if isinstance(rule.high, str) else 0


def check_of(hint: Any) -> Check | None:
    """The check of a declared type; None where any value of it will do. TypeError for an array that says nothing."""
    kind, rule = _declared(hint)
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if kind is Array:
        if not isinstance(rule, Numbers):
            raise TypeError(f"{hint} does not say what it holds")
        return _array(rule)
    if kind is str:
        return None if isinstance(rule, Text) and rule.exact else _string("\n" if rule else "")
    if kind in (int, float):
        return _number(rule if isinstance(rule, Numbers) else Numbers(whole=kind is int))
    if origin is tuple and parts[-1] is not Ellipsis:
        return _fields(parts)
    if origin in (tuple, list):
        return _members(origin, check_of(parts[0]), rule.axes[0] if isinstance(rule, Numbers) else "")
    if origin in (types.UnionType, typing.Union):
        kinds = [part for part in parts if part is not types.NoneType]
        return _maybe(check_of(kinds[0]) if len(kinds) == 1 else _by_type)
    if isinstance(kind, type) and (issubclass(kind, msgspec.Struct) or is_dataclass(kind)):
        return _record(kind)
    return None


def _array(rule: Numbers) -> Check:
    kinds = "iu" if rule.whole else "iuf"
    unknown = rule.nan or rule.infinite

    def array(value: Array, scope: Scope) -> Array:
        if value.dtype.kind not in kinds:
            raise _Wrong(f"holds {value.dtype}")
        if rule.absent and value.shape == (0,):
            return value
        if value.ndim != len(rule.axes):
            raise _Wrong(f"has {value.ndim} axes instead of {len(rule.axes)}")
        for axis, size in zip(rule.axes, value.shape, strict=True):
            scope.tie(axis, size)
        numbers = value[np.isfinite(value)] if unknown else value
        if numbers.size:
            low, high = float(numbers.min()), float(numbers.max())
            if not (rule.low <= low and high <= scope.highest(rule)):  # nan is neither
                raise _out_of_range(low, high)
        if unknown and numbers.size < value.size:
            if not rule.nan and np.isnan(value).any():
                raise _Wrong("holds nan", not_finite=True)
            if not rule.infinite and np.isinf(value).any():
                raise _Wrong("holds inf", not_finite=True)
        return value

    return array


def _number(rule: Numbers) -> Check:
    def number(value: float, scope: Scope) -> float:
        if rule.low <= value <= scope.highest(rule) or (value != value and rule.nan):
            return value
        if rule.infinite and value in (math.inf, -math.inf):
            return value
        raise _out_of_range(value, value)

    return number


def _out_of_range(low: float, high: float) -> _Wrong:
    said = f"{low:g}" if low == high or low != low else f"{low:g} to {high:g}"
    return _Wrong(f"holds {said}", not_finite=not (math.isfinite(low) and math.isfinite(high)))


def _string(keep: str) -> Check:
    def string(value: str, _: Scope) -> str:
        return safe_text(value, keep=keep)

    return string


def _members(kind: Any, check: Check | None, axis: str) -> Check | None:
    if check is None and not axis:
        return None

    def members(value: Any, scope: Scope) -> Any:
        if axis:
            scope.tie(axis, len(value))
        if check is None:
            return value
        found = [check(member, scope) for member in value]
        return value if all(map(operator.is_, found, value)) else kind(found)

    return members


def _fields(parts: tuple[Any, ...]) -> Check:
    """Of a tuple whose members each have a type of their own."""
    checks = [check_of(part) or _as_it_is for part in parts]

    def fields(value: tuple[Any, ...], scope: Scope) -> tuple[Any, ...]:
        return tuple([check(member, scope) for check, member in zip(checks, value, strict=True)])

    return fields


def _by_type(value: Any, scope: Scope) -> Any:
    kind: Any = type(value)
    return _record(kind)(value, scope)


def _as_it_is(value: Any, _: Scope) -> Any:
    return value


def _maybe(check: Check | None) -> Check | None:
    def maybe(value: Any, scope: Scope) -> Any:
        return value if value is None or check is None else check(value, scope)

    return maybe if check is not None else None
