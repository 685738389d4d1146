"""The one error a person is meant to read: a single line that says what is wrong and what to do."""


class UserError(Exception):
    """Something the user can mend. `str(error)` is one clear line, shown as it is on the screen or on stderr."""


def one_line(error: BaseException) -> str:
    """Any exception as one line of plain text: its own words, or its class name where it has none."""
    return " ".join(str(error).split()) or type(error).__name__
