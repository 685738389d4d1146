"""Keys in turn: each is handed out once the one before is answered, to the screen that is there by then.

Textual hands a key to what has the focus when it arrives, and looks its binding up when nobody has wanted it. Of keys
that come in one burst (held, typed ahead, a slow line) the later ones so reach panes of a screen that the first has
closed, actions of one that is not composed yet, and never the editor that the first has opened.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from textual import events
from textual.dom import DOMNode
from textual.message import Message
from textual.theme import ThemeProvider

from gpttui.tui.driver import TerminalApp
from gpttui.tui.own_screen import Palette
from gpttui.tui.textual_private import has_messages, mounted

PATIENCE_S = 0.1
"""After so long the answer is sent once more: with the widget that had it, it may be gone."""
MOST_ROUNDS = 8
"""How often it is sent before the next key goes out all the same."""


class InTurnApp(TerminalApp):
    """An app that answers keys and pastes one after the other."""

    @dataclass
    class Answered(Message):
        """Follows a key from the widget that got it up to the app, once more where something waits along its way (what
        the key has set off): where it arrives, the key has been answered."""

        way: Sequence[DOMNode]
        rounds: int

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._coming: deque[events.Key | events.Paste] = deque()
        self._under_way: InTurnApp.Answered | None = None

    async def on_event(self, event: events.Event) -> None:
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
            return
        self._coming.append(event)
        if self._under_way is None:
            await self._hand_out()
        elif len(self._coming) == 1:
            await self._again(self._under_way)

    async def _hand_out(self) -> None:
        while self._coming and self._under_way is None and self.screen_stack:
            await mounted(self.screen)
            event, wanted_by = self._coming.popleft(), self.focused or self.screen
            await super().on_event(event)
            if event.is_forwarded:
                self._follow(wanted_by.ancestors_with_self, 1)

    def _follow(self, way: Sequence[DOMNode], rounds: int) -> None:
        answered = self._under_way = InTurnApp.Answered(way, rounds)
        any(node.post_message(answered) for node in way)  # the first that has not been closed takes it
        if self._coming:
            self.set_timer(PATIENCE_S, partial(self.call_later, self._again, answered))

    async def _again(self, answered: Answered) -> None:
        if answered is self._under_way and answered.rounds < MOST_ROUNDS:
            self._follow(answered.way, answered.rounds + 1)
        elif answered is self._under_way:
            self._under_way = None
            await self._hand_out()

    async def on_in_turn_app_answered(self, answered: Answered) -> None:
        if any(map(has_messages, answered.way)):
            await self._again(answered)
        elif answered is self._under_way:
            self._under_way = None
            await self._hand_out()

    def simulate_key(self, key: str) -> None:
        """Press a key that another one, or a click, stands for: ahead of those that wait."""
        self._coming.appendleft(events.Key(key, None))
        if self._under_way is None:
            self.call_later(self._hand_out)

    # ── Textual's own screens, each closed once ──────────────────────────────────────────────────────────────────

    def action_command_palette(self) -> None:
        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def search_themes(self) -> None:
        self.push_screen(Palette(providers=[ThemeProvider], placeholder="Search for themes…"))
