"""Numbers that never change, for pictures that must not: an engine with canned training, a run in progress, a shelf."""

import msgspec
import numpy as np

from gpttui.protocol.message import Answer, Request
from gpttui.protocol.train import AskBatch, BatchLosses, Measure, Measured, Probe, TrainNews
from gpttui.records import LossHistory, ModelCard, frozen
from gpttui.runs.config import TrainConfig
from gpttui.runs.events import EvalDone, RunStarted, SampleDrawn, StepDone
from tests.fake_engine import TEXT, FakeEngine, tokenizer

RUN = "/runs/kings"
STEPS, DONE = 600, 240


class CannedEngine(FakeEngine):
    """The fake engine, with an estimate and a batch that are always the same."""

    async def request(self, request: Request) -> Answer:
        match request:
            case Measure():
                return Measured(
                    params=823_456, vocab_size=300, vocab_exact=True, context=64, step_s=0.021, token_s=2e-5,
                    draw_s=1.5e-3, memory_bytes=310_000_000, free_bytes=8_000_000_000,
                )  # fmt: skip
            case AskBatch():
                ids = np.resize(np.array(tokenizer().encode(TEXT), np.int32), (2, 65))
                losses = np.abs(np.sin(np.arange(130, dtype=np.float32)).reshape(2, 65)) * 4
                losses[:, 0] = np.nan
                return BatchLosses(DONE, DONE, 12, frozen(ids), frozen(losses))
        return await super().request(request)


def losses_nats(steps: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    """A curve that falls and ripples, without a random number in it."""
    return (1.6 + 4.1 * np.exp(-steps / 90) + 0.06 * np.sin(steps * 1.7)).astype(np.float32)


def news(run: str = RUN, done: int = DONE, state: str = "running") -> TrainNews:
    """What an engine would tell of a run that is under way."""
    config = TrainConfig(data="kings.txt", steps=STEPS, sample_prompt="The king", layers=4, heads=4, width=128)
    steps = np.arange(1, done + 1)
    started = RunStarted(
        step=0, config=msgspec.to_builtins(config), params=823_456, vocab_size=300, tokenizer="byte-level BPE 300",
        train_tokens=301_000, val_tokens=33_000, tokens_per_step=768, device="cpu", threads=1, processes=1,
        unix_time_s=0.0,
    )  # fmt: skip
    measured = [
        EvalDone(step=at, val_loss_nats=float(losses_nats(np.array([at]))[0]) + 0.1, tokens=16_384, elapsed_s=at * 0.02)
        for at in range(40, done + 1, 40)
    ]
    samples = [
        SampleDrawn(step=at, prompt="The king", text=text)
        for at, text in ((40, " thheao te a e\ns t"), (120, " is the lond to be"), (240, " is dead. Long live the k"))
        if at <= done
    ]
    last = StepDone(
        step=done, loss_nats=float(losses_nats(steps[-1:])[0]), lr=8.5e-4, grad_norm=0.62,
        layer_grad_norms=[0.21, 0.34, 0.28, 0.25, 0.18, 0.2], tokens_per_s=36_500.0, elapsed_s=done * 0.02,
    )  # fmt: skip
    probe = Probe(done, frozen(np.arange(40, 48, dtype=np.int32)), frozen(0.4 / 2.0 ** np.arange(8)))
    return TrainNews(
        run=run, state=state, steps=frozen(steps), losses_nats=frozen(losses_nats(steps)), last=last,
        events=(started, *measured, *samples), probe=probe, checkpoints=tuple(range(0, done + 1, 40)),
        memory_bytes=412_000_000,
    )  # fmt: skip


def shelf() -> tuple[list[ModelCard], list[str]]:
    """Two models, the first with a card as long as cards get."""
    words = (
        "Tells short tales, one after the other: who lives where, what happened to them, and why it ended well. It "
        "has never seen anything but such tales."
    )
    looks = (
        "Layer 2, head 3 looks back at the hero's name from every pronoun; layer 1, head 1 reads the token before. "
        "Silence the first with x and the tales lose their heroes."
    )
    tales = ModelCard(
        id="tales", path="/shelf/tales", params=1_234_567, n_layer=4, n_head=4, d_model=128, vocab_size=1024,
        context=128, tokenizer="byte-level BPE 1024", size_bytes=5_000_000, data="generated tales, seed 1",
        metric_name="validation loss", metric_value=0.912, summary=words, look_inside=looks,
        prompts=("Once upon a time", "Anna the miller had a dog.\nThe dog", "In the city of Bern", "It rained, so"),
        measured=(("names_right", 0.97), ("grammar_right", 0.99), ("endings_right", 0.93)),
    )  # fmt: skip
    sort = ModelCard(
        id="sort", path="/shelf/sort", params=56_789, n_layer=2, n_head=1, d_model=48, vocab_size=30, context=26,
        tokenizer="characters", size_bytes=230_000, data="generated words", metric_name="sorted right",
        metric_value=0.999, summary="Sorts letters.", prompts=("hello>",),
    )  # fmt: skip
    return [tales, sort], []


def history() -> LossHistory:
    steps = np.arange(0, 2000, 10)
    return LossHistory(steps, losses_nats(steps), steps[::20], losses_nats(steps[::20]) + np.float32(0.1), "tales")
