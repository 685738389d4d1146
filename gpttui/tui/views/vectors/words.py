"""Words for `a - b + c`: how a line of text is read, and what a model is asked first.

No screen, no engine.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from gpttui.errors import UserError
from gpttui.tokenizers import Tokenizer

OPENINGS = (
    ("king", "man", "woman", "queen"),
    ("boy", "man", "woman", "girl"),
    ("his", "he", "she", "her"),
    ("A", "a", "b", "B"),
    ("b", "a", "c", "d"),
    ("3", "2", "4", "5"),
)
"""Tried in this order: the first whose words are all single tokens."""
NEUTRAL = "a - b + c = d, each of them a token"
ENOUGH = 50
"""Fewer whole words than that are no vocabulary of words."""
_SUM = re.compile(r"\s*(?P<a>.+?)\s+[-−–]\s+(?P<b>.+?)\s+\+\s+(?P<c>.+?)(?:\s+=\s*(?P<d>.*?))?\s*")


def single_token(tokenizer: Tokenizer, word: str) -> int | None:
    """The one token of a word, as it stands inside a text (with a space before it) or at its start."""
    for text in (f" {word}", word):
        ids = tokenizer.encode(text)
        if len(ids) == 1 and ids[0] != tokenizer.unknown_id:
            return ids[0]
    return None


def read_sum(tokenizer: Tokenizer, line: str) -> tuple[int, ...]:
    """Token ids of `a - b + c` or `a - b + c = d`. Raises UserError where it cannot be read, or a word is no token."""
    found = _SUM.fullmatch(line)
    if found is None:
        raise UserError(f"write a sum with spaces around its signs, such as: {example(tokenizer)}")
    words = [found[name] for name in "abcd" if found[name]]
    ids = []
    for word in words:
        token_id = single_token(tokenizer, word)
        if token_id is None:
            count = len(tokenizer.encode(f" {word}"))
            why = f"{count} tokens" if tokenizer.unknown_id is None and count > 1 else "not a token"
            raise UserError(f"“{word}” is {why} in this model; use words that are one token each")
        ids.append(token_id)
    return tuple(ids)


def opening_sum(tokenizer: Tokenizer) -> tuple[int, ...]:
    """The first of `OPENINGS` that this model has tokens for; empty where there is none."""
    for words in OPENINGS:
        ids = [single_token(tokenizer, word) for word in words]
        if None not in ids:
            return tuple(token_id for token_id in ids if token_id is not None)
    return ()


def example(tokenizer: Tokenizer) -> str:
    """A sum that this model can be asked; where none of `OPENINGS` is of single tokens, only what one looks like."""
    words = [tokenizer.decode([token_id]).strip() for token_id in opening_sum(tokenizer)]
    return written(words) if words else NEUTRAL


def written(words: Sequence[str]) -> str:
    """`a - b + c = d`, as far as there are words for it."""
    return "".join(f"{sign}{word}" for sign, word in zip(("", " - ", " + ", " = "), words, strict=False))


@lru_cache(maxsize=4)
def whole_words(tokenizer: Tokenizer) -> tuple[int, ...]:
    """Ids of tokens that are words with a space before them; empty for a vocabulary of letters or pieces."""
    found = []
    for token_id in range(tokenizer.vocab_size):
        text = tokenizer.token_bytes(token_id).decode("utf-8", errors="replace")
        if len(text) > 3 and text[0] == " " and text[1:].isalpha():
            found.append(token_id)
    return tuple(found) if len(found) >= ENOUGH else ()
