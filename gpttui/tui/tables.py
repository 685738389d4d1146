"""The numbers of a pane, unrounded, by name: what an export writes.

A pane that shows a part of what it holds, or puts something together, says so by `table()`; of any other pane the
engine's answers that it holds are taken, field by field, with the tokens beside their ids. Everything counts from 1, as
on the screen: layers, heads, neurons, tokens of the text, ranks; token ids are the tokenizer's own. Not for: files
(`gpttui.sessions.view_files`), pictures (`gpttui.tui.exports`).
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from gpttui.protocol.message import Message
from gpttui.sessions.view_files import Table, fields_of
from gpttui.tui.renderables.charts import stop_name

if TYPE_CHECKING:
    from gpttui.tokenizers import Tokenizer

COUNTED = frozenset({"layer", "head", "position", "first_query", "first_key", "cell", "looked_at", "watched_ranks"})
"""Fields of the engine's answers that count from 0; below that they mean nothing."""
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
    held = {name.removeprefix(REACTIVE): value for name, value in vars(pane).items() if isinstance(value, Message)}
    tokenizer = getattr(pane, "tokenizer", None)
    if len(held) == 1:
        return with_tokens(from_one(fields_of(next(iter(held.values())))), tokenizer)
    views = ((name, from_one(fields_of(view))) for name, view in held.items())
    found = {f"{name}.{field}": value for name, fields in views for field, value in fields.items()}
    return with_tokens(found, tokenizer) or None


def from_one(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an answer, counted as on the screen, stops named as there."""
    found = dict(fields)
    for name in COUNTED & found.keys():
        counted = np.asarray(found[name])
        found[name] = np.where(counted < 0, counted, counted + 1)
    if "stops" in found:
        found["stops"] = [stop_name(stop) for stop in found["stops"]]
    return found


def with_tokens(fields: Mapping[str, Any], tokenizer: "Tokenizer | None") -> dict[str, Any]:
    """The fields, and beside each one of token ids (`top_ids`) one of texts (`top_tokens`)."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        found[name] = value
        if name.endswith("ids") and tokenizer is not None and isinstance(value, np.ndarray):
            texts = np.asarray(token_texts(tokenizer, value.ravel().tolist()), dtype=np.str_)
            found[f"{name[:-3]}tokens"] = texts.reshape(value.shape)
    return found
