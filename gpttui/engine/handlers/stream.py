"""The engine's answers to the inside views: each request of `protocol.stream` by a function of `gpttui.inference`.

What a session's window holds already (residual stream, queries, keys) is read from there. The rest of a position, its
heads' outputs and neurons, is one pass over that one token against the cache, whatever the length of the text. Nothing
is decided here; the little that is kept between requests is `InspectCache`.
"""

import math

import msgspec
import numpy as np
import torch

from gpttui.engine.inspect_cache import changes_of, known_ids, on_model, stop_of
from gpttui.engine.registry import answers
from gpttui.engine.state import Engine
from gpttui.inference import (
    compare,
    contributions,
    journey,
    lens,
    neighbours,
    projection,
)
from gpttui.inference.interventions import compile_changes, made_of
from gpttui.inference.sampling import softmax
from gpttui.inference.trace import check_layer, layer_ends, of_window, record, stops
from gpttui.interventions import AblateHead, AblatePart, Intervention
from gpttui.model.taps import placed
from gpttui.protocol import stream as views
from gpttui.records import Array, frozen


@answers(views.AskJourney)
def ask_journey(engine: Engine, request: views.AskJourney) -> views.Journey:
    session = engine.need_text()
    trace = of_window(session.window)
    return journey.journey(
        session.model,
        trace,
        trace.start + session.row(request.position),
        k=request.top_k,
        watched=known_ids(session, request.watched),
        token_apart=request.token_apart,
        changes=changes_of(session),
    )


@answers(views.AskLens)
def ask_lens(engine: Engine, request: views.AskLens) -> views.LensGrid:
    session = engine.need_text()
    watched = known_ids(session, request.watched)
    trace = of_window(session.window)
    first = session.row(max(0, request.first))
    names = [stop.name for stop in stops(session.model.config)]
    numbers = range(len(names)) if request.between else layer_ends(session.model.config)
    stream = trace.residual(slice(first, first + max(1, request.count)), numbers)
    found = lens.lens(session.model, on_model(session.model, stream), k=max(1, request.top_k), watched=watched)
    return views.LensGrid(
        first=trace.start + first,
        stops=tuple(names[n] for n in numbers),
        numbers=frozen(np.asarray(numbers, dtype=np.int32)),
        **found._asdict(),
    )


@answers(views.AskContributions)
def ask_contributions(engine: Engine, request: views.AskContributions) -> views.Shares:
    session = engine.need_text()
    trace = engine.inside.row(session, request.position)
    return contributions.contributions(session.model, trace, trace.start, known_ids(session, request.token_ids))


@answers(views.AskNeighbours)
def ask_neighbours(engine: Engine, request: views.AskNeighbours) -> views.Near:
    session = engine.need_session()
    model = session.model
    if request.token_id >= 0:
        known_ids(session, (request.token_id,))
        vector, alone = model.transformer.wte.weight[request.token_id], [request.token_id]
        position, name = -1, "token"
    else:
        session = engine.need_text()
        trace, row, stop = of_window(session.window), session.row(request.position), stop_of(session, request.stop)
        vector, alone = on_model(model, trace.stop(stop)[row]), []
        position, name = trace.start + row, stop.name
    lengths = engine.inside.lengths(model, request.table)
    found = neighbours.nearest(model, vector, max(1, request.k), request.table, leave_out=alone, lengths=lengths)
    return msgspec.structs.replace(found, position=position, stop_name=name, n_stops=len(stops(model.config)))


@answers(views.AskArithmetic)
def ask_arithmetic(engine: Engine, request: views.AskArithmetic) -> views.Sum:
    expected = None if request.expected < 0 else request.expected
    model = engine.need_session().model
    return neighbours.arithmetic(model, request.a, request.b, request.c, expected, max(1, request.k))


@answers(views.AskMap)
def ask_map(engine: Engine, request: views.AskMap) -> views.Map:
    session, limit = engine.need_session(), max(1, request.limit)
    if request.of == "vocabulary":
        count = session.model.config.vocab_size
        ids = np.asarray(known_ids(session, request.token_ids) or np.arange(min(count, limit)), dtype=np.int32)
        vectors = session.model.transformer.wte.weight[torch.as_tensor(ids[:limit].astype(np.int64))]
        first = -1
    else:
        trace, stop = of_window(engine.need_text().window), stop_of(session, request.stop)
        row = max(0, len(trace) - limit)
        vectors, ids = trace.stop(stop)[row:], np.asarray(trace.ids[row:], dtype=np.int32)
        first = trace.start + row
    vectors = torch.nn.functional.normalize(vectors.float(), dim=-1) if request.unit else vectors
    points, explained = projection.project(vectors.cpu())
    return views.Map(points, explained, frozen(ids[: len(points)]), first)


@answers(views.AskCompare)
def ask_compare(engine: Engine, request: views.AskCompare) -> views.Compared:
    session = engine.need_session()
    model, tokenizer = session.model, session.tokenizer
    shared = compare.shared_words(tokenizer, request.text_a, request.text_b)
    sites = contributions.contribution_sites(model.config) | {"logits"}
    tap = placed(session.tap, 0)
    a, b = (record(model, session.encode(text), sites, tap=tap) for text in (request.text_a, request.text_b))
    if min(request.position_a, request.position_b) >= 0:
        same = a.ids[a.row(request.position_a)] == b.ids[b.row(request.position_b)]
        pair = compare.SharedWord("", request.position_a, request.position_b, same)
    else:
        pair = compare.choose_pair(tokenizer, request.text_a, request.text_b, request.word or None)
    return compare.compare(model, a, b, pair, shared, k=max(1, request.top_k))


@answers(views.AskUnaltered)
def ask_unaltered(engine: Engine, request: views.AskUnaltered) -> views.Unaltered:
    session = engine.need_text()
    row = session.row(request.position)
    plain, altered = engine.inside.plain(session), session.window
    before, after = (probabilities(window.row_logits(row)) for window in (plain, altered))
    ids = np.asarray(known_ids(session, request.token_ids), dtype=np.int64)
    top, now = (np.argsort(-probs, kind="stable")[: max(1, request.top_k)] for probs in (before, after))
    return views.Unaltered(
        position=altered.start + row,
        probs=frozen(before[ids].astype(np.float32)),
        top_ids=frozen(top.astype(np.int32)),
        top_probs=frozen(before[top].astype(np.float32)),
        top_now=frozen(after[top].astype(np.float32)),
        now_ids=frozen(now.astype(np.int32)),
        now_probs=frozen(after[now].astype(np.float32)),
        now_before=frozen(before[now].astype(np.float32)),
        divergence_bits=divergence_bits(after, before),
        has_mlps=session.model.config.mlp_width > 0,
    )


@answers(views.AskEffects)
def ask_effects(engine: Engine, request: views.AskEffects) -> views.Effects:
    session = engine.need_text()
    model, window, row = session.model, session.window, session.row(request.position)
    check_layer(model.config, request.layer)
    made, ids = made_of(session), window.ids[: row + 1].tolist()
    now, prompt = probabilities(window.row_logits(row)), session.ids[: session.n_prompt].tolist()

    def effect(change: Intervention) -> float:
        changes = compile_changes(model, session.tokenizer, (*made, change), prompt)
        trace = record(model, ids, ["logits"], tap=changes.at(window.start))
        return divergence_bits(probabilities(trace["logits"][-1]), now)

    found = [effect(AblateHead(request.layer, head)) for head in range(model.config.n_head)]
    return views.Effects(
        layer=request.layer,
        position=window.start + row,
        heads=frozen(np.asarray(found, dtype=np.float32)),
        attn=effect(AblatePart(request.layer, "attn")),
        mlp=effect(AblatePart(request.layer, "mlp")) if model.config.mlp_width else math.nan,
    )


def divergence_bits(p: Array, q: Array) -> float:
    """Kullback–Leibler divergence of `p` from `q`: what coding p's draws by q costs more."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return max(0.0, float(np.where(p > 0, p * (np.log2(p) - np.log2(q)), 0.0).sum()))


def probabilities(logits: Array) -> Array:
    """Softmax over the whole vocabulary, float64."""
    x = logits.astype(np.float64)
    return np.asarray(softmax(x - x.max())[0])
