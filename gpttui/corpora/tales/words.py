"""Every word that the tales world can say."""

from __future__ import annotations

import re

from gpttui.corpora.tales import (
    asides,
    explain,
    lexicon,
    phrases,
    plots,
    plots_three,
    plots_two,
    senses,
    telling,
    world,
)  # fmt: skip

WORD = re.compile(r"[A-Za-z]+(?:['-][A-Za-z]+)*")
_IN_CODE = "the this these some a an and i mr mrs uncle aunt grandpa grandma boy girl man woman at to"
_SLOT = re.compile(r"\{\w+\}")


def _collect(value: object, into: set[str]) -> None:
    if isinstance(value, str):
        into.update(WORD.findall(_SLOT.sub(" ", value).lower()))
    elif isinstance(value, tuple | frozenset):
        for item in value:
            _collect(item, into)
    elif isinstance(value, dict):
        for item in value.values():
            _collect(item, into)
    elif hasattr(value, "__self__"):
        _collect(value.__self__, into)


def vocabulary() -> tuple[str, ...]:
    """The word types of the world in lower case, sorted: from its lexicon and all forms of its phrases."""
    found = set(WORD.findall(_IN_CODE))
    found.update(f"{name.lower()}son" for name in lexicon.SURNAMES)
    found.update(f"{day.lower()}s" for day in phrases.POOLS["WEEKDAY"])
    for module in (lexicon, phrases, plots, plots_two, plots_three, asides, senses, explain, telling, world):
        for name, value in vars(module).items():
            if not name.startswith("_") and isinstance(value, tuple | dict):
                _collect(value, found)
    return tuple(sorted(found))
