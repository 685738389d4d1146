"""A token's way through the model in words: what each stop is called, and what the model would say there.

For: the journey and the comparison. Not for: vectors (`signed`).
The readings are the logit lens: nostalgebraist 2020, "interpreting GPT: the logit lens".
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from rich.cells import cell_len

from gpttui.tui.renderables.labels import percent, quoted_label

if TYPE_CHECKING:
    from gpttui.tokenizers import Tokenizer

Array = np.ndarray[Any, Any]


def stop_words(stop: str) -> str:
    """`embed` and `2 attn` in plain words; what is unknown stays as it is."""
    if stop == "embed":
        return "embedding + position"
    layer, _, part = stop.partition(" ")
    names = {"attn": "attention", "mlp": "MLP"}
    return f"layer {layer} · {names[part]} adds" if part in names else stop


def layer_of(stop: str) -> int:
    """-1 for the embeddings."""
    layer = stop.partition(" ")[0]
    return int(layer) if layer.isdigit() else -1


def decided_at(top_ids: Array) -> int:
    """The first stop from which on the last stop's most probable token stays the most probable. `top_ids`: [stop, k]"""
    other = np.flatnonzero(top_ids[:, 0] != top_ids[-1, 0])
    return int(other[-1]) + 1 if len(other) else 0


def sayings(tokenizer: "Tokenizer | None", ids: Array, probs: Array, room: int, most: int = 3) -> list[str]:
    """`"·the" 41.2%` for as many of the first `most` tokens as fit into `room` cells, two cells between them."""
    told: list[str] = []
    used = 0
    for token_id, prob in list(zip(ids.tolist(), probs.tolist(), strict=True))[:most]:
        piece = f"{quoted_label(tokenizer, token_id, 14)} {percent(prob)}"
        used += cell_len(piece) + 2 * bool(told)
        if used > room:
            break
        told.append(piece)
    return told
