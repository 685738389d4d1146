"""Axes labelled by tokens: names beside rows, names above columns, upright where a column is too narrow.

For: squares whose sides are tokens. Not for: number axes (the plot has its own).
"""

from rich.cells import cell_len

from gpttui.tui.renderables.labels import clip, fit


def column_label_height(longest: int, cell_columns: int, most_lines: int) -> int:
    """Lines that labels of at most `longest` cells take above columns so wide: one where they are written across."""
    return min(most_lines, 1 if _fits_across(longest, cell_columns) else longest)


def column_label_lines(labels: list[str], cell_columns: int, lines: int, longest: int | None = None) -> list[str]:
    """`lines` lines above the columns, each `len(labels) * cell_columns` wide.

    Written across where every label fits (`longest` counts labels that are not among these) or a column has five cells,
    and downwards otherwise, ending right above the first row.
    """
    if not labels or lines < 1:
        return []
    longest = max(cell_len(label) for label in labels) if longest is None else longest
    if _fits_across(longest, cell_columns):
        return ["".join(_across(label, cell_columns) for label in labels)]
    upright = [_upright(label, lines) for label in labels]
    return ["".join(fit(letter, cell_columns) for letter in line) for line in zip(*upright, strict=True)]


def _fits_across(longest: int, cell_columns: int) -> bool:
    return cell_columns >= 5 or longest <= max(1, cell_columns - 1)


def _across(label: str, width: int) -> str:
    """The label in `width` cells, centred, one cell free behind it where there are several."""
    room = max(1, width - 1)
    text = label if cell_len(label) <= room else clip(_bare(label), room)
    left = (room - cell_len(text)) // 2
    return fit(" " * left + text, width)


def _bare(label: str) -> str:
    """Without the leading · of a word, which costs room and says little in a narrow column."""
    return label[1:] if len(label) > 1 and label.startswith("·") else label


def _upright(label: str, lines: int) -> list[str]:
    """The label's characters one below the other, at the bottom of `lines`; `⋮` where it goes on."""
    letters = list(_bare(label) if len(label) > lines else label)
    if len(letters) > lines:
        letters = [*letters[: lines - 1], "⋮"]
    return [" "] * (lines - len(letters)) + letters


def row_label(label: str, width: int) -> str:
    """The name beside a row, close to it."""
    return fit(label, width, right=True)
