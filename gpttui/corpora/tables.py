"""Word lists and sentences of the generated worlds: text files in `tables/`, in sections headed `[NAME]`.

Not for: what a line means (the module that reads a table says so).
"""

import re
from importlib.resources import files

_HEADING = re.compile(r"^\[(\w+)\]$\n", re.MULTILINE)


def read(name: str) -> dict[str, str]:
    """The sections of `tables/NAME.txt` by their headings, each without its surrounding blank lines."""
    text = (files("gpttui.corpora") / "tables" / f"{name}.txt").read_text(encoding="utf-8")
    _, *parts = _HEADING.split(text)
    return {heading: body.strip("\n") for heading, body in zip(parts[::2], parts[1::2], strict=True)}
