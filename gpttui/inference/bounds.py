"""Where a text begins and where it ends: its first tokens, and what is said behind its last. No model, no screen."""

from collections.abc import Sequence

from gpttui.errors import UserError
from gpttui.text import display_token
from gpttui.tokenizers import Tokenizer


def start_token(tokenizer: Tokenizer) -> int | None:
    """What an empty prompt starts from where nothing is put before it: the end-of-text token, or a newline, if any."""
    end_of_text = tokenizer.backend.token_to_id("<|endoftext|>")
    if end_of_text is not None:
        return int(end_of_text)
    newline = tokenizer.encode("\n")
    return newline[0] if len(newline) == 1 and newline[0] != tokenizer.unknown_id else None


def beginning(tokenizer: Tokenizer, prompt: str) -> list[int]:
    """The prompt's tokens, with what the tokenizer puts around them; of nothing at all, the start token."""
    ids = tokenizer.prompt(prompt)
    if not ids:
        start = start_token(tokenizer)
        ids = [] if start is None else [start]
    return ids


def known(ids: Sequence[int], vocab: int) -> list[int]:
    """`ids` again. Raises UserError for one that a model of `vocab` tokens has not."""
    for i in ids:
        if not 0 <= i < vocab:
            raise UserError(f"token {i} is outside the model's {vocab}; this tokenizer belongs to another model")
    return list(ids)


def after_the_end(tokenizer: Tokenizer, last_id: int) -> UserError:
    """What is said to one who steps on behind `last_id`, with which the model has ended its text."""
    return UserError(
        f"the model has ended its text here with {end_name(tokenizer, last_id)}; take it back, or choose another token"
    )


def end_name(tokenizer: Tokenizer, token_id: int) -> str:
    """What to call a token that ends a text: `</s>`, `⏎`."""
    return display_token(tokenizer.token_bytes(token_id))[:40]
