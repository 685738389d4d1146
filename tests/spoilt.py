"""Answers as a broken or hostile engine may send them, made of true ones or of nothing, by their declared types."""

import dataclasses
import math
import types
import typing
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import msgspec
import numpy as np

from gpttui.records import Array, Numbers, Text, frozen
from gpttui.runs.config import TrainConfig

HOSTILE = "\x1b]0;PWNED\x07\x1b]52;c;UFdORUQ=\x07\x1bPq#0\x1b\\\x1b[2J\x9b31m\u202e\u200b\x00\r\b\x7f"
SIZES = {"layer": 2, "head": 3, "d_model": 6, "vocab": 40, "context": 32}
NAMED = {"n_layer": 2, "n_head": 3, "d_model": 6, "vocab_size": 40, "context": 32, "draws": 1}


def declared(hint: Any) -> tuple[Any, Any]:
    """A type without its annotations, and what they say."""
    kind, *said = typing.get_args(hint) if typing.get_origin(hint) is Annotated else (hint,)
    return kind, next((one for one in said if isinstance(one, Numbers | Text)), None)


def is_record(kind: Any) -> bool:
    return isinstance(kind, type) and (issubclass(kind, msgspec.Struct) or dataclasses.is_dataclass(kind))


def fields_of(kind: Any) -> dict[str, Any]:
    of = msgspec.structs.fields(kind) if issubclass(kind, msgspec.Struct) else dataclasses.fields(kind)
    hints = typing.get_type_hints(kind, include_extras=True)
    return {field.name: hints[field.name] for field in of}


def replaced(record: Any, **fields: Any) -> Any:
    """A copy of a struct or dataclass."""
    replace: Any = msgspec.structs.replace if isinstance(record, msgspec.Struct) else dataclasses.replace
    return replace(record, **fields)


def made(hint: Any, name: str = "") -> Any:
    """A value of a declared type: small numbers, hostile strings; axes that no model sizes are two long."""
    kind, rule = declared(hint)
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if kind is Array:
        shape = [int(axis) if axis.isdigit() else SIZES.get(axis.removesuffix("?"), 2) for axis in rule.axes]
        return frozen(np.full(shape, max(0, rule.low), np.int32 if rule.whole else np.float32))
    if origin is typing.Literal:
        return parts[0]
    if kind is bool:
        return True
    if kind in (int, float):
        return kind(NAMED.get(name, max(0, rule.low if rule else 0)))
    if kind is str:
        return "embed" if any(isinstance(one, msgspec.Meta) for one in typing.get_args(hint)) else HOSTILE
    if kind is TrainConfig:
        return TrainConfig(data=HOSTILE)
    if origin is tuple and parts[-1] is not Ellipsis:
        return tuple(made(part) for part in parts)
    if origin in (tuple, list):
        axis = rule.axes[0] if rule is not None else ""
        return origin(made(parts[0]) for _ in range(int(axis) if axis.isdigit() else 2))
    if origin is dict:
        return {"a": HOSTILE}
    if origin in (types.UnionType, typing.Union):
        return made(next(part for part in parts if part is not types.NoneType))
    assert is_record(kind), hint
    return kind(**{field: made(one, field) for field, one in fields_of(kind).items()})


def strings(value: Any, hint: Any) -> Iterator[tuple[str, Any]]:
    """Every string in a value, with what its type says of it."""
    for kind_value, rule in _leaves(value, hint):
        if isinstance(kind_value, str):
            yield kind_value, rule


def _leaves(value: Any, hint: Any) -> Iterator[tuple[Any, Any]]:
    kind, rule = declared(hint)
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if is_record(type(value)):
        for name, one in fields_of(type(value)).items():
            yield from _leaves(getattr(value, name), one)
    elif isinstance(value, tuple | list):
        fixed = origin is tuple and parts[-1] is not Ellipsis
        for n, member in enumerate(value):
            yield from _leaves(member, parts[n] if fixed else parts[0] if parts else str)
    elif origin in (types.UnionType, typing.Union):
        yield from _leaves(value, parts[0])
    else:
        yield value, rule


def with_strings(value: Any, change: Callable[[str], str], but: frozenset[str] = frozenset()) -> Any:
    """A copy in which every string but those of the fields named `but` is changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, tuple | list):
        return type(value)(with_strings(member, change, but) for member in value)
    if isinstance(value, dict):
        return {name: with_strings(member, change, but) for name, member in value.items()}
    if is_record(type(value)):
        names = [name for name in fields_of(type(value)) if name not in but]
        return replaced(value, **{name: with_strings(getattr(value, name), change, but) for name in names})
    return value


def forbidden(value: Any, hint: Any) -> Iterator[Any]:
    """Values that the declared type does not allow, each spoilt in one place."""
    kind, rule = declared(hint)
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if isinstance(value, np.ndarray):
        yield from _forbidden_arrays(value, rule)
    elif kind in (int, float) and not isinstance(value, bool):
        numbers = rule or Numbers(whole=kind is int)
        yield from () if numbers.nan else (math.nan,)
        yield from () if numbers.infinite else (math.inf, -math.inf)
        yield 1e300 if kind is float else 2**62
        yield from (-7,) if numbers.low > -7 else ()
        yield from (kind(SIZES.get(numbers.high, 2) + 1),) if isinstance(numbers.high, str) else ()
        yield from (kind(value + 1),) if numbers.asked else ()
        yield "no number"
    elif is_record(type(value)):
        for name, one in fields_of(type(value)).items():
            for bad in forbidden(getattr(value, name), one):
                yield replaced(value, **{name: bad})
    elif origin in (tuple, list):
        fixed = origin is tuple and parts[-1] is not Ellipsis
        for n, member in enumerate(value):
            for bad in forbidden(member, parts[n] if fixed else parts[0]):
                yield origin((*value[:n], bad, *value[n + 1 :]))
        yield None
    elif origin in (types.UnionType, typing.Union):
        yield from (bad for bad in forbidden(value, parts[0]) if bad is not None)
    elif kind is str:
        yield 5


def _forbidden_arrays(value: Array, rule: Numbers) -> Iterator[Array]:
    yield value[None]
    yield value.astype(np.complex64)
    for n, axis in enumerate(rule.axes):
        if axis in SIZES or axis.isdigit():
            yield np.concatenate((value, value), axis=n)
    if rule.whole:
        yield value.astype(np.float64)
        yield np.full_like(value, -7)
    if not rule.nan:
        yield np.full(value.shape, math.nan)
    if not rule.infinite:
        yield np.full(value.shape, math.inf)
    yield np.full(value.shape, 1e300)


def changed(value: Any, hint: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Copies of a true answer, each different in one place, in whatever way: the words say where and how."""
    kind, rule = declared(hint)
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if isinstance(value, np.ndarray):
        for how in _whole(value.dtype) if rule.whole else (0, 1, -1, 1e17, -1e17, math.nan, math.inf, -math.inf):
            yield f"{at} all {how}", np.full(value.shape, how, value.dtype if rule.whole else np.float64)
        yield f"{at} reversed", np.ascontiguousarray(value[..., ::-1] if value.ndim else value)
        yield f"{at} empty", np.empty(0, value.dtype)
    elif isinstance(value, bool):
        yield f"{at} not", not value
    elif isinstance(value, int):
        yield from ((f"{at} {n}", n) for n in (0, 1, -1, value + 1, value - 1, 10**6, 10**15))
    elif isinstance(value, float):
        yield from ((f"{at} {n}", n) for n in (0.0, 1.0, -1.0, 1e17, -1e17, math.nan, math.inf, -math.inf))
    elif isinstance(value, str):
        yield from ((f"{at} {text[:9]!r}", text) for text in ("", HOSTILE, "9" * 3000, "語" * 50))
    elif is_record(type(value)):
        yield from _other_sizes(value, at)
        for name, one in fields_of(type(value)).items():
            for words, other in changed(getattr(value, name), one, f"{at}.{name}"):
                yield words, replaced(value, **{name: other})
    elif isinstance(value, tuple | list):
        fixed = origin is tuple and bool(parts) and parts[-1] is not Ellipsis
        if not fixed:
            yield f"{at} empty", type(value)()
            yield f"{at} twice", type(value)((*value, *value))
            yield f"{at} reversed", type(value)(reversed(value))
        for n, member in list(enumerate(value))[:2]:
            for words, other in changed(member, parts[n] if fixed else parts[0] if parts else str, f"{at}[{n}]"):
                yield words, type(value)((*value[:n], other, *value[n + 1 :]))
    elif origin in (types.UnionType, typing.Union):
        inner = [part for part in parts if part is not types.NoneType]
        if value is None:
            yield f"{at} made", made(inner[0])
    if value is not None and origin in (types.UnionType, typing.Union) and types.NoneType in parts:
        yield f"{at} none", None


def _whole(kind: "np.dtype[Any]") -> tuple[int, ...]:
    return 0, 1, -1, 7, int(np.iinfo(kind).max), int(np.iinfo(kind).min)


def _other_sizes(record: Any, at: str) -> Iterator[tuple[str, Any]]:
    """Every free axis of a record without anything along it, with one, and twice as long, in all its arrays at once."""
    axes: dict[str, list[tuple[str, int]]] = {}
    for name, hint in fields_of(type(record)).items():
        _, rule = declared(hint)
        if isinstance(rule, Numbers) and isinstance(getattr(record, name), np.ndarray | tuple):
            for n, axis in enumerate(rule.axes):
                axes.setdefault(axis, []).append((name, n))
    for axis, places in axes.items():
        if axis.isdigit():
            continue
        for words, cut in (("none", slice(0)), ("one", slice(1))):
            short = {name: _cut(getattr(record, name), n, cut) for name, n in places}
            yield f"{at}.{axis} {words}", replaced(record, **short)
        long = {name: _twice(getattr(record, name), n) for name, n in places}
        yield f"{at}.{axis} twice", replaced(record, **long)


def _cut(value: Any, axis: int, part: slice) -> Any:
    if not isinstance(value, np.ndarray):
        return value[part]
    return np.ascontiguousarray(value[(slice(None),) * axis + (part,)]) if value.ndim > axis else value


def _twice(value: Any, axis: int) -> Any:
    if not isinstance(value, np.ndarray):
        return (*value, *value)
    return np.concatenate((value, value), axis=axis) if value.ndim > axis else value
