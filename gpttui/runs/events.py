"""What a training run tells the world: typed events, a JSON line each in `events.jsonl`, the same on the engine's pipe.

No torch here: the screen, `gpttui watch` and tests decode events without it. Losses are in nats per token.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from gpttui.records import Exact, Numbers

Count = Annotated[int, Meta(ge=0, lt=1 << 53)]
MOST = 3.5e38
Number = Annotated[float, Meta(ge=-MOST, le=MOST), Numbers(low=-MOST, high=MOST)]
"""What single precision can hold."""
Loss = Annotated[float, Numbers(low=-MOST, high=MOST, nan=True, infinite=True)]
"""Held out: weights that the last update has destroyed have none, which is told before the run fails of it."""


class TrainEvent(msgspec.Struct, frozen=True, tag=True, tag_field="event", kw_only=True, eq=False):
    """Base of all events; the class name is the tag. `step` counts optimiser steps done."""

    step: Count


class RunStarted(TrainEvent, frozen=True):
    """First of every start: fresh, resumed (`step` > 0) or rewound. Later steps recorded before no longer count."""

    config: dict[str, Any]
    params: Count
    vocab_size: Count
    tokenizer: str
    train_tokens: Count
    val_tokens: Count
    tokens_per_step: Count
    device: str
    threads: Count
    processes: Count
    unix_time_s: Number
    notes: list[str] = []
    """What a person should know of the data: bytes that are not UTF-8, unknown characters, …"""
    val_bytes: int = 0
    """Of the held-out text that these tokens are; 0: not known."""
    frequency_nats: Number = 0.0
    """Held-out loss of guessing by how often each token comes; 0: not known."""
    bigram_nats: Number = 0.0
    """Held-out loss of guessing by the token before."""
    tokenizer_id: str = ""
    """The same for the very same tokenizer only."""


class StepDone(TrainEvent, frozen=True):
    """One optimiser step."""

    loss_nats: Number
    """Of the batch, before the step."""
    lr: Number
    """AdamW's at this step (Muon's is scaled alike)."""
    grad_norm: Number
    """Of all gradients together, before clipping."""
    layer_grad_norms: list[Number]
    """Embedding, each block, the rest (final norm and head), in this order."""
    tokens_per_s: Number
    elapsed_s: Number
    """Of training, over all starts of the run."""


class EvalDone(TrainEvent, frozen=True):
    """Held-out loss over `tokens` tokens."""

    val_loss_nats: Loss
    tokens: Count
    elapsed_s: Number


class SampleDrawn(TrainEvent, frozen=True):
    """A continuation by the weights of this step, the same seed each time."""

    prompt: Exact
    text: Exact


class CheckpointSaved(TrainEvent, frozen=True):
    """`path` is relative to the run directory."""

    path: Exact


class StopRuleChanged(TrainEvent, frozen=True):
    """From here on the run ends by this; its schedule is as long as `steps`, which were fitted to `minutes` if there
    are any."""

    steps: int
    minutes: float
    target_loss: float


class LearningRateChanged(TrainEvent, frozen=True):
    """From here on the peak learning rate is `lr` (AdamW's; Muon's in proportion)."""

    lr: float


class RunEnded(TrainEvent, frozen=True):
    """`reason`: steps, minutes, target, or stopped (by a person or a signal; can be resumed)."""

    reason: str
    val_loss_nats: Loss | None
    best_val_loss_nats: Loss | None
    elapsed_s: Number


class RunFailed(TrainEvent, frozen=True):
    """The run cannot go on; `message` says why, and what is left to go on from."""

    message: str


Event = (
    RunStarted
    | StepDone
    | EvalDone
    | SampleDrawn
    | CheckpointSaved
    | StopRuleChanged
    | LearningRateChanged
    | RunEnded
    | RunFailed
)

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Event)


def encode_event(event: TrainEvent) -> bytes:
    """One JSON line without its newline. Numbers that are not finite become null, as JSON has none."""
    return _encoder.encode(event)


def decode_event(line: bytes) -> Event | None:
    """The event of one line; None for a line that is torn or of a kind this version does not know."""
    try:
        event: Event = _decoder.decode(line)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError):
        return None
    losses = [getattr(event, name, None) for name in ("val_loss_nats", "best_val_loss_nats")]
    return event if all(loss is None or abs(loss) <= MOST for loss in losses) else None
