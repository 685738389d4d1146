"""A run that is given a time ends with it, at the end of its schedule, whatever the machine does."""

from collections.abc import Callable

import pytest

from gpttui.runs.config import TrainConfig, changed, changed_at, taken_up
from gpttui.runs.events import CheckpointSaved, EvalDone, StepDone
from gpttui.training import fitting
from gpttui.training.optim import lr_factor


def stepped(step: int) -> StepDone:
    return StepDone(
        step=step, loss_nats=1.0, lr=1.0, grad_norm=1.0, layer_grad_norms=[], tokens_per_s=1.0, elapsed_s=0.0
    )


def trained(config: TrainConfig, step_s: Callable[[float], float], eval_s: float = 0.0) -> tuple[float, list[float]]:
    """Seconds that a run took, the last evaluation and checkpoint included, and the fractions of its learning rate.

    `step_s`: of a step that begins after so many seconds.
    """
    costs, step, elapsed_s, factors = fitting.Costs(1000, 10**6), 0, 0.0, []
    while True:
        if step >= min(fitting.due(config), config.steps):
            config = changed_at(config, step, steps=max(1, costs.steps(config, step, elapsed_s)))
        if step >= config.steps or elapsed_s >= 60 * config.minutes:
            return elapsed_s + eval_s, factors
        factors.append(lr_factor(config, step))
        spent_s = step_s(elapsed_s)
        step, elapsed_s = step + 1, elapsed_s + spent_s
        costs.take(stepped(step), spent_s)
        if eval_s and step % config.eval_every == 0:
            elapsed_s += eval_s
            costs.take(EvalDone(step=step, val_loss_nats=1.0, tokens=1, elapsed_s=elapsed_s), eval_s)
            costs.take(CheckpointSaved(step=step, path=""), 0.0)


@pytest.mark.parametrize("steps", [1, 50, 2000, 100_000])
@pytest.mark.parametrize(
    "step_s",
    [
        lambda _: 0.004,
        lambda _: 0.3,
        lambda elapsed_s: 0.02 if elapsed_s else 3.0,
        lambda elapsed_s: 0.01 if elapsed_s < 25 else 0.04,
        lambda elapsed_s: 0.04 if elapsed_s < 50 else 0.01,
        lambda elapsed_s: 0.02 * (1 + int(elapsed_s * 7) % 3),
    ],
)
def test_it_ends_with_its_time_at_the_end_of_its_schedule(steps: int, step_s: Callable[[float], float]) -> None:
    config = TrainConfig(data="x", minutes=1.0, steps=steps, schedule="linear", eval_tokens=1)
    took_s, factors = trained(config, step_s)
    assert took_s == pytest.approx(60, abs=max(1.2, 2 * step_s(60)))
    assert max(factors) > 0.9 and factors[-1] < 0.05


def test_evaluations_are_part_of_the_time() -> None:
    took_s, factors = trained(TrainConfig(data="x", minutes=1.0, eval_every=100), lambda _: 0.05, eval_s=2.0)
    assert took_s == pytest.approx(60, abs=1.2) and factors[-1] < 0.01


def test_corrections_are_few_and_their_moments_depend_on_the_config_alone() -> None:
    config, moments = TrainConfig(data="x", minutes=1.0, steps=5000), []
    while fitting.due(config) < config.steps:
        moments.append(fitting.due(config))
        config = changed_at(config, moments[-1], steps=config.steps)
    assert moments[:3] == [3, 9, 27] and len(moments) < 50 and moments[-1] == 4999


def test_what_was_in_force_is_told_of_every_step_and_a_new_rule_takes_over_where_it_is_given() -> None:
    config = TrainConfig(data="x", steps=100)
    config = changed_at(config, 10, steps=200)
    config = changed_at(config, 10, lr_scale=0.5)
    config = changed_at(config, 30, steps=150)
    assert [config.in_force(step) for step in (0, 9, 10, 29, 30, 149)] == [
        (100, 1.0), (100, 1.0), (200, 0.5), (200, 0.5), (150, 0.5), (150, 0.5),
    ]  # fmt: skip
    assert taken_up(config, config, 20) == config
    longer = taken_up(changed(config, steps=500), config, 20)
    assert longer.in_force(9) == (100, 1.0) and longer.in_force(20) == (500, 0.5)
