"""What the session link tells the screen. Messages of one widget nest in that widget; only these cross borders."""

from textual.message import Message

from gpttui.protocol import EngineInfo, Opened
from gpttui.records import Snapshot


class ModelOpened(Message):
    """A model is loaded, or a session was put back after the engine had died (`restored`)."""

    def __init__(self, opened: Opened, restored: bool) -> None:
        super().__init__()
        self.opened = opened
        self.restored = restored


class SnapshotArrived(Message):
    """The session as it now is. `stepped`: a token was appended or taken back, so the newest one is looked at again."""

    def __init__(self, snapshot: Snapshot, stepped: bool) -> None:
        super().__init__()
        self.snapshot = snapshot
        self.stepped = stepped


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
