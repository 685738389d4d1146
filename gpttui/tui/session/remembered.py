"""What a person has set in a view, as plain values: kept while the view is closed, and written into session files.

For: views, which list what they remember (`Setting`). Not for: what several views share (texts, pins, sums), which lies
in the link's `kept` by names of its own. Values may come out of a file: one that does not fit is passed over.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

Plain = bool | int | float | str

SETTINGS = "settings"
"""Name under which the link keeps every view's settings: a dict of dicts, by the views' ids."""
COMING_BACK = "coming back"
"""Name under which the link holds what a session file says of the view that opens next."""
YES_NO = (False, True)
NUMBERS = range(10**6)
"""Of rows, tokens, neurons: a view brings one that is too large to what it has."""
NUMBERS_OR_NONE = range(-1, 10**6)
"""-1 stands for something of the view's own."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One value of a view."""

    name: str
    """In the file."""
    places: str | tuple[str, ...]
    """Where it lies: `attribute` of the view, `pane.attribute` of a pane; of several all are set, the first is read."""
    among: Sequence[Plain]
    """What it may be; all of one type."""

    def get(self, view: object) -> Plain:
        owner, name = self._owners(view)[0]
        value: Plain = getattr(owner, name)
        return value

    def put(self, view: object, value: object) -> None:
        """Set it, unless the value is none that it may have (True is no 1 here)."""
        if type(value) is type(self.among[0]) and value in self.among:
            for owner, name in self._owners(view):
                setattr(owner, name, value)

    def _owners(self, view: object) -> list[tuple[object, str]]:
        places = (self.places,) if isinstance(self.places, str) else self.places
        paths = [place.split(".") for place in places]
        return [(reduce(getattr, path[:-1], view), path[-1]) for path in paths]


def values(view: object, settings: Iterable[Setting]) -> dict[str, Plain]:
    """As they are now, by their names."""
    return {setting.name: setting.get(view) for setting in settings}


def take_back(view: object, settings: Iterable[Setting], plain: Any) -> None:
    """Set what `plain` names; names that are missing or unknown are passed over."""
    if isinstance(plain, dict):
        for setting in settings:
            if setting.name in plain:
                setting.put(view, plain[setting.name])
