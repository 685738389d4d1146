"""What every screen of the program rests on: it is closed by itself alone, and only while it is on top.

Textual pops whatever lies on top, whoever asks: of two answers to one dialog the second closes the screen below it, and
below the playground there is none. Keys are handed out in turn (`gpttui.tui.in_turn`), but a click, a timer or a
message that is still on its way may ask twice.
"""

from typing import Any

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, Screen, ScreenResultType

from gpttui.tui.textual_private import OwnPalette


class ClosedOnce:
    """`dismiss` does nothing on a screen that is not on top (it has been closed, or something lies over it), nor on the
    lowest."""

    @property
    def is_there(self: Any) -> bool:
        """It has not been closed yet; of a screen that has, the children may have gone already."""
        return self in self.app.screen_stack

    def dismiss(self: Any, result: Any = None) -> AwaitComplete:
        if self.is_active and self is not self.app.screen_stack[0]:
            return super().dismiss(result)  # type: ignore[misc,no-any-return]
        return AwaitComplete.nothing()  # type: ignore[no-untyped-call,no-any-return]


class OwnScreen(ClosedOnce, Screen[ScreenResultType]):
    """A screen of its own."""


class Dialog(ClosedOnce, ModalScreen[ScreenResultType]):
    """A screen over another one."""


class Palette(ClosedOnce, OwnPalette):
    """Every command by its name."""
