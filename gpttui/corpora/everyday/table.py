"""The facts of the everyday world, read from `tables/everyday.txt`.

A section there is a relation: a line of column names, rows, and frames that turn a row into a sentence.

- Heading lines: `= col; *col # weight` names the columns (a star: verbs); `~ a; b; c; ~ # weight` is an order
  (a last `~`: it goes round) whose frames say `{0}`, `{1}` …; `+ # weight` is addition.
- In a row `|` separates alternatives; in a frame `(a|b|)` does, and `{=}` says again what was chosen last.
- `{col}` a value, `{cols}` its plural (a verb's third person), `{coling}`, `{a col}`, `{the col}`; `{col2}`: another.
- `{S col}` any noun phrase of it, as a subject; `{P}` and `{Q}` persons, `{P1}` one person, `{X}`, `{Y}`, `{X2}` names.
  `{he}`, `{his}`, `{himself}` mean the subject, `{him Q}` the other.
- `<verb>` agrees with the subject in the document's tense; `<verb!>` is always present, `<verb.>` present or past,
  `<verb+>` plural, `<verb->` singular. A column's name may stand there.

Not for: filling a frame (`speaker`).
"""

from dataclasses import dataclass
from functools import cache

from gpttui.corpora import tables


@dataclass(frozen=True, slots=True)
class Relation:
    """A section of the table."""

    weight: int
    columns: tuple[str, ...]
    verbs: frozenset[str]
    rows: tuple[tuple[tuple[str, ...], ...], ...]
    """Of each row, of each column, the alternatives."""
    frames: tuple[str, ...]
    order: tuple[str, ...] = ()
    round: bool = False
    """Whether the order goes round, as the days of the week do."""


def _relation(text: str) -> Relation:
    head, *lines = text.split("\n")
    head, _, weight = head.partition("#")
    kind, fields = head[0], [cell.strip() for cell in head[1:].split(";")]
    frames = tuple(line[2:] for line in lines if line.startswith("- "))
    if kind != "=":
        cells = tuple(cell for cell in fields if cell not in ("", "~"))
        return Relation(int(weight), (), frozenset(), (), frames, cells, "~" in fields)
    rows = tuple(
        tuple(tuple(cell.strip().split("|")) for cell in line.split(";")) for line in lines if not line.startswith("- ")
    )
    assert all(len(row) == len(fields) for row in rows), [row for row in rows if len(row) != len(fields)]
    columns = tuple(name.lstrip("*") for name in fields)
    return Relation(int(weight), columns, frozenset(name[1:] for name in fields if name[0] == "*"), rows, frames)


@cache
def relations() -> dict[str, Relation]:
    """Every relation of the table, by its heading."""
    return {name: _relation(text) for name, text in tables.read("everyday").items()}


@cache
def weighted() -> tuple[Relation, ...]:
    """Every relation as often as it weighs."""
    return tuple(relation for relation in relations().values() for _ in range(relation.weight))
