"""A step taken apart is the step that is taken, bit for bit, and what is shown of it is what calculus says."""

import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from gpttui.errors import UserError
from gpttui.model.gpt import GPT
from gpttui.model.taps import Recorder
from gpttui.runs.config import TrainConfig, changed
from gpttui.runs.events import StepDone
from gpttui.training import run as runs
from gpttui.training.data import Batch
from gpttui.training.loop import Trainer
from gpttui.training.loss import mean_loss
from gpttui.training.shape import model_shape
from gpttui.training.step_apart import StepApart
from gpttui.training.step_recorder import StepRecorder, step_on_text
from tests import shapes

Tiny = Callable[..., TrainConfig]
STRICT: dict[str, Any] = {"accumulation": 3, "grad_clip": 0.2, "dropout": 0.1, "label_smoothing": 0.05}


def steps(trainer: Trainer, count: int, *, apart: bool) -> list[StepApart]:
    """Take so many steps, each recorded or none."""
    found, events = list[StepApart](), trainer.events()
    done = 0
    if apart:
        trainer.take_apart()
    while done < count:
        if isinstance(next(events), StepDone):
            done += 1
            if apart:
                assert trainer.apart is not None
                found.append(trainer.apart)
                trainer.take_apart()
    return found


def apart_of(config: TrainConfig, path: Path, step: int = 2) -> StepApart:
    with runs.start(config, path) as run:
        return steps(run.trainer, step, apart=True)[-1]


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize("arch", ["gpt2", "modern"])
def test_recording_changes_no_bit(tiny: Tiny, tmp_path: Path, arch: str, optimizer: str) -> None:
    config = tiny(arch=arch, optimizer=optimizer, **STRICT)
    with runs.start(config, tmp_path / "plain") as plain, runs.start(config, tmp_path / "apart") as recorded:
        steps(plain.trainer, 4, apart=False)
        found = steps(recorded.trainer, 4, apart=True)
        pairs = zip(plain.trainer.model.named_parameters(), recorded.trainer.model.parameters(), strict=True)
        for (name, p), other in pairs:
            assert torch.equal(p, other) and torch.equal(p, found[-1].after[name]), name
        for one, other in zip(plain.trainer.optimisers, recorded.trainer.optimisers, strict=True):
            for p, q in zip(one.param_groups, other.param_groups, strict=True):
                for a, b in zip(p["params"], q["params"], strict=True):
                    assert all(torch.equal(x, other.state[b][key]) for key, x in one.state[a].items())
    for before, after in pairwise(found):
        assert all(torch.equal(before.after[name], after.before[name]) for name in after.names)
    assert all(one.clip_factor < 1 for one in found)


def test_only_what_was_asked_for_is_recorded(tiny: Tiny, tmp_path: Path) -> None:
    with runs.start(tiny(), tmp_path / "run") as run:
        (first,) = steps(run.trainer, 1, apart=True)
        run.trainer._recorder = None
        steps(run.trainer, 2, apart=False)
        assert run.trainer.apart is first and first.step == 1


ACTIVATIONS = [
    ("gpt2", "gelu_tanh"), ("gpt2", "gelu"), ("gpt2", "relu"), ("gpt2", "gelu_quick"), ("modern", "relu2"),
    ("modern", "silu"), ("llama", "swiglu"), ("llama", "geglu"), ("llama", "reglu"),
]  # fmt: skip


@pytest.mark.parametrize(("arch", "activation"), ACTIVATIONS)
def test_every_gradient_is_the_slope_of_the_loss(arch: str, activation: str) -> None:
    config = TrainConfig(data="-", arch=arch, activation=activation, layers=2, heads=2, width=4, context=5, mlp_width=6)  # type: ignore[arg-type]
    torch.manual_seed(0)
    model = GPT(model_shape(config, vocab_size=7)).double()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    found = step_in_double(model, shapes.ids(6, vocab_size=7))
    for name in found.names:
        gradient = found.table(name, "gradient")
        places = [(row, column) for row in range(gradient.size(0)) for column in range(gradient.size(1))]
        slopes = torch.tensor([found.slope_at(name, *place) for place in places], dtype=torch.float64)
        error = (slopes.view_as(gradient) - gradient).abs().max() / gradient.abs().max()
        assert float(error) <= 1e-6, name


def step_in_double(model: GPT, ids: list[int]) -> StepApart:
    """As `step_on_text`, but in the model's own precision and in it."""
    config = TrainConfig(data="-", context=len(ids) - 1, batch=1)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3)
    recorder = StepRecorder(model, [optimiser], config)
    batch = Batch(torch.tensor([ids[:-1]]), torch.tensor([ids[1:]]))
    recorder.begin()
    mean_loss(model(batch.inputs, tap=recorder.tap(batch, 1.0, None)), batch).backward()  # type: ignore[no-untyped-call]
    recorder.found(1.0)
    optimiser.step()
    return recorder.taken(1, 0.0)


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_an_update_is_the_sum_of_its_terms(tiny: Tiny, tmp_path: Path, optimizer: str) -> None:
    config = tiny(arch="modern", optimizer=optimizer, matrix_weight_decay=0.1, **STRICT)
    found = apart_of(config, tmp_path / "run", 3)
    for name in found.names:
        table = found.table(name, "update")
        row, column = table.size(0) // 2, table.size(1) - 1
        update = found.update_at(name, row, column)
        assert update.after == pytest.approx(update.before + float(table[row, column]), abs=1e-7)
        assert update.decay + update.step == pytest.approx(float(table[row, column]), rel=1e-2, abs=2e-7), name
        assert update.clipped == pytest.approx(update.gradient * found.clip_factor, rel=1e-5)
        assert math.isnan(update.momentum) != math.isnan(update.first_moment)


def test_a_batch_without_a_nudge_has_the_loss_that_it_had(tiny: Tiny, tmp_path: Path) -> None:
    """With dropout, label smoothing and passes whose rows hold different amounts."""
    found = apart_of(tiny(documents=True, **STRICT), tmp_path / "run")
    name = "transformer.h.1.mlp.c_proj.weight"
    assert found.loss_with(name, 3, 4, [0.0])[0] == pytest.approx(found.loss_nats, abs=2e-6)
    gradient = float(found.table(name, "gradient")[3, 4])
    assert found.slope_at(name, 3, 4) == pytest.approx(gradient, rel=1e-3, abs=1e-7)
    assert not found.model.training
    assert sum(float(found.row(row)[2].sum()) for row in range(found.rows)) == pytest.approx(1.0)
    assert found.rows == found.rows_in_all == 12


@pytest.mark.parametrize("shape", ["gpt2", "modern", "sandwich", "parallel", "attention-only"])
def test_what_is_passed_back_is_what_autograd_passes_back(shape: str) -> None:
    model, ids = shapes.model(shape), shapes.ids(13)
    found = step_on_text(model, ids)
    trained = found.model
    trained.load_state_dict(found.before, strict=False)
    recorder = Recorder()
    logits = trained(torch.tensor([ids[:-1]]), tap=recorder)
    for site in recorder.sites.values():
        site.retain_grad()
    torch.nn.functional.cross_entropy(logits[0], torch.tensor(ids[1:])).backward()  # type: ignore[no-untyped-call]
    slopes = {site: x.grad for site, x in recorder.sites.items() if x.grad is not None}
    for site in found.slopes:
        torch.testing.assert_close(found.slopes[site], slopes[site], rtol=1e-4, atol=1e-6)
    for position in (0, 7, 11):
        pattern, passed = found.passed_back(0, model.config.n_layer - 1, position)
        site = f"blocks.{model.config.n_layer - 1}.attn.pattern"
        expected = recorder.sites[site][0, :, position] * slopes[site][0, :, position]
        torch.testing.assert_close(pattern.float(), recorder.sites[site][0, :, position].detach(), rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(passed.float(), expected.detach(), rtol=1e-4, atol=1e-6)
        _, error, factor = found.logits_gradient(0, position)
        torch.testing.assert_close((error * factor).float(), slopes["logits"][0, position], rtol=1e-4, atol=1e-7)


def test_a_step_on_a_text_leaves_the_model_as_it_was_and_helps() -> None:
    model = shapes.model("gpt2")
    before = {name: p.clone() for name, p in model.state_dict().items()}
    found = step_on_text(model, shapes.ids(60))
    assert all(torch.equal(p, before[name]) for name, p in model.state_dict().items())
    assert not any(p.requires_grad for p in model.parameters())
    assert len(found.row(0)[0]) == model.config.context
    old, new = found.compared_row(0)
    assert float(new.mean()) < float(old.mean()) == pytest.approx(found.loss_nats, rel=1e-5)
    assert found.compared([one.batch for one in found.passes])[:2] == (float(old.mean()), float(new.mean()))


def test_what_cannot_be_taken_apart_says_so(tiny: Tiny, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="two tokens or more"):
        step_on_text(shapes.model("gpt2"), [3])
    spoilt = shapes.model("gpt2", seed=1)
    with torch.no_grad():
        spoilt.lm_head.weight[3, 3] = math.nan
    with pytest.raises(UserError, match="not a finite number"):
        step_on_text(spoilt, [1, 2, 3])
    with runs.start(tiny(), tmp_path / "run") as run:
        run.trainer.config = changed(run.trainer.config, compile=True)
        with pytest.raises(UserError, match="without --compile"):
            run.trainer.take_apart()
    found = apart_of(tiny(), tmp_path / "other")
    with pytest.raises(UserError, match="row 5 is not kept"):
        found.row(4)
    with pytest.raises(UserError, match="no weight that this step trained"):
        found.loss_with("wte", 0, 0, [0.0])
