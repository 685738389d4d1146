"""What the hint line says: to someone new, one thing at a time; and what the playground and the views both say."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gpttui.records import LossHistory, ModelCard, Snapshot
from gpttui.text import safe_text

FIRST = "Press space: the model draws one token."
NO_CHECKPOINTS = "Only a model that was trained here has checkpoints to go through: e trains one."

ENOUGH_TOKENS = 5
"""Of a text, before anything is said about it."""
KNOWS_ITS_TEXTS = 0.4
"""A model's own loss is at most this share of a blind guess, if what it has not read is to stand out."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How often the person has done what."""

    step: int = 0
    back: int = 0
    choose: int = 0
    head: int = 0
    prompt: int = 0

    def after(self, kind: str) -> "Seen":
        """With one more of `kind`; kinds that no hint is about change nothing."""
        return replace(self, **{kind: getattr(self, kind) + 1}) if kind in self.__slots__ else self


def hint(seen: Seen) -> str:
    """The next thing worth trying; empty once all of them have been."""
    if not seen.step:
        return FIRST
    if not seen.back and seen.step < 12:
        return "← takes the token back; space then draws the very same one again."
    if not seen.choose and seen.step < 24:
        return "2 goes to the candidates: ↑ ↓ and enter put another one into the text."
    if not seen.head and seen.step < 36:
        return "[ ] show another attention head, { } another layer; ? explains the pane."
    if not seen.prompt and seen.step < 48:
        return "/ lets you write a text of your own; m opens another model."
    return ""


def altered(interventions: Sequence[str]) -> str:
    """What the model is under now, in words, and how to go back."""
    words = safe_text("; ".join(interventions))
    return f"Altered: {words}. U undoes the last; A lists them." if words else "The model is as it was."


def far(snapshot: Snapshot, history: LossHistory | None, card: ModelCard | None) -> str:
    """That a text is not of the kind which the model has read, in one line; empty where it is, or nothing is known.

    Its mean surprisal is then nearer to a blind guess than to the model's loss on held-out text. Models of problems and
    answers have no kind of text: what they are asked is drawn at random.
    """
    if (
        card is None
        or history is None
        or not len(history.val_losses_nats)
        or history.prompt_counts != 1
        or snapshot.n_slid
    ):
        return ""
    bits = [float(x) for x in snapshot.surprisal_bits[: snapshot.n_prompt] if math.isfinite(x)]
    own, blind = float(history.val_losses_nats[-1]) / math.log(2), math.log2(card.vocab_size)
    if len(bits) < ENOUGH_TOKENS or not own <= KNOWS_ITS_TEXTS * blind:
        return ""
    mean = sum(bits) / len(bits)
    if mean <= (own + blind) / 2:
        return ""
    return f"Far from what it has read: {mean:.1f} bits a token; its own texts take {own:.1f}."
