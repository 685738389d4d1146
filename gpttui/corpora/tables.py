"""Word lists and sentences of the generated worlds: text files in `tables/`, in sections headed `[NAME]`.

Not for: what a line means (the module that reads a table says so).
"""

import re
from collections.abc import Callable
from importlib.resources import files
from typing import Generic, TypeVar

T = TypeVar("T")
_HEADING = re.compile(r"^\[(\w+)\]$\n", re.MULTILINE)


def read(name: str) -> dict[str, str]:
    """The sections of `tables/NAME.txt` by their headings, each without its surrounding blank lines."""
    text = (files("gpttui.corpora") / "tables" / f"{name}.txt").read_text(encoding="utf-8")
    _, *parts = _HEADING.split(text)
    return {heading: body.strip("\n") for heading, body in zip(parts[::2], parts[1::2], strict=True)}


class Table(Generic[T]):
    """Sections as attributes, each what `make` makes of its text: `Table(words, "tales_words").COLOUR`."""

    def __init__(self, make: Callable[[str], T], *names: str) -> None:
        self.sections = {heading: make(body) for name in names for heading, body in read(name).items()}

    def __getattr__(self, heading: str) -> T:
        if heading in vars(self).get("sections", {}):
            return self.sections[heading]
        raise AttributeError(f"no section is headed {heading}")
