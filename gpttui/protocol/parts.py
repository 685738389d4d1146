"""What the views of single parts ask the engine for, and what they get: attention heads, MLPs and neurons, cost.

The second half of `gpttui.protocol.stream`, which says how positions count. No torch, no screen.
"""

from types import NoneType
from typing import Annotated, Literal

import msgspec

from gpttui.interventions import Mode
from gpttui.protocol.message import Answer, Request
from gpttui.records import Array, Count, Head, Layer, Numbers, Position, axis, floats, probabilities, token_ids, whole

Cell = Annotated[int, Numbers(low=-1, high="text", whole=True)]


class AskStages(Request, frozen=True):
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
    hide_first: bool = False
    """Patterns without the first key, the rest of each row made to sum to 1 again; `Stages.met` stays as it is."""


class Stages(Answer, frozen=True):
    TO = (AskStages,)
    layer: Layer
    head: Head
    first_query: Position
    first_key: Position
    raw: Annotated[Array, floats("query key")]
    """q·k."""
    scaled: Annotated[Array, floats("query key")]
    """Divided by sqrt(d_head)."""
    masked: Annotated[Array, floats("query key", infinite=True)]
    """-inf where a query may not look."""
    pattern: Annotated[Array, probabilities("query key")]
    """Softmax over all keys."""
    cell: tuple[Cell, Cell]
    """Where the next three are from; (-1, -1) where no cell was asked for."""
    query: Annotated[Array, floats("d_head", absent=True)]
    """Empty without a cell; so the next two."""
    key: Annotated[Array, floats("d_head", absent=True)]
    products: Annotated[Array, floats("d_head", absent=True)]
    """They sum to `raw` at the cell."""
    met: Annotated[Array, floats("4", infinite=True, absent=True)]
    """The cell stage by stage, also where it lies outside the viewport: raw, scaled, masked, pattern."""
    qk_norm: bool = False
    """Queries and keys were brought to one length before they met …"""
    qk_gain: bool = False
    """… queries then stretched by a factor that the head has learned …"""
    rope: bool = False
    """… and both turned by their positions."""

    def misfit(self) -> str:
        """What of its parts does not belong together; empty: they all do."""
        sizes = {self.query.size > 0, self.key.size > 0, self.products.size > 0, self.met.size > 0}
        return "" if sizes == {min(self.cell) >= 0} else "has no cell where one is named, or one that is not named"


class AskHeads(Request, frozen=True):
    """All heads at a glance, or those of some layers: of a long text each costs a square. Answer: `Heads`."""

    side: int = 24
    """Rows and columns of each map; longer texts are reduced by taking the largest weight of a patch."""
    first_layer: int = 0
    layers: int = -1
    """So many; 0: none, -1: all from the first on."""
    draws: int = 4
    """Of the standard probe, at least so many: each is a pass. Those made before come along."""
    hide_first: bool = False
    """Of the maps, as in `AskStages`; scores are of the patterns as they are."""


class Heads(Answer, frozen=True):
    TO = (AskHeads,)
    names: Annotated[tuple[str, ...], axis("4")]
    """Of the scores."""
    first_layer: Annotated[int, Numbers(low=0, high="layer", ends=True, whole=True)]
    text_scores: Annotated[Array, floats("asked_layer? head 4", nan=True)]
    """On the current text; nan where it has no such place."""
    probe_scores: Annotated[Array, floats("layer head 4", nan=True, absent=True)]
    """On the standard probe: random tokens said twice. Empty before a draw."""
    draws: Count
    of_draws: Count
    """How many draws the probe is made of; the scores are the mean over `draws` of them."""
    maps: Annotated[Array, probabilities("asked_layer? head side? side?")]
    """float16."""


LIKELIEST = -2


class AskMLP(Request, frozen=True):
    """One MLP at one position. Answer: `MLPActivity`."""

    layer: int
    position: int = -1
    k: int = 12
    token_id: int = -1
    """With an id: also each top neuron's direct share of its logit. `LIKELIEST`: the likeliest to follow."""


class MLPActivity(Answer, frozen=True):
    TO = (AskMLP,)
    layer: Layer
    position: Position
    read: Annotated[Array, floats("d_model")]
    """The normed vector that goes in."""
    pre: Annotated[Array, floats("d_mlp")]
    post: Annotated[Array, floats("d_mlp")]
    """The neurons."""
    out: Annotated[Array, floats("d_model")]
    """What is added to the residual stream."""
    top: Annotated[Array, whole("k", 0, "d_mlp")]
    """The neurons that write most, or would; behind them those of the layer that are silenced one by one."""
    top_written: Annotated[Array, floats("k")]
    """The length of what each of `top` adds: 0 where the MLP is silenced as a whole."""
    top_shares: Annotated[Array, floats("k", absent=True)]
    """Of each of `top`, in logits; 0 where the MLP is silenced as a whole; empty where no token was named."""
    token_id: Annotated[int, Numbers(low=-1, high="vocab", whole=True)]
    """The token they are shares of; -1 for none."""
    held: Mode | None = None
    """How the MLP as a whole is silenced: `out` is zeros, or its mean, whatever its neurons say."""


Which = Annotated[int, Numbers(low=0, whole=True, asked=True)]


class AskNeuron(Request, frozen=True):
    """What a neuron promotes and suppresses, and the passages known to fire it. Answer: `Neuron`."""

    layer: int
    neuron: int
    k: int = 10


class Neuron(Answer, frozen=True):
    TO = (AskNeuron,)
    layer: Layer
    neuron: Which
    up_ids: Annotated[Array, token_ids("k")]
    """Most promoted first."""
    up: Annotated[Array, floats("k")]
    down_ids: Annotated[Array, token_ids("k")]
    down: Annotated[Array, floats("k")]
    passages: "Passages | None" = None
    """None: this layer has not been searched."""


class Passage(msgspec.Struct, frozen=True, eq=False):
    ids: Annotated[Array, token_ids("around")]
    """Tokens around the place."""
    at: Annotated[int, Numbers(low=0, high="around", whole=True)]
    """Which of them fired the neuron."""
    activation: float


class SearchPassages(Request, frozen=True):
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


class CancelSearch(Request, frozen=True):
    """End the search; what it has found stays. Answer: `Passages` of the neuron last asked for, `done` not set."""


class Passages(Answer, frozen=True):
    TO = (NoneType, SearchPassages, CancelSearch)
    layer: Layer
    neuron: Which
    found: tuple[Passage, ...]
    """Highest activation first."""
    tokens_read: Count
    tokens_total: Count
    running: bool
    source: str
    """What was read, in words."""

    @property
    def done(self) -> bool:
        return self.tokens_read >= self.tokens_total


CostPart = Literal["embed", "qkv", "attend", "project", "mlp", "unembed"]


def amounts(axes: str) -> Numbers:
    return Numbers(tuple(axes.split()), 0)


class AskCost(Request, frozen=True):
    """What one token costs, measured now. Answer: `Cost`."""

    position: int = -1
    points: int = 4
    """Context lengths, up to the position's own, at which milliseconds are measured too."""


class Cost(Answer, frozen=True):
    TO = (AskCost,)
    position: Position
    layers: Annotated[Array, Numbers(("part",), -1, "layer", ends=True, whole=True)]
    """-1 the embedding, `n_layer` the head."""
    parts: Annotated[tuple[CostPart, ...], axis("part")]
    """`embed`, `qkv`, `attend`, `project`, `mlp`, `unembed`."""
    ms: Annotated[Array, amounts("part")]
    """Median of several passes over this very token."""
    flops: Annotated[Array, amounts("part")]
    weight_bytes: Annotated[Array, amounts("part")]
    """Read for this token."""
    cache_bytes: Annotated[Array, amounts("part")]
    """Keys and values read."""
    kv_bytes: Count
    """All keys and values held for the positions up to this one."""
    kv_bytes_full: Count
    """The same with the context full."""
    contexts: Annotated[Array, whole("point", 1)]
    """Context lengths at which a token was measured."""
    context_ms: Annotated[Array, amounts("point")]
    """All parts together."""
    curve: Annotated[Array, whole("length", 1)]
    """Context lengths, 1 to the model's."""
    curve_flops: Annotated[Array, amounts("length")]
    """By formula, of a token that sees so many."""
    curve_kv_bytes: Annotated[Array, amounts("length")]
    n_layer: Annotated[int, Numbers(low=1, high="layer", ends=True, whole=True)]
    threads: Count
    device: str
    passes: Count = 0
    """Of which `ms` are the medians; one more, before them, does not count."""
