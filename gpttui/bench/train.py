"""`gpttui bench train`: a training step against `transformers`, and the race to a validation loss of 1.88.

The step is nanoGPT's CPU shape (4 layers x 4 heads x width 128, context 64, 12 rows), on the same batches for both
sides, forward, backward, clipping and optimiser included. The race is the recipe `speedrun` to its end, on tiny
Shakespeare, against what 2,000 plain AdamW steps of the same program take on this machine in the same minutes.
"""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec
import torch
import torch.nn.functional as F

from gpttui.bench.report import Progress, Row, against, in_turns, silently
from gpttui.corpora.registry import open_corpus
from gpttui.errors import UserError
from gpttui.runs.config import TrainConfig
from gpttui.runs.events import RunEnded, RunFailed, StepDone
from gpttui.training import run
from gpttui.training.data import Data
from gpttui.training.loop import Trainer
from gpttui.training.recipes import recipe

STEPS_OF_A_ROUND = 20
ROUNDS = 5
BASELINE_STEPS = 2000
TARGET_LOSS_NATS = 1.88


def measure(data: str | None = None, *, rounds: int = ROUNDS, tell: Progress = silently) -> list[Row]:
    """The step's row and, where `data` names a text, the race's.

    Raises UserError where transformers is not installed or the text cannot be read.
    """
    with tempfile.TemporaryDirectory() as folder:
        plain = _quiet(recipe("baseline").config, data or _some_text(Path(folder)))
        with run.start(plain, Path(folder) / "plain") as ours:
            steps = _steps(ours.trainer)
            work = _their_steps(ours.trainer.data, plain)
            tell(f"a step, in turns with transformers, {rounds} x {STEPS_OF_A_ROUND}")
            work()
            next(steps)
            ours_ms, theirs_ms = in_turns(rounds, lambda: next(steps), work)
            rows = [
                against(
                    "training step, GPT-2's architecture, AdamW",
                    ours_ms,
                    "transformers, fused AdamW, same batches",
                    theirs_ms,
                    at_least=0.9,
                    aim=0.7,
                )
            ]
            if data is not None:
                tell(f"the race to {TARGET_LOSS_NATS}, about half a minute")
                rows.append(_race(data, Path(folder) / "race", ours_ms, steps))
    return rows


def _race(data: str, path: Path, before_ms: list[float], plain_steps: Iterator[float]) -> Row:
    """The speedrun between two measurements of the plain step."""
    ended: RunEnded | None = None
    config = _quiet(recipe("speedrun").config, data)
    with run.start(config, path) as race:
        began_s = perf_counter()
        for event in race.trainer.events():
            if isinstance(event, RunFailed):
                raise UserError(f"the speedrun failed: {event.message}")
            if isinstance(event, RunEnded):
                ended = event
        took_s = perf_counter() - began_s
    plain_ms = [*before_ms, *(next(plain_steps) for _ in before_ms)]
    baseline_s = sum(plain_ms) / len(plain_ms) * BASELINE_STEPS / 1e3
    loss = ended.val_loss_nats if ended is not None else None
    if loss is None or loss > TARGET_LOSS_NATS:
        note = f"ended at {loss}: the goal of {TARGET_LOSS_NATS} was not reached, the ratio does not count"
    else:
        note = f"validation loss {loss:.4f} after {config.steps} steps"
    name = f"wall time to validation loss {TARGET_LOSS_NATS}, recipe speedrun"
    baseline = f"{BASELINE_STEPS:,} plain AdamW steps, from {len(plain_ms) * STEPS_OF_A_ROUND}"
    return Row(name, took_s, "s", baseline, baseline_s, took_s / baseline_s, 0.30, 0.15, note)


def _quiet(config: TrainConfig, data: str) -> TrainConfig:
    """No evaluation, sample or checkpoint in between."""
    return msgspec.structs.replace(config, data=data, eval_every=0, sample_every=0, checkpoint_every=0)


def _some_text(folder: Path) -> str:
    """A text that every machine can make; what it says does not matter for a step's time."""
    file = folder / "text.txt"
    file.write_text("\n".join(open_corpus("addition")(0, 50_000)), encoding="utf-8")
    return str(file)


def _steps(trainer: Trainer) -> Iterator[float]:
    """Milliseconds a step, over and over, of `STEPS_OF_A_ROUND` steps of the training loop."""
    events = trainer.events()
    while True:
        began_s, done = perf_counter(), 0
        while done < STEPS_OF_A_ROUND:
            event = next(events)
            if isinstance(event, RunFailed | RunEnded):
                raise UserError(f"the run ended before it was measured: {event}")
            done += isinstance(event, StepDone)
        yield (perf_counter() - began_s) * 1e3 / STEPS_OF_A_ROUND


def _their_steps(data: Data, config: TrainConfig) -> Callable[[], float]:
    """A round of `transformers`: the same shape, batches, clipping and settings; returns milliseconds a step."""
    try:
        from transformers import GPT2Config, GPT2LMHeadModel
    except ImportError as error:
        raise UserError("this benchmark compares with transformers; pip install transformers") from error
    shape = GPT2Config(
        vocab_size=data.tokenizer.vocab_size,
        n_positions=config.context,
        n_embd=config.width,
        n_layer=config.layers,
        n_head=config.heads,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=None,
        eos_token_id=None,
    )
    model: Any = GPT2LMHeadModel(shape).train()
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=config.lr, betas=(config.beta1, config.beta2), weight_decay=0.1, fused=True
    )
    drawn = 0

    def work() -> float:
        nonlocal drawn
        began_s = perf_counter()
        for _ in range(STEPS_OF_A_ROUND):
            batch = data.train.draw(config.seed, drawn, config.batch)
            drawn += config.batch
            logits = model(batch.inputs, use_cache=False).logits
            loss = F.cross_entropy(logits.flatten(0, 1), batch.targets.flatten())
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), config.grad_clip)
            optimiser.step()
            float(loss.detach())
        return (perf_counter() - began_s) * 1e3 / STEPS_OF_A_ROUND

    return work
