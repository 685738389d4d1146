"""The screen's end of the engine: send a request, await its answer, notice when the engine dies. Asyncio, no torch.

Requests may be sent before the engine is ready; they wait in its pipe. Answers come in the order of the requests,
events (number 0) at any time. One `EngineClient` outlives many processes: `restart` puts a new one in the place of a
dead one.

An engine may be saving a run when it is to end: it hears of it by the end of its stdin, then by SIGTERM, and it is
killed only if it trains nothing.
"""

import asyncio
import contextlib
import math
import os
import signal
import subprocess
from asyncio.streams import FlowControlMixin
from collections.abc import Callable, Sequence
from pathlib import Path

from gpttui.engine import launch
from gpttui.errors import UserError, one_line
from gpttui.protocol.border import Border, Misfit
from gpttui.protocol.frames import GREETING, GREETING_ENDS, VERSION, Call, decode_reply, frame, frame_length
from gpttui.protocol.message import Answer, EngineInfo, Failure, Request
from gpttui.protocol.play import Opened
from gpttui.protocol.train import TrainNews
from gpttui.text import safe_text

READ_BUFFER_BYTES = 1 << 22
OBEYS_S = 1.0
"""An engine that trains nothing ends within this when its stdin ends, and again when SIGTERM tells it to."""
SAVES_S = 10.0
"""So long no word may come from one that saves a run before it gets SIGTERM: a connection that is dead ends by it."""
HANGS_S = 60.0
"""After this one that is saving is killed where a new one has to take its place."""


class EngineFailure(UserError):
    """The engine could not do what was asked; it lives on and nothing changed."""


class EngineDied(UserError):
    """There is no engine any more; what was asked for is lost."""


class EngineClient:
    """One engine at a time. `on_event(answer)` gets what nobody asked for, `on_death(reason)` one line when it ends."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path | None = None,
        *,
        process: "subprocess.Popen[bytes] | None" = None,
    ) -> None:
        self.command = list(command)
        self.log = log
        self.on_event: Callable[[Answer], None] = lambda _: None
        self.on_death: Callable[[str], None] = lambda _: None
        self.info: EngineInfo | None = None
        self.news: TrainNews | None = None
        """The last that was heard of a run in training."""
        self._heard_s = 0.0
        self.process = process
        """The newest, or one that is to be taken over."""
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._asked: dict[int, Request] = {}
        """By number, until they are answered, whether somebody still waits or not."""
        self._border = Border()
        self._number = 0
        self._closed = False

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    @property
    def alive(self) -> bool:
        return self._writer is not None and not self._writer.is_closing()

    async def connect(self) -> None:
        """Take over the pipes of the process, starting one where none was given. Raises UserError if none can start."""
        if self.process is None:
            self.process = launch.start(self.command, self.log)
        self._border, self._asked = Border(), {}
        process, loop = self.process, asyncio.get_running_loop()
        assert process.stdin is not None and process.stdout is not None
        reader = asyncio.StreamReader(limit=READ_BUFFER_BYTES)
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), process.stdout)
        transport, protocol = await loop.connect_write_pipe(FlowControlMixin, process.stdin)
        self._writer = asyncio.StreamWriter(transport, protocol, None, loop)
        self._listening = asyncio.create_task(self._listen(reader, process))

    async def restart(self) -> None:
        """A new process in the place of the old one, which is ended if it still lives. Raises UserError once closed."""
        if self._closed:
            raise EngineDied("the engine was ended")
        await self._end()
        self.info = None
        self.process = None
        await self.connect()

    async def request(self, request: Request) -> Answer:
        """The answer to `request`. Raises EngineFailure where the engine says no, EngineDied where it is gone."""
        if self._writer is None or not self.alive:
            raise EngineDied("the engine is not running")
        self._number += 1
        number = self._number
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[number], self._asked[number] = future, request
        try:
            self._writer.write(frame(Call(number, request)))
            await self._writer.drain()
            answer = await future
        except ConnectionError as error:
            raise EngineDied("the engine is gone") from error
        except UnicodeEncodeError as error:
            raise EngineFailure("this text or path has parts that are not UTF-8; leave them out") from error
        finally:
            self._waiting.pop(number, None)
        if isinstance(answer, Failure):
            raise EngineFailure(answer.message)
        return answer

    @property
    def trains(self) -> bool:
        """Whether there is a run that the engine has to save before it ends."""
        return self.news is not None and self.news.state in ("running", "paused", "saving")

    async def close(self) -> None:
        """Tell the engine to end: its stdin ends. News of a run that it saves still come until it has `ended`."""
        self._closed = True
        if self._writer is not None:
            self._writer.close()
        elif self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()

    async def ended(self) -> None:
        """Wait until an engine that was closed is gone, and what it had to say has been heard."""
        if self.process is not None:
            await self._gone(self.process, hangs_s=math.inf)
        if self._listening is not None:
            await asyncio.wait([self._listening], timeout=OBEYS_S)

    async def _listen(self, reader: asyncio.StreamReader, process: "subprocess.Popen[bytes]") -> None:
        reason, said = "", b""
        try:
            body = await _first_body(reader)
            while True:
                reply = decode_reply(body)
                self._receive(reply.number, reply.answer)
                body = await reader.readexactly(frame_length(await reader.readexactly(4)))
        except asyncio.IncompleteReadError as error:
            said = b"" if self.info is not None else error.partial
        except ConnectionError:
            pass
        except Misfit as error:
            reason = f"the engine's answer cannot be used ({one_line(error)}); is it the same version of gpttui?"
        except UserError as error:
            reason = str(error)
        except Exception as error:  # a body that is no message of ours: msgspec's errors, numpy's, …
            reason = f"the engine's answer cannot be read ({one_line(error)[:120]}); is it the same version of gpttui?"
        await self._bury(process, reason, said)

    def _receive(self, number: int, answer: Answer) -> None:
        if number and number not in self._asked:
            raise Misfit("it answers what was not asked")
        answer = self._border.checked(answer, self._asked.pop(number, None))
        if isinstance(answer, Opened):
            from gpttui.tokenizers import Tokenizer

            Tokenizer.from_json(answer.tokenizer_json)
        if isinstance(answer, EngineInfo):
            if answer.protocol != VERSION:
                raise UserError(
                    f"the engine is gpttui {answer.version} (protocol {answer.protocol}), this screen speaks protocol"
                    f" {VERSION}; install the same version on both sides"
                )
            self.info = answer
        self._heard_s = asyncio.get_running_loop().time()
        if isinstance(answer, TrainNews):
            self.news = answer
        if isinstance(answer, Failure) and answer.unexpected and self.log is not None:
            answer = Failure(f"{answer.message}; nothing was lost, the traceback is in {self.log}")
        if number == 0:
            self.on_event(answer)
            return
        future = self._waiting.get(number)
        if future is not None and not future.done():
            future.set_result(answer)

    async def _bury(self, process: "subprocess.Popen[bytes]", reason: str, said: bytes) -> None:
        if self._writer is not None:
            self._writer.close()
        status = await self._gone(process)
        last_words = launch.last_words(self.log) or launch.last_line(said)
        reason = safe_text(reason or f"the engine {_how_it_ended(status)}" + (f": {last_words}" if last_words else ""))
        if not self._closed and (kept := launch.keep_log(self.log)) is not None:
            reason += f" · its log: {kept}"
        self._give_up(reason)
        if not self._closed:
            self.on_death(reason)

    def _give_up(self, reason: str) -> None:
        """Nobody will answer those who still wait."""
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(EngineDied(reason))
        self._waiting.clear()

    async def _end(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if self.process is not None:
            await self._gone(self.process)
        self.news = None
        self._give_up("the engine was ended")

    async def _gone(self, process: "subprocess.Popen[bytes]", hangs_s: float = HANGS_S) -> int:
        """Reap a process whose stdin has ended, without blocking the loop; its exit status."""
        now_s, began_s, told_s = asyncio.get_running_loop().time, asyncio.get_running_loop().time(), 0.0
        while process.poll() is None:
            if not told_s and now_s() - max(began_s, self._heard_s) > (SAVES_S if self.trains else OBEYS_S):
                told_s = now_s()
                _signal_group(process.pid, signal.SIGTERM)
            elif told_s and now_s() - told_s > (hangs_s if self.trains else OBEYS_S):
                _signal_group(process.pid, signal.SIGKILL)
                return process.wait()
            await asyncio.sleep(0.01)
        return process.returncode


def _signal_group(pid: int, number: signal.Signals) -> None:
    """The engine leads a session of its own: whatever it started hears it too."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _how_it_ended(status: int) -> str:
    if status < 0:
        return f"was killed ({signal.Signals(-status).name})"
    if status == 127:
        return "command was not found"
    return f"ended with exit code {status}"


async def _first_body(reader: asyncio.StreamReader) -> bytes:
    """The first frame's body. What stands before it, a login's greeting, is passed over.

    Raises UserError where nothing like a frame comes for long.
    """
    try:
        begun = await reader.readuntil(GREETING)
    except asyncio.LimitOverrunError as error:
        raise UserError("the engine's command prints other text instead of gpttui's protocol") from error
    at = len(begun) - GREETING_ENDS
    return begun[at:] + await reader.readexactly(frame_length(begun[at - 4 : at]) - GREETING_ENDS)
