"""What the inside views keep between requests, and what their handlers share. Nothing is decided here."""

import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import numpy as np
from torch import Tensor

from gpttui.engine.passages import Search
from gpttui.errors import UserError
from gpttui.inference import heads, neighbours
from gpttui.inference.recorder import Window
from gpttui.inference.session import Session
from gpttui.inference.trace import Stop, Trace, check_ids, of_window, record_row, stops
from gpttui.model.gpt import GPT
from gpttui.model.taps import PlacedTap, placed
from gpttui.protocol.message import Answer
from gpttui.records import Array, frozen

ROWS_KEPT = 8
"""Passes over single tokens that are remembered, so that views of the same token share one."""


K = TypeVar("K")
T = TypeVar("T")
State = tuple["weakref.ref[GPT]", int]


def state_of(model: GPT) -> State:
    """Which model, and how often its weights have been written to."""
    return weakref.ref(model), model.lm_head.weight._version


class Kept(Generic[K, T]):
    """One thing, good for as long as its key stays the same."""

    def __init__(self) -> None:
        self._held: tuple[K, T] | None = None

    def get(self, key: K, make: Callable[[], T]) -> T:
        """What was made for this very key, or made now."""
        if self._held is None or self._held[0] != key:
            self._held = key, make()
        return self._held[1]


class InspectCache:
    """What the inside views keep between requests."""

    def __init__(self) -> None:
        self._rows: OrderedDict[tuple[int, int, bytes], Trace] = OrderedDict()
        self._probe = Kept[tuple[State, tuple[str, ...]], list[Array]]()
        self._plain = Kept[tuple[State, int], Window]()
        self._lengths = Kept[State, dict[str, Tensor]]()
        self._survey = Kept[tuple[int, int, int, bool, bytes], dict[int, heads.Survey]]()
        self.search: Search | None = None

    @property
    def searching(self) -> bool:
        return self.search is not None and self.search.running

    def search_on(self, send: Callable[[Answer], None]) -> None:
        """One slice of the search; tells the screen of progress from time to time."""
        if self.search is not None and (news := self.search.slice()) is not None:
            send(news)

    def row(self, session: Session, position: int) -> Trace:
        """Every site of one position (brought into the window): a pass over that token alone."""
        window, row = session.window, session.row(position)
        key = (session.epoch, window.start, window.ids[: row + 1].tobytes())
        if key not in self._rows:
            tap = placed(session.tap, window.start + row)
            token_id = int(window.ids[row])
            self._rows[key] = record_row(session.model, window.cache, token_id, row, tap=tap, start=window.start)
            while len(self._rows) > ROWS_KEPT:
                self._rows.popitem(last=False)
        self._rows.move_to_end(key)
        return self._rows[key]

    def probed(self, session: Session) -> list[Array]:
        """The draws of the standard probe that the model with its interventions has been through."""
        return self._probe.get((state_of(session.model), session.tap_names), list)

    def probe(self, session: Session, draws: int) -> Array:
        """Head scores on so many draws of the standard probe: each drawn once for a model and its interventions."""
        drawn = self.probed(session)
        while len(drawn) < draws:
            drawn.append(heads.probe_draw(session.model, len(drawn), changes=changes_of(session)))
        return heads.mean_scores(drawn[:draws])

    def survey(self, session: Session, side: int, layers: Sequence[int], hide_first: bool = False) -> heads.Survey:
        """All heads of some layers over the window, each layer once for a text."""
        window = session.window
        key = (session.epoch, window.start, side, hide_first, window.ids[: window.length].tobytes())
        known = self._survey.get(key, dict)
        for layer in layers:
            if layer not in known:
                changes = changes_of(session)
                trace = of_window(window)
                known[layer] = heads.survey(trace, side=side, layers=[layer], hide_first=hide_first, changes=changes)
        found = [known[layer] for layer in layers]
        return heads.Survey(
            *(frozen(np.concatenate(x)) for x in zip(*((f.scores, f.maps) for f in found), strict=True))
        )

    def lengths(self, model: GPT, table: neighbours.Table) -> Tensor:
        """Of every token's vector: once for each state of the weights."""
        known = self._lengths.get(state_of(model), dict)
        if table not in known:
            known[table] = neighbours.token_lengths(neighbours.token_table(model, table))
        return known[table]

    def plain(self, session: Session) -> Window:
        """The session's window as the unaltered model sees it; grows and shrinks with it, a row at a time."""
        window = session.window
        if session.tap is None:
            return window
        key = (state_of(session.model), window.start)
        ours = self._plain.get(key, lambda: Window(session.model, window.ids[: window.length], start=window.start))
        shared = min(ours.length, window.length)
        differs = np.flatnonzero(ours.ids[:shared] != window.ids[:shared])
        ours.truncate(int(differs[0]) if len(differs) else shared)
        if ours.length < window.length:
            ours.extend(window.ids[ours.length : window.length])
        return ours


def changes_of(session: Session) -> PlacedTap | None:
    return session.tap if isinstance(session.tap, PlacedTap) else None


def stop_of(session: Session, number: int) -> Stop:
    found = stops(session.model.config)
    if not 0 <= number < len(found):
        raise UserError(f"there is no stop {number + 1}; the residual stream's are 1 (the embedding) to {len(found)}")
    return found[number]


def on_model(model: GPT, x: Tensor) -> Tensor:
    return x.to(model.lm_head.weight.device)


def known_ids(session: Session, token_ids: tuple[int, ...]) -> tuple[int, ...]:
    if token_ids:
        for first in range(0, len(token_ids), session.model.config.context):
            check_ids(session.model.config, token_ids[first : first + session.model.config.context])
    return token_ids
