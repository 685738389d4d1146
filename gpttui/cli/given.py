"""The text that a person gives to a verb, and a line on stderr for whatever of it the model cannot take as it is."""

import sys
from collections.abc import Sequence

from gpttui.cli.options import GIVEN_BYTES
from gpttui.cli.output import note
from gpttui.errors import UserError
from gpttui.text import safe_text
from gpttui.tokenizers import Tokenizer

SHOWN = 8
"""So many of the unknown parts are spelled out."""


def text_of(argument: str) -> str:
    """`argument`, or stdin for `-`: bytes that are not UTF-8 come as lone surrogates, as Python's own arguments do."""
    if argument != "-":
        return argument
    text = sys.stdin.buffer.read().decode("utf-8", errors="surrogateescape")
    return GIVEN_BYTES.convert(text, None, None)


def note_unknown(tokenizer: Tokenizer, text: str) -> None:
    """Says what of `text` a vocabulary does not have; nothing where it has all."""
    if not (unknown := tokenizer.unknown_parts(text)):
        return
    different = list(dict.fromkeys(unknown))
    spelled = ", ".join(repr(part[:20]) for part in different[:SHOWN]) + (", …" if different[SHOWN:] else "")
    kind = {"characters": "character", "words": "word"}.get(tokenizer.kind, "part")
    none = tokenizer.unknown_id is None
    becomes = "it does not read them" if none else f"each is its token {safe_text(str(tokenizer.unknown)[:20])}"
    note(f"the model does not know {counted(len(unknown), kind)} of the text ({spelled}); {becomes}")


def biases(given: Sequence[str], tokenizer: Tokenizer) -> tuple[tuple[int, float], ...]:
    """`TOKEN=NUMBER`, as `--logit-bias` takes it: (token, number), ascending. Raises UserError where it is none."""
    found: dict[int, float] = {}
    for word in given:
        token, _, amount = word.rpartition("=")
        ids = [int(token)] if token.isdecimal() else tokenizer.encode(token)
        try:
            number = float(amount)
        except ValueError as error:
            raise UserError(f"--logit-bias {word!r} is not TOKEN=NUMBER, such as 1234=-5") from error
        if len(ids) != 1:
            raise UserError(f"--logit-bias: {token!r} is {len(ids)} tokens; `gpttui tokens` shows their numbers")
        found[ids[0]] = number
    return tuple(sorted(found.items()))


def counted(count: int, name: str) -> str:
    return f"{count} {name}{'' if count == 1 else 's'}"
