"""What requests and answers are made of, what each engine says first, and how it says no. No torch, no screen."""

from types import NoneType
from typing import ClassVar

import msgspec


class Message(msgspec.Struct, frozen=True, tag=True, eq=False, omit_defaults=True):
    """Base of everything that travels; the class name is its tag."""


class Request(Message, frozen=True):
    """Base of what the screen asks: a new class is a new request."""


class Answer(Message, frozen=True):
    """Base of what the engine says."""

    TO: ClassVar[tuple[type, ...]]
    """The requests that it answers; NoneType: it comes unasked. Not set: any."""


def kinds(base: type[Message]) -> tuple[type[Message], ...]:
    """Every message under `base` that is no base itself."""
    below = base.__subclasses__()
    return tuple(kind for direct in below for kind in kinds(direct)) if below else (base,)


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


class EngineInfo(Answer, frozen=True):
    """Sent once by itself when the engine can take requests."""

    TO = (NoneType,)
    protocol: int
    version: str
    torch: str
    device: str
    threads: int
    pid: int
    started_ms: float
    """From process start to ready."""


class Failure(Answer, frozen=True):
    """The request could not be done; nothing changed. `message` is one line for a person."""

    message: str
    unexpected: bool = False
    """Nobody thought of it: the engine's stderr has the traceback."""
