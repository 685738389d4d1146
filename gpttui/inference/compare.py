"""The same word in two texts: how its vector parts ways, and which heads and MLPs drive the two apart.

"a machine learning model", "a fashion model": one token, one embedding, two meanings. The difference of the two last
vectors is a sum over parts just as each of them is; a part's share is what it puts along that difference, so the shares
add up to 1.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from gpttui.errors import UserError
from gpttui.inference.arrays import array
from gpttui.inference.contributions import residual_terms
from gpttui.inference.lens import lens
from gpttui.inference.trace import Trace, stops
from gpttui.model.gpt import GPT
from gpttui.protocol.stream import Compared
from gpttui.records import frozen
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
            found[match[0].lower()] = len(tokenizer.before) + inside[-1], tuple(pieces[n].id for n in inside)
    return found


@torch.inference_mode()
def compare(
    model: GPT, a: Trace, b: Trace, pair: SharedWord, shared: Sequence[SharedWord] = (), *, k: int = 8
) -> Compared:
    """The two places of `pair`, of all words that are `shared`, and the `k` likeliest tokens after each.

    Both traces must hold `contribution_sites` and `logits`. Shares are nan where the two last vectors are equal.
    """
    places = (a, a.row(pair.position_a)), (b, b.row(pair.position_b))
    streams = torch.stack([trace.residual(slice(row, row + 1))[:, 0] for trace, row in places])  # [2, stop, d_model]
    terms_a, terms_b = (residual_terms(model, trace, row) for trace, row in places)
    apart = streams[0, -1] - streams[1, -1]
    length = apart.square().sum()
    along = apart / length if float(length.sqrt()) > 1e-6 * float(streams[0, -1].norm()) else apart * torch.nan
    share = {name: (terms_a[name] - terms_b[name]) @ along for name in terms_a}
    probs = torch.stack([trace.tensors["logits"][row] for trace, row in places]).float().softmax(dim=-1)
    top = probs.topk(min(k, probs.size(1)), dim=-1)
    said = lens(model, streams, k=1)
    return Compared(
        ids_a=frozen(np.asarray(a.ids, dtype=np.int32)),
        ids_b=frozen(np.asarray(b.ids, dtype=np.int32)),
        words=tuple((word.word, word.position_a, word.position_b) for word in shared),
        word=pair.word,
        position_a=pair.position_a,
        position_b=pair.position_b,
        same_tokens=pair.same_tokens,
        stops=tuple(stop.name for stop in stops(model.config)),
        distances=array((streams[0] - streams[1]).norm(dim=-1)),
        cosines=array(torch.cosine_similarity(streams[0], streams[1], dim=-1)),
        norms=array(streams.norm(dim=-1)),
        share_embed=float(share["embed"] + share["pos_embed"]),
        share_heads=array(share["heads"]),
        share_mlps=array(share["mlps"]),
        share_altered=float(share["altered"].sum()),
        top_ids=array(top.indices),
        top_probs=array(top.values),
        other_probs=array(probs.flip(0).gather(1, top.indices)),
        lens_ids=frozen(said.top_ids[..., 0]),
        lens_probs=frozen(said.top_probs[..., 0]),
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
