"""Pieces of lines side by side.

For: the comparison of one word in two texts. Not for: the distances themselves (the engine measures those).
"""

from rich.cells import cell_len
from rich.style import Style

from gpttui.tui.renderables.labels import clip

Piece = tuple[str, Style]


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
