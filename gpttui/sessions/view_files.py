"""What a view shows, as a file for other programs: every number of it, none rounded.

`.npz` holds each field under its name. `.csv` is an ordinary table where all fields are columns of one length (what
holds for every row is repeated in it); else it has one number a row, in the long form that spreadsheets and pandas
pivot: name, up to three indices (from 1), value. Pictures (SVG) are the screen's own to make. No torch.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from gpttui.errors import UserError

AXES = 3
"""Indices of a CSV row; no view has more axes."""


Table = Mapping[str, Any]
"""What a pane shows: by name, arrays, lists of numbers or texts, and single ones of them."""


def fields_of(answer: msgspec.Struct) -> dict[str, Any]:
    """The numbers and texts of an answer by name, those of its parts under `part.name`."""
    return dict(_fields(answer))


def write_table(table: Table, file: Path) -> None:
    """Write a table by the suffix of `file`.

    Raises UserError for another suffix than .npz and .csv, or where the file cannot be written.
    """
    if file.suffix == ".npz":
        stored = io.BytesIO()
        np.savez_compressed(stored, **{name: np.asarray(value) for name, value in table.items()})  # type: ignore[arg-type]
        content = stored.getvalue()
    elif file.suffix == ".csv":
        lines = io.StringIO(newline="")
        writer = csv.writer(lines)
        writer.writerows(_wide(table) or _long(table))
        content = lines.getvalue().encode("utf-8", "backslashreplace")
    else:
        raise UserError(f"a view can be written as .npz or .csv, not as {file.suffix or 'a file without a suffix'}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    except OSError as error:
        raise UserError(f"{file} cannot be written: {error.strerror}; choose another place") from error


def _fields(answer: msgspec.Struct) -> Iterator[tuple[str, Any]]:
    """Numbers and texts of an answer; nested parts (passages, words) by their number, from 1."""
    for name in answer.__struct_fields__:
        value = getattr(answer, name)
        if isinstance(value, msgspec.Struct):
            yield from ((f"{name}.{inner}", found) for inner, found in _fields(value))
        elif isinstance(value, tuple) and value and isinstance(value[0], msgspec.Struct | tuple):
            for n, part in enumerate(value, 1):
                if isinstance(part, msgspec.Struct):
                    yield from ((f"{name}.{n}.{inner}", found) for inner, found in _fields(part))
                else:
                    yield from ((f"{name}.{n}.{m}", found) for m, found in enumerate(part, 1))
        elif value is not None:
            yield name, value


def _wide(table: Table) -> list[Sequence[object]]:
    """A heading and rows; empty where the fields are not columns of one length."""
    columns = {name: np.asarray(value) for name, value in table.items()}
    shapes = {column.shape for column in columns.values()} - {()}
    if len(shapes) != 1 or len(shape := shapes.pop()) != 1:
        return []
    rows = zip(*(np.broadcast_to(column, shape).tolist() for column in columns.values()), strict=True)
    return [tuple(columns), *rows]


def _long(table: Table) -> Iterator[list[object]]:
    yield ["name", "i", "j", "k", "value"]
    for name, value in table.items():
        array = np.asarray(value)
        for place in np.ndindex(array.shape):
            yield [name, *(n + 1 for n in place), *[""] * (AXES - len(place)), array[place].item()]
