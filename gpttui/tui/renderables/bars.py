"""Bars in eighths of a cell, and the cumulative bar on which a random number lands.

For: amounts of [0, 1] side by side. Not for: curves (`LossPane`) or colours.
"""

from typing import NamedTuple

from rich.cells import cell_len

from gpttui.tui.renderables.labels import clip

EIGHTHS = " ▏▎▍▌▋▊▉█"


def bar(share: float, width: int) -> str:
    """`share` of `width` cells as blocks, to an eighth of a cell. What is not 0 shows at least the thinnest block."""
    if not share > 0 or width <= 0:
        return ""
    eighths = max(1, min(8 * width, round(share * 8 * width)))
    full, rest = divmod(eighths, 8)
    return "█" * full + (EIGHTHS[rest] if rest else "")


def plain_bar(share: float, width: int, glyph: str = "=") -> str:
    """The same in whole cells of one glyph."""
    return glyph * max(1, min(width, round(share * width))) if share > 0 and width > 0 else ""


def tick_column(share: float, width: int) -> int:
    """The cell in which a mark at `share` of `width` cells belongs."""
    return max(0, min(width - 1, int(share * width)))


class Stretch(NamedTuple):
    """One candidate's part of the cumulative bar."""

    rank: int
    """Index of the candidate; -1 for all the others together."""
    text: str
    """Exactly as wide as the stretch: its label where there is room."""


def cumulative(shares: list[float], labels: list[str], width: int) -> list[Stretch]:
    """The probabilities end to end in `width` cells, labelled where a label fits; what is missing from 1 comes last.

    Ends are rounded, widths are not, so that a number u falls into the stretch that covers it up to one cell.
    """
    stretches = []
    start, total = 0, 0.0
    for rank, (share, label) in enumerate(zip(shares, labels, strict=True)):
        total += share
        end = min(width, round(total * width))
        if end > start:
            stretches.append(Stretch(rank, _centred(label, end - start)))
            start = end
    if start < width:
        stretches.append(Stretch(-1, " " * (width - start)))
    return stretches


def _centred(label: str, width: int) -> str:
    """The label in the middle of `width` cells, clipped where that still says something, nothing otherwise."""
    text = label if cell_len(label) <= width else clip(label, width) if width >= 4 else ""
    room = width - cell_len(text)
    return " " * (room // 2) + text + " " * (room - room // 2)
