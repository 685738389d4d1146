"""The engine process: answers requests on its stdin with frames on its stdout, one after the other, and computes.

One thread, no locks: every request that waits is answered first, then one piece of `idle_work` (a training micro-step)
may run. It ends when its stdin ends, so it cannot outlive the screen. What it can do is a table of handlers, a module
for each family of requests. Nothing here knows a screen; what libraries print goes to stderr, never into the frames.
"""

import contextlib
import faulthandler
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import msgspec
import torch

from gpttui import __version__
from gpttui.engine import inspecting, playing, training_requests
from gpttui.engine.checkpoint_requests import Loaded
from gpttui.engine.inside import Inside
from gpttui.errors import UserError, one_line
from gpttui.inference.opening import leave_a_core
from gpttui.inference.session import Session
from gpttui.protocol.frames import VERSION, Answer, Call, EngineInfo, Failure, Reply, decode_call, frame, frame_length
from gpttui.records import ModelCard

if TYPE_CHECKING:
    from gpttui.engine.live_run import LiveRun

NICENESS = 10
_READ_BYTES = 1 << 20
_IMPORTED_S = time.perf_counter()

Handler = Callable[["Engine", Any], Answer]
HANDLERS: dict[type, Handler] = {**playing.HANDLERS, **inspecting.HANDLERS, **training_requests.HANDLERS}


class Engine:
    """What the handlers share: the open session, and what runs between requests."""

    def __init__(self, answers_fd: int, *, device: str = "cpu", handlers: Mapping[type, Handler] = HANDLERS) -> None:
        self.device = device
        self.handlers = handlers
        self.session: Session | None = None
        self.card: ModelCard | None = None
        self.since_s = 0.0
        """When the request at hand came (perf_counter)."""
        self.idle_work: Callable[[], None] | None = None
        """Called again and again while no request waits; short, for a request waits as long as one call takes."""
        self.inside = Inside()
        """What the inside views keep between requests, a search in the background among them."""
        self.live: LiveRun | None = None
        """The run being trained here, or the last one that was."""
        self.checkpoints = Loaded()
        self.closers: list[Callable[[], None]] = []
        """Called once when the engine ends (stdin at its end, SIGTERM)."""
        self._answers_fd = answers_fd
        self._search_next = False

    def need_session(self) -> Session:
        """The open session. Raises UserError where no model is open."""
        if self.session is None:
            raise UserError("no model is open; choose one")
        return self.session

    def info(self) -> EngineInfo:
        """Who this is."""
        return EngineInfo(
            protocol=VERSION,
            version=__version__,
            torch=str(torch.__version__),
            device=self.device,
            threads=torch.get_num_threads(),
            pid=os.getpid(),
            started_ms=process_age_s() * 1e3,
        )

    def send(self, answer: Answer, number: int = 0) -> None:
        """Write one frame; number 0 is an event that nobody asked for."""
        rest = memoryview(frame(Reply(number, answer)))
        while rest:
            rest = rest[os.write(self._answers_fd, rest) :]

    def answer(self, body: bytes) -> None:
        """Do what one frame asks and send what comes of it, whatever comes of it."""
        self.since_s = time.perf_counter()
        number = 0
        try:
            call = decode(body)
            number = call.number
            reply = self.handle(call.request)
            self.send(reply, number)
        except UserError as error:
            self.send(Failure(one_line(error)), number or _number(body))
        except BrokenPipeError:
            raise
        except MemoryError:
            self.send(Failure("this needs more memory than the machine gives; try a smaller model or text"), number)
        except Exception as error:
            traceback.print_exc()
            sys.stderr.flush()
            said = f"the engine failed unexpectedly: {type(error).__name__}: {one_line(error)}"
            self.send(Failure(said, unexpected=True), number)

    def handle(self, request: Any) -> Answer:
        """The answer to one request. Raises UserError for what cannot be done."""
        handler = self.handlers.get(type(request))
        if handler is None:
            raise UserError(f"this engine has no answer to {type(request).__name__}; is it an older gpttui?")
        if self.live is not None and type(request) not in training_requests.HANDLERS:
            self.live.freshen(self.session)
        return handler(self, request)

    @property
    def has_idle_work(self) -> bool:
        return self.idle_work is not None or self.inside.searching

    def work_a_little(self) -> None:
        """One piece of work while no request waits: of the training and of a search in turns, where there are both.

        Work that fails unexpectedly is dropped and told of; the engine lives on.
        """
        self._search_next = not self._search_next or self.idle_work is None
        search = self._search_next and self.inside.searching
        try:
            if search:
                self.inside.search_on(self)
            elif self.idle_work is not None:
                self.idle_work()
        except BrokenPipeError:
            raise
        except Exception as error:
            traceback.print_exc()
            sys.stderr.flush()
            if search:
                self.inside = Inside()
            else:
                self.idle_work = None
            said = f"work in the background failed: {type(error).__name__}: {one_line(error)}"
            self.send(Failure(said, unexpected=True))

    def close(self) -> None:
        """Run the closers, each whatever the others do."""
        while self.closers:
            try:
                self.closers.pop()()
            except Exception:
                traceback.print_exc()


def decode(body: bytes) -> Call:
    """The call in one frame. Raises UserError where it is none."""
    try:
        return decode_call(body)
    except (msgspec.DecodeError, msgspec.ValidationError, ValueError, TypeError, RecursionError) as error:
        raise UserError(f"the engine does not understand this request ({one_line(error)[:200]})") from error


def _number(body: bytes) -> int:
    """The number of a call whose request cannot be read, so that its sender gets an answer all the same; else 0."""
    try:
        raw = msgspec.msgpack.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return 0
    return raw[0] if isinstance(raw, list) and raw and isinstance(raw[0], int) else 0


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
    while not frames.ended:
        if frames.arrived(0 if engine.has_idle_work else None):
            for body in frames.whole():
                engine.answer(body)
        else:
            engine.work_a_little()


def process_age_s() -> float:
    """Seconds since this process started, where the system tells; else since this module was loaded."""
    with contextlib.suppress(OSError, ValueError, IndexError, AttributeError):
        stat = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        born_s = int(stat[19]) / os.sysconf("SC_CLK_TCK")
        return time.clock_gettime(time.CLOCK_BOOTTIME) - born_s
    return time.perf_counter() - _IMPORTED_S


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


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + signal.SIGTERM)


def main(*, log: Path | None = None, device: str = "auto", threads: int | None = None) -> int:
    """The whole life of an engine on stdin and stdout; its exit code."""
    if log is not None:
        send_stderr_to(log)
    requests_fd, answers_fd = take_stdio()
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _terminate)
    with contextlib.suppress(OSError):
        os.nice(max(0, NICENESS - os.nice(0)))  # the screen may have done it already
    leave_a_core(threads)
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    engine = Engine(answers_fd, device=device)
    try:
        engine.send(engine.info())
        serve(engine, requests_fd)
    except BrokenPipeError:
        return 0
    except UserError as error:
        print(one_line(error), file=sys.stderr, flush=True)
        return 1
    finally:
        engine.close()
    return 0
