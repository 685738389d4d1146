"""What the playground asks the engine for, and what it gets: a model opened, a text stepped, changed, looked at.

`gpttui.protocol.frames` joins these into its unions. No torch, no screen.
"""

from types import NoneType
from typing import Annotated

import msgspec

from gpttui.interventions import Intervention
from gpttui.protocol.message import Answer, Look, Request
from gpttui.protocol.train import ResumeRun, StartRun, UseCheckpoint
from gpttui.records import (
    Array,
    ChatMessage,
    Conversation,
    Count,
    Exact,
    Lines,
    LossHistory,
    ModelCard,
    Sampling,
    Snapshot,
    Told,
    Turn,
    token_ids,
)


class PlayRequest(Request, frozen=True, kw_only=True):
    """Base of what is asked about the open text: weights in training are read anew before it is answered."""

    look: Look = Look()


class OpenModel(PlayRequest, frozen=True):
    """Load the model directory `path` and start with `prompt`. Answer: `Opened`."""

    path: str
    prompt: str | None = None
    sampling: Sampling | None = None
    seed: int = 0


class SetPrompt(PlayRequest, frozen=True):
    """A new text from the start. Answer: Snapshot (as for all requests that follow, unless they say otherwise)."""

    text: str
    bare: bool = False
    """Without the tokens that the tokenizer puts around a text."""


class SetChat(PlayRequest, frozen=True):
    """A conversation as the prompt, as the model's chat template writes it, up to where the model is to answer."""

    messages: tuple[ChatMessage, ...]


class DraftChat(PlayRequest, frozen=True):
    """What such a prompt would be; nothing changes. Answer: `Drafted`."""

    messages: tuple[ChatMessage, ...]


class Step(PlayRequest, frozen=True):
    """Draw one token and append it."""


class Back(PlayRequest, frozen=True):
    """Take the last token back; with `to_prompt`, all tokens behind the prompt."""

    to_prompt: bool = False


class Choose(PlayRequest, frozen=True):
    """Put token `token_id` after `position`, dropping what followed there (the dropped branch can be drawn again)."""

    position: int
    token_id: int


class SetSampling(PlayRequest, frozen=True):
    sampling: Sampling


class SetSeed(PlayRequest, frozen=True):
    seed: int


class Show(PlayRequest, frozen=True):
    """Nothing changes but what is looked at."""


class Restore(PlayRequest, frozen=True):
    """Open a model and put its session back as it was, token for token. Answer: `Opened`."""

    path: str
    prompt: str
    appended: list[int]
    picked: list[bool]
    """For each appended token: whether a person chose it."""
    sampling: Sampling
    seed: int
    changes: tuple[Intervention, ...] = ()
    draws: list[Told] = msgspec.field(default_factory=list)
    """For each appended token how it was drawn then, as far as it is known."""
    run: str = ""
    """A run whose checkpoint of `step` gives the weights; empty: the model's own."""
    step: int = -1
    conversation: Conversation | None = None
    """What `prompt` is, where it is not just a text."""
    bare: bool = False
    """The prompt is without the tokens that the tokenizer puts around a text."""


class Intervene(PlayRequest, frozen=True):
    """Change the model by these and no other interventions from now on; none: it is as it was loaded.

    Where a mean is meant and no text named (`over`), it is the prompt's; name the prompt to keep it when that changes.
    """

    changes: tuple[Intervention, ...]


class Jump(PlayRequest, frozen=True):
    """Put another continuation behind the prompt, token for token: a branch that was left."""

    appended: list[int]
    picked: list[bool]
    draws: list[Told] = msgspec.field(default_factory=list)


class StopOpening(Request, frozen=True):
    """Leave the model that is being opened; the one before stays. Its own request is refused. Answer: `Left`."""


class Left(Answer, frozen=True):
    TO = (StopOpening,)


class Loading(Answer, frozen=True):
    """How far a model is that is being opened."""

    TO = (NoneType,)
    part: str
    """`header`, `tokenizer`, `tensors`."""
    done: Count
    total: Count
    """0: not known."""


class Opened(Answer, frozen=True):
    TO = (OpenModel, Restore, StartRun, ResumeRun)
    card: ModelCard
    tokenizer_json: Exact
    history: LossHistory | None
    snapshot: Snapshot
    notes: tuple[Lines, ...] = ()
    """What of the file was left out, or used where one might not expect it."""
    no_chat: str = ""
    """Why it cannot be talked to; empty where it has a chat template."""


class Drafted(Answer, frozen=True):
    TO = (DraftChat,)
    ids: Annotated[Array, token_ids("T?")]
    turns: tuple[Turn, ...]

    @property
    def n_prompt(self) -> int:
        return len(self.ids)


class Shown(Answer, frozen=True):
    TO = (SetPrompt, SetChat, Step, Back, Choose, SetSampling, SetSeed, Show, Intervene, Jump, UseCheckpoint)
    snapshot: Snapshot
    prompt: Exact | None = None
    """After `SetChat`: what its template wrote …"""
    conversation: Conversation | None = None
    """… and what the model reads."""
