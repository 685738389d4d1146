"""What was computed, frozen: the types that the engine hands to the screen and that the shell verbs print.

Numpy only. Everything here is immutable: dataclasses are frozen, arrays come with `writeable=False`. Axes are spelled
out in full; probabilities are over the whole vocabulary unless a name says otherwise; entropy and surprisal are in
bits, losses in nats.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

Array = np.ndarray[Any, Any]


def frozen(array: Array) -> Array:
    """The same array, locked against writing."""
    array.flags.writeable = False
    return array


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is drawn. Applied in this order: temperature, top-k, top-p."""

    temperature: float = 0.8
    """Logits are divided by it; 0 takes the most probable token."""
    top_k: int = 0
    """Keep the k most probable; 0 keeps all."""
    top_p: float = 1.0
    """Keep the fewest most probable whose mass reaches p; 1 keeps all."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One step of narrowing the distribution."""

    name: Literal["top-k", "top-p"]
    kept: int
    """Tokens left after this cut."""
    removed_mass: float
    """Probability (after temperature, renormalised by earlier cuts) that the cut took away."""


@dataclass(frozen=True, slots=True)
class Draw:
    """How the token after a position was chosen."""

    token_id: int
    uniform: float
    """The random number in [0, 1), keyed by (seed, position). nan where none was drawn (greedy, or picked by hand)."""
    low: float
    high: float
    """The token's stretch of the cumulative bar, most probable first, after all cuts; `low <= uniform < high`."""
    picked: bool = False
    """True where a person chose the token instead."""


Told = tuple[float | None, float, float] | None
"""Of a saved draw: `uniform` (None where none was drawn), `low`, `high`; None where nothing was kept."""


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """The distribution after one position, as the bar chart shows it."""

    position: int
    candidate_ids: Array
    """`[k]` token ids, most probable first."""
    model_probs: Array
    """`[k]` softmax of the raw logits over the whole vocabulary (temperature 1, no cut)."""
    probs: Array
    """`[k]` after temperature, before any cut, over the whole vocabulary. At temperature 0: 1 for the best, else 0."""
    final_probs: Array
    """`[k]` what is drawn from: after all cuts; 0 where cut."""
    cut_by: Array
    """`[k]` 0: still in; n: removed by `cuts[n - 1]`."""
    cuts: tuple[Cut, ...]
    tail_mass: float
    """Mass of `probs` outside the k shown."""
    tail_count: int
    """Tokens outside the k shown."""
    entropy_bits: float
    """Of the raw distribution (temperature 1)."""
    sampled_entropy_bits: float
    """Of the distribution drawn from."""
    draw: Draw | None
    """None while the next token has not been chosen, and for tokens of the prompt."""
    next_id: int
    """The token that does follow in the text; -1 at the end."""


@dataclass(frozen=True, slots=True, eq=False)
class AttentionSlice:
    """Rows of one head's pattern: row `first_query + i` of the square `[query, key]`."""

    layer: int
    head: int
    first_query: int
    weights: Array
    """`[rows, keys]` float32, each row sums to 1 over the keys it may see; 0 beyond."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What is known of a model without loading it."""

    id: str
    path: str
    params: int
    n_layer: int
    n_head: int
    d_model: int
    vocab_size: int
    context: int
    tokenizer: str
    """In words: `characters`, `byte-level BPE 2048`, …"""
    size_bytes: int
    data: str = ""
    """What it was trained on, in a line."""
    metric_name: str = ""
    metric_value: float | None = None
    summary: str = ""
    """What it does, in a line."""
    prompts: tuple[str, ...] = ()
    """Worth trying."""
    arch: str = "gpt2"
    token_view: str = "text"
    """How tokens are drawn: `text`, `digits` (grey pixels) or `speech` (codes as a spectrogram)."""
    prompt: str = ""
    """What the playground opens with."""
    measured: tuple[tuple[str, float], ...] = ()
    """Everything that `gpttui eval-task` found: (name, value)."""
    look_inside: str = ""
    """What to look at in it, in a few sentences."""


@dataclass(frozen=True, slots=True, eq=False)
class LossHistory:
    """A recorded training run, thinned for the screen. All arrays are 1-D; steps ascend."""

    steps: Array
    losses_nats: Array
    """Training loss at `steps`."""
    val_steps: Array
    val_losses_nats: Array
    title: str = ""
    """Where it comes from: data, recipe."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """All that the playground shows of the session at one moment. A new one replaces the old one whole."""

    epoch: int
    """Changes whenever earlier rows were rewritten: a new prompt or model, another intervention, a slid window."""
    ids: Array
    """`[T]` int32: every token of the text, prompt first."""
    n_prompt: int
    n_slid: int
    """Tokens at the start of the text that have left the context; rows below are about positions from here on."""
    surprisal_bits: Array
    """`[T]` float32: -log2 of the probability the model gave this token before it came; nan for the first."""
    entropy_bits: Array
    """`[T]` float32: of the raw distribution after each position."""
    context: int
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
    last_draw: Draw | None = None
    """How the newest token came; None while nothing is drawn behind the prompt."""


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
    topk: tuple[dict[str, Any], ...] = field(default=())
    elapsed_ms: float = 0.0
