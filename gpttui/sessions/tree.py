"""Every continuation that was tried, kept as a tree, and the session file that brings a screen back.

A node is one token after all those above it, with the probability the model gave it, and which model that was: weights
and interventions change on the way, and only the text as it stands is measured anew. The tree grows from what the
screen is told (token ids and surprisals), so it needs no model; the engine only jumps. Plain data, no torch: the screen
may hold it.
"""

import json
import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from gpttui.errors import UserError, one_line
from gpttui.files import from_json, in_words, read_bytes, write_whole
from gpttui.inference.sampling import check
from gpttui.interventions import Intervention
from gpttui.records import Array, Conversation, Sampling, Told

FORMAT, VERSION = "gpttui session", 3
OF_A_CHECKPOINT, PLAIN_VERSION = 2, 1
"""Of files that older versions read as they are meant: without settings that those do not have; nor a checkpoint."""
MOST_TOKENS, MOST_BRANCHES, MOST_BITS = 100_000, 100_000, 1e7
SINCE_3 = "logit_bias", "repetition_penalty", "presence_penalty", "frequency_penalty", "min_p"
"""Settings of the sampling that older versions do not have."""
Count = Annotated[int, Meta(ge=0, lt=1 << 53)]
TokenId = Annotated[int, Meta(ge=0, lt=1 << 31)]
OTHER = "name the model that it was saved with: --model PATH"


@dataclass(frozen=True, slots=True)
class Node:
    """One token of one continuation."""

    id: Count
    parent: Annotated[int, Meta(ge=-1, lt=1 << 53)]
    """-1: it follows the prompt."""
    token_id: TokenId
    bits: float
    """Surprisal, -log2 of the probability that the model gave this token here; nan where it is not known."""
    picked: bool = False
    """A person chose it."""
    bookmark: str = ""
    """Its name, where it has one."""
    under: str | None = None
    """Which model gave it `bits`: its weights and interventions in words, empty as it was loaded; see `model_words`.
    None: an older file that does not say."""

    @property
    def prob(self) -> float:
        return float(2.0**-self.bits)


@dataclass(frozen=True, slots=True)
class Row:
    """A node as a list shows it."""

    node: Node
    depth: int
    """Tokens behind the prompt, this one the last."""
    joint_bits: float
    """Of the whole continuation up to here."""
    models: frozenset[str | None]
    """Those that measured it: of several, `joint_bits` is no probability."""
    n_below: int
    """Nodes that hang on this one."""


class Branches:
    """A tree of continuations of one prompt. The node -1 is the prompt itself."""

    def __init__(self, nodes: Sequence[Node] = ()) -> None:
        self.nodes = {node.id: node for node in nodes}
        self.now = ""
        """The model that measured last, as in `Node.under`."""
        self._next = max(self.nodes, default=-1) + 1
        self._children: dict[int, list[int]] = {-1: []}
        for node in nodes:
            self._children.setdefault(node.parent, []).append(node.id)
            self._children.setdefault(node.id, [])

    def __len__(self) -> int:
        return len(self.nodes)

    def child_ids(self, node_id: int = -1) -> Sequence[int]:
        """What follows a node, in the order it was tried."""
        return self._children[node_id]

    def follow(
        self,
        token_ids: Sequence[int],
        bits: Sequence[float] | Array,
        picked: Sequence[bool] = (),
        at: int = -1,
        under: str = "",
    ) -> int:
        """Make sure the continuation `token_ids` (behind the node `at`) is in the tree; the id of its last node.

        Nodes that are there stay, but take on the newer `bits`, which the model `under` gave, where they are known.
        """
        self.now = under
        for n, (token_id, surprisal) in enumerate(zip(token_ids, bits, strict=True)):
            by_hand = n < len(picked) and picked[n]
            found = next((child for child in self._children[at] if self.nodes[child].token_id == token_id), None)
            if found is None:
                found, self._next = self._next, self._next + 1
                self._children[at].append(found)
                self._children[found] = []
                self.nodes[found] = Node(found, at, int(token_id), float(surprisal), bool(by_hand), under=under)
            elif (self.nodes[found].bits, self.nodes[found].under) != (surprisal, under) and surprisal == surprisal:
                self.nodes[found] = replace(self.nodes[found], bits=float(surprisal), under=under)
            at = found
        return at

    def path(self, node_id: int) -> tuple[Node, ...]:
        """The nodes from the prompt to this one; empty for the prompt. Raises UserError for a node that is gone."""
        found = []
        while node_id != -1:
            node = self._node(node_id)
            found.append(node)
            node_id = node.parent
        return tuple(reversed(found))

    def joint_bits(self, node_id: int) -> float:
        """-log2 of the probability of the whole continuation up to a node."""
        return sum(node.bits for node in self.path(node_id))

    def models(self, node_id: int) -> frozenset[str | None]:
        """Which models measured the continuation up to a node."""
        return frozenset(node.under for node in self.path(node_id))

    def take_for(self, under: str) -> None:
        """Nodes of a file that does not say which model measured them are taken to be of this one."""
        for node in list(self.nodes.values()):
            if node.under is None:
                self.nodes[node.id] = replace(node, under=under)

    def bookmark(self, node_id: int, name: str) -> None:
        """Name a node; an empty name takes the bookmark away."""
        self.nodes[node_id] = replace(self._node(node_id), bookmark=" ".join(name.split()))

    @property
    def bookmarks(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes.values() if node.bookmark)

    def prune(self, node_id: int) -> int:
        """Forget a node and all that hangs on it; how many that were."""
        parent = self._node(node_id).parent
        gone = [row.node.id for row in self.rows(node_id)]
        self._children[parent].remove(node_id)
        for node in gone:
            del self.nodes[node], self._children[node]
        return len(gone)

    def rows(self, node_id: int = -1) -> Iterator[Row]:
        """The tree under (and with) a node, depth first, as a list shows it."""
        above = self.path(node_id)
        waiting = [node_id] if node_id != -1 else list(reversed(self._children[-1]))
        models = frozenset(node.under for node in above[:-1])
        depths = {-1: (len(above[:-1]), sum(node.bits for node in above[:-1]), models)}
        found: list[tuple[Node, int, float, frozenset[str | None]]] = []
        while waiting:
            node = self.nodes[waiting.pop()]
            depth, bits, models = depths.get(node.parent, depths[-1])
            models = models if node.under in models else models | {node.under}
            depths[node.id] = depth + 1, bits + node.bits, models
            found.append((node, *depths[node.id]))
            waiting += reversed(self._children[node.id])
        below = dict.fromkeys((node.id for node, *_ in found), 0)
        for node, *_ in reversed(found):
            if node.parent in below:
                below[node.parent] += below[node.id] + 1
        return (Row(*facts, below[facts[0].id]) for facts in found)

    def _node(self, node_id: int) -> Node:
        if node_id not in self.nodes:
            raise UserError("this branch is no longer there")
        return self.nodes[node_id]


def model_key(weights: str, words: Sequence[str], exact: str = "") -> str:
    """What `Node.under` calls a model. `exact`: whatever else tells two apart that go by the same words."""
    told = ", ".join((*([weights] if weights else ()), *words))
    return f"{told} #{zlib.crc32(exact.encode()):08x}" if exact else told


def model_words(under: str | None) -> str:
    """`Node.under` for people."""
    return (under or "").partition(" #")[0] or "the model as loaded"


class OfRun(msgspec.Struct, frozen=True):
    """Which weights: those that a run saved at a step."""

    run: Annotated[str, Meta(max_length=4096)]
    """Its directory."""
    step: Count


class SessionFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that brings a screen back, as JSON. Token ids are of the named model's tokenizer."""

    format: str = FORMAT
    version: int = PLAIN_VERSION
    model: Annotated[str, Meta(max_length=4096)]
    """An id of the gallery, or a path."""
    vocab_size: Count
    params: Count
    """Both tell whether the model is still the one that the session was made with."""
    checkpoint: OfRun | None = None
    """Since version 2: the weights that the text stands under; None: the model's own."""
    prompt: str
    conversation: Conversation | None = None
    """Since version 3: what the prompt is, where it is not just a text."""
    bare: bool = False
    """The prompt is without the tokens that the tokenizer puts around a text."""
    appended: Annotated[list[TokenId], Meta(max_length=MOST_TOKENS)] = []
    picked: list[bool] = []
    draws: list[Told] = []
    """How each appended token was drawn, where it is known; empty, or one for each. Since version 3 with the settings
    of that moment, where they were others than `sampling`."""
    sampling: Sampling = Sampling()
    seed: int = 0
    interventions: list[Intervention] = []
    branches: Annotated[list[Node], Meta(max_length=MOST_BRANCHES)] = []
    position: Annotated[int, Meta(ge=-1, lt=1 << 31)] = -1
    layer: Annotated[int, Meta(ge=0, lt=1 << 31)] = 0
    head: Annotated[int, Meta(ge=0, lt=1 << 31)] = 0
    view: dict[str, Any] = {}
    """Whatever else the screen wants back: open pane, colour mode, pinned tokens, the other prompt of Compare …"""


def session_text(session: SessionFile) -> str:
    """What the file of a session holds. Raises UserError where a number in it is none that JSON knows."""
    plain = {"format": FORMAT} | msgspec.to_builtins(session) | {"version": version_of(session)}
    plain |= {"draws": [told and [*told[:3], *filter(None, told[3:])] for told in plain.get("draws", ())]}
    for node in plain.get("branches", ()):
        node["bits"] = None if node["bits"] != node["bits"] else node["bits"]
    try:
        return json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    except ValueError as error:
        raise UserError(f"the session cannot be written: {one_line(error)}") from error


def version_of(session: SessionFile) -> int:
    """The oldest version that can say it."""
    chats = session.conversation is not None
    if chats or any(map(session.sampling.is_on, SINCE_3)) or any(told and told.sampling for told in session.draws):
        return VERSION
    return PLAIN_VERSION if session.checkpoint is None else OF_A_CHECKPOINT


def save_session(session: SessionFile, file: Path) -> None:
    """Write the file whole or not at all. Raises UserError where that is not possible."""
    text = session_text(session)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, text)
    except OSError as error:
        raise UserError(f"{file} cannot be written: {error.strerror}; choose another place") from error


def load_session(file: Path) -> SessionFile:
    """Read a session file. Raises UserError, in one line, for anything that is not one this gpttui can replay."""
    try:
        data = read_bytes(file)
    except FileNotFoundError as error:
        raise UserError(f"{file} cannot be read as a session: there is no such file") from error
    raw = from_json(data, dict[str, Any], str(file))
    if raw.get("format") != FORMAT:
        raise UserError(f"{file} is not a gpttui session; those are saved with ctrl+o")
    if type(raw.get("version")) is not int:
        raise UserError(f"{file} is damaged: its version is not a whole number")
    if raw["version"] > VERSION:
        raise UserError(f"{file} was saved by a newer gpttui (format {raw['version']}); upgrade to open it")
    try:
        for node in raw.get("branches", ()):
            node["bits"] = math.nan if node["bits"] is None else node["bits"]
        session = msgspec.convert(raw, SessionFile)
    except msgspec.ValidationError as error:
        raise UserError(f"{file} is damaged: {': '.join(filter(None, in_words(error)))}") from error
    except (KeyError, TypeError) as error:
        raise UserError(f"{file} is damaged: its branches are none") from error
    if len(session.picked) != len(session.appended) or len(session.draws) not in (0, len(session.appended)):
        raise UserError(f"{file} is damaged: it does not say for every token how it was chosen")
    there = {-1}
    for n, node in enumerate(session.branches, 1):
        if node.id in there or node.parent not in there or not (math.isnan(node.bits) or abs(node.bits) < MOST_BITS):
            raise UserError(f"{file} is damaged: its branch number {n} hangs on none before it, or has no surprisal")
        there.add(node.id)
    return session


def weights_of(session: SessionFile, model: Path) -> OfRun | None:
    """The session's checkpoint; of a run that has moved, if `model`, which is opened for it, is the run's own."""
    held = session.checkpoint
    if held is not None and not Path(held.run).exists() and model.parent.name == "checkpoints":
        return OfRun(str(model.parent.parent), held.step)
    return held


def not_back(file: str, why: str) -> str:
    """What to say of a file that the model cannot follow: a layer or a checkpoint that is not there."""
    return f"{file} cannot be brought back: {why}; {OTHER}, or mend the file"


def check_session(session: SessionFile, model: str, vocab_size: int, params: int) -> None:
    """Raises UserError where the session was made with another model than `model`."""
    for sampling in (session.sampling, *(told.sampling for told in session.draws if told and told.sampling)):
        check(sampling, vocab_size)
    chat = session.conversation
    if chat is not None and not all(0 <= turn.start <= turn.end <= len(chat.ids) for turn in chat.turns):
        raise UserError("this session is damaged: its conversation has turns outside its tokens")
    ids = (*session.appended, *(chat.ids if chat is not None else ()), *(node.token_id for node in session.branches))
    whose = f"this session belongs to {session.model} with"
    if session.vocab_size != vocab_size or max(ids, default=0) >= vocab_size or min(ids, default=0) < 0:
        raise UserError(f"{whose} {session.vocab_size} tokens; {model} has {vocab_size}; {OTHER}")
    if session.params != params:
        raise UserError(f"{whose} {session.params:,} parameters; {model} has {params:,}; {OTHER}")
