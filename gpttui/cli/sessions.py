"""Which model a saved session is to be opened on, for the verbs that take `--session`."""

from pathlib import Path

from gpttui import gallery
from gpttui.errors import UserError
from gpttui.inference.branches import SessionFile, check_session


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
