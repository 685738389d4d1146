"""Every request and event between the screen and the engine, and how they are framed on a pair of pipes.

A frame is four bytes of length (little-endian) and a msgpack body. The UI sends `Call`s; the engine answers each with
one `Reply` or `Failure` carrying its number, in order, and may send `Event`s (training) at any time. Arrays travel as
(dtype, shape, bytes) and arrive read-only. No torch, no screen.
"""

import functools
import operator
import struct
from typing import Any, BinaryIO

import msgspec
import numpy as np

from gpttui.errors import UserError
from gpttui.protocol import backprop, parts, play, stream, train
from gpttui.protocol.message import Answer, EngineInfo, Request, kinds
from gpttui.records import Array

VERSION = 1
MAX_FRAME_BYTES = 1 << 28
"""Small enough that four bytes of text, read as a length, are always too many."""
_LENGTH = struct.Struct("<I")
MESSAGES = (backprop, parts, play, stream, train)
"""Where they are defined."""


class Call(msgspec.Struct, frozen=True, array_like=True):
    """A numbered request."""

    number: int
    request: Request


class Reply(msgspec.Struct, frozen=True, array_like=True):
    """The answer to call `number`; number 0 marks an event that nobody asked for."""

    number: int
    answer: Answer


def _encode_other(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, np.ascontiguousarray(value).tobytes()
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} does not travel")


def _decode_other(kind: type, value: Any) -> Any:
    if kind is Array:
        dtype, shape, data = value
        if not isinstance(dtype, str) or (numbers := np.dtype(dtype)).kind not in "biuf":
            raise TypeError("an array holds something else than numbers")
        return np.frombuffer(data, dtype=numbers).reshape(shape)
    raise TypeError(f"{kind} does not travel")


_encoder = msgspec.msgpack.Encoder(enc_hook=_encode_other)


@functools.cache
def _decoder(base: type[Request | Answer]) -> "msgspec.msgpack.Decoder[tuple[int, Any]]":
    """Made when it is first needed: it looks through every message there is."""
    one_of: Any = functools.reduce(operator.or_, kinds(base))
    return msgspec.msgpack.Decoder(tuple[int, one_of], dec_hook=_decode_other)


GREETING = msgspec.msgpack.encode("type") + msgspec.msgpack.encode(EngineInfo.__name__)
"""Stands near the beginning of the first body that an engine sends, of whatever version it is …"""
GREETING_ENDS = 3 + len(GREETING)
"""… and ends at this byte of it."""


def frame(message: Call | Reply) -> bytes:
    """The bytes of one message, length first."""
    body = _encoder.encode(message)
    return _LENGTH.pack(len(body)) + body


def decode_call(body: bytes) -> Call:
    return Call(*_decoder(Request).decode(body))


def decode_reply(body: bytes) -> Reply:
    return Reply(*_decoder(Answer).decode(body))


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
