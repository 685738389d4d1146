"""How far a person has come in the tour, kept in a small file of the program's own."""

import msgspec

from gpttui import locations
from gpttui.errors import UserError
from gpttui.files import read_json


class Guesses(msgspec.Struct):
    """How often a person guessed, and how often right; beside it the sum of the model's own probabilities."""

    made: int = 0
    right: int = 0


class Kept(msgspec.Struct):
    """What is kept between starts."""

    offered: bool = False
    chapter: str = ""
    """Where the tour was left; empty: at its beginning, or its end."""
    card: int = 0
    done: list[str] = []
    guesses: Guesses = msgspec.field(default_factory=Guesses)


def load() -> Kept:
    """What was kept; nothing where the file is missing or damaged."""
    try:
        return read_json(locations.tour_file(), Kept, 100_000)
    except (FileNotFoundError, UserError):
        return Kept()


def save(kept: Kept) -> None:
    """Keep it; a disk that cannot be written to costs the place, not the tour."""
    file = locations.tour_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        part.write_bytes(msgspec.json.encode(kept))
        part.replace(file)
    except OSError:
        return
