"""Every word that the tales world can say."""

import re

from gpttui.corpora.tables import Table
from gpttui.corpora.tales import explain, lexicon, phrases, senses, telling, world

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
        _collect(tuple(value.values()), into)
    elif isinstance(value, Table):
        _collect(value.sections, into)
    elif hasattr(value, "__self__"):
        _collect(value.__self__, into)


def vocabulary() -> tuple[str, ...]:
    """The word types of the world in lower case, sorted: from its lexicon and all forms of its phrases."""
    found = set(WORD.findall(_IN_CODE))
    found.update(f"{name.lower()}son" for name in lexicon.POOLS.SURNAME)
    found.update(f"{day.lower()}s" for day in lexicon.POOLS.WEEKDAY)
    for module in (lexicon, phrases, senses, explain, telling, world):
        for name, value in vars(module).items():
            if not name.startswith("_") and isinstance(value, tuple | dict | Table):
                _collect(value, found)
    return tuple(sorted(found))
