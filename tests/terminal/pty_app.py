"""The real program in a real pseudo-terminal, its screen read by pyte. Waits are for conditions, never for clocks."""

import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pyte

REPOSITORY = Path(__file__).parent.parent.parent
FAKE_ENGINE = f"{shlex.quote(sys.executable)} -m tests.fake_engine"
LIMIT_S = 120
"""Only what never happens takes as long."""
UNWANTED = ("NO_COLOR", "COLORTERM", "TERM", "COLUMNS", "LINES")
ENTER_ALTERNATE, LEAVE_ALTERNATE = b"\x1b[?1049h", b"\x1b[?1049l"


class Terminal:
    """One run of gpttui. `screen` is what a person would see."""

    def __init__(self, child: "pexpect.spawn[bytes]", columns: int, lines: int, home: Path) -> None:
        self.child, self.home = child, home
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.command = ""
        """What runs here, for a shell."""

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    def read(self, patience_s: float = 0.05) -> bool:
        """Take in what has come. False at the end of the program."""
        try:
            chunk = self.child.read_nonblocking(1 << 16, timeout=patience_s)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.raw += chunk
        self._stream.feed(chunk)
        return True

    def until(self, condition: Callable[[], object], what: str = "") -> None:
        deadline = time.monotonic() + LIMIT_S
        while not condition():
            assert time.monotonic() < deadline, f"never happened: {what or condition}\n{self.text}"
            assert self.read() or condition(), f"ended before: {what or condition}\n{self.text}\n{self.raw[-2000:]!r}"

    def until_text(self, text: str) -> None:
        self.until(lambda: text in self.text, text)

    def settle(self) -> None:
        """Take in what comes until nothing more does for a moment."""
        seen = -1
        while seen != len(self.raw):
            seen = len(self.raw)
            self.read(0.3)

    def press(self, keys: str) -> None:
        self.child.send(keys)

    def resize(self, columns: int, lines: int) -> None:
        self.screen.resize(lines, columns)
        self.child.setwinsize(lines, columns)

    def end(self) -> int:
        """Wait for the end; the exit code, or minus the signal that killed it."""
        deadline = time.monotonic() + LIMIT_S
        while self.read() and time.monotonic() < deadline:
            pass
        self.child.wait()
        return int(-self.child.signalstatus if self.child.signalstatus else self.child.exitstatus or 0)

    @property
    def restored(self) -> bool:
        """Whether the terminal was given back as it was: main screen, cursor shown, mouse and paste modes off."""
        modes = {b"1049": b"l", b"25": b"h", b"1000": b"l", b"1003": b"l", b"2004": b"l"}
        last = {code: max((self.raw.rfind(b"\x1b[?%s%s" % (code, way)), way) for way in (b"h", b"l")) for code in modes}
        return all(at < 0 or way == modes[code] for code, (at, way) in last.items())


@contextmanager
def terminal(
    *arguments: str,
    size: tuple[int, int] = (120, 40),
    environment: Mapping[str, str] | None = None,
    home: Path,
    engine: str | None = FAKE_ENGINE,
    module: str = "gpttui",
    shell: bool = False,
) -> Iterator[Terminal]:
    """gpttui with `arguments`, by default on the fake engine with a model that only that engine knows.

    `shell`: there is a shell, which does not run it yet.
    """
    command = [sys.executable, "-m", module, *(("--engine", engine, "--model", "x") if engine else ()), *arguments]
    values = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    values |= {
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "GPTTUI_HOME": str(home),
        "PS1": "$ ",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(REPOSITORY),
    }
    child = pexpect.spawn(
        "bash" if shell else command[0],
        ["--norc", "-i"] if shell else command[1:],
        cwd=str(home),
        env={**values, **(environment or {})},
        dimensions=size[::-1],
        timeout=LIMIT_S,
    )
    running = Terminal(child, *size, home)
    running.command = shlex.join(command)
    try:
        yield running
    finally:
        if child.isalive():
            child.kill(signal.SIGKILL)
        child.close(force=True)
