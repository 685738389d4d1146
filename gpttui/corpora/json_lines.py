"""JSON lines as a text to learn: which of a file's fields hold text, and the texts of one field, one after the other.

For: `--text-field` and the form, which offer what is found. Not for: reading other text (`gpttui.training.text`).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from gpttui.errors import UserError, no_such

SUFFIXES = frozenset({".jsonl", ".ndjson"})
LOOKED_AT = 20
"""Lines from which a file's fields are told."""
LONGEST_LINE_BYTES = 1 << 26
BLOCK_CHARS = 1 << 18
USUAL = ("text", "content")
"""What the field to learn is called nearly always."""


def text_fields(file: Path) -> tuple[str, ...]:
    """The fields of a file of JSON lines that hold text, the likeliest to be learned first; empty for other files."""
    if file.suffix.lower() not in SUFFIXES or not file.is_file():
        return ()
    found: dict[str, int] = {}
    try:
        with file.open("rb") as handle:
            records = [_record(line) for line in _first_lines(handle)]
    except (OSError, ValueError, RecursionError):
        return ()
    for record in records:
        for name, value in record.items():
            if isinstance(value, str):
                found[name] = found.get(name, 0) + len(value)
    everywhere = [name for name in found if all(isinstance(record.get(name), str) for record in records)]
    return tuple(sorted(everywhere, key=lambda name: (name not in USUAL, -found[name])))


def _first_lines(handle: BinaryIO) -> Iterator[bytes]:
    for _ in range(LOOKED_AT):
        line = handle.readline(LONGEST_LINE_BYTES)
        if not line:
            return
        if line.strip():
            yield line


def _record(line: bytes) -> dict[str, Any]:
    """Raises ValueError for a line that is no JSON object."""
    record = json.loads(line.decode("utf-8-sig"))
    if not isinstance(record, dict):
        raise ValueError("not an object")
    return record


def texts(handle: BinaryIO, field: str, name: str) -> Iterator[tuple[int, int, str]]:
    """(first byte, byte after the last, texts with a newline behind each) of some lines of a file, and then of others.

    Raises UserError, naming the line, where one is no JSON object with a text in `field`. `name`: the file's.
    """
    start = end = size = 0
    held: list[str] = []
    for number, line in enumerate(iter(lambda: handle.readline(LONGEST_LINE_BYTES), b""), 1):
        end += len(line)
        if line.strip():
            try:
                record = _record(line)
            except (ValueError, RecursionError) as error:
                raise UserError(f"line {number:,} of {name} is not a JSON object; leave --text-field out") from error
            if not isinstance(text := record.get(field), str):
                there = [key for key, value in record.items() if isinstance(value, str)]
                raise UserError(f"line {number:,} of {name}: {no_such('text field', field, there)}")
            held.append(text + "\n")
            size += len(text)
        if size > BLOCK_CHARS:
            yield start, end, "".join(held)
            start, size, held = end, 0, []
    if held:
        yield start, end, "".join(held)
