"""The way a text has taken: every continuation that was tried as a tree, and how each of its tokens came to be.

For: the branches view, bookmarks, saved sessions, and the question whether a shell command would write the same again.
It is told of every text (`follow`) and knows nobody. Not for: jumping (the engine does). No widget, no torch.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import msgspec

from gpttui.interventions import ForbidEdge, Intervention, PatchResidual, Steer, as_arguments
from gpttui.records import Conversation, Sampling, Snapshot, Told, ToldDraw
from gpttui.sessions.tree import Branches, model_key

Under = tuple[Sampling, int, tuple[str, ...], str]
"""What a token was drawn under: sampling, seed, interventions in words, weights."""


class Trail:
    """The tree of the open prompt; those of earlier prompts are kept, and found again when their prompt comes back."""

    def __init__(self) -> None:
        self.tree = Branches()
        self.leaf = -1
        """Node of the newest token of the text; -1 at the prompt."""
        self._snapshot: Snapshot | None = None
        self._ids: list[int] = []
        self._path = self._model = ""
        """Of the model's directory; and the model with its weights and interventions, for the tree."""
        self._under: dict[int, Under] = {}
        """By node: only of tokens that were drawn here."""
        self._told: dict[int, Told] = {}
        """By node: the draw that made it."""
        self._others: dict[tuple[str, tuple[int, ...]], tuple[Branches, dict[int, Under], dict[int, Told]]] = {}

    def follow(
        self,
        snapshot: Snapshot,
        kind: str,
        path: str,
        run: str,
        changes: Sequence[Intervention],
        picked: Sequence[bool],
    ) -> None:
        """The text as it now is, and the wish that led to it.

        `path` is the open model's, `run` the one whose weights it is under ("": its own); `picked` says for each token
        behind the prompt whether a person chose it.
        """
        ids, first = snapshot.ids.tolist(), snapshot.n_prompt
        self._snapshot, self._path, self._model = snapshot, path, _model(snapshot, run, changes)
        if kind == "step" and ids[:-1] == self._ids:  # most often: a token more, and nothing else
            bits = [float(snapshot.surprisal_bits[-1])]
            self.leaf = self.tree.follow(ids[-1:], bits, at=self.leaf, under=self._model)
        else:
            key = path, tuple(ids[:first])
            self.tree, self._under, self._told = self._others.setdefault(key, (Branches(), {}, {}))
            bits = snapshot.surprisal_bits[first:].tolist()
            self.leaf = self.tree.follow(ids[first:], bits, picked, under=self._model)
        self._ids = ids
        if kind == "step" and self.leaf >= 0:
            self._under[self.leaf] = _under(snapshot)
        if kind in ("step", "choose") and (draw := snapshot.last_draw) is not None and self.leaf >= 0:
            number = None if math.isnan(draw.uniform) else draw.uniform
            self._told[self.leaf] = ToldDraw(number, draw.low, draw.high, draw.sampling)

    def draws(self, node_id: int) -> list[Told]:
        """How each token from the prompt to a node was drawn, as far as it is known."""
        return [self._told.get(node.id) for node in self.tree.path(node_id)]

    def adopt(self, tree: Branches, draws: Sequence[Told], picked: Sequence[bool]) -> None:
        """Go on with a tree that was saved: it is of the text that is open, whose `draws` are told."""
        snapshot = self._snapshot
        if snapshot is not None:
            tree.take_for(self._model)
            first = snapshot.n_prompt
            self.tree, self._under, self._told = tree, {}, {}
            self._others[self._path, tuple(self._ids[:first])] = tree, self._under, self._told
            bits = snapshot.surprisal_bits[first:].tolist()
            self.leaf = tree.follow(self._ids[first:], bits, picked, under=self._model)
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

    def not_by_command(
        self,
        prompt: str,
        changes: tuple[Intervention, ...],
        picked: Sequence[bool],
        conversation: Conversation | None = None,
    ) -> str:
        """Why `gpttui generate` would write another text, in a few words; empty where it writes this one."""
        snapshot = self._snapshot
        if snapshot is None:
            return "there is no text yet"
        whole = not any(_over(change) for change in changes)
        if prompt.strip() == "-" or "\0" in prompt:
            return "a shell cannot pass this prompt on"
        roles = [] if conversation is None else [message.role for message in conversation.messages[:-1]]
        if roles not in ([], ["system"]):
            return "a conversation of several turns is more than a command says"
        if snapshot.weights:
            return f"its weights are those of {snapshot.weights}"
        if any(picked):
            return f"token {snapshot.n_prompt + picked.index(True) + 1} was picked by hand"
        if len(as_arguments(changes)) < len(changes) or not whole:
            return "--ablate has no word for what is patched or steered"
        now = _under(snapshot)
        if any(self._under.get(node.id) != now for node in self.tree.path(self.leaf)):
            return "settings, seed or changes were others on the way"
        return ""


def _model(snapshot: Snapshot, run: str, changes: Sequence[Intervention]) -> str:
    """The model that a snapshot is of, for the tree: its weights, and the interventions in their order.

    Zeros and forbidden edges may come in any order. Texts that words cut short, and the run of a checkpoint, count.
    """
    words = snapshot.interventions
    if all(isinstance(change, ForbidEdge) or getattr(change, "mode", "") == "zero" for change in changes):
        words = tuple(sorted(words))
    texts = [change for change in changes if isinstance(change, PatchResidual | Steer) or _over(change)]
    exact = [Path(run).name] * bool(run) + [msgspec.json.encode(change).decode() for change in texts]
    return model_key(snapshot.weights, words, " ".join(exact))


def _over(change: Intervention) -> str:
    """The text of its own that it takes a mean over."""
    return getattr(change, "over", "")


def _under(snapshot: Snapshot) -> Under:
    return snapshot.sampling, snapshot.seed, snapshot.interventions, snapshot.weights
