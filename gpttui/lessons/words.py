"""Numbers in a card's text: `{top_p}` becomes what the open model gives now, so that no card promises another number.

A teacher's card may name what stands in `NUMBERS`.
"""

import re
from collections.abc import Mapping

from gpttui.errors import UserError, no_such

NUMBERS = {
    "top": "the most probable next token",
    "top_p": "its probability, in percent",
    "second": "the next token in second place",
    "second_p": "its probability, in percent",
    "uniform_p": "a blind guess: one token of the whole vocabulary, in percent",
    "vocab": "how many tokens the vocabulary has",
    "ln_v": "the loss of a blind guess, ln V, in nats",
    "entropy": "the entropy of the distribution after the text, in bits",
    "choices": "two to the power of that: as many equally probable tokens would be as uncertain",
    "surprisal": "the surprisal of the selected token, in bits",
    "drawn": "the token drawn last",
    "drawn_p": "the probability it had, in percent",
    "uniform": "the random number that drew it, from 0 to 1",
    "tokens": "tokens of the text",
    "characters": "characters of the text",
    "n_layer": "layers of the model",
    "n_head": "heads of each layer",
    "d_model": "numbers of each vector",
    "params": "parameters of the model",
    "loss": "the newest training loss, in nats a token",
    "step": "the training step",
    "run_vocab": "how many tokens the vocabulary of the model in training has",
    "run_ln_v": "the loss of a blind guess among them, in nats",
    "run_params": "how many parameters it has",
    "guess": "what was guessed",
    "guess_p": "its probability, in percent",
}
_NAMED = re.compile(r"\{([a-z_]+)\}")
UNKNOWN = "…"
"""In place of a number that is not there now."""


def check(text: str) -> None:
    """Raises UserError for a name in braces that is none of `NUMBERS`; other braces are text, and keys."""
    for name in _NAMED.findall(text):
        if name not in NUMBERS:
            raise UserError(no_such("number", name, NUMBERS))


def filled(text: str, numbers: Mapping[str, str]) -> str:
    """`text` with its numbers."""
    return _NAMED.sub(lambda match: numbers.get(match[1], UNKNOWN), text)


def named(text: str) -> list[str]:
    """The numbers that a text names."""
    return _NAMED.findall(text)
