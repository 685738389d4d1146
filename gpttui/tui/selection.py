"""What every pane is looking at: one frozen value, replaced whole, handed down by the screen."""

from dataclasses import dataclass, replace

NEWEST = -1


@dataclass(frozen=True, slots=True)
class Selection:
    """One token of the text, one head of one layer."""

    position: int = NEWEST
    """Index of the selected token; `NEWEST` follows the end of the text as it grows."""
    layer: int = 0
    head: int = 0

    def at(self, position: int, length: int) -> "Selection":
        """Look at token `position` of `length`; the last one, or any beyond, means: follow the newest."""
        return replace(self, position=NEWEST if position >= length - 1 else max(0, position))

    def newest(self) -> "Selection":
        return replace(self, position=NEWEST)

    def on(self, layer: int, head: int, n_layer: int, n_head: int) -> "Selection":
        """Look at another head; both numbers wrap around."""
        return replace(self, layer=layer % max(1, n_layer), head=head % max(1, n_head))

    def index(self, length: int) -> int:
        """The selected index in a text of `length` tokens: `0..length-1`, or -1 for an empty text."""
        return length - 1 if self.position == NEWEST else min(self.position, length - 1)
