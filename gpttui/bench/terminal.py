"""A program in a terminal of its own (a pty), watched from outside the way a person at the screen would.

For: measuring gpttui from exec to what is painted. Not for: looking at pictures; what the program writes is kept as
text with its escape sequences taken out. The standard library only.
"""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
from collections.abc import Callable, Sequence
from time import monotonic, perf_counter
from types import TracebackType

from gpttui.errors import UserError

_ESCAPES = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[PX^_][^\x1b]*\x1b\\|\x1b[ -/]*[0-~]"
)


class Terminal:
    """`argv` running in `columns` x `rows` cells, until the `with` block ends."""

    def __init__(self, argv: Sequence[str], *, columns: int = 120, rows: int = 40) -> None:
        self._screen, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environment = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        environment.pop("NO_COLOR", None)
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program is compiled once, not at every start
        self._raw = bytearray()
        self.began_s = perf_counter()
        self.child = subprocess.Popen(
            list(argv), stdin=inside, stdout=inside, stderr=inside, env=environment, start_new_session=True
        )
        os.close(inside)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()
        os.close(self._screen)

    def send(self, keys: str) -> None:
        """Press keys."""
        os.write(self._screen, keys.encode())

    def text(self, since: int = 0) -> str:
        """What was written from byte `since` on, without escape sequences."""
        return _ESCAPES.sub(b"", bytes(self._raw[since:])).decode("utf-8", errors="replace")

    @property
    def written(self) -> int:
        """Bytes written so far."""
        return len(self._raw)

    def read(self, timeout_s: float) -> bool:
        """Take in what comes within `timeout_s`. True if something came."""
        ready, _, _ = select.select([self._screen], [], [], timeout_s)
        if not ready:
            return False
        try:
            chunk = os.read(self._screen, 1 << 16)
        except OSError:  # Linux says so when the program has gone
            chunk = b""
        self._raw += chunk
        return bool(chunk)

    def wait_for(self, seen: Callable[[str], bool], what: str, *, since: int = 0, limit_s: float = 120) -> float:
        """Seconds from the start until `seen(text since)`. Raises UserError if it does not come in `limit_s`."""
        end_s = monotonic() + limit_s
        while not seen(self.text(since)):
            ended = not self.read(0.5) and self.child.poll() is not None
            if ended or monotonic() > end_s:
                tail = " ".join(self.text()[-300:].split())
                when = f"before it ended with status {self.child.poll()}" if ended else f"within {limit_s:.0f} s"
                raise UserError(f"gpttui did not show {what} {when}; it showed: {tail}")
        return perf_counter() - self.began_s

    def settle(self, quiet_s: float = 0.06, limit_s: float = 5) -> float:
        """Seconds from the start to the last byte before `quiet_s` of silence."""
        last_s, end_s = perf_counter(), monotonic() + limit_s
        while self.read(quiet_s) and monotonic() < end_s:
            last_s = perf_counter()
        return last_s - self.began_s

    def press(self, key: str, *, answer_s: float = 5, quiet_s: float = 0.06) -> float:
        """Seconds from pressing `key` to the last byte of what it painted, `quiet_s` of silence behind it.

        Raises UserError if nothing comes.
        """
        pressed_s = perf_counter()
        self.send(key)
        if not self.read(answer_s):
            raise UserError(f"gpttui painted nothing within {answer_s:.0f} s of the key {key!r}")
        first_s = perf_counter() - self.began_s
        return max(first_s, self.settle(quiet_s)) - (pressed_s - self.began_s)
