"""What the views of single parts ask the engine for, and what they get: attention heads, MLPs and neurons, cost.

The second half of `gpttui.protocol.stream`, which says how positions count. No torch, no screen.
"""

import msgspec

from gpttui.interventions import Mode
from gpttui.records import Array


class View(msgspec.Struct, frozen=True, tag=True, eq=False, omit_defaults=True):
    """Base of the requests and answers of views; the class name is the tag."""


# ── Attention ─────────────────────────────────────────────────────────────────────────────────────────────────────


class AskStages(View, frozen=True):
    """One head stage by stage, for a viewport. Answer: `Stages`."""

    layer: int
    head: int
    first_query: int = 0
    queries: int = 64
    first_key: int = 0
    keys: int = 64
    cell: tuple[int, int] = (-1, -1)
    """(query, key) under the cursor, for which q·k is wanted by dimension. A negative query: none; a negative key: the
    one that the query looks at most."""


class Stages(View, frozen=True):
    layer: int
    head: int
    first_query: int
    first_key: int
    raw: Array
    """`[query, key]`: q·k."""
    scaled: Array
    """Divided by sqrt(d_head)."""
    masked: Array
    """-inf where a query may not look."""
    pattern: Array
    """Softmax over all keys."""
    cell: tuple[int, int]
    """Where the next three are from; (-1, -1) where no cell was asked for."""
    query: Array
    """`[d_head]`, empty without a cell; so the next two."""
    key: Array
    products: Array
    """They sum to `raw` at the cell."""
    met: Array
    """`[4]`: the cell stage by stage, also where it lies outside the viewport: raw, scaled, masked, pattern."""
    qk_norm: bool = False
    """Queries and keys were brought to one length before they met …"""
    qk_gain: bool = False
    """… queries then stretched by a factor that the head has learned …"""
    rope: bool = False
    """… and both turned by their positions."""


class AskHeads(View, frozen=True):
    """All heads at a glance, or those of some layers: of a long text each costs a square. Answer: `Heads`."""

    side: int = 24
    """Rows and columns of each map; longer texts are reduced by taking the largest weight of a patch."""
    first_layer: int = 0
    layers: int = -1
    """So many; 0: none, -1: all from the first on."""
    draws: int = 4
    """Of the standard probe, at least so many: each is a pass. Those made before come along."""


class Heads(View, frozen=True):
    names: tuple[str, ...]
    """Of the scores."""
    first_layer: int
    text_scores: Array
    """`[layer asked for, head, score]` on the current text; nan where it has no such place."""
    probe_scores: Array
    """`[layer, head, score]` of all layers on the standard probe: random tokens said twice. Empty before a draw."""
    draws: int
    of_draws: int
    """How many draws the probe is made of; the scores are the mean over `draws` of them."""
    maps: Array
    """`[layer asked for, head, side, side]` float16."""


# ── MLP ───────────────────────────────────────────────────────────────────────────────────────────────────────────


LIKELIEST = -2


class AskMLP(View, frozen=True):
    """One MLP at one position. Answer: `MLPActivity`."""

    layer: int
    position: int = -1
    k: int = 12
    token_id: int = -1
    """With an id: also each top neuron's direct share of its logit. `LIKELIEST`: the likeliest to follow."""


class MLPActivity(View, frozen=True):
    layer: int
    position: int
    read: Array
    """`[d_model]`: the normed vector that goes in."""
    pre: Array
    """`[d_mlp]`"""
    post: Array
    """`[d_mlp]`: the neurons."""
    out: Array
    """`[d_model]`: what is added to the residual stream."""
    top: Array
    """`[k]`: the neurons that write most, or would; behind them those of the layer that are silenced one by one."""
    top_written: Array
    """The length of what each of `top` adds: 0 where the MLP is silenced as a whole."""
    top_shares: Array
    """Of each of `top`, in logits; 0 where the MLP is silenced as a whole; empty where no token was named."""
    token_id: int
    """The token they are shares of; -1 for none."""
    held: Mode | None = None
    """How the MLP as a whole is silenced: `out` is zeros, or its mean, whatever its neurons say."""


class AskNeuron(View, frozen=True):
    """What a neuron promotes and suppresses, and the passages known to fire it. Answer: `Neuron`."""

    layer: int
    neuron: int
    k: int = 10


class Neuron(View, frozen=True):
    layer: int
    neuron: int
    up_ids: Array
    """`[k]`: most promoted first."""
    up: Array
    down_ids: Array
    down: Array
    passages: "Passages | None" = None
    """None: this layer has not been searched."""


class Passage(msgspec.Struct, frozen=True, eq=False):
    ids: Array
    """Tokens around the place."""
    at: int
    """Which of them fired the neuron."""
    activation: float


class SearchPassages(View, frozen=True):
    """Read the model's own training text for what fires the neurons of a layer, in the background.

    Answer: `Passages` as far as they are known; then events of the same kind until `done`. One search at a time: a new
    one ends the old. What has been read is kept for all neurons of the layer.
    """

    layer: int
    neuron: int
    text_file: str = ""
    """Search this file instead of the training text."""
    tokens: int = 200_000
    """Most tokens to read."""


class CancelSearch(View, frozen=True):
    """End the search; what it has found stays. Answer: `Passages` of the neuron last asked for, `done` not set."""


class Passages(View, frozen=True):
    layer: int
    neuron: int
    found: tuple[Passage, ...]
    """Highest activation first."""
    tokens_read: int
    tokens_total: int
    running: bool
    source: str
    """What was read, in words."""

    @property
    def done(self) -> bool:
        return self.tokens_read >= self.tokens_total


# ── Cost ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class AskCost(View, frozen=True):
    """What one token costs, measured now. Answer: `Cost`."""

    position: int = -1
    points: int = 4
    """Context lengths, up to the position's own, at which milliseconds are measured too."""


class Cost(View, frozen=True):
    position: int
    layers: Array
    """`[part]` int32: -1 the embedding, `n_layer` the head."""
    parts: tuple[str, ...]
    """`embed`, `qkv`, `attend`, `project`, `mlp`, `unembed`."""
    ms: Array
    """`[part]`: median of several passes over this very token."""
    flops: Array
    """`[part]` float64."""
    weight_bytes: Array
    """`[part]` float64: read for this token."""
    cache_bytes: Array
    """`[part]` float64: keys and values read."""
    kv_bytes: int
    """All keys and values held for the positions up to this one."""
    kv_bytes_full: int
    """The same with the context full."""
    contexts: Array
    """`[point]`: context lengths at which a token was measured."""
    context_ms: Array
    """`[point]`: all parts together."""
    curve: Array
    """`[n]` int32: context lengths, 1 to the model's."""
    curve_flops: Array
    """`[n]` float64: by formula, of a token that sees so many."""
    curve_kv_bytes: Array
    """`[n]` float64"""
    n_layer: int
    threads: int
    device: str
    passes: int = 0
    """Of which `ms` are the medians; one more, before them, does not count."""


PartsRequest = AskStages | AskHeads | AskMLP | AskNeuron | SearchPassages | CancelSearch | AskCost
PartsAnswer = Stages | Heads | MLPActivity | Neuron | Passages | Cost
