"""A colour map as a strip with its ends named, and the same without colours.

For: saying what a colour means. Not for: choosing the map.
"""

from rich.style import Style

from gpttui.tui.palette import RAMP, STEPS, ColourDepth

Piece = tuple[str, Style]


def legend_pieces(
    low: str, high: str, width: int, depth: ColourDepth, table: tuple[str, ...], text: Style
) -> list[Piece]:
    """`low ▒▒▓▓██ high` in about `width` cells: `table` from its first colour to its last, or the five glyphs."""
    span = max(4, width - len(low) - len(high) - 2)
    if depth < ColourDepth.INDEXED:
        return [(f"{low} ", text), *((glyph * (span // len(RAMP)), text) for glyph in RAMP), (f" {high}", text)]
    # Half blocks show two steps a cell.
    steps = [i * (STEPS - 1) // (2 * span - 1) for i in range(2 * span)]
    cells = [
        ("▌", Style(color=table[left], bgcolor=table[right]))
        for left, right in zip(steps[::2], steps[1::2], strict=True)
    ]
    return [(f"{low} ", text), *cells, (f" {high}", text)]
