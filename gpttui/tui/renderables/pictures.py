"""Tokens that are not text, drawn as what they stand for: grey pixels of a digit, 20 ms slices of a voice.

For: the token pane of models that paint or speak. Not for: files (`gpttui generate --out`).
A picture is lines of cells, each of which belongs to one token, so that a click finds it. Pixels are filled in as they
are drawn; a voice is its spectrogram, low frequencies at the bottom, 24 bands in half blocks.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from rich.style import Style

from gpttui.records import Array
from gpttui.tui.palette import CIVIDIS, STEPS, ColourDepth, heat_styles, levels, ramp_glyph
from gpttui.tui.renderables.heatmap import MARK

if TYPE_CHECKING:
    from gpttui.tokenizers import Tokenizer


GREY = tuple(f"#{grey:02x}{grey:02x}{grey:02x}" for grey in np.linspace(8, 248, STEPS).astype(int).tolist())


class Cell(NamedTuple):
    """Some characters of one token's picture."""

    text: str
    style: Style
    position: int
    """In the text; -1 for the ground."""


Lines = list[list[Cell]]


def picture_tokens(view: str, tokenizer: "Tokenizer", ids: Array) -> tuple[Array, Array]:
    """Positions [n] of the tokens that `view` draws as a picture, and what each is: a grey level or a code."""
    alphabet = _alphabet(view)
    if not alphabet:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    values = np.array([alphabet.find(tokenizer.token_bytes(i).decode("utf-8", "replace")) for i in ids.tolist()])
    positions = np.flatnonzero(values >= 0) if len(values) else np.empty(0, dtype=np.int64)
    return positions, values[positions] if len(positions) else np.empty(0, dtype=np.int64)


def _alphabet(view: str) -> str:
    if view == "digits":
        from gpttui.corpora.digits import GREYS

        return GREYS
    if view == "speech":
        from gpttui.corpora.speech_codes import CHARACTERS

        return CHARACTERS
    return ""


def pixel_lines(
    values: Array,
    positions: Array,
    width: int,
    height: int,
    *,
    selected: int,
    steps: Array | None,
    depth: ColourDepth,
    table: tuple[str, ...] = CIVIDIS,
) -> Lines:
    """Grey levels 0..16 in rows of eight, as large as fits; `steps` of `table` colour them by something else instead.

    Pixels that are still to come are dots.
    """
    side, top = 8, 16
    scale = next((scale for scale in (3, 2, 1) if side * 2 * scale <= width and side * scale <= height), 1)
    shades = levels(values, float(top)) if steps is None else steps
    styles = heat_styles(depth, GREY if steps is None else table)
    lines: Lines = []
    for row in range(side):
        for part in range(scale):
            line = []
            for at in range(row * side, (row + 1) * side):
                if at >= len(values):
                    dot = "·" if part == scale // 2 else ""
                    line.append(Cell(dot.center(2 * scale), Style(dim=True), -1))
                    continue
                step, here = int(shades[at]), int(positions[at])
                mark = MARK if here == selected and part == scale // 2 else ""
                if depth >= ColourDepth.INDEXED:
                    line.append(Cell(mark.center(2 * scale), styles[step], here))
                else:
                    fill = mark.center(2 * scale, ramp_glyph(step)) if mark else ramp_glyph(step) * 2 * scale
                    line.append(Cell(fill, Style(reverse=bool(mark)), here))
            lines.append(line)
    return lines


def spectrogram_lines(
    codes: Array,
    positions: Array,
    width: int,
    height: int,
    *,
    selected: int,
    depth: ColourDepth,
    table: tuple[str, ...] = CIVIDIS,
) -> Lines:
    """Loudness by frequency and time, one token a column or two; wrapped where it is wider than `width`."""
    from gpttui.corpora.speech_codes import FLOOR_DB, spectrogram

    loud = (spectrogram(codes.tolist()) - FLOOR_DB) / -FLOOR_DB
    bands = 24 if height >= 13 else 12 if height >= 7 else 6
    loud = np.maximum.reduceat(loud, np.arange(bands) * loud.shape[0] // bands, axis=0)[::-1]
    shades = levels(loud)
    wide = 2 if 2 * len(codes) <= width else 1
    lines: Lines = []
    for start in range(0, len(codes), max(1, width // wide)):
        columns = range(start, min(len(codes), start + max(1, width // wide)))
        for row in range(0, bands, 2):
            both = [(shades[row, c], shades[row + 1, c], int(positions[c])) for c in columns]
            lines.append([_slice(upper, lower, wide, at, depth, table) for upper, lower, at in both])
        marks = [("▲" if int(positions[c]) == selected else " ").ljust(wide) for c in columns]
        lines.append([Cell(mark, Style(bold=True), int(positions[c])) for mark, c in zip(marks, columns, strict=True)])
    return lines


def _slice(upper: int, lower: int, wide: int, position: int, depth: ColourDepth, table: tuple[str, ...]) -> Cell:
    if depth >= ColourDepth.INDEXED:
        return Cell("▀" * wide, Style(color=table[upper], bgcolor=table[lower]), position)
    return Cell(ramp_glyph(int(max(upper, lower))) * wide, Style(), position)
