"""An engine whose answers come late and in another order, and what panes say held against what their numbers are of.

For: tests of screens under any timing. `LateEngine` is the real engine; it answers at once and in order, and delivers
each answer after a time of its own, drawn under a seed. It remembers what every answer is of; `disagreements` reads the
labels of the screen and holds them against that.
"""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from textual import events

from gpttui.inference.interventions import made_of
from gpttui.interventions import AblateHead, AblateNeuron, Intervention
from gpttui.protocol.message import Answer, Request
from gpttui.tui.app import GpttuiApp
from gpttui.tui.renderables.labels import quoted_label
from gpttui.tui.screens.play import PlayScreen
from gpttui.tui.views.attention.screen import AttentionScreen
from gpttui.tui.views.compare.screen import CompareScreen
from gpttui.tui.views.cost.screen import CostScreen
from gpttui.tui.views.frame import InsideScreen
from gpttui.tui.views.interventions.screen import InterventionsScreen
from gpttui.tui.views.journey.screen import JourneyScreen
from gpttui.tui.views.layers.screen import LayersScreen
from gpttui.tui.views.mlp.screen import MLPScreen
from gpttui.tui.views.vectors.screen import VectorsScreen
from gpttui.tui.widgets.pane import Pane
from gpttui.tui.widgets.scrubber import LIVE
from tests.tui.engine_inside import EngineInside

DELAYS_S = (0.0, 0.0, 0.01, 0.06, 0.12, 0.25)


@dataclass(frozen=True)
class Subject:
    """What an answer is of."""

    answer: Any
    request: Any
    ids: tuple[int, ...]
    weights: str
    made: tuple[Intervention, ...]


class LateEngine(EngineInside):
    """The real engine, its answers delayed and so reordered."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.rng = random.Random(seed)
        self.subjects: dict[int, Subject] = {}

    async def request(self, request: Request) -> Answer:
        answer = await super().request(request)
        session = self.session
        if session is not None:
            ids = tuple(session.ids.tolist())
            self.subjects[id(answer)] = Subject(answer, request, ids, session.weights, made_of(session))
        await asyncio.sleep(self.rng.choice(DELAYS_S))
        return answer

    def forget(self, kept: int = 400) -> None:
        """All but the answers of late."""
        for old in list(self.subjects)[:-kept]:
            del self.subjects[old]

    def of(self, answer: Any) -> Subject:
        return self.subjects[id(answer)]


def press(app: GpttuiApp, *keys: str) -> None:
    """Keys in one burst."""
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))


def disagreements(app: GpttuiApp, engine: LateEngine) -> list[str]:
    """What is wrong on the screen as it is painted: labels that are not of their numbers, old numbers not faint."""
    screen = app.screen
    if isinstance(screen, PlayScreen):
        return list(_playground(screen, engine))
    if isinstance(screen, InsideScreen) and not screen.hold.holding and screen.link.snapshot is not None:
        return [f"{type(screen).__name__}: {wrong}" for wrong in _view(screen, engine)]
    return []


# ── The playground ────────────────────────────────────────────────────────────────────────────────────────────────


def _playground(screen: PlayScreen, engine: LateEngine) -> Iterator[str]:
    snapshot, session = screen.tokens.snapshot, engine.session
    if snapshot is None or session is None:
        return
    for pane in (screen.next, screen.attention, screen.header):
        if pane.snapshot is not snapshot:
            yield f"{pane} is of another moment than the text"
    prediction = snapshot.prediction
    if prediction is not None:
        after = quoted_label(screen.next.tokenizer, int(snapshot.ids[prediction.position]), 14)
        if f"after {after}" not in _title(screen.next):
            yield f"the next token after {after} is called {_title(screen.next)!r}"
    weights, (layer, head) = screen.attention._weights, screen.attention._key
    same = (tuple(snapshot.ids.tolist()), snapshot.weights, snapshot.interventions)
    if weights is not None and same == (tuple(session.ids.tolist()), session.weights, session.tap_names):
        truth = session.attention(layer, head)
        if truth is not None and not np.allclose(truth.weights, weights, atol=1e-5):
            yield f"layer {layer + 1} head {head + 1} is called {_title(screen.attention)!r}"
        if f"layer {layer + 1}/" not in _title(screen.attention):
            yield f"the square of layer {layer + 1} is called {_title(screen.attention)!r}"
    if snapshot is screen.link.snapshot and screen.scrubber.display and not screen.link.waits_for("scrub"):
        at = screen.scrubber.at
        named = snapshot.weights.removeprefix("checkpoint ").replace(",", "")
        if snapshot.weights.startswith("checkpoint") and (str(at), screen.loss.marker) != (named, at):
            yield f"{snapshot.weights} with the knob at {at}, the mark at {screen.loss.marker}"
        if snapshot.weights.startswith("training") and (at, screen.loss.marker) != (LIVE, None):
            yield f"live weights with the knob at {at}, the mark at {screen.loss.marker}"


# ── The views ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _view(screen: InsideScreen, engine: LateEngine) -> Iterator[str]:
    shown = {
        InterventionsScreen: _interventions,
        MLPScreen: _mlp,
        VectorsScreen: _vectors,
        JourneyScreen: _journey,
        AttentionScreen: _attention,
        LayersScreen: _layers,
        CostScreen: _cost,
        CompareScreen: _compare,
    }.get(type(screen))
    if shown is not None:
        yield from shown(screen, engine)  # type: ignore[operator]


def _title(pane: Any) -> str:
    return "" if pane.border_title is None else str(pane.border_title)


def _faint(pane: Pane) -> bool:
    return pane.has_class("-dated")


def _label(screen: InsideScreen, subject: Subject, position: int, width: int = 16) -> str:
    return quoted_label(screen.context.tokenizer, subject.ids[position], width)


def _old(
    screen: InsideScreen, pane: Pane, subject: Subject, position: int | None, *, model: bool = True
) -> Iterator[str]:
    """Numbers of another selection, text or model than now, unless they are faint."""
    snapshot = screen.link.snapshot
    assert snapshot is not None
    if _faint(pane):
        return
    if position is not None and position != screen.position:
        yield f"{pane.id} is of token {position + 1}, selected is {screen.position + 1}"
    upto = len(subject.ids) if position is None else position + 1
    if subject.ids[:upto] != tuple(snapshot.ids.tolist())[:upto]:
        yield f"{pane.id} is of another text"
    words = tuple(change.words for change in subject.made)
    if model and (subject.weights, words) != (snapshot.weights, snapshot.interventions):
        yield f"{pane.id} is of {subject.weights} {words}, the header says {snapshot.weights} {snapshot.interventions}"


def _interventions(screen: InterventionsScreen, engine: LateEngine) -> Iterator[str]:
    bars, board = screen.bars, screen.board
    if bars.found is not None:
        subject = engine.of(bars.found)
        follows = f"what follows {_label(screen, subject, bars.found.position)}"
        if follows not in _title(bars):
            yield f"bars of {follows!r} are called {_title(bars)!r}"
        yield from _old(screen, bars, subject, bars.found.position)
    for layer, found in board.effects.items():
        subject = engine.of(found)
        if subject.request.layer != layer:
            yield f"effects of layer {subject.request.layer + 1} stand under layer {layer + 1}"
        yield from _old(screen, board, subject, found.position)


def _mlp(screen: MLPScreen, engine: LateEngine) -> Iterator[str]:
    activity = screen.flow.found
    if activity is not None:
        subject, title = engine.of(activity), _title(screen.flow)
        if (
            f"layer {activity.layer + 1}" not in title
            or f"at {_label(screen, subject, activity.position)}" not in title
        ):
            yield f"layer {activity.layer + 1}, token {activity.position + 1} is called {title!r}"
        mine = {c.neuron for c in subject.made if isinstance(c, AblateNeuron) and c.layer == activity.layer}
        if screen.top.found is not activity or screen.top.silenced != mine:
            yield f"neurons marked silent: {set(screen.top.silenced)}, silent: {mine}"
        yield from _old(screen, screen.flow, subject, activity.position)
        if activity.layer != screen.selection.layer and not _faint(screen.flow):
            yield f"flow is of layer {activity.layer + 1}"
    neuron, passages = screen.about.found, screen.about.passages
    if neuron is not None:
        request = engine.of(neuron).request
        if f"Neuron {request.neuron + 1} of layer {request.layer + 1}" != _title(screen.about):
            yield f"neuron {request} is called {_title(screen.about)!r}"
        if passages is not None and (passages.layer, passages.neuron) != (neuron.layer, neuron.neuron):
            yield "passages of another neuron"


def _vectors(screen: VectorsScreen, engine: LateEngine) -> Iterator[str]:
    near, total = screen.near, screen.sum
    if near.own is not None and near.later is not None:
        own, later = engine.of(near.own), engine.of(near.later)
        token = quoted_label(screen.context.tokenizer, own.request.token_id, 16)
        if token not in _title(near) or later.ids[near.later.position] != own.request.token_id:
            yield f"neighbours of {token} are called {_title(near)!r}"
        if f"layer {later.request.stop // screen.stops_a_layer}" != near.place:
            yield f"stop {later.request.stop} is called {near.place!r}"
        if own.request.table != later.request.table:
            yield "two tables in one pane"
        yield from _old(screen, near, later, near.later.position)
    if total.found is not None:
        request = engine.of(total.found).request
        asked = (request.a, request.b, request.c, *([request.expected] if request.expected >= 0 else []))
        if asked != total.asked:
            yield "a sum stands over the answer to another"
    if screen.map.found is not None and not _faint(screen.map):
        subject, snapshot = engine.of(screen.map.found), screen.link.snapshot
        assert snapshot is not None
        if subject.request.of == "text" and (subject.ids, subject.weights) != (
            tuple(snapshot.ids.tolist()),
            snapshot.weights,
        ):
            yield "the map is of another text"


def _journey(screen: JourneyScreen, engine: LateEngine) -> Iterator[str]:
    journey, pane = screen.pane.journey, screen.pane
    if journey is None:
        return
    subject = engine.of(journey)
    if f"Journey of {_label(screen, subject, journey.position)}" not in _title(pane):
        yield f"token {journey.position + 1} is called {_title(pane)!r}"
    if pane.snapshot is None or tuple(pane.snapshot.ids.tolist()) != subject.ids:
        yield "the tokens that heads look at are named by another text"
    if pane.watched >= 0 and (pane.watched,) != subject.request.watched:
        yield "the rank is of another token"
    yield from _old(screen, pane, subject, journey.position)


def _attention(screen: AttentionScreen, engine: LateEngine) -> Iterator[str]:
    found, pane, cell = screen.stages.stages, screen.stages, screen.cell
    if found is not None:
        subject = engine.of(found)
        title = f"layer {found.layer + 1}/{pane.shape[0]} · head {found.head + 1}/"
        silent = AblateHead(found.layer, found.head) in subject.made
        if title not in _title(pane) or ("silenced" in _title(pane)) != silent:
            yield f"{title} (silent: {silent}) is called {_title(pane)!r}"
        last = max(*found.cell, found.first_query + len(found.raw) - 1)
        if pane.snapshot is None or tuple(pane.snapshot.ids.tolist())[: last + 1] != subject.ids[: last + 1]:
            yield "scores stand between tokens of another text"
        yield from _old(screen, pane, subject, None if found.cell[0] == screen.position else found.cell[0])
        if (found.layer, found.head) != (screen.selection.layer, screen.selection.head) and not _faint(pane):
            yield f"stages are of layer {found.layer + 1} head {found.head + 1}"
    if cell.found is not None and max(cell.found.cell) >= 0:
        subject = engine.of(cell.found)
        names = tuple(_label(screen, subject, at, 14) for at in cell.found.cell)
        if names != cell.names:
            yield f"the cell of {names} is called {cell.names}"


def _layers(screen: LayersScreen, engine: LateEngine) -> Iterator[str]:
    pinned, shares = screen.ranks.found, screen.shares.found
    if pinned is not None:
        subject = engine.of(pinned.column)
        if pinned.ids != subject.request.watched:
            yield "ranks of other tokens"
        following, at = screen.ranks.following, pinned.column.first + 1
        if following >= 0 and at < len(subject.ids) and following != subject.ids[at]:
            yield "another token is called the next one"
        yield from _old(screen, screen.ranks, subject, pinned.column.first)
    if shares is not None:
        subject = engine.of(shares)
        if shares.token_ids != subject.request.token_ids:
            yield "shares of other tokens"
        yield from _old(screen, screen.shares, subject, shares.position)


def _cost(screen: CostScreen, engine: LateEngine) -> Iterator[str]:
    cost = screen.parts.found
    if cost is not None:
        subject = engine.of(cost)
        if f"What {_label(screen, subject, cost.position, 12)} costs" not in _title(screen.parts):
            yield f"token {cost.position + 1} is called {_title(screen.parts)!r}"
        if screen.growth.found is not cost:
            yield "two tokens side by side"
        yield from _old(screen, screen.parts, subject, cost.position, model=False)


def _compare(screen: CompareScreen, engine: LateEngine) -> Iterator[str]:
    compared, two = screen.distances.found, screen.two
    if compared is None or two is None or screen.context.tokenizer is None:
        return
    subject = engine.of(compared)
    if not _faint(screen.distances):
        if (subject.request.text_a, subject.request.text_b) != (two.a, two.b):
            yield "distances of two other texts"
        marks = compared.position_a, compared.position_b
        if marks != screen.texts.marks:
            yield f"distances of {marks}, marked are {screen.texts.marks}"
    if screen.parts.found is not compared or screen.follows.found is not compared:
        yield "panes of two comparisons"
