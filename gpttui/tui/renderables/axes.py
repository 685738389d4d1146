"""Axes labelled by tokens: names beside rows, names above columns, upright where a column is too narrow.

For: squares whose sides are tokens. Not for: number axes (the plot has its own).
"""

from rich.cells import cell_len

from gpttui.tui.renderables.labels import clip, fit


def label_lines_wanted(longest: int, cell_columns: int, most_lines: int) -> int:
    """How many lines names of at most `longest` cells take above columns of `cell_columns`."""
    if most_lines < 1 or longest < 1:
        return 0
    return 1 if cell_columns >= 5 or longest <= max(1, cell_columns - 1) else min(most_lines, longest)


def column_label_lines(labels: list[str], cell_columns: int, most_lines: int) -> list[str]:
    """Lines above the columns, each `len(labels) * cell_columns` wide.

    Written across where every label fits or a column has five cells, and downwards otherwise, in at most `most_lines`,
    ending right above the first row.
    """
    if not labels or most_lines < 1:
        return []
    longest = max(cell_len(label) for label in labels)
    count = label_lines_wanted(longest, cell_columns, most_lines)
    if cell_columns >= 5 or longest <= max(1, cell_columns - 1):
        return ["".join(_across(label, cell_columns) for label in labels)]
    upright = [_upright(label, count) for label in labels]
    return ["".join(fit(letter, cell_columns) for letter in line) for line in zip(*upright, strict=True)]


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
