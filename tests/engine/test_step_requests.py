"""A training step taken apart by requests: what is told of it fits together, and the run goes on as it would."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
import torch

from gpttui.engine.server import Engine
from gpttui.errors import UserError
from gpttui.model import checkpoint
from gpttui.protocol import backprop as bp
from gpttui.protocol.frames import Call, Reply, decode_call, decode_reply, frame
from gpttui.protocol.message import Answer
from gpttui.protocol.play import OpenModel, Show, Shown
from gpttui.protocol.train import Done, PauseRun, ResumeRun, StartRun
from gpttui.runs import rundir
from gpttui.runs.config import TrainConfig
from tests import fakes

T = TypeVar("T")
TINY: dict[str, Any] = {
    "layers": 2, "heads": 2, "width": 16, "context": 16, "batch": 4, "steps": 12, "warmup": 2, "eval_every": 6,
    "eval_tokens": 256, "sample_every": 6, "sample_tokens": 8, "checkpoint_every": 4, "device": "cpu", "threads": 1,
    "sample_prompt": "the king", "dropout": 0.1,
}  # fmt: skip


class Asked(Engine):
    """An engine without a process around it; what it answers has travelled, what it tells by itself is dropped."""

    def __init__(self) -> None:
        torch.set_num_threads(1)
        super().__init__(-1)

    def send(self, answer: Answer, number: int = 0) -> None:
        pass

    def ask(self, request: Any, kind: type[T]) -> T:
        request = decode_call(frame(Call(1, request))[4:]).request
        answer = decode_reply(frame(Reply(1, self.handle(request)))[4:]).answer
        assert isinstance(answer, kind), answer
        return answer

    def work_to(self, step: int) -> None:
        while self.need_live().step < step and not self.need_live().over:
            self.work_a_little()


@pytest.fixture
def engine() -> Any:
    made = Asked()
    yield made
    made.close()


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., None]:
    text = fakes.text_file(tmp_path)

    def begin(engine: Asked, name: str = "run", **fields: Any) -> None:
        config = TrainConfig(**({"data": str(text)} | TINY | fields))
        engine.handle(StartRun(config, str(tmp_path / name), "the king"))

    return begin


def test_the_next_step_is_told_in_parts_that_fit_together(engine: Asked, start: Callable[..., None]) -> None:
    start(engine, optimizer="muon")
    engine.work_to(3)
    step = engine.ask(bp.TakeApart(tokenizer=True), bp.TakenApart)
    assert step.step == 4 and step.was_running and engine.need_live().state == "paused"
    assert not engine.ask(bp.TakeApart(), bp.TakenApart).was_running and engine.need_live().step == 5
    assert step.tokenizer_json and (step.rows, step.context, step.tokens_in_all) == (4, 16, 64)

    rows = [engine.ask(bp.AskRow(row), bp.StepRow) for row in range(step.rows)]
    assert sum(float(row.shares.sum()) for row in rows) == pytest.approx(1, abs=1e-5)
    error = engine.ask(bp.AskOutputGradient(1, 7, k=5), bp.OutputGradient)
    assert error.target in error.ids and int(error.ids[0]) == error.target == rows[1].targets[7]
    assert float(error.errors.sum()) + error.rest_error == pytest.approx(0, abs=1e-5)
    assert float(error.probs[0]) == pytest.approx(math.exp(-float(rows[1].losses_nats[7])), rel=1e-4)

    back = engine.ask(bp.AskBackward(1, 7, 1), bp.Backward)
    assert back.lengths.shape == (5, 16) and back.gradients.shape == (5, 16)
    assert np.linalg.norm(back.gradients[-1]) == pytest.approx(float(back.lengths[-1, 7]), rel=1e-4)
    assert back.added[0] == 0 and (back.added[1:] > 0).all() and (back.passed[:, 8:] == 0).all()

    name = "transformer.h.1.mlp.c_proj.weight"
    one = engine.ask(bp.AskWeight(name, 3, 5), bp.OneWeight)
    part = engine.ask(bp.AskMatrix(name, "update", 3, 4, 5, 6), bp.MatrixPart)
    assert part.values.shape == (4, 6) and one.after - one.before == pytest.approx(float(part.values[0, 0]), abs=1e-7)
    low, plain, high = engine.ask(bp.AskNudged(name, 3, 5, (-1e-5, 0.0, 1e-5)), bp.Nudged).losses_nats
    assert (high - low) / 2e-5 == pytest.approx(one.gradient, rel=1e-3, abs=1e-7)
    assert plain != low

    after = engine.ask(bp.AskAfter(1), bp.AfterStep)
    held = engine.ask(bp.AskHeldOut(128), bp.HeldOut)
    assert len(after.before) == 16 and after.tokens == 64 and held.tokens == 128
    assert math.isfinite(held.before) and held.before != held.after
    assert engine.ask(bp.LeaveStep(go_on=True), bp.StepLeft).state == "running"
    with pytest.raises(UserError, match="no step has been taken apart"):
        engine.handle(bp.AskRow(0))


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_run_is_the_same_whoever_looked_and_wherever_it_broke_off(
    start: Callable[..., None], tmp_path: Path, optimizer: str
) -> None:
    plain, watched = Asked(), Asked()
    start(plain, "plain", optimizer=optimizer)
    plain.work_to(12)
    start(watched, "watched", optimizer=optimizer)
    for _ in range(7):
        watched.handle(bp.TakeApart())
        watched.handle(bp.AskNudged("transformer.wte.weight", 1, 1, (0.1,)))
        watched.handle(bp.AskAfter(0))
    watched.close()  # with the view open
    again = Asked()
    again.handle(ResumeRun(str(tmp_path / "watched"), "the king"))
    again.handle(bp.TakeApart())
    again.handle(bp.LeaveStep(go_on=True))
    again.work_to(12)
    for engine in (plain, again):
        engine.close()
    one, other = (checkpoint.load(rundir.checkpoints(tmp_path / name)[-1][1]) for name in ("plain", "watched"))
    for (name, p), q in zip(one.named_parameters(), other.parameters(), strict=True):
        assert torch.equal(p, q), name


def test_a_step_on_the_open_text_changes_nothing_of_the_model(engine: Asked, tmp_path: Path) -> None:
    engine.handle(OpenModel(str(fakes.tiny_model_dir(tmp_path)), "the king and queen"))
    before = engine.ask(Show(), Shown).snapshot
    step = engine.ask(bp.TakeApart(on_text=True), bp.TakenApart)
    assert step.on_text and step.step == 1 and step.rows == 1 and step.context == len(before.ids) - 1
    after = engine.ask(bp.AskAfter(0), bp.AfterStep)
    assert after.batch_after < after.batch_before
    assert math.isnan(engine.ask(bp.AskHeldOut(), bp.HeldOut).before)
    same = engine.ask(Show(), Shown).snapshot
    assert before.prediction is not None and same.prediction is not None
    assert np.array_equal(before.prediction.model_probs, same.prediction.model_probs)


def test_what_cannot_be_is_one_line(engine: Asked, start: Callable[..., None], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nothing is being trained here"):
        engine.handle(bp.TakeApart())
    engine.handle(OpenModel(str(fakes.tiny_model_dir(tmp_path)), "t"))
    with pytest.raises(UserError, match="two tokens or more"):
        engine.handle(bp.TakeApart(on_text=True))
    start(engine)
    engine.handle(bp.TakeApart())
    for wrong in (
        bp.AskRow(99), bp.AskOutputGradient(0, 99), bp.AskBackward(0, 0, 9), bp.AskMatrix("nothing"),
        bp.AskMatrix("transformer.wte.weight", rows=10**6, columns=10**6), bp.AskAfter(-1),
        bp.AskWeight("transformer.wte.weight", 0, 99), bp.AskNudged("transformer.wte.weight", -1, 0, (0.0,)),
    ):  # fmt: skip
        with pytest.raises(UserError):
            engine.handle(wrong)
    assert engine.ask(PauseRun(False), Done).state == "running"
    engine.work_to(99)
    with pytest.raises(UserError, match="this run has ended"):
        engine.handle(bp.TakeApart())


def test_a_run_that_ends_before_another_step_says_so(engine: Asked, start: Callable[..., None]) -> None:
    start(engine, steps=2)
    engine.handle(bp.TakeApart())
    engine.handle(bp.TakeApart())
    with pytest.raises(UserError, match="this run has ended"):
        engine.handle(bp.TakeApart())
    assert engine.need_live().over and not engine.has_idle_work


def test_a_gradient_that_is_no_number_ends_the_run_in_one_line(engine: Asked, start: Callable[..., None]) -> None:
    start(engine)
    engine.handle(bp.TakeApart())
    with torch.no_grad():
        engine.need_live().trainer.model.transformer.wte.weight[:] = math.nan
    with pytest.raises(UserError, match="the loss is not a number"):
        engine.handle(bp.TakeApart())
    assert engine.need_live().state == "failed"
