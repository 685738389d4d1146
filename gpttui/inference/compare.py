"""The same word in two texts: how its vector parts ways, and which heads and MLPs drive the two apart.

"a machine learning model", "a fashion model": one token, one embedding, two meanings. The difference of the two last
vectors is a sum over parts just as each of them is; a part's share is what it puts along that difference, so the shares
add up to 1.
"""

import re
from dataclasses import dataclass

import torch

from gpttui.errors import UserError
from gpttui.inference.contributions import residual_terms
from gpttui.inference.trace import Trace, stops
from gpttui.model.gpt import GPT
from gpttui.records import Array, frozen
from gpttui.tokenizers import Tokenizer

_WORD = re.compile(r"\w+(?:['’]\w+)*")


@dataclass(frozen=True, slots=True)
class SharedWord:
    """A word of both texts, by the token that ends it in each (where its meaning has come together)."""

    word: str
    position_a: int
    position_b: int
    same_tokens: bool
    """Both occurrences are the same tokens, so that their embeddings are equal."""


def shared_words(tokenizer: Tokenizer, text_a: str, text_b: str) -> tuple[SharedWord, ...]:
    """Words of both texts, capitals aside, the last occurrence of each; those latest in the first text come first."""
    words_a, words_b = _words(tokenizer, text_a), _words(tokenizer, text_b)
    both = [word for word in words_a if word in words_b]
    both.sort(key=lambda word: words_a[word][0], reverse=True)
    return tuple(
        SharedWord(word, words_a[word][0], words_b[word][0], words_a[word][1] == words_b[word][1]) for word in both
    )


def _words(tokenizer: Tokenizer, text: str) -> dict[str, tuple[int, tuple[int, ...]]]:
    """Each word's last occurrence: the position of its last token, and all its tokens."""
    pieces = tokenizer.pieces(text)
    found = {}
    for match in _WORD.finditer(text):
        start, end = len(text[: match.start()].encode()), len(text[: match.end()].encode())
        inside = [n for n, piece in enumerate(pieces) if piece.start < end and piece.end > start]
        if inside:
            found[match[0].lower()] = inside[-1], tuple(pieces[n].id for n in inside)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Two positions of two traces, all float32."""

    stops: tuple[str, ...]
    distances: Array
    """`[stop]`: Euclidean, between the two residual vectors."""
    cosines: Array
    """`[stop]`"""
    norms: Array
    """`[2, stop]`: lengths of the two."""
    share_embed: float
    """Of the last difference: token and position embedding together."""
    share_heads: Array
    """`[layer, head]`"""
    share_mlps: Array
    """`[layer]`"""
    share_altered: float
    """What interventions put in by hand; 0 in an unaltered model."""


@torch.inference_mode()
def compare(model: GPT, trace_a: Trace, position_a: int, trace_b: Trace, position_b: int) -> Comparison:
    """Both traces must hold `contribution_sites`. Shares are nan where the two last vectors are equal."""
    row_a, row_b = trace_a.row(position_a), trace_b.row(position_b)
    a = trace_a.residual(slice(row_a, row_a + 1))[:, 0]
    b = trace_b.residual(slice(row_b, row_b + 1))[:, 0]
    terms_a, terms_b = residual_terms(model, trace_a, row_a), residual_terms(model, trace_b, row_b)
    apart = a[-1] - b[-1]
    length = apart.square().sum()
    along = apart / length if float(length.sqrt()) > 1e-6 * float(a[-1].norm()) else apart * torch.nan
    share = {name: (terms_a[name] - terms_b[name]) @ along for name in terms_a}
    return Comparison(
        stops=tuple(stop.name for stop in stops(model.config)),
        distances=_array((a - b).norm(dim=-1)),
        cosines=_array(torch.cosine_similarity(a, b, dim=-1)),
        norms=_array(torch.stack((a, b)).norm(dim=-1)),
        share_embed=float(share["embed"] + share["pos_embed"]),
        share_heads=_array(share["heads"]),
        share_mlps=_array(share["mlps"]),
        share_altered=float(share["altered"].sum()),
    )


def choose_pair(tokenizer: Tokenizer, text_a: str, text_b: str, word: str | None = None) -> SharedWord:
    """The shared word to compare: `word`, or the latest one. Raises UserError where there is none."""
    shared = shared_words(tokenizer, text_a, text_b)
    if not shared:
        raise UserError("the two texts share no word; use one in both, or pick a token in each")
    if word is None:
        return shared[0]
    for pair in shared:
        if pair.word == word.lower().strip():
            return pair
    raise UserError(f"{word!r} is not in both texts; they share {', '.join(pair.word for pair in shared[:5])}")


def _array(x: torch.Tensor) -> Array:
    return frozen(x.float().cpu().numpy())
