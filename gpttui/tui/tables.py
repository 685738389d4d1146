"""The numbers of a pane, unrounded, by name: what an export writes.

A pane that shows a part of what it holds, or puts something together, says so by `table()`; of any other pane the
engine's answers that it holds are taken, field by field, with the tokens beside their ids. Not for: files
(`gpttui.view_files`), pictures (`gpttui.tui.exports`).
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from gpttui.parts_protocol import View
from gpttui.view_files import Table, fields_of

if TYPE_CHECKING:
    from gpttui.tokenizers import Tokenizer

REACTIVE = "_reactive_"
"""What Textual puts before a reactive's name where it keeps the value."""


@runtime_checkable
class HasTable(Protocol):
    """A pane that says which numbers it shows."""

    def table(self) -> Table | None:
        """Columns by name, tokens as text beside their ids; None while there is nothing to show."""


def token_texts(tokenizer: "Tokenizer | None", ids: Iterable[int]) -> list[str]:
    """Tokens as text; a piece of a character reads as a replacement mark, and nothing (an id below 0) as nothing."""
    known = [int(token_id) for token_id in ids]
    if tokenizer is None:
        return [f"#{token_id}" for token_id in known]
    texts = {token_id: tokenizer.decode([token_id]) if token_id >= 0 else "" for token_id in set(known)}
    return [texts[token_id] for token_id in known]


def token_columns(tokenizer: "Tokenizer | None", ids: Iterable[int], name: str = "token") -> dict[str, Any]:
    """Two columns: `token_id` and `token`."""
    known = [int(token_id) for token_id in ids]
    return {f"{name}_id": known, name: token_texts(tokenizer, known)}


def table_of(pane: object) -> Table | None:
    """The numbers that a pane shows; None where it holds none."""
    if isinstance(pane, HasTable):
        return pane.table() or None
    held = {name.removeprefix(REACTIVE): value for name, value in vars(pane).items() if isinstance(value, View)}
    tokenizer = getattr(pane, "tokenizer", None)
    if len(held) == 1:
        return with_tokens(fields_of(next(iter(held.values()))), tokenizer)
    found = {f"{name}.{field}": value for name, view in held.items() for field, value in fields_of(view).items()}
    return with_tokens(found, tokenizer) or None


def with_tokens(fields: Mapping[str, Any], tokenizer: "Tokenizer | None") -> dict[str, Any]:
    """The fields, and beside each one of token ids (`top_ids`) one of texts (`top_tokens`)."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        found[name] = value
        if name.endswith("ids") and tokenizer is not None and isinstance(value, np.ndarray):
            texts = np.asarray(token_texts(tokenizer, value.ravel().tolist()), dtype=np.str_)
            found[f"{name[:-3]}tokens"] = texts.reshape(value.shape)
    return found
