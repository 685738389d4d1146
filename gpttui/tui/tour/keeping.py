"""How far a person has come in the tour, kept in a small file of the program's own."""

import msgspec

from gpttui import locations
from gpttui.errors import UserError
from gpttui.files import read_json


class Guess(msgspec.Struct):
    """A person's first guess at one card."""

    right: bool = False
    options: int = 2
    bits: float | None = None
    """Surprisal of the token guessed, by the model; None where no token was guessed."""
    best_bits: float = 0.0
    """That of the model's most probable token."""
    blind_bits: float = 0.0
    """That of any token of a vocabulary of this size, guessed blindly."""


class Trained(msgspec.Struct):
    """What became of the model that a person trained on the tour; losses in nats a token."""

    steps: int = 0
    loss: float = 0.0
    blind: float = 0.0
    """The loss of a blind guess, ln V."""


class Kept(msgspec.Struct):
    """What is kept between starts."""

    offered: bool = False
    chapter: str = ""
    """Where the tour was left; empty: at its beginning, or its end."""
    card: int = 0
    done: list[str] = []
    guesses: dict[str, Guess] = {}
    """By `chapter card`, cards counted from 1; another guess at the same card changes nothing."""
    trained: Trained | None = None

    @property
    def right(self) -> int:
        """How many guesses were right."""
        return sum(guess.right for guess in self.guesses.values())


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
