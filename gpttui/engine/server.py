"""The engine process: answers requests on its stdin with frames on its stdout, one after the other, and computes.

One thread, no locks: every request that waits is answered first, then one piece of `idle_work` (a training micro-step)
may run. It ends when its stdin ends, when nobody reads its answers any more, and on SIGTERM and SIGHUP, so it cannot
outlive the screen; a run being trained is saved first, at the step it has reached. What it can do is a table of
handlers, a module for each family of requests. Nothing here knows a screen; what libraries print goes to stderr, never
into the frames.
"""

import contextlib
import faulthandler
import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import torch

from gpttui.engine.handlers import backprop, parts, play, runs, stream, train
from gpttui.engine.state import Engine, decode
from gpttui.errors import UserError, one_line
from gpttui.inference.opening import leave_a_core
from gpttui.inference.precision import Precision
from gpttui.protocol.frames import frame_length
from gpttui.protocol.message import Request

ANSWERED_BY = (play, stream, parts, train, runs, backprop)
"""Imported so that their handlers are registered."""
NICENESS = 10
_READ_BYTES = 1 << 20


class Frames:
    """Cuts what arrives on a file descriptor into frames, without ever waiting for more than was asked."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.ended = False
        self._buffer = bytearray()

    def arrived(self, timeout_s: float | None) -> bool:
        """Read what is there, waiting up to `timeout_s` (None: for ever). True where something came."""
        ready, _, _ = select.select([self.fd], [], [], timeout_s)
        if ready:
            chunk = os.read(self.fd, _READ_BYTES)
            self.ended = not chunk
            self._buffer += chunk
        return bool(ready)

    def hold(self, kind: type[Request]) -> bool:
        """Whether a request of this kind is among what has arrived and was not taken yet."""
        self.arrived(0)
        at = 0
        while len(self._buffer) >= at + 4:
            end = at + 4 + frame_length(bytes(self._buffer[at : at + 4]))
            with contextlib.suppress(UserError):  # what cannot be read is told to who sent it, in its turn
                if len(self._buffer) >= end and isinstance(decode(bytes(self._buffer[at + 4 : end])).request, kind):
                    return True
            at = end
        return False

    def whole(self) -> Iterator[bytes]:
        """The bodies that are complete. Raises UserError where the stream is not in frames."""
        while len(self._buffer) >= 4:
            end = 4 + frame_length(bytes(self._buffer[:4]))
            if len(self._buffer) < end:
                return
            body = bytes(self._buffer[4:end])
            del self._buffer[:end]
            yield body


def serve(engine: Engine, requests_fd: int) -> None:
    """Answer until the requests end. Raises UserError where what arrives is not the protocol."""
    frames = Frames(requests_fd)
    engine.waiting = frames.hold
    while not (frames.ended or engine.ending):
        if frames.arrived(0 if engine.has_idle_work else None):
            for body in frames.whole():
                engine.answer(body)
        else:
            engine.work_a_little()


def take_stdio() -> tuple[int, int]:
    """Private copies of stdin and stdout for the frames; whatever else reads gets nothing, and prints go to stderr."""
    requests_fd, answers_fd = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests_fd, answers_fd


def send_stderr_to(log: Path) -> None:
    """Append stderr to the file `log`. Raises UserError where it cannot be written."""
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise UserError(f"the log {log} cannot be written: {error.strerror}") from error
    os.dup2(fd, 2)
    os.close(fd)


def _end_when_told(engine: Engine, answers_fd: int) -> None:
    """On a signal, and as soon as nobody can read the answers: whoever asked may be gone in the middle of long work."""
    unread = False

    def on_signal(number: int, _frame: FrameType | None) -> None:
        engine.end(0 if unread else 128 + number)

    def watch() -> None:
        nonlocal unread
        poll = select.poll()
        poll.register(answers_fd, 0)  # errors and the end of the other side are reported unasked
        poll.poll()
        unread = True
        signal.pthread_kill(thread.ident or 0, signal.SIGTERM)

    thread = threading.main_thread()
    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGHUP, on_signal)
    threading.Thread(target=watch, name="whoever-reads", daemon=True).start()


def main(
    *, log: Path | None = None, device: str = "auto", threads: int | None = None, precision: Precision = "auto"
) -> int:
    """The whole life of an engine on stdin and stdout; its exit code."""
    if log is not None:
        send_stderr_to(log)
    requests_fd, answers_fd = take_stdio()
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.nice(max(0, NICENESS - os.nice(0)))  # the screen may have done it already
    leave_a_core(threads)
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    engine = Engine(answers_fd, device=device, precision=precision)
    try:
        _end_when_told(engine, answers_fd)
        engine.send(engine.info())
        serve(engine, requests_fd)
    except BrokenPipeError:
        return 0
    except UserError as error:
        print(one_line(error), file=sys.stderr, flush=True)
        return 1
    finally:
        engine.close()
    return engine.code
