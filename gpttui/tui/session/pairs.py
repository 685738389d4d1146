"""Which two texts Compare opens on: the essay's where the model can read it, else two of the model's own.

For: a view that is never empty. No screen, no engine.
"""

import re
from dataclasses import dataclass

from gpttui.records import ModelCard
from gpttui.tokenizers import Tokenizer
from gpttui.tui.session.remembered import remember

ESSAY = ("A machine learning model", "A fashion model")
_WORD = re.compile(r"\w+(?:['’]\w+)*")


@dataclass(frozen=True, slots=True)
class TwoTexts:
    """What is compared: the latest shared word, a given one, or two tokens by their positions."""

    a: str
    b: str
    word: str = ""
    position_a: int = -1
    position_b: int = -1


KEPT = remember("compare", TwoTexts, of_model=True)
"""The two texts, for other views too."""
MARKS = remember("compare.marks", tuple[int, int], of_model=True)
"""Which token of each was compared last."""


def readable(tokenizer: Tokenizer, text: str) -> bool:
    """Whether every piece of the text has a token of its own."""
    return bool(text) and tokenizer.unknown_id not in tokenizer.encode(text)


def opening(card: ModelCard, tokenizer: Tokenizer) -> TwoTexts | None:
    """Two texts for a model; None where it has no two to offer."""
    if all(readable(tokenizer, text) for text in ESSAY):
        return TwoTexts(*ESSAY)
    texts = [text for text in dict.fromkeys((*card.prompts, card.prompt)) if readable(tokenizer, text)]
    both = [(a, b) for n, a in enumerate(texts) for b in texts[n + 1 :]]
    for a, b in both:
        if shared(a, b):
            return TwoTexts(a, b)
    for a, b in both:
        ids_a, ids_b = tokenizer.prompt(a), tokenizer.prompt(b)
        if ids_a[-1] == ids_b[-1] and not tokenizer.after:
            return TwoTexts(a, b, "", len(ids_a) - 1, len(ids_b) - 1)
    for a, b in both:
        ids_a, ids_b = tokenizer.prompt(a), tokenizer.prompt(b)
        common = set(ids_a) & set(ids_b) - {*tokenizer.before, *tokenizer.after}
        if common:
            last_a = max(n for n, token_id in enumerate(ids_a) if token_id in common)
            last_b = max(n for n, token_id in enumerate(ids_b) if token_id == ids_a[last_a])
            return TwoTexts(a, b, "", last_a, last_b)
    return TwoTexts(*both[0]) if both else None


def shared(a: str, b: str) -> list[str]:
    """Words of both texts, capitals aside, those latest in the first text first."""
    words_a, words_b = _WORD.findall(a.lower()), set(_WORD.findall(b.lower()))
    return [word for word in dict.fromkeys(reversed(words_a)) if word in words_b]
