"""What the inside views ask the engine for, and what they get: one request and one answer for each view.

`gpttui.protocol.frames` joins these into its unions. Positions are positions of the whole text; a negative one counts
from the end, and one that has left the model's window is brought to the nearest that has not (the answer says
which it was). Answers are small: the part that a pane shows, as float32 or int32 arrays. No torch, no screen.
"""

from typing import Literal

from gpttui.protocol.parts import PartsAnswer, PartsRequest, View
from gpttui.records import Array

NOTHING: tuple[int, ...] = ()


# ── Journey ───────────────────────────────────────────────────────────────────────────────────────────────────────


class AskJourney(View, frozen=True):
    """One token's way through all stops. Answer: `Journey`."""

    position: int = -1
    top_k: int = 5
    watched: tuple[int, ...] = NOTHING
    """Token ids whose rank and probability are wanted at every stop."""
    token_apart: bool = False
    """Also the token's vector before that of its place is added, where the model has such vectors."""


class Journey(View, frozen=True):
    position: int
    token_id: int
    stops: tuple[str, ...]
    """`embed`, `0 attn`, `0 mlp`, …; the stops of all views are numbered as here. First `token`, where it is apart."""
    vectors: Array
    """`[stop, d_model]`: the residual stream."""
    norms: Array
    """`[stop]`"""
    added_norms: Array
    """`[stop]`: length of what the stop added."""
    turned: Array
    """`[stop]`: cosine with the stop before."""
    top_ids: Array
    """`[stop, k]`, logit lens, most probable first."""
    top_probs: Array
    watched_ranks: Array
    """`[stop, watched]`: 0 is the most probable."""
    watched_probs: Array
    looked_at: Array
    """`[layer, 3]`: text positions that the layer's heads weigh most, on average; -1 where there are fewer."""
    looked: Array
    """`[layer, 3]`: those weights."""
    positions: str = "learned"
    """How the model knows a token's place: a vector (`learned`), a rotation (`rope`), not at all (`none`)."""


# ── Layers ────────────────────────────────────────────────────────────────────────────────────────────────────────


class AskLens(View, frozen=True):
    """The logit lens after the embeddings and after every layer, for positions `first … first + count`.

    Answer: `LensGrid`. A large vocabulary takes its time: ask for the columns that are seen.
    """

    first: int = 0
    count: int = 64
    top_k: int = 1
    watched: tuple[int, ...] = NOTHING
    between: bool = False
    """Also between each layer's attention and its MLP."""


class LensGrid(View, frozen=True):
    first: int
    stops: tuple[str, ...]
    """The names of the rows."""
    numbers: Array
    """`[stop]`: their places in `Journey.stops`."""
    top_ids: Array
    """`[stop, position, k]`"""
    top_probs: Array
    watched_ranks: Array
    """`[stop, position, watched]`"""
    watched_probs: Array


class AskContributions(View, frozen=True):
    """Every part's direct share of the logits of some tokens. Answer: `Shares`."""

    token_ids: tuple[int, ...]
    position: int = -1


class Shares(View, frozen=True):
    """In logits; all that is here, but for `totals` and `logits`, sums to `totals`, which equals `logits`."""

    position: int
    token_ids: tuple[int, ...]
    embed: Array
    """`[token]`"""
    pos_embed: Array
    heads: Array
    """`[token, layer, head]`"""
    attn_biases: Array
    """`[token, layer]`"""
    mlps: Array
    mlp_biases: Array
    altered: Array
    """`[token, stop]`: what interventions put in or took out by hand."""
    final_bias: Array
    """`[token]`"""
    totals: Array
    logits: Array


# ── Vectors ───────────────────────────────────────────────────────────────────────────────────────────────────────


class AskNeighbours(View, frozen=True):
    """Tokens nearest by cosine to a token's own vector, or to a position's vector at a stop. Answer: `Near`."""

    token_id: int = -1
    """Look at this token's embedding; -1: at a position of the text."""
    position: int = -1
    stop: int = 0
    """Number of the stop (see `Journey.stops`)."""
    table: Literal["embedding", "unembedding"] = "embedding"
    k: int = 12


class Near(View, frozen=True):
    ids: Array
    """`[k]`, nearest first; a token itself is left out of its own list."""
    cosines: Array
    norm: float
    """Length of the vector asked about."""
    position: int = -1
    stop_name: str = ""
    n_stops: int = 0
    """How many stops this model has."""


class AskArithmetic(View, frozen=True):
    """`a - b + c` among the embeddings. Answer: `Sum`."""

    a: int
    b: int
    c: int
    expected: int = -1
    """-1: nothing in particular."""
    k: int = 10


class Sum(View, frozen=True):
    ids: Array
    """`[k]`, nearest first, the inputs not hidden."""
    cosines: Array
    expected_rank: int
    """Tokens nearer than the expected one; -1 where none was named."""
    expected_rank_without_inputs: int
    """The same not counting a, b and c, as such results are usually quoted."""
    expected_cosine: float


class AskMap(View, frozen=True):
    """Two principal components of the prompt's vectors at a stop, or of the vocabulary's embeddings. Answer: `Map`."""

    of: Literal["text", "vocabulary"] = "text"
    stop: int = 0
    limit: int = 2000
    """Most points; of a larger vocabulary the first ids, of a longer text the last positions."""
    token_ids: tuple[int, ...] = NOTHING
    """With `vocabulary`: only these tokens."""
    unit: bool = False
    """Of the vectors' directions only, each scaled to length 1, as cosines see them."""


class Map(View, frozen=True):
    points: Array
    """`[rows, 2]`"""
    explained: Array
    """`[2]`: share of the variance along each axis."""
    ids: Array
    """`[rows]`: the token of each point."""
    first: int = -1
    """Text position of the first row; -1 for the vocabulary."""
    stop_name: str = ""


# ── Compare ───────────────────────────────────────────────────────────────────────────────────────────────────────


class AskCompare(View, frozen=True):
    """Two prompts, one word in each. Answer: `Compared`."""

    text_a: str
    text_b: str
    word: str = ""
    """Empty: the latest word that both share."""
    position_a: int = -1
    """With `position_b`, where both are at least 0: these tokens instead of a shared word."""
    position_b: int = -1
    top_k: int = 8


class Compared(View, frozen=True):
    ids_a: Array
    """`[T]`: all tokens of the first text."""
    ids_b: Array
    words: tuple[tuple[str, int, int], ...]
    """Every shared word with its position in each text."""
    word: str
    """Empty where positions were given."""
    position_a: int
    position_b: int
    same_tokens: bool
    """The two vectors start out as the same token's."""
    stops: tuple[str, ...]
    distances: Array
    """`[stop]`: Euclidean."""
    cosines: Array
    norms: Array
    """`[2, stop]`"""
    share_embed: float
    """Parts' shares of the last difference; together they are 1 (nan where there is no difference)."""
    share_heads: Array
    """`[layer, head]`"""
    share_mlps: Array
    """`[layer]`"""
    share_altered: float
    top_ids: Array
    """`[2, k]`: what each predicts after its position, most probable first."""
    top_probs: Array
    other_probs: Array
    """`[2, k]`: what the other text gives those same tokens."""
    lens_ids: Array
    """`[2, stop]`: what each would go on with if the model ended at this stop (logit lens)."""
    lens_probs: Array


# ── Interventions ─────────────────────────────────────────────────────────────────────────────────────────────────


class AskUnaltered(View, frozen=True):
    """What the model would say without its interventions, and says with them: bars before and after.

    Answer: `Unaltered`.
    """

    token_ids: tuple[int, ...]
    position: int = -1
    top_k: int = 10


class Unaltered(View, frozen=True):
    """Probabilities over the whole vocabulary at temperature 1."""

    position: int
    probs: Array
    """`[token]` of the tokens asked for."""
    top_ids: Array
    """`[k]`"""
    top_probs: Array
    top_now: Array
    """`[k]`: what the altered model gives those tokens."""
    now_ids: Array
    """`[k]`: the altered model's own most probable tokens."""
    now_probs: Array
    now_before: Array
    """`[k]`: what the unaltered model gives those."""
    divergence_bits: float
    """Kullback–Leibler divergence of the altered from the unaltered distribution; 0 where nothing is altered."""
    has_mlps: bool


class AskEffects(View, frozen=True):
    """What silencing each part of one layer, one at a time, would do to a prediction. Answer: `Effects`."""

    layer: int
    position: int = -1


class Effects(View, frozen=True):
    """Kullback–Leibler divergences, in bits, from the model as it is now (its interventions included)."""

    layer: int
    position: int
    heads: Array
    """`[head]`"""
    attn: float
    mlp: float
    """nan where there is none."""


InspectRequest = (
    AskJourney
    | AskLens
    | AskContributions
    | AskNeighbours
    | AskArithmetic
    | AskMap
    | AskCompare
    | AskUnaltered
    | AskEffects
    | PartsRequest
)
InspectAnswer = Journey | LensGrid | Shares | Near | Sum | Map | Compared | Unaltered | Effects | PartsAnswer
