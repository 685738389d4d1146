"""The prompt in its colours while the engine still loads: the model's own tokenizer, read beside its weights.

For: the playground's first second. Not for: anything that a model computes. Where the model lies on another machine, or
its files cannot be read, there is nothing to show early, and the engine will say why.
"""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gpttui.errors import UserError

if TYPE_CHECKING:
    from gpttui.tokenizers import Tokenizer


class Early(NamedTuple):
    """What can be known before the engine answers."""

    prompt: str
    tokenizer: "Tokenizer"
    token_view: str


def early(model: str, prompt: str | None) -> Early | None:
    """The text that model directory `model` will open with; `prompt` if that is not the model's own."""
    from gpttui.storage import gallery
    from gpttui.tokenizers import Tokenizer

    try:
        card = gallery.card(Path(model))
        return Early(card.prompt if prompt is None else prompt, Tokenizer.open(Path(model)), card.token_view)
    except (UserError, OSError):
        return None
