"""A lesson as a file: a model, a prompt, and cards, one after the other. TOML, read and checked here; no torch.

Not for: what a deed may say (`deeds`), which numbers a text may name (`words`), or the screen.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from gpttui.errors import UserError, no_such, one_line
from gpttui.files import in_words, read_text
from gpttui.lessons import deeds, words
from gpttui.text import safe_text

LARGEST_BYTES = 256_000
MOST_CARDS, MOST_WORDS = 40, 45
_PANE = re.compile(r"[a-z][a-z_]*")
_NAME = re.compile(r"[A-Za-z0-9][\w.:+-]*(/[A-Za-z0-9][\w.:+-]*)?")
Short = Annotated[str, msgspec.Meta(max_length=600)]
Line = Annotated[str, msgspec.Meta(max_length=120)]
Kind = Literal["say", "do", "guess", "recap"]


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One card. With `do` it waits for a deed, with `options` for a guess; else it is read."""

    say: Annotated[str, msgspec.Meta(min_length=1, max_length=600)]
    more: Short = ""
    """The technical wording, shown on request."""
    point: Line = ""
    """The pane that it speaks of, by its id."""
    do: Line = ""
    keys: list[Line] = []
    """Keys that do the deed (`gpttui tour --check` presses them); a text in quotes is typed."""
    hint: Short = ""
    options: list[Line] = []
    """What may be guessed; `["candidates"]`: the most probable next tokens, shuffled."""
    answer: int = 0
    """The right option, counted from 1; of candidates the most probable is right."""
    why: Short = ""
    """After the deed or the guess: why it matters, with the numbers beside their baselines."""
    recap: bool = False
    prompt: Annotated[str, msgspec.Meta(max_length=2000)] | None = None
    """Put another text on the table before this card."""
    model: Line = ""
    """Open another model before this card."""
    train: Line = ""
    """Have the form for a run filled in with this text, for a short run."""

    @property
    def kind(self) -> Kind:
        return "do" if self.do else "guess" if self.options else "recap" if self.recap else "say"

    @property
    def candidates(self) -> bool:
        """Whether what may be guessed are the model's own next tokens."""
        return self.options == ["candidates"]


class Lesson(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    """One chapter."""

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    about: Line = ""
    """What it is about, in a line, for the list."""
    model: Line = "tales"
    prompt: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**31)] = 0
    temperature: Annotated[float, msgspec.Meta(ge=0, le=5)] = 0.8
    card: Annotated[list[Card], msgspec.Meta(min_length=1, max_length=MOST_CARDS)]

    @cached_property
    def deeds(self) -> tuple[deeds.Deed, ...]:
        """Of each card, what is to be done; empty where nothing is."""
        return tuple(deeds.parse(card.do) if card.do else () for card in self.card)


@dataclass(frozen=True, slots=True)
class Chapter:
    """A bundled lesson, by its place in the tour."""

    number: int
    id: str
    lesson: Lesson


def read(text: str, name: str) -> Lesson:
    """The lesson in `text`; `name` is what it is called where it is none. Raises UserError, one line that names card
    and field."""
    try:
        lesson = msgspec.convert(tomllib.loads(text), Lesson)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{name} is no TOML: {one_line(error)[:160]}") from error
    except RecursionError as error:
        raise UserError(f"{name} is nested too deeply") from error
    except msgspec.ValidationError as error:
        place, said = in_words(error)
        raise UserError(f"{name}{_place(place)}: {said}") from error
    for number, card in enumerate(lesson.card, 1):
        _check(card, f"{name}, card {number}")
    for field in ("title", "about"):
        _need_plain(getattr(lesson, field), f"{name}, field {field}")
    _need_name(lesson.model, f"{name}, field model")
    return lesson


def _place(place: str) -> str:
    """`card[2].say` as `, card 3, field say`."""
    head, _, field = place.partition("].")
    if head.startswith("card["):
        return f", card {int(head[5:].rstrip(']')) + 1}" + (f", field {field.split('[')[0]}" if field else "")
    return f", field {place}" if place else ""


def _check(card: Card, where: str) -> None:
    for field in ("say", "more", "hint", "why"):
        _need_plain(getattr(card, field), f"{where}, field {field}")
    for text in card.options:
        _need_plain(text, f"{where}, field options")
    for text in card.keys:
        _need_plain(text, f"{where}, field keys")
    if card.point and not _PANE.fullmatch(card.point):
        raise UserError(f"{where}, field point: {safe_text(card.point)[:40]!r} is no pane's id, like next or tokens")
    for field in ("model", "train"):
        if getattr(card, field):
            _need_name(getattr(card, field), f"{where}, field {field}")
    if (count := len(card.say.split())) > MOST_WORDS:
        raise UserError(f"{where}, field say: {count} words, and a card holds {MOST_WORDS}; put the rest into `more`")
    if card.do and card.options:
        raise UserError(f"{where}: a card has a deed or a guess, not both")
    try:
        deeds.parse(card.do) if card.do else ()
    except UserError as error:
        raise UserError(f"{where}, field do: {error}") from error
    if card.options and not card.candidates:
        if len(card.options) < 2 or len(card.options) > 4:
            raise UserError(f"{where}, field options: a guess has 2 to 4 options")
        if not 1 <= card.answer <= len(card.options):
            raise UserError(f"{where}, field answer: it is the right option's number, 1 to {len(card.options)}")
    if (card.options or card.do) and not card.why:
        raise UserError(f"{where}, field why: after a deed or a guess say why it matters")
    for field in ("say", "more", "hint", "why"):
        try:
            words.check(getattr(card, field))
        except UserError as error:
            raise UserError(f"{where}, field {field}: {error}") from error


def _need_name(text: str, where: str) -> None:
    """A model or a text by its name: a lesson opens no file by its path."""
    if not _NAME.fullmatch(text):
        raise UserError(
            f"{where}: {safe_text(text)[:40]!r} is no name; write one that `gpttui models` or `gpttui data` lists"
        )


def _need_plain(text: str, where: str) -> None:
    """No control characters, no halves of characters: what is shown is what is written."""
    if safe_text(text, keep="\n") != text:
        raise UserError(f"{where}: only plain text can be shown")


def open_lesson(path: Path) -> Lesson:
    """The lesson in a file of a person's own. Raises UserError."""
    try:
        return read(read_text(path, LARGEST_BYTES), path.name)
    except FileNotFoundError as error:
        raise UserError(f"there is no file {path}") from error


def chapters() -> list[Chapter]:
    """The bundled tour, in order: `NN_id.toml` in this package."""
    found = sorted(entry.name for entry in files("gpttui.lessons").iterdir() if entry.name.endswith(".toml"))
    made = []
    for name in found:
        number, _, rest = name.removesuffix(".toml").partition("_")
        text = (files("gpttui.lessons") / name).read_text(encoding="utf-8")
        made.append(Chapter(int(number), rest, read(text, name)))
    return made


def chapter(name: str, among: Sequence[Chapter] | None = None) -> Chapter:
    """A chapter by its number or its id. Raises UserError, naming those there are."""
    among = chapters() if among is None else among
    for found in among:
        if name in (str(found.number), found.id):
            return found
    raise UserError(no_such("chapter", name, [found.id for found in among]))
