"""What the playground starts with, as the command line says it. No widget is touched from here."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpttui.records import Sampling
from gpttui.tui.widgets.tokens import ColourMode

if TYPE_CHECKING:
    from gpttui.lessons.lesson import Chapter
    from gpttui.sessions.tree import SessionFile

DEFAULT_SAMPLING = Sampling()


@dataclass(frozen=True, slots=True)
class Opening:
    """What the playground starts with. `model` is a directory on the engine's machine."""

    model: str
    prompt: str | None = None
    sampling: Sampling = DEFAULT_SAMPLING
    seed: int = 0
    colour_mode: ColourMode = "alternate"
    notices: tuple[str, ...] = ()
    train: str | None = None
    """A text to open the training form on; empty: on none yet."""
    watch: str | None = None
    """A run to open the training screen on."""
    numbers_rest_s: float = 0.0
    """How long numbers stay as they are while tokens are drawn one after the other, or a model trains."""
    run_per_s: float = 0.0
    """Tokens a second that `g` draws at most; 0: as fast as the model goes."""
    session: "SessionFile | None" = None
    """A saved session of this model to come back to; text and settings are its."""
    session_file: str = ""
    """Where it was read."""
    tour: "tuple[list[Chapter], str] | None" = None
    """The chapters of a tour to begin, and which of them; an empty name: where it was left."""
    offers_tour: bool = False
    """Somebody may be here for the first time."""
