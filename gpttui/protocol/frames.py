"""Every request and event between the screen and the engine, and how they are framed on a pair of pipes.

A frame is four bytes of length (little-endian) and a msgpack body. The UI sends `Call`s; the engine answers each with
one `Reply` or `Failure` carrying its number, in order, and may send `Event`s (training) at any time. Arrays travel as
(dtype, shape, bytes) and arrive read-only. No torch, no screen.
"""

import struct
from types import NoneType
from typing import Any, BinaryIO, ClassVar

import msgspec
import numpy as np

from gpttui.errors import UserError
from gpttui.interventions import Intervention
from gpttui.protocol.stream import InspectAnswer, InspectRequest
from gpttui.protocol.train import SetStopRule, TrainAnswer, TrainRequest
from gpttui.records import Exact, LossHistory, ModelCard, Sampling, Snapshot, Told
from gpttui.runs.config import TrainConfig

VERSION = 1
MAX_FRAME_BYTES = 1 << 28
"""Small enough that four bytes of text, read as a length, are always too many."""
_LENGTH = struct.Struct("<I")


class Message(msgspec.Struct, frozen=True, tag=True, eq=False, omit_defaults=True):
    """Base of everything that travels; the class name is its tag."""


# ── Requests: what the screen may ask ─────────────────────────────────────────────────────────────────────────────


class Look(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the screen is showing, so that a snapshot carries just that."""

    position: int = -1
    """Selected position; negative counts from the end."""
    layer: int = 0
    head: int = 0
    top_k: int = 20
    """Candidates wanted."""
    have_rows: int = 0
    """Attention rows of this layer and head that the screen already holds for `have_epoch`."""
    have_epoch: int = -1


class OpenModel(Message, frozen=True):
    """Load the model directory `path` and start with `prompt`. Answer: `Opened`."""

    path: str
    prompt: str | None = None
    look: Look = Look()
    sampling: Sampling | None = None
    seed: int = 0


class SetPrompt(Message, frozen=True):
    """A new text from the start. Answer: Snapshot (as for all requests that follow, unless they say otherwise)."""

    text: str
    look: Look = Look()


class Step(Message, frozen=True):
    """Draw one token and append it."""

    look: Look = Look()


class Back(Message, frozen=True):
    """Take the last token back; with `to_prompt`, all tokens behind the prompt."""

    to_prompt: bool = False
    look: Look = Look()


class Choose(Message, frozen=True):
    """Put token `token_id` after `position`, dropping what followed there (the dropped branch can be drawn again)."""

    position: int
    token_id: int
    look: Look = Look()


class SetSampling(Message, frozen=True):
    sampling: Sampling
    look: Look = Look()


class SetSeed(Message, frozen=True):
    seed: int
    look: Look = Look()


class Show(Message, frozen=True):
    """Nothing changes but what is looked at."""

    look: Look = Look()


class Restore(Message, frozen=True):
    """Open a model and put its session back as it was, token for token. Answer: `Opened`."""

    path: str
    prompt: str
    appended: list[int]
    picked: list[bool]
    """For each appended token: whether a person chose it."""
    sampling: Sampling
    seed: int
    look: Look = Look()
    changes: tuple[Intervention, ...] = ()
    draws: list[Told] = []
    """For each appended token how it was drawn then, as far as it is known."""
    run: str = ""
    """A run whose checkpoint of `step` gives the weights; empty: the model's own."""
    step: int = -1


class Intervene(Message, frozen=True):
    """Change the model by these and no other interventions from now on; none: it is as it was loaded.

    Where a mean is meant and no text named (`over`), it is the prompt's; name the prompt to keep it when that changes.
    """

    changes: tuple[Intervention, ...]
    look: Look = Look()


class Jump(Message, frozen=True):
    """Put another continuation behind the prompt, token for token: a branch that was left."""

    appended: list[int]
    picked: list[bool]
    look: Look = Look()
    draws: list[Told] = []


class StartRun(Message, frozen=True):
    """Train in the new run directory `path`, and open the model being trained. Answer: `Opened`, then `TrainNews`."""

    config: TrainConfig
    path: str
    prompt: str | None = None
    look: Look = Look()
    sampling: Sampling | None = None
    seed: int = 0


class ResumeRun(Message, frozen=True):
    """Go on with a run from its newest whole checkpoint, and open the model being trained. Answer: `Opened`."""

    path: str
    prompt: str | None = None
    look: Look = Look()
    sampling: Sampling | None = None
    seed: int = 0
    rule: SetStopRule | None = None
    """Another end than the one that it had."""


class UseCheckpoint(Message, frozen=True):
    """The open text under the weights of a run's `step` (-1: the live ones): same prompt, same seed, drawn anew.

    As many tokens as were drawn, but at least `tokens`. Answer: `Shown`.
    """

    run: str
    step: int
    tokens: int = 0
    look: Look = Look()


PlayRequest = OpenModel | SetPrompt | Step | Back | Choose | SetSampling | SetSeed | Show | Restore | Intervene | Jump
Request = PlayRequest | InspectRequest | StartRun | ResumeRun | UseCheckpoint | TrainRequest

# ── Answers and events ────────────────────────────────────────────────────────────────────────────────────────────


class EngineInfo(Message, frozen=True):
    """Sent once by itself when the engine can take requests."""

    TO: ClassVar = (NoneType,)
    protocol: int
    version: str
    torch: str
    device: str
    threads: int
    pid: int
    started_ms: float
    """From process start to ready."""


class Opened(Message, frozen=True):
    TO: ClassVar = (OpenModel, Restore, StartRun, ResumeRun)
    card: ModelCard
    tokenizer_json: Exact
    history: LossHistory | None
    snapshot: Snapshot


class Shown(Message, frozen=True):
    TO: ClassVar = (SetPrompt, Step, Back, Choose, SetSampling, SetSeed, Show, Intervene, Jump, UseCheckpoint)
    snapshot: Snapshot


class Failure(Message, frozen=True):
    """The request could not be done; nothing changed. `message` is one line for a person."""

    message: str
    unexpected: bool = False
    """Nobody thought of it: the engine's stderr has the traceback."""


Answer = Opened | Shown | EngineInfo | Failure | InspectAnswer | TrainAnswer


class Call(msgspec.Struct, frozen=True, array_like=True):
    """A numbered request."""

    number: int
    request: Request


class Reply(msgspec.Struct, frozen=True, array_like=True):
    """The answer to call `number`; number 0 marks an event that nobody asked for."""

    number: int
    answer: Answer


# ── Framing ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _encode_other(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, np.ascontiguousarray(value).tobytes()
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} does not travel")


def _decode_other(kind: type, value: Any) -> Any:
    if kind is np.ndarray or getattr(kind, "__origin__", None) is np.ndarray:
        dtype, shape, data = value
        if not isinstance(dtype, str) or (numbers := np.dtype(dtype)).kind not in "biuf":
            raise TypeError("an array holds something else than numbers")
        return np.frombuffer(data, dtype=numbers).reshape(shape)
    raise TypeError(f"{kind} does not travel")


_encoder = msgspec.msgpack.Encoder(enc_hook=_encode_other)
_call_decoder = msgspec.msgpack.Decoder(Call, dec_hook=_decode_other)
_reply_decoder = msgspec.msgpack.Decoder(Reply, dec_hook=_decode_other)

GREETING = msgspec.msgpack.encode("type") + msgspec.msgpack.encode(EngineInfo.__name__)
"""Stands near the beginning of the first body that an engine sends, of whatever version it is …"""
GREETING_ENDS = 3 + len(GREETING)
"""… and ends at this byte of it."""


def frame(message: Call | Reply) -> bytes:
    """The bytes of one message, length first."""
    body = _encoder.encode(message)
    return _LENGTH.pack(len(body)) + body


def decode_call(body: bytes) -> Call:
    return _call_decoder.decode(body)


def decode_reply(body: bytes) -> Reply:
    return _reply_decoder.decode(body)


def frame_length(head: bytes) -> int:
    """Length of the body behind a frame's four bytes. Raises UserError where they cannot be one."""
    (length,) = _LENGTH.unpack(head)
    if length > MAX_FRAME_BYTES:
        raise UserError("what arrived is not gpttui's protocol; does the engine's command print other text?")
    return int(length)


def read_frame(stream: BinaryIO) -> bytes | None:
    """One whole body from a blocking stream; None at its end."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    body = stream.read(frame_length(head))
    return body or None
