"""Lifetimes: the theme, the engine's client, the first screen, the end. All else is a screen's business.

A new pane, view or key never edits this file.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import ClassVar, Literal

from textual import events
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.filter import LineFilter
from textual.screen import Screen

from gpttui.text import new_lines
from gpttui.tui import theme
from gpttui.tui.gate import Gate
from gpttui.tui.screens.play import PlayScreen
from gpttui.tui.session.asking import Engine
from gpttui.tui.session.opening import Opening
from gpttui.tui.tour.app import TouringApp


class GpttuiApp(TouringApp):
    """The playground's app. `run()` returns when it is left."""

    TITLE = "gpttui"
    CSS_PATH = "screens/play.tcss"
    CRASHED = 70
    """As the command line's."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "Quit", id="app_quit", tooltip="Leave from anywhere", show=False, priority=True),
        Binding("ctrl+c", "help_quit", show=False, system=True),
    ]

    def __init__(
        self,
        engine: Engine,
        opening: Opening,
        *,
        theme_name: str = theme.DEFAULT,
        keymap: Mapping[str, str] | None = None,
        animations: bool = True,
        colour_map: Literal["cividis", "viridis"] = "cividis",
    ) -> None:
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)  # else greys would be left of colours
        self._gate = Gate()
        self.engine = engine
        self.opening = opening
        self.last_words = ""
        """Why it ended, if not because a person wished so: one line for stderr."""
        self.colour_map = colour_map
        for own in theme.ALL:
            self.register_theme(own)
        self.theme = theme_name if theme_name in self.available_themes else theme.DEFAULT
        self.animation_level = "full" if animations else "none"
        self.set_keymap(dict(keymap or {}))

    def get_default_screen(self) -> Screen[None]:
        return PlayScreen(self.engine, self.opening)

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), self._gate]

    def crashed(self, error: Exception) -> None:
        """One line, and the text saved."""
        from gpttui.tui import crash

        self.last_words = crash.last_words(error, self.screen_stack)

    async def on_event(self, event: events.Event) -> None:
        """What is pasted has the line ends of text, in whichever editor it lands: terminals send CR for a newline."""
        if isinstance(event, events.Paste):
            event.text = new_lines(event.text)
        await super().on_event(event)

    async def action_quit(self) -> None:
        """Leave; what is open can be continued by `gpttui --last`. Of the tour the text is the lesson's, not kept."""
        for screen in self.screen_stack[:1]:
            if isinstance(screen, PlayScreen) and not self.touring:
                screen.keep_last()
        await super().action_quit()

    async def on_unmount(self) -> None:
        await self.engine.close()

    def get_key_display(self, binding: Binding) -> str:
        """Enter in letters: its arrow is how a line break is drawn, as a token."""
        return "enter" if binding.key == "enter" else super().get_key_display(binding)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Everything that has a key can be found by its name as well."""
        yield SystemCommand("Theme", "Choose other colours", self.action_change_theme)
        yield SystemCommand("Glossary", "What the words on the screen mean", self.action_glossary)
        named = [active for active in screen.active_bindings.values() if active.binding.id and active.binding.tooltip]
        keys: dict[tuple[DOMNode, str], list[str]] = {}
        for active in named:
            keys.setdefault((active.node, active.binding.action), []).append(self.get_key_display(active.binding))
        for active in named:
            if written := keys.pop((active.node, active.binding.action), None):
                does = partial(self.run_action, active.binding.action, active.node)
                yield SystemCommand(active.binding.tooltip, f"key: {', '.join(written)}", does)
