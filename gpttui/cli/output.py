"""How verbs write: data on stdout, diagnostics on stderr, text from models and files through the one gate."""

import json
import math
import sys
import time
from collections.abc import Callable
from typing import Any

import click
import msgspec

from gpttui.text import safe_text, so_far, whole

LOADS_SOON_S = 0.5


def print_json(value: Any) -> None:
    """One JSON document on one line, in ASCII: no terminal and no locale can be hurt by it. NaN becomes null."""
    click.echo(json.dumps(_plain(msgspec.to_builtins(value))))


def _plain(value: Any) -> Any:
    """What JSON can say: no number for NaN and infinities, no lone surrogate (of a file's name that is not UTF-8)."""
    if isinstance(value, dict):
        return {_plain(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return whole(value) if isinstance(value, str) else value


def note(message: str) -> None:
    """A diagnostic for a person, on stderr."""
    click.echo(f"gpttui: {safe_text(message)}", err=True)


def loading() -> Callable[[str, int, int], None]:
    """What tells how far a model is: a line on a terminal, gone when it is open; one that opens soon has none."""
    began_s = time.perf_counter()

    def tell(part: str, done: int, total: int) -> None:
        if sys.stderr.isatty() and time.perf_counter() - began_s > LOADS_SOON_S:
            left = f"opening the model: {so_far(part, done, total)}" if done < total or not total else ""
            click.echo(f"\r\x1b[K{left}", nl=False, err=True)

    return tell


def shown(text: str, *, keep: str = "") -> str:
    """`text` as it may be written to stdout: made safe for a terminal, left alone for a file or a pipe."""
    return safe_text(text, keep=keep) if sys.stdout.isatty() else text


def size(count: float, unit: str = "") -> str:
    """A count in three figures: 812, 81.2 k, 8.12 M."""
    for factor, letter in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(count) >= factor * 0.9995:
            return f"{count / factor:.3g}{letter}{unit}"
    return f"{count:.3g} {unit}".rstrip()


def table(rows: list[list[str]], *, right: frozenset[int] = frozenset()) -> list[str]:
    """Rows of cells as aligned lines; columns in `right` align right. Widths count terminal cells."""
    from rich.cells import cell_len

    widths = [max(cell_len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        padded = []
        for i, cell in enumerate(row):
            blank = " " * (widths[i] - cell_len(cell))
            padded.append(blank + cell if i in right else cell + blank)
        lines.append("  ".join(padded).rstrip())
    return lines
