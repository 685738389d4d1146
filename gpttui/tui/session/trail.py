"""The way a text has taken: every continuation that was tried as a tree, and how each of its tokens came to be.

For: the branches view, bookmarks, saved sessions, and the question whether a shell command would write the same again.
It only listens to the session link. Not for: jumping (the engine does). No widget, no torch.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from textual.message import Message

from gpttui.interventions import ForbidEdge, Intervention, PatchResidual, Steer, as_arguments
from gpttui.records import Sampling, Snapshot, Told
from gpttui.sessions.tree import Branches, model_key
from gpttui.tui.session.messages import ModelOpened, SnapshotArrived

if TYPE_CHECKING:
    from gpttui.tui.session.link import SessionLink

Under = tuple[Sampling, int, tuple[str, ...], str]
"""What a token was drawn under: sampling, seed, interventions in words, weights."""


class Trail:
    """The tree of the open prompt; those of earlier prompts are kept, and found again when their prompt comes back."""

    def __init__(self, link: "SessionLink") -> None:
        self._link = link
        self.tree = Branches()
        self.leaf = -1
        """Node of the newest token of the text; -1 at the prompt."""
        self._ids: list[int] = []
        self._under: dict[int, Under] = {}
        """By node: only of tokens that were drawn here."""
        self._told: dict[int, Told] = {}
        """By node: the draw that made it."""
        self._others: dict[tuple[str, tuple[int, ...]], tuple[Branches, dict[int, Under], dict[int, Told]]] = {}

    def heard(self, message: Message) -> None:
        """What the link tells the screen."""
        if isinstance(message, ModelOpened):
            self._follow(message.opened.snapshot, "open")
        elif isinstance(message, SnapshotArrived) and (message.kind != "show" or message.snapshot.weights):
            self._follow(message.snapshot, message.kind)

    def _follow(self, snapshot: Snapshot, kind: str) -> None:
        ids, first, under = snapshot.ids.tolist(), snapshot.n_prompt, self._model(snapshot)
        if kind == "step" and ids[:-1] == self._ids:  # most often: a token more, and nothing else
            self.leaf = self.tree.follow(ids[-1:], [float(snapshot.surprisal_bits[-1])], at=self.leaf, under=under)
        else:
            path = "" if self._link.card is None else self._link.card.path
            key = path, tuple(ids[:first])
            self.tree, self._under, self._told = self._others.setdefault(key, (Branches(), {}, {}))
            bits = snapshot.surprisal_bits[first:].tolist()
            self.leaf = self.tree.follow(ids[first:], bits, self._link.picked, under=under)
        self._ids = ids
        if kind == "step" and self.leaf >= 0:
            self._under[self.leaf] = _under(snapshot)
        if kind in ("step", "choose") and (draw := snapshot.last_draw) is not None and self.leaf >= 0:
            self._told[self.leaf] = (None if math.isnan(draw.uniform) else draw.uniform), draw.low, draw.high

    def _model(self, snapshot: Snapshot) -> str:
        """The model that a snapshot is of, for the tree: its weights, and the interventions in their order.

        Zeros and forbidden edges may come in any order. Texts that words cut short, and the run of a checkpoint, count.
        """
        words, changes = snapshot.interventions, self._link.changes
        if all(isinstance(change, ForbidEdge) or getattr(change, "mode", "") == "zero" for change in changes):
            words = tuple(sorted(words))
        run = self._link.under[0] if snapshot.weights and self._link.under is not None else ""
        texts = [change for change in changes if isinstance(change, PatchResidual | Steer) or _over(change)]
        exact = [Path(run).name] * bool(run) + [msgspec.json.encode(change).decode() for change in texts]
        return model_key(snapshot.weights, words, " ".join(exact))

    def draws(self, node_id: int) -> list[Told]:
        """How each token from the prompt to a node was drawn, as far as it is known."""
        return [self._told.get(node.id) for node in self.tree.path(node_id)]

    def adopt(self, tree: Branches, draws: Sequence[Told]) -> None:
        """Go on with a tree that was saved: it is of the text that is open, whose `draws` are told."""
        snapshot, card = self._link.snapshot, self._link.card
        if snapshot is not None and card is not None:
            tree.take_for(self._model(snapshot))
            prompt = tuple(snapshot.ids[: snapshot.n_prompt].tolist())
            self._others[card.path, prompt] = (tree, {}, {})
            self._follow(snapshot, "open")
            self._told |= {node.id: told for node, told in zip(tree.path(self.leaf), draws, strict=False)}

    # ── Bookmarks ────────────────────────────────────────────────────────────────────────────────────────────────

    def free_name(self) -> str:
        """The first number that no bookmark has."""
        taken = {node.bookmark for node in self.tree.bookmarks}
        return next(str(n) for n in range(1, len(taken) + 2) if str(n) not in taken)

    def toggle_bookmark(self, node_id: int) -> str:
        """Mark a node by a free name, or take its mark away; the name, empty where it was taken."""
        name = "" if self.tree.nodes[node_id].bookmark else self.free_name()
        self.tree.bookmark(node_id, name)
        return name

    # ── Would a command write the same? ──────────────────────────────────────────────────────────────────────────

    def not_by_command(self) -> str:
        """Why `gpttui generate` would write another text, in a few words; empty where it writes this one."""
        link, snapshot = self._link, self._link.snapshot
        if snapshot is None:
            return "there is no text yet"
        changes = link.changes
        whole = not any(_over(change) for change in changes)
        if link.prompt.strip() == "-" or "\0" in link.prompt:
            return "a shell cannot pass this prompt on"
        if snapshot.weights:
            return f"its weights are those of {snapshot.weights}"
        if any(link.picked):
            return f"token {snapshot.n_prompt + link.picked.index(True) + 1} was picked by hand"
        if len(as_arguments(changes)) < len(changes) or not whole:
            return "--ablate has no word for what is patched or steered"
        now = _under(snapshot)
        if any(self._under.get(node.id) != now for node in self.tree.path(self.leaf)):
            return "settings, seed or changes were others on the way"
        return ""


def _over(change: Intervention) -> str:
    """The text of its own that it takes a mean over."""
    return getattr(change, "over", "")


def _under(snapshot: Snapshot) -> Under:
    return snapshot.sampling, snapshot.seed, snapshot.interventions, snapshot.weights
