"""What the training screen asks the engine for, and what it gets: estimates, knobs, a batch, checkpoints, comparisons.

`gpttui.protocol.frames` joins these into its unions. A run is named by its directory on the engine's machine. Losses
are in nats. No torch, no screen.
"""

from types import NoneType
from typing import Annotated

from gpttui.protocol.message import Answer, Look, Message, Request
from gpttui.records import (
    AnyNumber,
    Array,
    Count,
    Exact,
    Numbers,
    Probability,
    Sampling,
    Size,
    floats,
    probabilities,
    whole,
)
from gpttui.runs.config import TrainConfig
from gpttui.runs.events import Event, StepDone

Seconds = Annotated[float, Numbers(low=0)]


class Measure(Request, frozen=True):
    """What would this run be? A few timed passes of its shape. Answer: `Measured`."""

    config: TrainConfig


class Measured(Answer, frozen=True):
    TO = (Measure,)
    params: Count
    vocab_size: Count
    vocab_exact: bool
    """False where it was counted on the beginning of the text only."""
    context: Size
    """Of the model: the config's own, or that of the model to start from."""
    step_s: Seconds
    """One optimiser step, measured on a few rows and scaled to the batch."""
    token_s: Seconds
    """One token of many, forward only: an evaluation's."""
    draw_s: Seconds
    """One token alone, as samples are drawn."""
    memory_bytes: Count
    free_bytes: Count
    """0 where the system does not tell."""
    unknown: tuple[str, ...] = ()
    """Some of what the text has and the vocabulary of the model to start from does not."""
    unknown_share: Probability = 0.0
    """Of the text's tokens, counted on its beginning."""


class StartRun(Request, frozen=True):
    """Train in the new run directory `path`, and open the model being trained. Answer: `Opened`, then `TrainNews`."""

    config: TrainConfig
    path: str
    prompt: str | None = None
    look: Look = Look()
    sampling: Sampling | None = None
    seed: int = 0


class ResumeRun(Request, frozen=True):
    """Go on with a run from its newest whole checkpoint, and open the model being trained. Answer: `Opened`."""

    path: str
    prompt: str | None = None
    look: Look = Look()
    sampling: Sampling | None = None
    seed: int = 0
    rule: "SetStopRule | None" = None
    """Another end than the one that it had."""


class PauseRun(Request, frozen=True):
    """Hold the run, or let it go on. Answer: `Done`, as for all knobs."""

    paused: bool


class OneBatch(Request, frozen=True):
    """Train one step, then hold."""


class StopRun(Request, frozen=True):
    """Save and end; the run can be resumed."""


class RewindRun(Request, frozen=True):
    """Back to the very same initial weights."""


class SetLearningRate(Request, frozen=True):
    """Another peak learning rate from the next step on."""

    lr: float


class SetStopRule(Request, frozen=True):
    """When the run ends by itself, from the next step on. Not before a `StopRuleChanged` has come is it so."""

    minutes: float = 0.0
    """Of training in all, to which the schedule is fitted; 0: not by time."""
    target_loss: float = 0.0
    """0: not by a loss."""
    steps: int = 0
    """Without `minutes`: also the length of the schedule, which is drawn out or drawn in; 0: as many as before."""


class Done(Answer, frozen=True):
    """It is as asked. `state` is that of the run: running, paused, ended, failed."""

    TO = (PauseRun, OneBatch, StopRun, RewindRun, SetLearningRate, SetStopRule)
    state: str


class Probe(Message, frozen=True):
    """What the model says after the watched prompt at one step."""

    step: Count
    ids: Annotated[Array, whole("k")]
    """Most probable first."""
    probs: Annotated[Array, probabilities("k")]
    """Over the whole vocabulary, temperature 1."""


class TrainNews(Answer, frozen=True):
    """An event: what has happened since the last one, at most four times a second."""

    TO = (NoneType,)
    run: Exact
    state: str
    steps: Annotated[Array, whole("n?")]
    """Steps done since."""
    losses_nats: Annotated[Array, floats("n?", nan=True, infinite=True)]
    """Of their batches."""
    last: StepDone | None = None
    """The last of these steps in full."""
    events: tuple[Event, ...] = ()
    """All that is no StepDone, in order."""
    probe: Probe | None = None
    checkpoints: tuple[Count, ...] | None = None
    """Steps of all checkpoints there are; None: as before."""
    memory_bytes: Count = 0
    """Of the engine's process."""


class UseCheckpoint(Request, frozen=True):
    """The open text under the weights of a run's `step` (-1: the live ones): same prompt, same seed, drawn anew.

    As many tokens as were drawn, but at least `tokens`. Answer: `Shown`.
    """

    run: str
    step: int
    tokens: int = 0
    look: Look = Look()


class AskBatch(Request, frozen=True):
    """The batch of a step (-1: the newest), and how well the weights of that moment predict it. Answer: `BatchLosses`.

    For a run that trains here, its live batch and weights; else the batch that the run's seed gives, with the weights
    of the last checkpoint at or before it.
    """

    run: str
    step: int = -1
    rows: int = 4


class BatchLosses(Answer, frozen=True):
    TO = (AskBatch,)
    step: Count
    weights_step: Count
    rows_in_all: Count
    ids: Annotated[Array, whole("row token")]
    """Of the context and one more."""
    losses_nats: Annotated[Array, floats("row token", nan=True, infinite=True)]
    """Of each token as predicted from those before it; nan for the first and for padding."""


class AskProbes(Request, frozen=True):
    """The prompt's candidates at each checkpoint later than `after`. Answer: `Probes`, as many as a moment allows."""

    run: str
    prompt: str
    after: int = -1
    top_k: int = 16


class Probes(Answer, frozen=True):
    TO = (AskProbes,)
    probes: tuple[Probe, ...]
    more: bool
    """Ask again, after the last one's step."""


class AskBeforeAfter(Request, frozen=True):
    """What the run changed: the same prompt, the same seed. Answer: `BeforeAfter`."""

    run: str
    prompt: str
    seed: int
    sampling: Sampling
    tokens: int = 60


class Move(Message, frozen=True):
    """A token's probability after `position`, before and after."""

    position: Annotated[int, Numbers(low=0, high="read", whole=True)]
    token_id: Count
    before: Probability
    after: Probability


class BeforeAfter(Answer, frozen=True):
    TO = (AskBeforeAfter,)
    before: str
    """In words: which weights."""
    after: str
    n_prompt: Count
    before_ids: Annotated[Array, whole("T_before?")]
    """Prompt and what follows it."""
    after_ids: Annotated[Array, whole("T_after?")]
    moves: tuple[Move, ...]
    """Largest first, over the positions of `read_ids`."""
    read_ids: Annotated[Array, whole("read?")]
    """What both models read: the text from before, or, where nothing had been learned before, the one from after."""
    new_text: str
    new_before_nats: AnyNumber
    new_after_nats: AnyNumber
    new_tokens: Count
    old_text: str = ""
    """What the model had learned from before; empty where there was nothing before."""
    old_before_nats: AnyNumber | None = None
    old_after_nats: AnyNumber | None = None
    old_tokens: Count = 0
    old_note: str = ""
    """Why the old text could not be measured."""


class KeepModel(Request, frozen=True):
    """Write the run's model (of `step`; -1: its newest checkpoint) into a person's own models. Answer: `Kept`."""

    run: str
    name: str
    step: int = -1


class Kept(Answer, frozen=True):
    TO = (KeepModel,)
    path: Exact
    val_loss_nats: AnyNumber
