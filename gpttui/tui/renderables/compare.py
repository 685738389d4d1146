"""Who drew two vectors apart, largest first, and pieces of lines side by side.

For: the comparison of one word in two texts. Not for: the distances themselves (the engine measures those).
"""

from typing import Any, NamedTuple

import numpy as np
from rich.cells import cell_len
from rich.style import Style

from gpttui.tui.renderables.labels import clip

Array = np.ndarray[Any, Any]
Piece = tuple[str, Style]


class Share(NamedTuple):
    """One part's share of a difference; negative where it pulls the two together."""

    name: str
    share: float


def contributors(heads: Array, mlps: Array, most: int) -> list[Share]:
    """Heads `[layer, head]` and MLPs `[layer]` by the size of their shares; nothing where there is no difference."""
    named = [Share(f"head {at[0]}.{at[1]}", float(share)) for at, share in np.ndenumerate(heads)]
    named += [Share(f"MLP {layer}", float(share)) for layer, share in enumerate(mlps)]
    finite = [part for part in named if np.isfinite(part.share) and part.share != 0]
    return sorted(finite, key=lambda part: -abs(part.share))[: max(0, most)]


def crop(pieces: list[Piece], width: int) -> list[Piece]:
    """The line in at most `width` cells."""
    kept: list[Piece] = []
    room = width
    for text, style in pieces:
        if room <= 0:
            break
        text = clip(text, room)
        kept.append((text, style))
        room -= cell_len(text)
    return kept


def beside(left: list[list[Piece]], right: list[list[Piece]], width: int, gap: int = 2) -> list[list[Piece]]:
    """Two blocks of lines next to each other, the left one `width` cells wide."""
    lines = []
    for n in range(max(len(left), len(right))):
        line = crop(left[n], width) if n < len(left) else []
        pad = width + gap - sum(cell_len(text) for text, _ in line)
        lines.append([*line, (" " * pad, Style()), *(right[n] if n < len(right) else [])])
    return lines
