"""Every private name of Textual that gpttui overrides or reads, each under a public one.

A new version of Textual may change what these mean without a word: tests hold the versions that they were checked with,
and that nothing else in `gpttui.tui` reaches for such a name. (textual-plot's are all in `gpttui.tui.widgets.plot`.)
"""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from textual import work
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.command import CommandList, CommandPalette
from textual.css.query import NoMatches
from textual.dom import DOMNode
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size
from textual.screen import Screen, ScreenResultType
from textual.widgets import OptionList

if TYPE_CHECKING:
    from textual.driver import Driver
    from textual.strip import Strip

CHECKED = (8, 2), (8, 3)
"""From this version of Textual on, and up to but without this one."""


class OwnApp(App[None]):
    """An app that says itself what is painted behind a screen, and what an error comes to that nobody caught."""

    CRASHED: ClassVar[int] = 1
    """Exit code after such an error."""

    def crashed(self, error: Exception) -> None:
        """The first error that nobody caught: the app ends once this returns, without Textual's traceback."""

    @property
    def driver(self) -> "Driver | None":
        return self._driver

    @property
    def _background_screens(self) -> list[Screen[object]]:
        """Textual redraws the whole terminal whenever a screen behind the top one changes, even where nothing of it can
        be seen; a view over the playground, which follows its selection, would be drawn three times for a key."""
        opaque = bool(self._screen_stack) and self._screen_stack[-1].styles.background.a == 1
        return [] if opaque else super()._background_screens

    async def _check_bindings(self, key: str, priority: bool = False) -> bool:
        """Of a key that is still on its way when the app has closed its screens nothing comes."""
        return bool(self._screen_stack) and await super()._check_bindings(key, priority)

    def _handle_exception(self, error: Exception) -> None:
        self._return_code = self.CRASHED
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
            self.crashed(error)
        self._close_messages_no_wait()


class PatientScreen(Screen[ScreenResultType]):
    """A screen that can hold its frames back. Textual would draw such a frame, and drop it."""

    @property
    def holding(self) -> bool:
        """Whether nothing is to be painted now."""
        raise NotImplementedError

    def _compositor_refresh(self) -> None:
        if not self.holding:
            super()._compositor_refresh()


class OwnPalette(CommandPalette):
    """A palette that keys may still reach when its list is not laid out yet, or has gone."""

    @work(exclusive=True, group=CommandPalette._GATHER_COMMANDS_GROUP)
    async def _gather_commands(self, search_value: str) -> None:
        with suppress(NoMatches):  # what it fills has gone
            await CommandPalette._gather_commands.__wrapped__(self, search_value)  # type: ignore[attr-defined]

    def _action_command_list(self, action: str) -> None:
        """There is no page to turn where nothing is listed."""
        if not action.startswith("page") or is_laid_out(self.query_one(CommandList)):
            super()._action_command_list(action)


class Options(OptionList):
    """A list to choose from that can be paged through before it is laid out: Textual looks for the marked line then."""

    def _move_page(self, direction: Literal[-1, 1]) -> None:
        if is_laid_out(self):
            super()._move_page(direction)


class OwnDriver(LinuxDriver):
    """Textual's driver for Unix, with what a driver of one's own needs of it."""

    @property
    def app(self) -> App[Any]:
        return self._app

    def parser(self) -> XTermParser:
        """Of what the terminal sends."""
        return XTermParser(self._debug)

    @property
    def terminal_size(self) -> Size:
        """Columns and lines of the terminal as they are now."""
        return Size(*self._get_terminal_size())

    def call_on_loop(self, call: Callable[[], object]) -> None:
        """From any thread."""
        self._loop.call_soon_threadsafe(call)

    def _sigtstp_application(self, *_: object) -> None:
        """Stops the whole job: whatever has started it in the same shell must not wait for it."""
        if self._auto_restart:
            self.suspend_application_mode()
            self._must_signal_resume = True
        os.kill(0, signal.SIGSTOP)


async def mounted(screen: Screen[Any]) -> None:
    """Waits until all that it holds is there."""
    await screen._mounted_event.wait()


def has_messages(node: DOMNode) -> bool:
    """Whether something waits for it to be handled."""
    return not node._message_queue.empty()


def is_laid_out(options: OptionList) -> bool:
    """Whether the list has lines to show."""
    return bool(options._index_to_line)


def painted(screen: Screen[Any]) -> "list[Strip]":
    """The lines of the screen as they are painted: what `App.export_screenshot` draws."""
    return screen._compositor.render_strips()
