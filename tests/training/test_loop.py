"""The loop as its consumers see it: events in order, knobs between them, and honest ends."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from gpttui.errors import UserError
from gpttui.model import checkpoint
from gpttui.runs import rundir
from gpttui.runs import summary as run_summary
from gpttui.runs.config import TrainConfig
from gpttui.runs.events import (
    CheckpointSaved,
    EvalDone,
    Event,
    LearningRateChanged,
    RunEnded,
    RunFailed,
    RunStarted,
    SampleDrawn,
    StepDone,
    StopRuleChanged,
)
from gpttui.tokenizers import Tokenizer
from gpttui.training import run as runs
from gpttui.training.optim import lr_factor
from tests.training.conftest import train

Tiny = Callable[..., TrainConfig]


def losses(events: list[Event]) -> list[float]:
    return [event.loss_nats for event in events if isinstance(event, StepDone)]


@pytest.mark.parametrize("arch", ["gpt2", "modern"])
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_it_learns(tiny: Tiny, tmp_path: Path, arch: str, optimizer: str) -> None:
    events = train(tiny(arch=arch, optimizer=optimizer, steps=60, batch=8, lr=1e-2), tmp_path / "run")
    found = losses(events)
    assert len(found) == 60
    assert sum(found[-5:]) / 5 < 0.75 * found[0]
    ended = events[-1]
    assert isinstance(ended, RunEnded) and ended.reason == "steps"
    assert ended.val_loss_nats is not None and ended.val_loss_nats < 0.8 * found[0]


def test_events_come_in_order_and_are_what_is_recorded(tiny: Tiny, tmp_path: Path) -> None:
    events = train(tiny(sample_every=6, sample_prompt="the "), tmp_path / "run")
    assert [type(event).__name__ for event in events if not isinstance(event, StepDone)] == [
        "RunStarted", "SampleDrawn", "CheckpointSaved", "CheckpointSaved", "EvalDone", "SampleDrawn", "CheckpointSaved",
        "SampleDrawn", "EvalDone", "CheckpointSaved", "RunEnded",
    ]  # fmt: skip
    recorded = list(rundir.read_events(tmp_path / "run"))
    assert [type(event) for event in recorded] == [type(event) for event in events]
    assert losses(recorded) == losses(events)
    saved = [event for event in events if isinstance(event, CheckpointSaved)]
    assert [event.step for event in saved] == [0, 4, 8, 12]
    sampled = [event for event in events if isinstance(event, SampleDrawn)]
    assert all(event.prompt == "the " and event.text for event in sampled)
    assert [event.step for event in sampled] == [0, 6, 12]


def test_most_samples_of_a_long_run_come_at_its_beginning(tiny: Tiny, tmp_path: Path) -> None:
    config = tiny(steps=110, sample_every=100, sample_tokens=4, eval_every=0, checkpoint_every=0)
    plain = train(tiny(steps=110, sample_every=0, eval_every=0, checkpoint_every=0), tmp_path / "silent")
    events = train(config, tmp_path / "run")
    assert [event.step for event in events if isinstance(event, SampleDrawn)] == [0, 10, 50, 100]
    assert losses(events) == losses(plain)


def test_a_sample_of_rows_ends_where_a_row_does(tiny: Tiny, tmp_path: Path) -> None:
    often = {"data": "corpus:sort", "corpus_documents": 60, "context": 26, "steps": 1}
    often |= {"sample_every": 1, "sample_tokens": 400}
    for documents in (True, False):
        events = train(tiny(documents=documents, sample_prompt="b>", **often), tmp_path / str(documents))
        texts = [event.text for event in events if isinstance(event, SampleDrawn)]
        assert texts and all("\n" in text for text in texts)
        assert all(text.index("\n") == len(text) - 1 for text in texts) == documents


def test_another_number_of_steps_is_another_schedule_from_the_next_step_on(tiny: Tiny, tmp_path: Path) -> None:
    before = train(tiny(steps=12), tmp_path / "as-ordered")
    changed_at = 5
    with runs.start(tiny(steps=12), tmp_path / "run") as run:
        events = []
        for event in run.trainer.events():
            events.append(event)
            if isinstance(event, StepDone) and event.step == changed_at:
                with pytest.raises(UserError, match="5 steps are done already"):
                    run.trainer.set_stop_rule(steps=5)
                run.trainer.set_stop_rule(steps=20, target_loss=0.1)
                assert run.trainer.change_waits
    told = [event for event in events if isinstance(event, StopRuleChanged)]
    assert [(event.step, event.steps, event.target_loss) for event in told] == [(5, 20, 0.1)]
    rates = [event.lr for event in events if isinstance(event, StepDone)]
    assert len(rates) == 20 and losses(events)[:changed_at] == losses(before)[:changed_at]
    expected = tiny(steps=20)
    assert rates[changed_at:] == [expected.lr * lr_factor(expected, step) for step in range(changed_at, 20)]
    assert rundir.read_config(tmp_path / "run").steps == 20


def test_recorded_gradient_norms_are_the_gradients(tiny: Tiny, tmp_path: Path) -> None:
    with runs.start(tiny(grad_clip=0.0), tmp_path / "run") as run:
        for event in run.trainer.events():
            if isinstance(event, StepDone):
                squares = {
                    name: float(p.grad.double().square().sum())
                    for name, p in run.trainer.model.named_parameters()
                    if p.grad is not None
                }
                first_block = sum(value for name, value in squares.items() if name.startswith("transformer.h.0."))
                assert event.grad_norm == pytest.approx(sum(squares.values()) ** 0.5, rel=1e-5)
                assert event.layer_grad_norms[1] == pytest.approx(first_block**0.5, rel=1e-5)
                assert len(event.layer_grad_norms) == 4
                break


def test_long_gradients_are_cut_to_the_limit(tiny: Tiny, tmp_path: Path) -> None:
    with runs.start(tiny(grad_clip=0.01), tmp_path / "run") as run:
        for event in run.trainer.events():
            if isinstance(event, StepDone):
                assert event.grad_norm > 0.01
                gradients = [p.grad.flatten() for p in run.trainer.model.parameters() if p.grad is not None]
                assert float(torch.cat(gradients).norm()) == pytest.approx(0.01, rel=1e-4)
                break


def test_accumulated_passes_are_one_larger_batch(tiny: Tiny, tmp_path: Path) -> None:
    one = losses(train(tiny(batch=8), tmp_path / "one"))
    two = losses(train(tiny(batch=4, accumulation=2), tmp_path / "two"))
    assert one == pytest.approx(two, rel=1e-4)


@pytest.mark.parametrize("weight", [1.0, 0.1, 0.0])
def test_passes_over_padded_rows_count_by_what_is_in_them(tiny: Tiny, tmp_path: Path, weight: float) -> None:
    file = tmp_path / "sums.txt"
    file.write_text("".join(f"{n}+{n * n * n}={n + n * n * n}\n" for n in range(400)), encoding="utf-8")
    rows = {"data": str(file), "documents": True, "answer_after": "=", "prompt_weight": weight}
    whole = losses(train(tiny(**rows, batch=8), tmp_path / "whole"))
    for passes in (2, 4):
        split = tiny(**rows, batch=8 // passes, accumulation=passes)
        assert whole == pytest.approx(losses(train(split, tmp_path / str(passes))), abs=1e-4)


def test_the_engine_gets_a_turn_between_passes(tiny: Tiny, tmp_path: Path) -> None:
    with runs.start(tiny(accumulation=3, steps=2, eval_every=0, checkpoint_every=0), tmp_path / "run") as run:
        turns = list(run.trainer.events())
    assert turns.count(None) >= 4  # two inside each step


def test_same_seed_same_losses_and_another_seed_others(tiny: Tiny, tmp_path: Path) -> None:
    one, two, three = (losses(train(tiny(seed=s, dropout=0.1), tmp_path / str(i))) for i, s in enumerate((1, 1, 2)))
    assert one == two
    assert one != three


def test_rewind_gives_the_very_same_run_again(tiny: Tiny, tmp_path: Path) -> None:
    path = tmp_path / "run"
    events: list[Event] = []
    with runs.start(tiny(dropout=0.1), path) as run:
        rewound = False
        for event in run.trainer.events():
            if event is not None:
                events.append(event)
            if isinstance(event, StepDone) and event.step == 6 and not rewound:
                run.trainer.rewind()
                rewound = True
    starts = [event for event in events if isinstance(event, RunStarted)]
    assert [event.step for event in starts] == [0, 0]
    found = losses(events)
    assert found[:6] == found[6:12]
    assert len(found) == 18
    assert [step for step, _ in rundir.checkpoints(path)] == [0, 4, 8, 12]


def test_learning_rate_changes_while_it_runs_and_is_remembered(tiny: Tiny, tmp_path: Path) -> None:
    config = tiny(schedule="constant", warmup=0, lr=1e-3, steps=6, checkpoint_every=0)
    with runs.start(config, tmp_path / "run") as run:
        rates = []
        for event in run.trainer.events():
            if isinstance(event, StepDone):
                rates.append(event.lr)
                if event.step == 2:
                    run.trainer.set_lr(5e-4)
                if event.step == 4:
                    run.trainer.stop()
    assert rates == pytest.approx([1e-3, 1e-3, 5e-4, 5e-4])
    told = [event for event in rundir.read_events(tmp_path / "run") if isinstance(event, LearningRateChanged)]
    assert [(event.step, event.lr) for event in told] == [(2, pytest.approx(5e-4))]
    with runs.resume(tmp_path / "run") as run:
        assert [event.lr for event in run.trainer.events() if isinstance(event, StepDone)] == pytest.approx([5e-4] * 2)


def test_it_stops_at_a_target_and_after_its_minutes(tiny: Tiny, tmp_path: Path) -> None:
    ended = train(tiny(target_loss=50.0), tmp_path / "target")[-1]
    assert isinstance(ended, RunEnded) and (ended.reason, ended.step) == ("target", 6)
    ended = train(tiny(minutes=1e-9), tmp_path / "minutes")[-1]
    assert isinstance(ended, RunEnded) and (ended.reason, ended.step) == ("minutes", 1)


def test_a_lost_run_says_where_and_keeps_its_checkpoint(tiny: Tiny, tmp_path: Path) -> None:
    path = tmp_path / "run"
    events = train(tiny(lr=90.0, schedule="constant", warmup=0, grad_clip=0, steps=40, checkpoint_every=1), path)
    failed = events[-1]
    assert isinstance(failed, RunFailed)
    for part in ("step", "learning rate 90", "gradient norm"):
        assert part in failed.message
    latest = rundir.latest_checkpoint(path)
    assert latest is not None and checkpoint.load(latest).n_params > 0
    assert run_summary.describe(path).status == "failed"
    assert f"the last checkpoint is intact (step {int(latest.name)}); resume with a lower --lr" in failed.message
    assert (path / rundir.LATEST).read_text() == latest.name == rundir.checkpoints(path)[-1][1].name
    with runs.resume(path, tiny(lr=1e-4, schedule="constant", warmup=0, steps=10, checkpoint_every=1)) as run:
        resumed = [event for event in run.trainer.events() if event is not None]
    assert isinstance(resumed[-1], RunEnded) and max(losses(resumed)) < 1.5 * losses(events)[0]


def test_a_checkpoint_that_the_next_step_disproves_is_taken_back(tiny: Tiny, tmp_path: Path) -> None:
    path = tmp_path / "run"
    with runs.start(tiny(checkpoint_every=1), path) as run:
        events: list[Event] = []
        for event in run.trainer.events():
            events += [] if event is None else [event]
            if isinstance(event, CheckpointSaved) and event.step == 3:
                run.trainer.state.first_loss_nats = 0.0
                run.trainer.model.transformer.wte.weight.data.mul_(1e3)
    failed = events[-1]
    assert isinstance(failed, RunFailed) and "exploded" in failed.message and "(step 2)" in failed.message
    assert (path / rundir.LATEST).read_text() == "00000002" and rundir.checkpoints(path)[-1][0] == 2


def test_a_lost_run_without_a_checkpoint_says_so(tiny: Tiny, tmp_path: Path) -> None:
    wild = tiny(lr=90.0, schedule="constant", warmup=0, grad_clip=0, steps=40, checkpoint_every=0)
    failed = train(wild, tmp_path / "run")[-1]
    assert isinstance(failed, RunFailed) and "intact" not in failed.message
    assert "there is no checkpoint to go on from; start anew with a lower --lr" in failed.message
    with runs.start(tiny(lr=90.0, schedule="constant", warmup=0, grad_clip=0), tmp_path / "last") as run:
        run.trainer.config = tiny(lr=90.0, schedule="constant", warmup=0, grad_clip=0, steps=1)
        failed = [event for event in run.trainer.events() if event is not None][-1]
    assert isinstance(failed, RunFailed) and "(step 0); resume" in failed.message


def test_a_vanished_directory_ends_the_run(tiny: Tiny, tmp_path: Path) -> None:
    with runs.start(tiny(), tmp_path / "run") as run:
        events = run.trainer.events()
        for event in events:
            if isinstance(event, StepDone):
                shutil.rmtree(tmp_path / "run")
                break
        failed = [event for event in events if event is not None][-1]
    assert isinstance(failed, RunFailed) and "vanished" in failed.message and "intact" not in failed.message


def test_fine_tuning_starts_from_the_model_with_its_tokenizer(tiny: Tiny, tmp_path: Path) -> None:
    first = tmp_path / "first"
    train(tiny(steps=40, lr=1e-2, sample_every=0), first)
    saved = rundir.latest_checkpoint(first)
    assert saved is not None
    other = tmp_path / "other.txt"
    other.write_text("the town of the queen sat down 123\n" * 40)
    events = train(tiny(data=str(other), init=str(saved), steps=5, tokenizer="bpe:300"), tmp_path / "second")
    started = events[0]
    assert isinstance(started, RunStarted)
    assert any("unknown" in note for note in started.notes)
    assert losses(events)[0] < losses(list(rundir.read_events(first)))[0] * 0.8
    assert Tokenizer.open(tmp_path / "second").to_json() == Tokenizer.open(first).to_json()


def test_two_writers_never_share_a_run(tiny: Tiny, tmp_path: Path) -> None:
    with runs.start(tiny(), tmp_path / "run") as run:
        next(run.trainer.events())
        with pytest.raises(UserError, match="already"):
            runs.resume(tmp_path / "run")
        with pytest.raises(UserError, match="--resume"):
            runs.start(tiny(), tmp_path / "run")
        assert rundir.is_locked(tmp_path / "run")
    assert not rundir.is_locked(tmp_path / "run")


def test_evaluations_share_their_rows(tiny: Tiny, tmp_path: Path) -> None:
    events = train(tiny(lr=1e-9, eval_every=3), tmp_path / "run")  # nothing moves: every measurement is the same
    found = [event.val_loss_nats for event in events if isinstance(event, EvalDone)]
    assert len(found) == 4 and found == pytest.approx([found[0]] * 4, abs=1e-4)
