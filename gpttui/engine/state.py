"""What the engine's handlers share, and what one request does: the open session, caches, the run at work.

Nothing here reads a pipe (`gpttui.engine.server` does) or decides anything about a model (`gpttui.inference` does).
"""

import contextlib
import os
import select
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import torch

from gpttui import __version__
from gpttui.chat.reading import Reader
from gpttui.engine.checkpoint_cache import CheckpointCache
from gpttui.engine.inspect_cache import InspectCache
from gpttui.engine.live_run import LiveRun
from gpttui.engine.registry import HANDLERS
from gpttui.errors import UserError, one_line
from gpttui.inference.precision import Precision
from gpttui.inference.session import Session
from gpttui.protocol.border import Border, Misfit
from gpttui.protocol.frames import VERSION, Call, Reply, decode_call, frame
from gpttui.protocol.message import Answer, EngineInfo, Failure, Request
from gpttui.protocol.play import Loading, PlayRequest, StopOpening
from gpttui.records import ModelCard

if TYPE_CHECKING:
    from gpttui.training.step_apart import StepApart

_PIPE_BUF = 4096
"""Bytes that a pipe which can be written to takes without waiting."""
_LISTENS_S = 0.5
TELLS_EVERY_S = 0.1
_IMPORTED_S = time.perf_counter()
NOT_FINITE = "the model computes nan or infinite numbers: its training has failed, or a change to it is too strong"


class Engine:
    """What the handlers share: the open session, and what runs between requests."""

    def __init__(self, answers_fd: int, *, device: str = "cpu", precision: Precision = "auto") -> None:
        self.device, self.precision = device, precision
        self.session: Session | None = None
        self.card: ModelCard | None = None
        self.since_s = 0.0
        """When the request at hand came (perf_counter)."""
        self.idle_work: Callable[[], None] | None = None
        """Called again and again while no request waits; short, for a request waits as long as one call takes."""
        self.inside = InspectCache()
        """What the inside views keep between requests, a search in the background among them."""
        self.live: LiveRun | None = None
        """The run being trained here, or the last one that was."""
        self.apart: StepApart | None = None
        """The training step that is being looked at."""
        self.checkpoints = CheckpointCache()
        self.closers: list[Callable[[], None]] = []
        """Called once when the engine ends."""
        self.ending = False
        """Nobody may be there any more: what is sent is not waited for."""
        self.code = 0
        """What the process exits with."""
        self.waiting: Callable[[type[Request]], bool] = lambda kind: False
        """Whether a request of this kind has come that is not answered yet."""
        self._told = "", 0.0
        """The part of a model that was told of last, and when."""
        self._answers_fd = answers_fd
        self._whole = False
        self._reader: Reader | None = None
        self._search_next = False

    def need_session(self) -> Session:
        """The open session. Raises UserError where no model is open."""
        if self.session is None:
            raise UserError("no model is open; choose one")
        return self.session

    def need_live(self) -> LiveRun:
        """The run in training here. Raises UserError where there is none."""
        if self.live is None:
            raise UserError("nothing is being trained here; start or resume a run")
        return self.live

    def reader(self) -> Reader:
        """Of conversations with the open model."""
        session, path = self.need_session(), Path(self.card.path if self.card is not None else "")
        if self._reader is None or (self._reader.path, self._reader.tokenizer) != (path, session.tokenizer):
            if self._reader is not None:
                self._reader.close()
            self._reader = Reader(path, session.tokenizer)
        return self._reader

    def need_text(self) -> Session:
        """The session. Raises UserError where no model is open or the text is empty."""
        session = self.need_session()
        if not len(session):
            raise UserError("there is no text to look into yet; type a prompt")
        return session

    def loading(self, part: str, done: int, total: int) -> None:
        """Tells how far the model is that is being opened. Raises UserError where it is not wanted any more."""
        if self.waiting(StopOpening):
            raise UserError(f"not opened: you left it{' · the model before is still here' * bool(self.session)}")
        now_s = time.perf_counter()
        if part != self._told[0] or now_s - self._told[1] > TELLS_EVERY_S:
            self._told = part, now_s
            self.send(Loading(part, done, total))

    def work_on(self, work: Callable[[], None] | None) -> None:
        """What to do while no request waits; None: nothing."""
        self.idle_work = work

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
        with self.whole(False):
            while rest:
                if self.ending and not select.select([], [self._answers_fd], [], _LISTENS_S)[1]:
                    return
                rest = rest[os.write(self._answers_fd, rest[:_PIPE_BUF] if self.ending else rest) :]

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
        handler = HANDLERS.get(type(request))
        if handler is None:
            raise UserError(f"this engine has no answer to {type(request).__name__}; is it an older gpttui?")
        if self.live is not None and isinstance(request, PlayRequest):  # views ask about what a snapshot has told
            self.live.freshen(self.session)
        answer = handler(self, request)
        try:
            Border().checked(answer, request)
        except Misfit as error:
            if error.not_finite:
                raise UserError(f"{NOT_FINITE} ({error})") from error
        return answer

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
                self.inside.search_on(self.send)
            elif self.idle_work is not None:
                with self.whole():
                    self.idle_work()
        except BrokenPipeError:
            raise
        except Exception as error:
            traceback.print_exc()
            sys.stderr.flush()
            if search:
                self.inside = InspectCache()
            else:
                self.idle_work = None
            said = f"work in the background failed: {type(error).__name__}: {one_line(error)}"
            self.send(Failure(said, unexpected=True))

    @contextlib.contextmanager
    def whole(self, whole: bool = True) -> Iterator[None]:
        """What runs inside is not cut short by `end`, which then waits for it: a piece of training, a save."""
        before, self._whole = self._whole, whole
        try:
            yield
        finally:
            self._whole = before

    def end(self, code: int) -> None:
        """To be called by a signal's handler: end now with `code`, or after what must be whole."""
        if self.ending:
            return
        self.ending, self.code = True, code
        if not self._whole:
            raise SystemExit(code)

    def close(self) -> None:
        """Run the closers, each whatever the others do."""
        self.ending = True
        if self._reader is not None:
            self._reader.close()
        with self.whole():
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


def process_age_s() -> float:
    """Seconds since this process started, where the system tells; else since this module was loaded."""
    with contextlib.suppress(OSError, ValueError, IndexError, AttributeError):
        stat = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        born_s = int(stat[19]) / os.sysconf("SC_CLK_TCK")
        return time.clock_gettime(time.CLOCK_BOOTTIME) - born_s
    return time.perf_counter() - _IMPORTED_S
