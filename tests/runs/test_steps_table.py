"""A run's steps as a table: those that still count."""

from gpttui.runs.events import EvalDone, Event, RunStarted, StepDone
from gpttui.runs.steps_table import COLUMNS, rows


def started(step: int) -> RunStarted:
    return RunStarted(
        step=step, config={}, params=1, vocab_size=2, tokenizer="char", train_tokens=1, val_tokens=1, tokens_per_step=1,
        device="cpu", threads=1, processes=1, unix_time_s=0.0,
    )  # fmt: skip


def done(step: int, loss: float) -> StepDone:
    return StepDone(
        step=step, loss_nats=loss, lr=0.1, grad_norm=2.0, layer_grad_norms=[], tokens_per_s=3.0, elapsed_s=4.0
    )


def test_steps_recorded_before_a_start_further_back_do_not_count() -> None:
    held = EvalDone(step=3, val_loss_nats=7.0, tokens=1, elapsed_s=0.0)
    recorded: list[Event] = [started(0), done(1, 5.0), done(2, 4.0), done(3, 3.0), held, started(2), done(3, 2.5)]
    assert rows(recorded) == [(1, 5.0, None, 0.1, 2.0, 3.0, 4.0), (2, 4.0, None, 0.1, 2.0, 3.0, 4.0),
                              (3, 2.5, None, 0.1, 2.0, 3.0, 4.0)]  # fmt: skip
    assert rows([*recorded, held])[-1][:3] == (3, 2.5, 7.0)
    assert len(COLUMNS) == len(rows(recorded)[0]) and rows([]) == []
