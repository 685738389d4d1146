"""What the inside views ask the engine for, and what they get: one request and one answer for each view.

`gpttui.protocol.frames` joins these into its unions. Positions are positions of the whole text; a negative one counts
from the end, and one that has left the model's window is brought to the nearest that has not (the answer says
which it was). Answers are small: the part that a pane shows, as float32 or int32 arrays. No torch, no screen.
"""

from typing import Annotated, Literal

import msgspec

from gpttui.protocol.message import Answer, Request
from gpttui.records import (
    AnyNumber,
    Array,
    Count,
    Exact,
    Layer,
    Numbers,
    Position,
    TokenId,
    Unknown,
    axis,
    floats,
    probabilities,
    token_ids,
    whole,
)

Watched = Annotated[tuple[int, ...], axis("watched?")]
Tokens = Annotated[tuple[int, ...], axis("token?")]
StopName = Annotated[str, msgspec.Meta(pattern=r"^(token|embed|\d{1,7} (attn|mlp))$")]
NOTHING: tuple[int, ...] = ()


class AskJourney(Request, frozen=True):
    """One token's way through all stops. Answer: `Journey`."""

    position: int = -1
    top_k: int = 5
    watched: Watched = NOTHING
    """Token ids whose rank and probability are wanted at every stop."""
    token_apart: bool = False
    """Also the token's vector before that of its place is added, where the model has such vectors."""


class Journey(Answer, frozen=True):
    TO = (AskJourney,)
    position: Position
    token_id: TokenId
    stops: Annotated[tuple[StopName, ...], axis("stop")]
    """`embed`, `0 attn`, `0 mlp`, …; the stops of all views are numbered as here. First `token`, where it is apart."""
    vectors: Annotated[Array, floats("stop d_model")]
    """The residual stream."""
    norms: Annotated[Array, floats("stop")]
    added_norms: Annotated[Array, floats("stop")]
    """Length of what the stop added."""
    turned: Annotated[Array, floats("stop", nan=True)]
    """Cosine with the stop before."""
    top_ids: Annotated[Array, token_ids("stop k")]
    """Logit lens, most probable first."""
    top_probs: Annotated[Array, probabilities("stop k")]
    watched_ranks: Annotated[Array, whole("stop watched?")]
    """0 is the most probable."""
    watched_probs: Annotated[Array, probabilities("stop watched?")]
    looked_at: Annotated[Array, whole("layer 3", -1, "text")]
    """Text positions that the layer's heads weigh most, on average; -1 where there are fewer."""
    looked: Annotated[Array, probabilities("layer 3")]
    """Those weights."""
    positions: Literal["learned", "rope", "none"] = "learned"
    """How the model knows a token's place: a vector (`learned`), a rotation (`rope`), not at all (`none`)."""


class AskLens(Request, frozen=True):
    """The logit lens after the embeddings and after every layer, for positions `first … first + count`.

    Answer: `LensGrid`. A large vocabulary takes its time: ask for the columns that are seen.
    """

    first: int = 0
    count: int = 64
    top_k: int = 1
    watched: Watched = NOTHING
    between: bool = False
    """Also between each layer's attention and its MLP."""


class LensGrid(Answer, frozen=True):
    TO = (AskLens,)
    first: Position
    stops: Annotated[tuple[StopName, ...], axis("stop")]
    """The names of the rows."""
    numbers: Annotated[Array, whole("stop")]
    """Their places in `Journey.stops`."""
    top_ids: Annotated[Array, token_ids("stop position k")]
    top_probs: Annotated[Array, probabilities("stop position k")]
    watched_ranks: Annotated[Array, whole("stop position watched?")]
    watched_probs: Annotated[Array, probabilities("stop position watched?")]


class AskContributions(Request, frozen=True):
    """Every part's direct share of the logits of some tokens. Answer: `Shares`."""

    token_ids: Tokens
    position: int = -1


class Shares(Answer, frozen=True):
    """In logits; all that is here, but for `totals` and `logits`, sums to `totals`, which equals `logits`."""

    TO = (AskContributions,)
    position: Position
    token_ids: Annotated[tuple[TokenId, ...], Numbers(("token?",), asked=True)]
    embed: Annotated[Array, floats("token?")]
    pos_embed: Annotated[Array, floats("token?")]
    heads: Annotated[Array, floats("token? layer head")]
    attn_biases: Annotated[Array, floats("token? layer")]
    mlps: Annotated[Array, floats("token? layer")]
    mlp_biases: Annotated[Array, floats("token? layer")]
    altered: Annotated[Array, floats("token? stop")]
    """What interventions put in or took out by hand."""
    final_bias: Annotated[Array, floats("token?")]
    totals: Annotated[Array, floats("token?")]
    logits: Annotated[Array, floats("token?")]


class AskNeighbours(Request, frozen=True):
    """Tokens nearest by cosine to a token's own vector, or to a position's vector at a stop. Answer: `Near`."""

    token_id: int = -1
    """Look at this token's embedding; -1: at a position of the text."""
    position: int = -1
    stop: int = 0
    """Number of the stop (see `Journey.stops`)."""
    table: Literal["embedding", "unembedding"] = "embedding"
    k: int = 12


class Near(Answer, frozen=True):
    TO = (AskNeighbours,)
    ids: Annotated[Array, token_ids("k?")]
    """Nearest first; a token itself is left out of its own list."""
    cosines: Annotated[Array, floats("k?")]
    norm: float
    """Length of the vector asked about."""
    position: Annotated[int, Numbers(low=-1, high="text", whole=True)] = -1
    stop_name: StopName = "token"
    """`token`: the table's own row, asked for by `token_id`."""
    n_stops: Count = 0
    """How many stops this model has."""


class AskArithmetic(Request, frozen=True):
    """`a - b + c` among the embeddings. Answer: `Sum`."""

    a: int
    b: int
    c: int
    expected: int = -1
    """-1: nothing in particular."""
    k: int = 10


class Sum(Answer, frozen=True):
    TO = (AskArithmetic,)
    ids: Annotated[Array, token_ids("k")]
    """Nearest first, the inputs not hidden."""
    cosines: Annotated[Array, floats("k")]
    expected_rank: int
    """Tokens nearer than the expected one; -1 where none was named."""
    expected_rank_without_inputs: int
    """The same not counting a, b and c, as such results are usually quoted."""
    expected_cosine: Unknown


class AskMap(Request, frozen=True):
    """Two principal components of the prompt's vectors at a stop, or of the vocabulary's embeddings. Answer: `Map`."""

    of: Literal["text", "vocabulary"] = "text"
    stop: int = 0
    limit: int = 2000
    """Most points; of a larger vocabulary the first ids, of a longer text the last positions."""
    token_ids: tuple[int, ...] = NOTHING
    """With `vocabulary`: only these tokens."""
    unit: bool = False
    """Of the vectors' directions only, each scaled to length 1, as cosines see them."""


class Map(Answer, frozen=True):
    TO = (AskMap,)
    points: Annotated[Array, floats("row 2")]
    explained: Annotated[Array, probabilities("2")]
    """Share of the variance along each axis."""
    ids: Annotated[Array, token_ids("row")]
    """The token of each point."""
    first: Annotated[int, Numbers(low=-1, high="text", whole=True)] = -1
    """Text position of the first row; -1 for the vocabulary."""


InA = Annotated[int, Numbers(low=0, high="T_a", whole=True)]
InB = Annotated[int, Numbers(low=0, high="T_b", whole=True)]


class AskCompare(Request, frozen=True):
    """Two prompts, one word in each. Answer: `Compared`."""

    text_a: str
    text_b: str
    word: str = ""
    """Empty: the latest word that both share."""
    position_a: int = -1
    """With `position_b`, where both are at least 0: these tokens instead of a shared word."""
    position_b: int = -1
    top_k: int = 8


class Compared(Answer, frozen=True):
    TO = (AskCompare,)
    ids_a: Annotated[Array, token_ids("T_a")]
    """All tokens of the first text."""
    ids_b: Annotated[Array, token_ids("T_b")]
    words: tuple[tuple[Exact, InA, InB], ...]
    """Every shared word with its position in each text."""
    word: Exact
    """Empty where positions were given."""
    position_a: InA
    position_b: InB
    same_tokens: bool
    """The two vectors start out as the same token's."""
    stops: Annotated[tuple[StopName, ...], axis("stop")]
    distances: Annotated[Array, floats("stop")]
    """Euclidean."""
    cosines: Annotated[Array, floats("stop", nan=True)]
    norms: Annotated[Array, floats("2 stop")]
    share_embed: Unknown
    """Parts' shares of the last difference; together they are 1 (nan where there is no difference)."""
    share_heads: Annotated[Array, floats("layer head", nan=True)]
    share_mlps: Annotated[Array, floats("layer", nan=True)]
    share_altered: Unknown
    top_ids: Annotated[Array, token_ids("2 k")]
    """What each predicts after its position, most probable first."""
    top_probs: Annotated[Array, probabilities("2 k")]
    other_probs: Annotated[Array, probabilities("2 k")]
    """What the other text gives those same tokens."""
    lens_ids: Annotated[Array, token_ids("2 stop")]
    """What each would go on with if the model ended at this stop (logit lens)."""
    lens_probs: Annotated[Array, probabilities("2 stop")]


class AskUnaltered(Request, frozen=True):
    """What the model would say without its interventions, and says with them: bars before and after.

    Answer: `Unaltered`.
    """

    token_ids: Tokens
    position: int = -1
    top_k: int = 10


class Unaltered(Answer, frozen=True):
    """Probabilities over the whole vocabulary at temperature 1."""

    TO = (AskUnaltered,)
    position: Position
    probs: Annotated[Array, probabilities("token?")]
    """Of the tokens asked for."""
    top_ids: Annotated[Array, token_ids("k")]
    top_probs: Annotated[Array, probabilities("k")]
    top_now: Annotated[Array, probabilities("k")]
    """What the altered model gives those tokens."""
    now_ids: Annotated[Array, token_ids("k")]
    """The altered model's own most probable tokens."""
    now_probs: Annotated[Array, probabilities("k")]
    now_before: Annotated[Array, probabilities("k")]
    """What the unaltered model gives those."""
    divergence_bits: AnyNumber
    """Kullback–Leibler divergence of the altered from the unaltered distribution; 0 where nothing is altered."""
    has_mlps: bool


class AskEffects(Request, frozen=True):
    """What silencing each part of one layer, one at a time, would do to a prediction. Answer: `Effects`."""

    layer: int
    position: int = -1


class Effects(Answer, frozen=True):
    """Kullback–Leibler divergences, in bits, from the model as it is now (its interventions included)."""

    TO = (AskEffects,)
    layer: Layer
    position: Position
    heads: Annotated[Array, floats("head", infinite=True)]
    attn: AnyNumber
    mlp: AnyNumber
    """nan where there is none."""
