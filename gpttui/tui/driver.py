"""The terminal, as Textual's driver for Unix knows it, but nothing that the terminal does can hold up the program.

Textual's own blocks the loop in a queue when the terminal stops reading, for ever when it is gone, and its reader spins
on one that was hung up. Here a thread writes, what is too much is left out and painted anew later, and whoever reads or
writes tells `on_hang_up` when the terminal is gone.
"""

import contextlib
import os
import select
import sys
import termios
import threading
from codecs import getincrementaldecoder
from collections import deque
from collections.abc import Callable
from typing import Any, ClassVar

from textual import events, on
from textual.binding import Binding, BindingType

from gpttui.tui.reading import TerminalReader
from gpttui.tui.textual_private import OwnApp, OwnDriver

READ_BYTES = 4096
WAKES_S = 0.1
MOST_PENDING = 256 * 1024
"""Characters that wait for the terminal; more than a full screen takes."""
FRAME = 64
"""Characters: what is shorter sets a mode, and is never left out."""
DRAIN_S = 0.5
SETTLED_S = 0.5
"""After a change of size, until app and screen have taken it up."""
RESTORE = (
    "\x1b[?2004l\x1b[?7h\x1b[?2048l\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l"
)
"""All that Textual sets, set back."""


class Outlet:
    """Writes to `fd` in a thread of its own, so that `put` never waits.

    Where more than `MOST_PENDING` waits, frames are left out; `caught_up` is called once the terminal has read what is
    left, `gone` when it cannot be written to any more, both in the writer's thread.
    """

    def __init__(self, fd: int, gone: Callable[[], object], caught_up: Callable[[], object]) -> None:
        self._fd, self._gone, self._caught_up = fd, gone, caught_up
        self._pending: deque[str] = deque()
        self.waiting = 0
        """Characters that wait to be written."""
        self._torn = self._ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, daemon=True, name="terminal-output")
        self._thread.start()

    def put(self, text: str) -> None:
        with self._changed:
            if self._ended:
                return
            if self.waiting > MOST_PENDING:
                self._torn = True
                self._pending = deque(short for short in self._pending if len(short) <= FRAME)
                self.waiting = sum(map(len, self._pending))
            if self._torn and len(text) > FRAME:
                return
            self._pending.append(text)
            self.waiting += len(text)
            self._changed.notify()

    def close(self, patience_s: float = DRAIN_S) -> None:
        """Write the rest, and no more; a terminal that does not read it is left."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join(patience_s)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._pending or self._ended or self._torn)
                if not self._pending:
                    if self._ended:
                        return
                    self._torn = False
                    self._caught_up()
                    continue
                rest = memoryview("".join(self._pending).encode("utf-8", "replace"))
                self._pending.clear()
                self.waiting = 0
            try:
                while rest:
                    rest = rest[os.write(self._fd, rest) :]
            except OSError:
                with self._changed:
                    self._ended = True
                    self._pending.clear()
                self._gone()
                return


class TerminalDriver(OwnDriver):
    """For a `TerminalApp`."""

    app: "TerminalApp"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._outlet: Outlet | None = None
        self._painting = False

    def write(self, data: str) -> None:
        if self._outlet is not None:
            self._outlet.put(data)

    def start_application_mode(self) -> None:
        stdout = sys.__stdout__
        assert stdout is not None
        self._outlet = Outlet(stdout.fileno(), self._hang_up, self._paint_anew)
        self._painting = True
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def stop_application_mode(self) -> None:
        super().stop_application_mode()
        self._painting = False

    def close(self) -> None:
        super().close()
        if self._outlet is not None:
            self._outlet.close()

    def restore(self) -> None:
        """Give the terminal back, from any thread, where the loop cannot do so any more."""
        if self._painting and self._outlet is not None:
            if self.attrs_before is not None:
                with contextlib.suppress(termios.error):
                    termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
            self._outlet.put(RESTORE)
            self._outlet.close()

    def run_input_thread(self) -> None:
        reader, decode = TerminalReader(self.parser()), getincrementaldecoder("utf-8")("replace").decode
        while not self.exit_event.is_set():
            if select.select([self.fileno], [], [], WAKES_S)[0]:
                try:
                    data = os.read(self.fileno, READ_BYTES)
                except OSError:
                    data = b""
                if not data:
                    self._hang_up()
                    return
                for message in reader.feed(decode(data)):
                    self.process_message(message)
            for message in reader.tick():
                self.process_message(message)

    def _hang_up(self) -> None:
        self.app.on_hang_up()

    def _paint_anew(self) -> None:
        self.call_on_loop(self.app.paint_anew)

    @property
    def can_suspend(self) -> bool:
        """Not where no shell could ever bring it back."""
        if os.getpgrp() != os.getpid():
            return True  # started by a script: its own shell is stopped with it
        with contextlib.suppress(OSError):
            return os.getsid(os.getppid()) == os.getsid(0)
        return False


class TerminalApp(OwnApp):
    """An app on this driver. `ctrl+z` suspends it, except where it takes back what was typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+z", "suspend_process", "Suspend", id="app_suspend", show=False, priority=True),
    ]

    def __init__(self, **options: Any) -> None:
        super().__init__(driver_class=TerminalDriver, **options)
        self.on_hang_up: Callable[[], object] = lambda: None
        """Called, in any thread, when the terminal is gone."""

    async def on_event(self, event: events.Event) -> None:
        """Of a size that has changed it is looked once more what came of it."""
        await super().on_event(event)
        if isinstance(event, events.Resize) and isinstance(self.driver, TerminalDriver):
            self.set_timer(SETTLED_S, self.check_size)

    def check_size(self) -> None:
        """App and screen are as large as the terminal: where it is resized while the program starts, an older size may
        reach them last."""
        if not isinstance(self.driver, TerminalDriver) or not self.screen_stack:
            return
        size = self.driver.terminal_size
        if self.size != size:
            self.post_message(events.Resize(size, size))
        elif self.screen.outer_size != size:
            self.screen.post_message(events.Resize(size, size))

    @on(TerminalDriver.SignalResume)
    def paint_anew(self) -> None:
        """All of the screen: some of what was written never arrived, or something else has written since."""
        self.refresh(layout=True)

    def give_back_terminal(self) -> None:
        """From any thread, where the loop hangs."""
        if isinstance(self.driver, TerminalDriver):
            self.driver.restore()

    def action_suspend_process(self) -> None:
        from textual.widgets import TextArea

        if isinstance(self.focused, TextArea):
            self.focused.action_undo()
        elif self.driver is not None and not self.driver.can_suspend:
            self.notify("there is no shell here to come back from")
        else:
            super().action_suspend_process()
