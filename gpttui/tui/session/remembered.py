"""What a person has set in a view, as plain values: kept while the view is closed, and written into session files.

For: views, which list how they show things (`Setting`), and declare what else they keep with the link (`remember`):
texts, pins, sums. Values may come out of a file: one that does not fit is passed over.
"""

from collections.abc import Iterable, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import reduce
from typing import Annotated, Any, NamedTuple

import msgspec

Plain = bool | int | float | str
TokenId = Annotated[int, msgspec.Meta(ge=0)]


class _Kept(NamedTuple):
    kind: Any
    of_model: bool


_KEPT: dict[str, _Kept] = {}
FROM_FILE = "from a file"
"""Name under which the link holds what a session file says of names that no module has declared yet."""


def remember(name: str, kind: Any, *, of_model: bool) -> str:
    """From now on the link's `kept[name]`, of type `kind`, goes into session files; of one model only where its words
    or ids mean nothing to another. The name again."""
    _KEPT[name] = _Kept(kind, of_model)
    return name


def take_up(kept: MutableMapping[str, Any]) -> None:
    """What a session file says of names that are declared by now; what is not of its type is left out, so that no view
    meets nonsense."""
    plain = kept.get(FROM_FILE)
    if isinstance(plain, dict):
        for name in _KEPT.keys() & plain.keys():
            with suppress(msgspec.ValidationError):  # of another version of that view: it opens as new
                kept[name] = msgspec.convert(plain.pop(name), _KEPT[name].kind)


def forget_model(kept: MutableMapping[str, Any]) -> None:
    """Another model was opened."""
    take_up(kept)
    for name, about in _KEPT.items():
        if about.of_model:
            kept.pop(name, None)


def kept_plain(kept: MutableMapping[str, Any]) -> dict[str, Any]:
    """What of the views' memory goes into a session file."""
    take_up(kept)
    return {name: msgspec.to_builtins(kept[name], builtin_types=()) for name in _KEPT if name in kept}


SETTINGS = remember("settings", dict[str, dict[str, Any]], of_model=False)
"""Every view's settings, by the views' ids."""
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
