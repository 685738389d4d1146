"""Which model a saved session is to be opened on, for the verbs that take `--session`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gpttui.errors import UserError
from gpttui.sessions.tree import SessionFile, check_session, not_back
from gpttui.storage import gallery


def session_model(session: SessionFile, model: str | None) -> Path:
    """The model's directory: the session's own, or `model` where that is named.

    Raises UserError where it is not there, or is another one than the session was saved with.
    """
    try:
        path = gallery.find(model or session.model)
    except UserError as error:
        hint = "" if model else "; if it lies elsewhere, name it: --model PATH"
        raise UserError(f"the session's model is not here: {error}{hint}") from error
    card = gallery.card(path)
    check_session(session, card.id, card.vocab_size, card.params)
    return path


@contextmanager
def naming(file: Path | None) -> Iterator[None]:
    """What goes wrong here is wrong with this session file, where there is one, and it is named."""
    try:
        yield
    except UserError as error:
        if file is None:
            raise
        raise UserError(not_back(str(file), str(error))) from error
