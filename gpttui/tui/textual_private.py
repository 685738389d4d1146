"""Every private name of Textual that gpttui overrides or reads, each under a public one.

A new version of Textual may change what these mean without a word: tests hold the versions that they were checked with,
and that nothing else in `gpttui.tui` reaches for such a name. (textual-plot's are all in `gpttui.tui.widgets.plot`.)
"""

import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.screen import Screen, ScreenResultType

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


class OwnDriver(LinuxDriver):
    """Textual's driver for Unix, with what a driver of one's own needs of it."""

    @property
    def app(self) -> App[Any]:
        return self._app

    def parser(self) -> XTermParser:
        """Of what the terminal sends."""
        return XTermParser(self._debug)

    def call_on_loop(self, call: Callable[[], object]) -> None:
        """From any thread."""
        self._loop.call_soon_threadsafe(call)

    def _sigtstp_application(self, *_: object) -> None:
        """Stops the whole job: whatever has started it in the same shell must not wait for it."""
        if self._auto_restart:
            self.suspend_application_mode()
            self._must_signal_resume = True
        os.kill(0, signal.SIGSTOP)


def painted(screen: Screen[Any]) -> "list[Strip]":
    """The lines of the screen as they are painted: what `App.export_screenshot` draws."""
    return screen._compositor.render_strips()
