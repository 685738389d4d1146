"""SentencePiece's vocabularies (Kudo and Richardson 2018): merges out of scores. No torch, no library.

Its BPE keeps no merges, only a score for each piece: of the pairs side by side in a text, the one whose joined piece
has the highest score is merged first. The `tokenizers` library wants the pairs in order, so every way to cut a piece
into two others becomes a merge, in the order of the pieces' scores; of the ways to cut one piece, that with the longest
left part first, as `transformers` has it.
"""

from collections.abc import Sequence

import numpy as np

from gpttui.errors import UserError
from gpttui.records import Array

LONGEST_PIECE, MOST_CHARACTERS = 1_000, 1 << 24
"""Characters of one piece, and of all: every place in each is tried as a cut."""


def merges(pieces: Sequence[str], scores: Array, name: str) -> list[tuple[str, str]]:
    """The pairs that join to a piece, first to be merged first. Raises UserError for pieces of absurd length."""
    longest = max(map(len, pieces), default=0)
    if longest > LONGEST_PIECE or sum(map(len, pieces)) > MOST_CHARACTERS:
        raise UserError(f"{name}: its vocabulary has a token of {longest:,} characters, or too many; is it damaged?")
    known = set(pieces)
    whole: list[int] = []
    cuts: list[int] = []
    for n, piece in enumerate(pieces):
        for cut in range(1, len(piece)):
            if piece[:cut] in known and piece[cut:] in known:
                whole.append(n)
                cuts.append(cut)
    of, left = np.asarray(whole, dtype=np.int64), np.asarray(cuts, dtype=np.int64)
    right = np.fromiter((len(pieces[n]) for n in whole), np.int64, len(whole)) - left
    order = np.lexsort((of, -right, -left, -np.asarray(scores, dtype=np.float64)[of]))
    return [(pieces[n][:cut], pieces[n][cut:]) for n, cut in zip(of[order].tolist(), left[order].tolist(), strict=True)]
