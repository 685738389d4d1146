"""What was computed, frozen: the types that the engine hands to the screen and that the shell verbs print.

Numpy only. Everything here is immutable: dataclasses are frozen, arrays come with `writeable=False`. Axes are spelled
out in full; probabilities are over the whole vocabulary unless a name says otherwise; entropy and surprisal are in
bits, losses in nats. What a number, an array or a text may be is declared on its field and checked by
`gpttui.protocol.border` when it comes from another process.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]
else:

    class _OfNumpy(type):
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, np.ndarray)

    class Array(metaclass=_OfNumpy):
        """Numpy's array, of any kind and shape: a type of its own, for the screen names it before it needs numpy."""


LARGEST = 1e18
"""Numbers that the screen can lay out and draw."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """What an array holds, or one number. An axis named twice in a record has one size; the open model's names are
    `layer`, `head`, `d_model`, `vocab`, `context`, and `text` for the tokens of its text.
    """

    axes: tuple[str, ...] = ()
    """By name, or by size where it is always the same; with a `?` there may be nothing along it."""
    low: float = -LARGEST
    high: float | str = LARGEST
    """The largest; with a name: below the size of that axis …"""
    ends: bool = False
    """… or that size itself."""
    whole: bool = False
    """Integers."""
    nan: bool = False
    """May be no number, where one is unknown."""
    infinite: bool = False
    absent: bool = False
    """Or one axis with nothing along it."""
    asked: bool = False
    """The request's own, of the same name."""


@dataclass(frozen=True, slots=True)
class Text:
    """How a string that another process sent may be kept. Without this it is one line, safe to draw."""

    exact: bool = False
    """As it came, for it goes back or to a file; whoever draws it makes it safe."""


def floats(axes: str, *, nan: bool = False, infinite: bool = False, absent: bool = False) -> Numbers:
    return Numbers(tuple(axes.split()), nan=nan, infinite=infinite, absent=absent)


def probabilities(axes: str, *, absent: bool = False) -> Numbers:
    """Of 0 to 1, but for what sums of float32 leave."""
    return Numbers(tuple(axes.split()), -1e-3, 1.001, absent=absent)


def whole(axes: str, low: int = 0, below: str | None = None, *, absent: bool = False) -> Numbers:
    return Numbers(tuple(axes.split()), low, LARGEST if below is None else below, whole=True, absent=absent)


def token_ids(axes: str, *, low: int = 0) -> Numbers:
    """Of the open model's vocabulary; -1, where `low` is, for none."""
    return whole(axes, low, "vocab")


def axis(name: str) -> Numbers:
    """A tuple's length is the size of an axis."""
    return Numbers((name,))


Exact = Annotated[str, Text(exact=True)]
Lines = Annotated[str, Text()]
"""A text whose line breaks stay."""
Count = Annotated[int, Numbers(low=0, whole=True)]
Size = Annotated[int, Numbers(low=1, high=1e7, whole=True)]
Layer = Annotated[int, Numbers(low=0, high="layer", whole=True, asked=True)]
Head = Annotated[int, Numbers(low=0, high="head", whole=True, asked=True)]
Position = Annotated[int, Numbers(low=0, high="text", whole=True)]
TokenId = Annotated[int, Numbers(low=0, high="vocab", whole=True)]
Probability = Annotated[float, Numbers(low=-1e-3, high=1.001)]
AnyNumber = Annotated[float, Numbers(nan=True, infinite=True)]
"""Of a training that may have gone wrong, too."""
Unknown = Annotated[float, Numbers(nan=True)]
"""nan where there is none."""


def frozen(array: Array) -> Array:
    """The same array, locked against writing."""
    array.flags.writeable = False
    return array


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is drawn, stage by stage in the order of `STAGES`, which explains each."""

    temperature: float = 0.8
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    logit_bias: tuple[tuple[TokenId, float], ...] = ()
    """(token, what is added to its logit); the tokens ascend, none twice."""

    def is_on(self, field: str) -> bool:
        """Whether a stage changes anything."""
        return bool(getattr(self, field) != next(stage.off for stage in STAGES if stage.field == field))


class Stage(NamedTuple):
    """One stage from logits to the token that is drawn."""

    field: str
    """Of `Sampling`."""
    name: str
    short: str
    off: Any
    """The value that changes nothing."""
    says: str


STAGES = (
    Stage("logit_bias", "logit bias", "bias", (), "Adds a number to the logits of tokens that you choose."),
    Stage("repetition_penalty", "repetition", "rep", 1.0,
          "Divides logits of tokens already in the text; multiplies negative ones."),
    Stage("presence_penalty", "presence", "pres", 0.0,
          "Is subtracted from the logit of each token already in the text, once."),
    Stage("frequency_penalty", "frequency", "freq", 0.0,
          "Is subtracted from a token's logit each time it stands in the text."),
    Stage("temperature", "temperature", "T", 1.0,
          "Divides all logits: low favours likely tokens, 0 takes the likeliest."),
    Stage("top_k", "top-k", "k", 0, "Keeps the k most probable tokens."),
    Stage("top_p", "top-p", "p", 1.0, "Keeps the fewest most probable tokens that reach p together."),
    Stage("min_p", "min-p", "min", 0.0,
          "Keeps tokens with this share of the best one's probability, or more."),
)  # fmt: skip
"""In the order in which they are applied, which is that of transformers. (llama.cpp has temperature last.)"""


ShiftName = Literal["logit bias", "repetition", "presence", "frequency"]
CutName = Literal["top-k", "top-p", "min-p"]


@dataclass(frozen=True, slots=True)
class Shift:
    """One change of single logits, before temperature."""

    name: ShiftName
    tokens: Count
    """How many tokens' logits it changed."""
    moved_mass: Probability
    """Probability (at temperature 1) that it moved from some tokens to others: half of Σ |after − before|."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One step of narrowing the distribution."""

    name: CutName
    kept: Count
    """Tokens left after this cut."""
    removed_mass: Probability
    """Probability (after temperature, renormalised by earlier cuts) that the cut took away."""


@dataclass(frozen=True, slots=True)
class Draw:
    """How the token after a position was chosen."""

    token_id: TokenId
    uniform: Annotated[float, Numbers(low=0, high=1, nan=True)]
    """The random number in [0, 1), keyed by (seed, position). nan where none was drawn (greedy, or picked by hand)."""
    low: Probability
    high: Probability
    """The token's stretch of the cumulative bar, most probable first, after all cuts; `low <= uniform < high`."""
    picked: bool = False
    """True where a person chose the token instead."""
    sampling: Sampling | None = None
    """The settings of that moment, which may have changed since; None where they are not known."""


class ToldDraw(NamedTuple):
    """A saved draw. Files of version 2 and before have only the first three."""

    uniform: float | None
    """None where none was drawn."""
    low: float
    high: float
    sampling: Sampling | None = None
    """None for the session's own."""


Told = ToldDraw | None
"""None where nothing was kept."""


Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """What one side of a conversation says."""

    role: Role
    content: Exact


@dataclass(frozen=True, slots=True)
class Turn:
    """Tokens of the prompt that are one side's words; the others are the chat template's."""

    role: Role
    start: Annotated[int, Numbers(low=0, high="T", ends=True, whole=True)]
    end: Annotated[int, Numbers(low=0, high="T", ends=True, whole=True)]
    """The first that is none of them any more."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A prompt that a chat template wrote, as the model reads it."""

    messages: tuple[ChatMessage, ...]
    ids: Annotated[tuple[TokenId, ...], axis("T?")]
    """Of all its tokens: a date that the template writes, say, is another one tomorrow."""
    turns: tuple[Turn, ...]
    """Empty where the template does not tell whose words are where."""
    ends: tuple[TokenId, ...]
    """Tokens that end an answer."""


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """The distribution after one position, as the bar chart shows it."""

    position: Annotated[int, Numbers(low=0, high="T", whole=True)]
    candidate_ids: Annotated[Array, token_ids("k")]
    """Most probable first, after shifts."""
    model_probs: Annotated[Array, probabilities("k")]
    """Softmax of the raw logits over the whole vocabulary (temperature 1, no cut)."""
    probs: Annotated[Array, probabilities("k")]
    """After shifts and temperature, before any cut; over the whole vocabulary. At temperature 0: 1 for the best."""
    final_probs: Annotated[Array, probabilities("k")]
    """What is drawn from: after all cuts; 0 where cut."""
    cut_by: Annotated[Array, Numbers(("k",), 0, "cut", ends=True, whole=True)]
    """0: still in; n: removed by `cuts[n - 1]`."""
    cuts: Annotated[tuple[Cut, ...], axis("cut?")]
    tail_mass: Probability
    """Mass of `probs` outside the k shown."""
    tail_count: Count
    """Tokens outside the k shown."""
    entropy_bits: float
    """Of the raw distribution (temperature 1)."""
    sampled_entropy_bits: float
    """Of the distribution drawn from."""
    draw: Draw | None
    """None while the next token has not been chosen, and for tokens of the prompt."""
    next_id: Annotated[int, Numbers(low=-1, high="vocab", whole=True)]
    """The token that does follow in the text; -1 at the end."""
    shifts: Annotated[tuple[Shift, ...], axis("shift?")] = ()
    shifted_by: Annotated[Array, floats("shift k", absent=True)] = field(default_factory=lambda: frozen(np.empty(0)))
    """What each shift adds to each candidate's logit, in nats."""


@dataclass(frozen=True, slots=True, eq=False)
class AttentionSlice:
    """Rows of one head's pattern: row `first_query + i` of the square `[query, key]`."""

    layer: Annotated[int, Numbers(low=0, high="layer", whole=True)]
    head: Annotated[int, Numbers(low=0, high="head", whole=True)]
    first_query: Count
    weights: Annotated[Array, probabilities("row? key")]
    """Each row sums to 1 over the keys it may see; 0 beyond."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What is known of a model without loading it."""

    id: str
    path: Exact
    params: Count
    n_layer: Size
    n_head: Size
    d_model: Size
    vocab_size: Size
    context: Size
    tokenizer: str
    """In words: `characters`, `byte-level BPE 2048`, …"""
    size_bytes: Count
    data: str = ""
    """What it was trained on, in a line."""
    metric_name: str = ""
    metric_value: AnyNumber | None = None
    summary: Lines = ""
    """What it does, in a line."""
    prompts: tuple[Exact, ...] = ()
    """Worth trying."""
    arch: str = "gpt2"
    token_view: str = "text"
    """How tokens are drawn: `text`, `digits` (grey pixels) or `speech` (codes as a spectrogram)."""
    prompt: Exact = ""
    """What the playground opens with."""
    measured: tuple[tuple[str, AnyNumber], ...] = ()
    """Everything that `gpttui eval-task` found: (name, value)."""
    look_inside: Lines = ""
    """What to look at in it, in a few sentences."""
    packing: str = ""
    """How a GGUF file stores most weights: `Q4_1`."""
    computed_in: str = ""
    """Once it is open: `fp32` or `bf16`."""
    notes: tuple[Lines, ...] = ()
    """Once it is open: what of its files is left out, or used where one might not expect it."""
    licence: str = ""
    title: str = ""
    """A name that says what it does: `Adds numbers`."""
    cannot: Lines = ""
    """What it cannot do."""
    score: Lines = ""
    """What `gpttui eval-task` found, as a sentence."""
    vectors: Lines = ""
    """How long its vectors are, block after block, as a sentence."""
    ends: Exact = ""
    """The text with which it ends what it writes; empty: not told, or it never ends."""

    @property
    def numbers(self) -> str:
        """How weights are stored and computed, where it is not float32 both: `Q4_1, computed in bf16`."""
        computed = f"computed in {self.computed_in}" if self.packing or self.computed_in != "fp32" else ""
        return ", ".join(filter(None, (self.packing, computed if self.computed_in else "")))

    @property
    def sizes(self) -> dict[str, int]:
        """By the names that `Numbers` gives them."""
        return {
            "layer": self.n_layer,
            "head": self.n_head,
            "d_model": self.d_model,
            "vocab": self.vocab_size,
            "context": self.context,
        }


@dataclass(frozen=True, slots=True, eq=False)
class LossHistory:
    """A recorded training run, thinned for the screen. All arrays are 1-D; steps ascend."""

    steps: Annotated[Array, Numbers(("point?",), 0)]
    losses_nats: Annotated[Array, floats("point?", nan=True, infinite=True)]
    """Training loss at `steps`."""
    val_steps: Annotated[Array, Numbers(("val_point?",), 0)]
    val_losses_nats: Annotated[Array, floats("val_point?", nan=True, infinite=True)]
    title: str = ""
    """Where it comes from: data, recipe."""
    tokenizer: str = ""
    """What the losses are nats a token of; equal for the very same tokenizer only, empty where it is not recorded."""
    bytes_per_token: Annotated[float, Numbers(low=0)] = 0.0
    """Of the held-out text; 0 where it is not known."""
    prompt_counts: Annotated[float, Numbers(low=0)] = 1.0
    """What a token before the answer counts in the training losses; in the held-out ones it counts 1, as all do."""
    baselines: tuple[tuple[str, Annotated[float, Numbers(low=0)]], ...] = ()
    """Simple guesses by name, and what they cost on the held-out text, in nats a token."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """All that the playground shows of the session at one moment. A new one replaces the old one whole."""

    epoch: int
    """Changes whenever earlier rows were rewritten: a new prompt or model, another intervention, a slid window."""
    ids: Annotated[Array, token_ids("T?")]
    """Every token of the text, prompt first."""
    n_prompt: Annotated[int, Numbers(low=0, high="T", ends=True, whole=True)]
    n_slid: Annotated[int, Numbers(low=0, high="T", ends=True, whole=True)]
    """Tokens at the start of the text that have left the context; rows below are about positions from here on."""
    surprisal_bits: Annotated[Array, floats("T?", nan=True, infinite=True)]
    """-log2 of the probability the model gave this token before it came; nan for the first."""
    entropy_bits: Annotated[Array, floats("T?", nan=True)]
    """Of the raw distribution after each position."""
    context: Size
    sampling: Sampling
    seed: int
    prediction: Prediction | None
    """At the selected position; None for an empty text."""
    attention: AttentionSlice | None
    can_back: bool
    elapsed_ms: float
    """Engine time of the request that made this snapshot."""
    interventions: tuple[str, ...] = ()
    """In words, in order of application; empty: the model is as it was loaded."""
    weights: str = ""
    """Which weights made this, where they are not just the opened model's: `training step 1,204`, `checkpoint 500`."""
    turns: tuple[Turn, ...] = ()
    """Whose words the prompt's tokens are, in a conversation; those of no turn are the chat template's."""
    last_draw: Draw | None = None
    """How the newest token came; None while nothing is drawn behind the prompt."""
    ended: bool = False
    """The model has drawn a token with which its text ends."""

    @property
    def sizes(self) -> dict[str, int]:
        """By the names that `Numbers` gives them."""
        return {"text": len(self.ids)}

    def misfit(self) -> str:
        """What of its parts does not belong together; empty: they all do."""
        seen, asked, rows = len(self.ids) - self.n_slid, self.prediction, self.attention
        if asked is not None:
            follows = int(self.ids[asked.position + 1]) if asked.position + 1 < len(self.ids) else -1
            if asked.next_id != follows:
                return "predicts for a place that another token follows"
        if rows is not None and (rows.weights.shape[1] != seen or rows.first_query + len(rows.weights) != seen):
            return "has attention from or to tokens that there are not"
        return ""


@dataclass(frozen=True, slots=True)
class GeneratedToken:
    """One line of `gpttui generate --json`."""

    position: int
    """Of this token in the text, from 1, as on the screen."""
    id: int
    text: str
    prob: float
    """Of the distribution drawn from."""
    draw: float | None
    entropy_bits: float
    cuts: tuple[Cut, ...]
    shifts: tuple[Shift, ...] = ()
    topk: tuple[dict[str, Any], ...] = field(default=())
    elapsed_ms: float = 0.0


def live_weights(step: int) -> str:
    """What a snapshot says of weights that are being trained (`Snapshot.weights`)."""
    return f"training step {step:,}"


def goes_on(before: Snapshot, after: Snapshot) -> bool:
    """Whether `after` is the text of `before`, or the beginning or the continuation of it, under the same model."""
    shared = min(len(before.ids), len(after.ids))
    same_model = (before.weights, before.interventions) == (after.weights, after.interventions)
    return same_model and bool(np.array_equal(before.ids[:shared], after.ids[:shared]))
