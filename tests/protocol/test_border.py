"""What comes over the wire is what its type declares: for every answer that there is, field by field."""

import dataclasses
import math
import types
from typing import Annotated, Any

import msgspec
import numpy as np
import pytest

from gpttui.protocol.border import Border, Misfit, check_of
from gpttui.protocol.frames import GREETING, GREETING_ENDS, Reply, decode_reply, frame
from gpttui.protocol.message import Answer, EngineInfo, Failure, Request, kinds
from gpttui.protocol.play import Shown, Step
from gpttui.protocol.stream import AskJourney, AskLens, Journey, Near
from gpttui.protocol.train import TrainNews
from gpttui.records import LARGEST, Array, ModelCard, Text, floats
from gpttui.runs.events import EvalDone, StepDone
from gpttui.text import safe_text
from tests.spoilt import HOSTILE, fields_of, forbidden, made, replaced, strings

ANSWERS: tuple[Any, ...] = kinds(Answer)


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


@pytest.mark.parametrize("kind", ANSWERS)
def test_no_spoilt_field_of_any_answer_passes(kind: Any) -> None:
    border, request = knowing(), asked(kind)
    for n, bad in enumerate(forbidden(made(kind), kind)):
        with pytest.raises((Misfit, msgspec.ValidationError, TypeError, ValueError)) as caught:
            border.checked(over_the_wire(bad), request)
            pytest.fail(f"number {n} passed: {bad}")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("request_", kinds(Request))
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


def test_the_place_of_neighbours_is_a_stop() -> None:
    known, near = knowing(), made(Near)
    for name in ("token", "embed", "1 attn"):
        assert known.checked(over_the_wire(replaced(near, stop_name=name)), asked(Near)).stop_name == name
    with pytest.raises(msgspec.ValidationError):
        over_the_wire(replaced(near, stop_name=HOSTILE))


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
