"""Holding the picture back for a moment: a frame shows a selection together with its own numbers, painted once.

For: views, between what they ask and what they are answered. Not for: anything slow. What is not there in time is
painted when it comes, and the rest is not kept waiting for it.
"""

from collections.abc import Set
from contextlib import ExitStack
from typing import Any

from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

OPENING_S, MOVING_S = 0.1, 0.04
"""The longest that a picture is held: of a view that opens, and of one in which something was moved."""
DATED = "-dated"
"""Class of a pane whose numbers are not of what is selected: their answer is on its way."""
LAYOUT = "layout"
"""What a view that opens waits for beside answers: the first layout, which it would be painted before."""


class Hold:
    """The questions that a screen's next frame waits for."""

    def __init__(self, screen: Screen[Any]) -> None:
        self.screen = screen
        self._awaited: set[str] = set()
        self._fills: dict[str, tuple[Widget, ...]] = {}
        """By questions: the panes whose numbers their answers are."""
        self._open: set[str] = set()
        """Questions that have not been answered, or were refused."""
        self.opened = False
        """It has been painted once."""
        self._timer: Timer | None = None
        self._below = False
        """Something is asked while another screen lies above."""
        self._batch = ExitStack()

    @property
    def holding(self) -> bool:
        return self._timer is not None

    def begin(self) -> None:
        """Nothing is painted until `release`, or until it has taken too long; below another screen nothing is held."""
        self._below = not self.screen.is_current
        if self._below:
            self.opened = True
        elif not self.holding:
            self._awaited.clear()
            if not self.opened:
                self._awaited.add(LAYOUT)
            self._batch.enter_context(self.screen.app.batch_update())
            self._timer = self.screen.set_timer(MOVING_S if self.opened else OPENING_S, self._out_of_patience)

    def ask(self, kind: str, *fills: Widget) -> None:
        """A question was asked whose answer `fills` some panes; the frame waits for it if one is held."""
        self._fills[kind] = fills
        self._open.add(kind)
        if self.holding:
            self._awaited.add(kind)
        elif self._below:
            self._late({kind})

    def filled(self, kind: str) -> None:
        """The panes show the answer, and are of now unless another one is on its way to them."""
        self._open.discard(kind)
        awaiting = {pane for other in self._open for pane in self._fills[other]}
        for pane in self._fills.get(kind, ()):
            if pane not in awaiting:
                pane.remove_class(DATED)

    def _late(self, kinds: Set[str]) -> None:
        """What these would fill still shows the numbers of before: it is drawn faint."""
        for pane in {pane for kind in kinds for pane in self._fills.get(kind, ())}:
            pane.add_class(DATED)

    def answered(self, kind: str) -> None:
        """It was answered, or refused."""
        self._awaited.discard(kind)

    def release_if_nothing_is_awaited(self) -> None:
        """The last answer lets the picture go."""
        self._below = False
        if not self._awaited:
            self.release()

    def _out_of_patience(self) -> None:
        self._late(self._awaited)
        self.release()

    def release(self) -> None:
        """Paint what there is."""
        if self._timer is None:
            return
        self._timer.stop()
        self._timer = None
        self.opened = True
        self._batch.close()
        self.screen.check_idle()
        if not self.screen.is_current:  # what came on top meanwhile has had its frames dropped
            self.screen.app.screen.refresh()
