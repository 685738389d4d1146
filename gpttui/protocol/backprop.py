"""What the view of one training step asks the engine for, and what it gets: a step is taken apart, then told in parts.

Gradients are those of the step's loss, which is the mean over all counted tokens of its batch, in nats. Rows, positions
and layers count from 0 here. Nothing of this is known before a `TakenApart` has come. No torch, no screen.
"""

from typing import Annotated, Literal

from gpttui.protocol.message import Answer, Request
from gpttui.protocol.stream import StopName
from gpttui.records import (
    AnyNumber,
    Array,
    Count,
    Exact,
    Numbers,
    Probability,
    Size,
    axis,
    floats,
    probabilities,
    whole,
)

SLOPE_STEP = 1e-5
"""Half the distance of the two losses of a central difference, in a weight's own unit; losses are in float64."""
Asked = Annotated[int, Numbers(low=0, whole=True, asked=True)]
Table = Literal["value", "gradient", "update"]
Unknown = Annotated[float, Numbers(nan=True)]
"""nan: there is none."""


def amounts(axes: str) -> Numbers:
    return Numbers(tuple(axes.split()), 0)


def losses(axes: str) -> Numbers:
    """-ln p in nats: 0 or more, but for what float32 leaves; nan for padding."""
    return Numbers(tuple(axes.split()), -1e-3, nan=True, infinite=True)


class TakeApart(Request, frozen=True):
    """Take the next step of the run in training, keep all of it, and hold the run. Answer: `TakenApart`."""

    on_text: bool = False
    """Instead one step of AdamW on the open text, taken by a copy of the open model."""
    tokenizer: bool = False
    """Whether the answer brings the tokenizer along."""


class TakenApart(Answer, frozen=True):
    TO = (TakeApart,)
    on_text: bool
    was_running: bool
    """The run went on until then."""
    step: Count
    """Its number, from 1."""
    loss_nats: AnyNumber
    vocab_size: Size
    rows: Size
    """Of the batch, those that can be looked at …"""
    rows_in_all: Size
    """… and how many it has."""
    tokens_in_all: Count
    """That count in its loss."""
    context: Size
    """Tokens of a row."""
    n_layer: Size
    n_head: Size
    optimizer: Literal["adamw", "muon"]
    grad_norm: AnyNumber
    """Of all gradients together, before clipping."""
    grad_clip: AnyNumber
    """Where they are clipped; 0: nowhere."""
    clip_factor: Probability
    """What all gradients were multiplied by."""
    dropout: Probability
    smoothing: Probability
    names: Annotated[tuple[str, ...], axis("weight")]
    """Of the parameters."""
    shapes: Annotated[Array, whole("weight 2", 1)]
    """Rows and columns; a list of numbers is one row."""
    parts: Annotated[Array, whole("weight", 0)]
    """Where each belongs: 0 embedding, 1 … the layers, then final norm and head."""
    by_muon: Annotated[Array, Numbers(("weight",), 0, 1, whole=True)]
    weight_norms: Annotated[Array, amounts("weight")]
    """Before the step."""
    gradient_norms: Annotated[Array, amounts("weight")]
    """Before clipping."""
    update_norms: Annotated[Array, amounts("weight")]
    """Of weights after minus weights before."""
    tokenizer_json: Exact = ""


class LeaveStep(Request, frozen=True):
    """Forget the step. Answer: `StepLeft`."""

    go_on: bool = False
    """Let the run go on that was held for it."""


class StepLeft(Answer, frozen=True):
    TO = (LeaveStep,)
    state: str
    """Of the run, as in `Done`; empty where there is none."""


class AskRow(Request, frozen=True):
    """One row of the batch, and how well it was predicted. Answer: `StepRow`."""

    row: int


class StepRow(Answer, frozen=True):
    TO = (AskRow,)
    row: Asked
    ids: Annotated[Array, whole("token")]
    """What was read."""
    targets: Annotated[Array, whole("token", -1)]
    """The right next token after each; -1: padding."""
    losses_nats: Annotated[Array, losses("token")]
    """-ln p of each target; nan for padding."""
    shares: Annotated[Array, Numbers(("token",), 0, 1.001)]
    """What each loss counts in the step's loss."""


class AskOutputGradient(Request, frozen=True):
    """Where the error starts: the gradient of one position's logits. Answer: `OutputGradient`."""

    row: int
    position: int
    k: int = 20
    """The largest entries, either sign; the target is always among them."""


class OutputGradient(Answer, frozen=True):
    TO = (AskOutputGradient,)
    row: Asked
    position: Asked
    target: Annotated[int, Numbers(low=-1, whole=True)]
    ids: Annotated[Array, whole("k")]
    """The most negative first."""
    probs: Annotated[Array, probabilities("k")]
    errors: Annotated[Array, floats("k")]
    """p - 1 at the target, p elsewhere (with label smoothing a little less)."""
    rest: Count
    """How many other tokens there are, …"""
    rest_error: AnyNumber
    """… and the sum of theirs."""
    share: Probability
    """The factor that makes the gradient of an error: what this token counts in the step's loss."""


class AskBackward(Request, frozen=True):
    """The gradient on its way back through one position and one layer's heads. Answer: `Backward`."""

    row: int
    position: int
    layer: int


class Backward(Answer, frozen=True):
    TO = (AskBackward,)
    row: Asked
    position: Annotated[int, Numbers(low=0, high="token", whole=True, asked=True)]
    layer: Asked
    stops: Annotated[tuple[StopName, ...], axis("stop")]
    """From the embedding up, as the journey names them."""
    gradients: Annotated[Array, floats("stop width")]
    """Of the residual stream at the position."""
    lengths: Annotated[Array, amounts("stop token")]
    """Of the gradient, at every position."""
    added: Annotated[Array, amounts("stop")]
    """Length of what the stop's attention or MLP adds to the gradient on the way back; 0 at the embedding."""
    pattern: Annotated[Array, probabilities("heads token")]
    """How the layer's heads read earlier tokens from the position."""
    passed: Annotated[Array, floats("heads token")]
    """Gradient x value: pattern times (gradient of the head's output · value). Below 0: more of it lowers the loss."""


class AskMatrix(Request, frozen=True):
    """A part of one parameter as a map. Answer: `MatrixPart`."""

    name: str
    what: Table = "value"
    first_row: int = 0
    rows: int = 32
    first_column: int = 0
    columns: int = 64


class MatrixPart(Answer, frozen=True):
    TO = (AskMatrix,)
    name: str
    what: Table
    first_row: Asked
    first_column: Asked
    values: Annotated[Array, floats("row column")]
    top: Annotated[float, Numbers(low=0)]
    """The largest magnitude of the whole parameter …"""
    top_row: Count = 0
    """… and where it stands."""
    top_column: Count = 0


class AskWeight(Request, frozen=True):
    """One weight: what its gradient is and what is added to it. Answer: `OneWeight`."""

    name: str
    row: int
    column: int


class OneWeight(Answer, frozen=True):
    TO = (AskWeight,)
    name: str
    row: Asked
    column: Asked
    before: AnyNumber
    gradient: AnyNumber
    clipped: AnyNumber
    first_moment: Unknown
    """AdamW's; nan with Muon, as the next one."""
    second_moment: Unknown
    momentum: Unknown
    """Muon's, looked ahead; nan with AdamW."""
    direction: AnyNumber
    """AdamW: m / (sqrt(v) + eps), both corrected for their start at 0. Muon: the orthogonalised matrix's entry, with
    the factor for its shape."""
    decay: AnyNumber
    """What weight decay adds."""
    step: AnyNumber
    """What the optimiser adds: -learning rate x direction."""
    after: AnyNumber
    lr: AnyNumber
    weight_decay: AnyNumber
    betas: tuple[float, float]
    steps: Count
    """AdamW: how many gradients its moments are made of."""


class AskNudged(Request, frozen=True):
    """The batch's loss with one weight of before the step changed. Answer: `Nudged`."""

    name: str
    row: int
    column: int
    deltas: Annotated[tuple[float, ...], axis("delta")]


class Nudged(Answer, frozen=True):
    TO = (AskNudged,)
    name: str
    row: Asked
    column: Asked
    losses_nats: Annotated[Array, floats("delta", nan=True, infinite=True)]
    """float64, one for each of `deltas`; dropout and smoothing as in the step."""


class AskAfter(Request, frozen=True):
    """The same row and the same batch under the new weights, without dropout. Answer: `AfterStep`."""

    row: int


class AfterStep(Answer, frozen=True):
    TO = (AskAfter,)
    row: Asked
    before: Annotated[Array, losses("token")]
    """Losses in nats; nan for padding."""
    after: Annotated[Array, losses("token")]
    batch_before: AnyNumber
    """Mean over the batch's tokens, each counting the same."""
    batch_after: AnyNumber
    tokens: Count


class AskHeldOut(Request, frozen=True):
    """A part of the run's held-out text before and after the step. Answer: `HeldOut`."""

    tokens: int = 4096


class HeldOut(Answer, frozen=True):
    TO = (AskHeldOut,)
    before: Unknown
    """Mean loss in nats; nan where a text of one's own was trained on, which has none."""
    after: Unknown
    tokens: Count
