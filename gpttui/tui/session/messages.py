"""What the session link tells the screen. Messages of one widget nest in that widget; only these cross borders."""

from dataclasses import dataclass

from textual.message import Message

from gpttui.protocol.message import EngineInfo
from gpttui.protocol.play import Opened
from gpttui.records import Snapshot


@dataclass
class ModelOpened(Message):
    """A model is loaded, or a session was put back after the engine had died (`restored`)."""

    opened: Opened
    restored: bool


@dataclass
class SnapshotArrived(Message):
    """The session as it now is. `kind` is the wish that led to it; after one that changed the text (`new_text`) the
    newest token is looked at again."""

    snapshot: Snapshot
    kind: str
    new_text: bool


@dataclass
class Refused(Message):
    """The engine could not do what was asked; `line` says why. Nothing changed."""

    line: str


@dataclass
class EngineReady(Message):
    info: EngineInfo


@dataclass
class EngineLost(Message):
    """The engine ended; with `restarting`, a new one is on its way."""

    reason: str
    restarting: bool


class EngineSilent(Message):
    """Still no answer to what was asked last."""

    def __init__(self, for_s: float) -> None:
        super().__init__()
        self.line = f"No answer from the engine for {for_s:.0f} s: it may be computing, or out of reach. q leaves."
