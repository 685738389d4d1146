"""What the session link tells the screen. Messages of one widget nest in that widget; only these cross borders."""

from textual.message import Message

from gpttui.protocol.message import EngineInfo
from gpttui.protocol.play import Opened
from gpttui.records import Snapshot


class ModelOpened(Message):
    """A model is loaded, or a session was put back after the engine had died (`restored`)."""

    def __init__(self, opened: Opened, restored: bool) -> None:
        super().__init__()
        self.opened = opened
        self.restored = restored


class SnapshotArrived(Message):
    """The session as it now is. `kind` is the wish that led to it; after one that changed the text (`new_text`) the
    newest token is looked at again."""

    def __init__(self, snapshot: Snapshot, kind: str, new_text: bool) -> None:
        super().__init__()
        self.snapshot = snapshot
        self.kind = kind
        self.new_text = new_text


class Refused(Message):
    """The engine could not do what was asked; `line` says why. Nothing changed."""

    def __init__(self, line: str) -> None:
        super().__init__()
        self.line = line


class EngineReady(Message):
    def __init__(self, info: EngineInfo) -> None:
        super().__init__()
        self.info = info


class EngineLost(Message):
    """The engine ended; with `restarting`, a new one is on its way."""

    def __init__(self, reason: str, restarting: bool) -> None:
        super().__init__()
        self.reason = reason
        self.restarting = restarting


class EngineSilent(Message):
    """Still no answer to what was asked last."""

    def __init__(self, for_s: float) -> None:
        super().__init__()
        self.line = f"No answer from the engine for {for_s:.0f} s: it may be computing, or out of reach. q leaves."
