"""The styles that a pane lends to what is drawn in it, and small things drawn the same way everywhere inside."""

from collections.abc import Iterable
from dataclasses import dataclass

from rich.cells import cell_len
from rich.style import Style

from gpttui.tui.palette import CIVIDIS, ColourDepth, heat_styles, level
from gpttui.tui.renderables.labels import fit

Piece = tuple[str, Style]
Line = list[Piece]


@dataclass(frozen=True, slots=True)
class Ink:
    """A pane's tones, and what its terminal can show."""

    plain: Style
    dim: Style
    strong: Style
    accent: Style
    cursor: Style
    bar: Style
    band: Style
    """Ground of a marked row."""
    warn: Style
    depth: ColourDepth
    dark: bool
    heat: tuple[str, ...] = CIVIDIS
    """The colour map for amounts."""

    @property
    def coloured(self) -> bool:
        """Whether there are enough colours for maps of them."""
        return self.depth >= ColourDepth.INDEXED

    @property
    def mark(self) -> Style:
        """A cell under the cursor, where its own colour cannot be seen."""
        return Style(reverse=True, bold=True) if self.depth is ColourDepth.NONE else self.cursor


def hit(*place: int) -> Style:
    """A mark on what is drawn, which a click on it finds again (`LinesPane.pressed`); it changes no colour."""
    return Style.from_meta({"hit": place})


def prob_cell(label: str, prob: float, width: int, ink: Ink, *, bold: bool = False) -> Piece:
    """A token on the colour of its probability."""
    style = heat_styles(ink.depth, ink.heat)[level(prob)]
    return fit(label, width), style + Style(bold=bold) if bold else style


def width_of(line: Iterable[Piece]) -> int:
    """Cells that a line takes."""
    return sum(cell_len(text) for text, _ in line)


def wrapped(words: str, width: int) -> list[str]:
    """Words in lines of at most `width` cells; a word that is longer is cut."""
    lines, line = [], ""
    for word in words.split(" "):
        longer = f"{line} {word}" if line else word
        if line and cell_len(longer) > width:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line] if width > 0 else []


def number(value: float) -> str:
    """A length or a score in at most five characters: `0.698`, `16.3`, `240`, `1.2e5`; with its sign where negative."""
    size = abs(value)
    if size >= 99_999.5:
        return f"{value:.1e}".replace("e+0", "e").replace("e+", "e")
    if size >= 99.95:
        return f"{value:.0f}"
    return f"{value:.1f}" if size >= 9.995 else f"{value:.2f}"
