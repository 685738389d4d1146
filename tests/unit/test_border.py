"""What comes over the wire is what its type declares: for every answer that there is, field by field."""

import dataclasses
import math
import types
import typing
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import numpy as np
import pytest

from gpttui.protocol.border import Border, Misfit, check_of
from gpttui.protocol.frames import (
    GREETING,
    GREETING_ENDS,
    Answer,
    EngineInfo,
    Failure,
    Reply,
    Request,
    Shown,
    Step,
    decode_reply,
    frame,
)
from gpttui.protocol.stream import AskJourney, AskLens, Journey
from gpttui.protocol.train import TrainNews
from gpttui.records import LARGEST, Array, ModelCard, Numbers, Text, floats, frozen
from gpttui.runs.config import TrainConfig
from gpttui.runs.events import EvalDone, StepDone
from gpttui.text import safe_text

HOSTILE = "\x1b]0;PWNED\x07\x1b]52;c;UFdORUQ=\x07\x1bPq#0\x1b\\\x1b[2J\x9b31m\u202e\u200b\x00\r\b\x7f"
ANSWERS: tuple[Any, ...] = typing.get_args(Answer)
SIZES = {"layer": 2, "head": 3, "d_model": 6, "vocab": 40, "context": 32}
NAMED = {"n_layer": 2, "n_head": 3, "d_model": 6, "vocab_size": 40, "context": 32, "draws": 1}


def declared(hint: Any) -> tuple[Any, Any]:
    kind, *said = typing.get_args(hint) if typing.get_origin(hint) is Annotated else (hint,)
    return kind, next((one for one in said if isinstance(one, Numbers | Text)), None)


def is_record(kind: Any) -> bool:
    return isinstance(kind, type) and (issubclass(kind, msgspec.Struct) or dataclasses.is_dataclass(kind))


def fields_of(kind: Any) -> dict[str, Any]:
    of = msgspec.structs.fields(kind) if issubclass(kind, msgspec.Struct) else dataclasses.fields(kind)
    hints = typing.get_type_hints(kind, include_extras=True)
    return {field.name: hints[field.name] for field in of}


def made(hint: Any, name: str = "") -> Any:
    """A value of a declared type: small numbers, hostile strings; axes that no model sizes are two long."""
    kind, rule = declared(hint)
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is np.ndarray:
        shape = [int(axis) if axis.isdigit() else SIZES.get(axis, 2) for axis in rule.axes]
        return frozen(np.full(shape, max(0, rule.low), np.int32 if rule.whole else np.float32))
    if origin is typing.Literal:
        return parts[0]
    if kind is bool:
        return True
    if kind in (int, float):
        return kind(NAMED.get(name, max(0, rule.low if rule else 0)))
    if kind is str:
        return HOSTILE
    if kind is TrainConfig:
        return TrainConfig(data=HOSTILE)
    if origin is tuple and parts[-1] is not Ellipsis:
        return tuple(made(part) for part in parts)
    if origin in (tuple, list):
        return origin(made(parts[0]) for _ in range(2))
    if origin is dict:
        return {"a": HOSTILE}
    if origin in (types.UnionType, typing.Union):
        return made(next(part for part in parts if part is not types.NoneType))
    assert is_record(kind), hint
    return kind(**{field: made(one, field) for field, one in fields_of(kind).items()})


def asked(kind: Any) -> Any:
    """A request that an answer of `kind` answers; None for an event."""
    questions = [one for one in getattr(kind, "TO", (Step,)) if one is not types.NoneType]
    return made(questions[0]) if questions else None


def knowing() -> Border:
    """A border that has seen a model and a text of two tokens."""
    border = Border()
    answer: Any = next(kind for kind in ANSWERS if kind.__name__ == "Opened")
    border.checked(made(answer), asked(answer))
    return border


def over_the_wire(answer: Any) -> Any:
    return decode_reply(frame(Reply(1, answer))[4:]).answer


def strings(value: Any, hint: Any) -> Iterator[tuple[str, Any]]:
    """Every string in a value, with what its type says of it."""
    kind, rule = declared(hint)
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if isinstance(value, str):
        yield value, rule
    elif is_record(type(value)):
        for name, one in fields_of(type(value)).items():
            yield from strings(getattr(value, name), one)
    elif isinstance(value, tuple | list):
        fixed = origin is tuple and parts[-1] is not Ellipsis
        for n, member in enumerate(value):
            yield from strings(member, parts[n] if fixed else parts[0] if parts else str)
    elif origin in (types.UnionType, typing.Union):
        yield from strings(value, parts[0])


@pytest.mark.parametrize("kind", ANSWERS)
def test_every_answer_passes_as_it_is_meant_and_only_exact_strings_stay_raw(kind: Any) -> None:
    answer = knowing().checked(over_the_wire(made(kind)), asked(kind))
    found = list(strings(answer, kind))
    assert found or not any(hint is str for hint in fields_of(kind).values())
    for value, rule in found:
        if value == HOSTILE:
            assert isinstance(rule, Text) and rule.exact, f"a string of {kind.__name__} is raw, and not declared Exact"
        else:
            assert safe_text(value, keep="\n" if rule else "") == value


def spoilt(value: Any, hint: Any) -> Iterator[Any]:
    """Values that the declared type does not allow."""
    kind, rule = declared(hint)
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if isinstance(value, np.ndarray):
        yield value[None]
        yield np.array(["a"] * value.size).reshape(value.shape).view(np.int32).astype(np.complex64)
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
            for bad in spoilt(getattr(value, name), one):
                yield (replaced(value, name, bad))
    elif origin in (tuple, list):
        fixed = origin is tuple and parts[-1] is not Ellipsis
        for n, member in enumerate(value):
            for bad in spoilt(member, parts[n] if fixed else parts[0]):
                yield origin((*value[:n], bad, *value[n + 1 :]))
        yield None
    elif origin in (types.UnionType, typing.Union):
        yield from (bad for bad in spoilt(value, parts[0]) if bad is not None)
    elif kind is str:
        yield 5


def replaced(value: Any, name: str, bad: Any) -> Any:
    return (
        msgspec.structs.replace(value, **{name: bad})
        if isinstance(value, msgspec.Struct)
        else (dataclasses.replace(value, **{name: bad}))
    )


@pytest.mark.parametrize("kind", ANSWERS)
def test_no_spoilt_field_of_any_answer_passes(kind: Any) -> None:
    border, request = knowing(), asked(kind)
    for n, bad in enumerate(spoilt(made(kind), kind)):
        with pytest.raises((Misfit, msgspec.ValidationError, TypeError, ValueError)) as caught:
            border.checked(over_the_wire(bad), request)
            pytest.fail(f"number {n} passed: {bad}")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("request_", typing.get_args(Request))
def test_every_request_has_one_answer(request_: Any) -> None:
    assert [kind.__name__ for kind in ANSWERS if request_ in getattr(kind, "TO", ())] != []


def test_an_answer_to_something_else_is_none() -> None:
    border, answer = knowing(), made(Journey)
    assert border.checked(answer, made(AskJourney)) is answer
    with pytest.raises(Misfit, match="Journey answers nothing that was asked"):
        border.checked(answer, made(AskLens))
    with pytest.raises(Misfit, match="Shown answers nothing that was asked"):
        border.checked(made(Shown))
    assert border.checked(Failure("no"), made(AskLens)).message == "no"


def test_a_misfit_names_its_field() -> None:
    bad = msgspec.structs.replace(made(Journey), norms=np.zeros(7, np.float32))
    with pytest.raises(Misfit, match=r"Journey\.norms has 7 along stop instead of 2"):
        knowing().checked(bad, made(AskJourney))


def test_a_loss_that_is_no_number_is_shown_as_such() -> None:
    news = made(TrainNews)
    lost = msgspec.structs.replace(
        news,
        losses_nats=np.array([math.nan, math.inf]),
        last=msgspec.structs.replace(made(StepDone), grad_norm=3e38),
        events=(msgspec.structs.replace(made(EvalDone), val_loss_nats=math.nan),),
    )
    passed = knowing().checked(over_the_wire(lost))
    assert np.isnan(passed.losses_nats[0]) and np.isinf(passed.losses_nats[1])
    assert passed.last.grad_norm == 3e38 and math.isnan(passed.events[0].val_loss_nats)


def test_an_array_that_says_nothing_of_what_it_holds_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="does not say"):
        check_of(Array)
    assert check_of(Annotated[Array, floats("layer")]) is not None
    assert float(np.float32(LARGEST)) < math.inf


def test_a_model_of_a_size_that_no_screen_can_hold_is_refused() -> None:
    card = dataclasses.replace(made(ModelCard), n_layer=10**9)
    opened = next(kind for kind in ANSWERS if kind.__name__ == "Opened")
    with pytest.raises(Misfit, match=r"card\.n_layer"):
        Border().checked(msgspec.structs.replace(made(opened), card=card), asked(opened))


def test_the_greeting_is_where_the_client_looks_for_it() -> None:
    info = EngineInfo(1, "0", "none", "cpu", 1, 1, 1.0)
    assert frame(Reply(0, info))[4:].find(GREETING) + len(GREETING) == GREETING_ENDS
