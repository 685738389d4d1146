"""The one error a person is meant to read: a single line that says what is wrong and what to do."""

from collections.abc import Iterable


class UserError(Exception):
    """Something the user can mend. `str(error)` is one clear line, shown as it is on the screen or on stderr."""


def one_line(error: BaseException) -> str:
    """Any exception as one line of plain text: its own words, or its class name where it has none."""
    return " ".join(str(error).split()) or type(error).__name__


def nearest(name: str, known: Iterable[str]) -> str:
    """The one of `known` that `name` may be a misspelling of; empty where none is near."""
    import difflib  # only where something is wrong

    return next(iter(difflib.get_close_matches(name, known, n=1)), "")


def no_such(kind: str, name: str, known: Iterable[str], otherwise: str = "") -> str:
    """The line for a `kind` (model, corpus, option) that is not among `known`: the nearest name, or what there is.

    `otherwise` is said where no name is near; without it the known ones are listed.
    """
    known = list(known)
    near = nearest(name, known)
    hint = f"did you mean {near!r}?" if near else otherwise or f"choose one of {', '.join(known)}"
    return f"no {kind} is called {name!r}; {hint}"
