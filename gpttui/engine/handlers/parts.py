"""The engine's answers to the views of single parts: attention heads, MLPs and neurons, cost."""

from pathlib import Path

import msgspec
import numpy as np
import torch

from gpttui.engine.inspect_cache import changes_of, known_ids
from gpttui.engine.passages import Search
from gpttui.engine.registry import answers
from gpttui.engine.state import Engine
from gpttui.errors import UserError
from gpttui.inference import attention, cost, heads, neurons
from gpttui.inference.interventions import made_of
from gpttui.inference.trace import mlp_of, of_window
from gpttui.interventions import AblateNeuron, AblatePart
from gpttui.protocol import parts
from gpttui.records import frozen


@answers(parts.AskStages)
def ask_stages(engine: Engine, request: parts.AskStages) -> parts.Stages:
    session, (asks, looked_at) = engine.need_text(), request.cell
    query, key = session.row(max(0, request.first_query)), session.row(max(0, request.first_key))
    return attention.stages(
        of_window(session.window),
        request.layer,
        request.head,
        queries=slice(query, query + max(1, request.queries)),
        keys=slice(key, key + max(1, request.keys)),
        cell=(session.row(asks) if asks >= 0 else -1, session.row(looked_at) if looked_at >= 0 else -1),
        hide_first=request.hide_first,
        changes=changes_of(session),
    )


@answers(parts.AskHeads)
def ask_heads(engine: Engine, request: parts.AskHeads) -> parts.Heads:
    session = engine.need_text()
    config = session.model.config
    first = max(0, request.first_layer)
    end = config.n_layer if request.layers < 0 else min(config.n_layer, first + request.layers)
    scores, maps, probe = np.empty((0, config.n_head, 4)), np.empty((0, config.n_head, 0, 0)), np.empty((0,))
    if first < end:
        found = engine.inside.survey(session, min(max(1, request.side), 64), range(first, end), request.hide_first)
        scores, maps = found.scores, found.maps
    draws = min(max(request.draws, len(engine.inside.probed(session))), heads.PROBE_DRAWS)
    if draws > 0:
        probe = engine.inside.probe(session, draws)
    return parts.Heads(
        names=heads.SCORES,
        first_layer=first,
        text_scores=frozen(scores.astype(np.float32)),
        probe_scores=frozen(probe.astype(np.float32)),
        draws=draws,
        of_draws=heads.PROBE_DRAWS,
        maps=frozen(maps.astype(np.float16)),
    )


@answers(parts.AskMLP)
def ask_mlp(engine: Engine, request: parts.AskMLP) -> parts.MLPActivity:
    session = engine.need_text()
    mlp_of(session.model, request.layer)
    trace, token_id = engine.inside.row(session, request.position), request.token_id
    if token_id == parts.LIKELIEST:
        token_id = int(session.window.row_logits(session.row(request.position)).argmax())
    mine = [change for change in made_of(session) if getattr(change, "layer", -1) == request.layer]
    held = [change.mode for change in mine if isinstance(change, AblatePart) and change.part == "mlp"]
    return neurons.token_neurons(
        session.model,
        trace,
        trace.start,
        request.layer,
        max(1, request.k),
        silenced={change.neuron for change in mine if isinstance(change, AblateNeuron)},
        held=held[-1] if held else None,
        token_id=known_ids(session, (token_id,))[0] if token_id >= 0 else -1,
    )


@answers(parts.AskNeuron)
def ask_neuron(engine: Engine, request: parts.AskNeuron) -> parts.Neuron:
    session, search = engine.need_session(), engine.inside.search
    found = neurons.promotes(session.model, request.layer, request.neuron, max(1, request.k))
    searched = search is not None and search.covers(session.model, request.layer)
    known = search.passages(request.neuron) if search is not None and searched else None
    return msgspec.structs.replace(found, passages=known)


@answers(parts.SearchPassages)
def search_passages(engine: Engine, request: parts.SearchPassages) -> parts.Passages:
    session, inside = engine.need_session(), engine.inside
    neurons.check_neuron(mlp_of(session.model, request.layer).c_proj.in_features, request.neuron)
    file = Path(request.text_file).expanduser() if request.text_file else None
    old = inside.search
    if old is not None and old.is_same(session.model, request.layer, file, request.tokens):
        old.neuron, old.running = request.neuron, not old.done
        return old.passages(request.neuron)
    path = Path(engine.card.path) if engine.card is not None else None
    inside.search = Search(session.model, session.tokenizer, path, request.layer, request.neuron, file, request.tokens)
    return inside.search.passages(request.neuron)


@answers(parts.CancelSearch)
def cancel_search(engine: Engine, _request: parts.CancelSearch) -> parts.Passages:
    search = engine.inside.search
    if search is None:
        raise UserError("no search is running")
    search.running = False
    return search.passages(search.neuron)


@answers(parts.AskCost)
def ask_cost(engine: Engine, request: parts.AskCost) -> parts.Cost:
    session = engine.need_text()
    window, config, row = session.window, session.model.config, session.row(request.position)
    ids, bytes_each = window.ids[: window.length].tolist(), window.cache.keys.element_size()
    costs = cost.part_costs(config, row + 1, element_bytes=bytes_each)
    spent_ms = cost.measure_ms(session.model, window.cache, ids, row)
    points = sorted({(row + 1) * n // max(1, request.points) for n in range(1, max(1, request.points))} - {0, row + 1})
    at_points = [sum(cost.measure_ms(session.model, window.cache, ids, n - 1)) for n in points]
    curve = np.unique(np.linspace(1, config.context, min(64, config.context)).astype(np.int32))
    return parts.Cost(
        position=window.start + row,
        layers=frozen(np.asarray([part.layer for part in costs], dtype=np.int32)),
        parts=tuple(part.part for part in costs),
        ms=frozen(np.asarray(spent_ms, dtype=np.float32)),
        flops=frozen(np.asarray([part.flops for part in costs], dtype=np.float64)),
        weight_bytes=frozen(np.asarray([part.weight_bytes for part in costs], dtype=np.float64)),
        cache_bytes=frozen(np.asarray([part.cache_bytes for part in costs], dtype=np.float64)),
        kv_bytes=cost.cache_bytes(config, row + 1, element_bytes=bytes_each),
        kv_bytes_full=cost.cache_bytes(config, config.context, element_bytes=bytes_each),
        contexts=frozen(np.asarray([*points, row + 1], dtype=np.int32)),
        context_ms=frozen(np.asarray([*at_points, sum(spent_ms)], dtype=np.float32)),
        curve=frozen(curve),
        curve_flops=frozen(np.asarray([cost.token_flops(config, int(n)) for n in curve], dtype=np.float64)),
        curve_kv_bytes=frozen(curve * float(cost.cache_bytes(config, 1, element_bytes=bytes_each))),
        n_layer=config.n_layer,
        threads=torch.get_num_threads(),
        device=engine.device,
        passes=cost.REPEATS,
    )
