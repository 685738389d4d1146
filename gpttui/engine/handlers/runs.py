"""The engine's answers about a run's files: any of its checkpoints under the open text, its batches, what it changed.

For: runs that train here, elsewhere, or not any more.
"""

from pathlib import Path
from time import perf_counter

import numpy as np
import torch
import torch.nn.functional as F

from gpttui import locations
from gpttui.engine.before_after import before_after
from gpttui.engine.handlers.play import need_same_vocabulary, shown
from gpttui.engine.probe import probe
from gpttui.engine.registry import answers
from gpttui.engine.state import Engine
from gpttui.errors import UserError
from gpttui.inference.interventions import altered, made_of
from gpttui.inference.opening import open_model
from gpttui.model.gpt import GPT
from gpttui.protocol import train
from gpttui.protocol.message import Answer
from gpttui.protocol.play import Shown
from gpttui.records import frozen
from gpttui.runs import rundir

PROBING_S = 0.08
"""What one answer with probes may take: a request behind it waits."""


@answers(train.UseCheckpoint)
def use_checkpoint(engine: Engine, request: train.UseCheckpoint) -> Shown:
    session, live, run = engine.need_session(), engine.live, Path(request.run)
    if request.step < 0:
        if live is None or live.path != request.run:
            raise UserError("this run is not being trained here; its newest checkpoint is the last there is")
        model, weights = live.seen, live.weights
    else:
        model = engine.checkpoints.get(rundir.checkpoint_at(run, request.step), engine.device)
        weights = f"checkpoint {request.step:,}"
    need_same_vocabulary(session, model, run)
    if live is not None and request.step < 0:
        live.read()
    with altered(session, model, made_of(session), session.ids[: session.n_prompt].tolist()):
        session.redraw(model, weights, max(request.tokens, len(session) - session.n_prompt))
    return shown(engine, request.look)


@answers(train.AskProbes)
def ask_probes(engine: Engine, request: train.AskProbes) -> train.Probes:
    from gpttui.tokenizers import Tokenizer

    run = Path(request.run)
    ids = Tokenizer.open(run).prompt(request.prompt or "\n") or [0]
    started_s, found = perf_counter(), list[train.Probe]()
    wanted = [(step, folder) for step, folder in rundir.checkpoints(run) if step > request.after]
    for step, folder in wanted:
        found.append(probe(engine.checkpoints.get(folder, engine.device), ids, step, request.top_k))
        if perf_counter() - started_s > PROBING_S:
            break
    return train.Probes(tuple(found), more=len(found) < len(wanted))


@answers(train.AskBatch)
def ask_batch(engine: Engine, request: train.AskBatch) -> train.BatchLosses:
    from gpttui.training.data import open_data

    live, run = engine.live, Path(request.run)
    if live is not None and live.path == request.run and request.step < 0 and live.trainer.batch is not None:
        batch, model = live.trainer.batch, live.trainer.model
        step = weights_step = live.step
        rows_in_all = live.trainer.config.batch * live.trainer.config.accumulation
    else:
        config, saved = rundir.read_config(run), rundir.checkpoints(run)
        if not saved:
            raise UserError("the run has saved no checkpoint yet; its batches show with the first one")
        step = saved[-1][0] if request.step < 0 else request.step
        weights_step, folder = max((pair for pair in saved if pair[0] <= step), default=saved[0])
        rows_in_all = config.batch * config.accumulation
        batch = open_data(config, run).train.draw(config.seed, step * rows_in_all, min(request.rows, config.batch))
        model = engine.checkpoints.get(folder, engine.device)
    rows = slice(request.rows)
    return losses_of(model, batch.inputs[rows], batch.targets[rows], step, weights_step, rows_in_all)


@torch.inference_mode()
def losses_of(
    model: GPT, inputs: torch.Tensor, targets: torch.Tensor, step: int, weights_step: int, rows_in_all: int
) -> train.BatchLosses:
    """Each token's loss in nats, by one pass over rows `[rows, T]`."""
    device = next(model.parameters()).device
    logits = model.eval()(inputs.to(device)).float()
    losses = F.cross_entropy(logits.flatten(0, 1), targets.to(device).flatten(), reduction="none")  # padding: 0
    losses = losses.view(inputs.shape).masked_fill(targets.to(device) < 0, float("nan")).cpu()
    first = torch.full((len(inputs), 1), float("nan"))
    ids = torch.cat((inputs[:, :1], targets), dim=1)
    return train.BatchLosses(
        step=step,
        weights_step=weights_step,
        rows_in_all=rows_in_all,
        ids=frozen(ids.numpy().astype(np.int32)),
        losses_nats=frozen(torch.cat((first, losses), dim=1).numpy()),
    )


@answers(train.AskBeforeAfter)
def ask_before_after(engine: Engine, request: train.AskBeforeAfter) -> Answer:
    return before_after(engine.checkpoints, engine.device, request)


@answers(train.KeepModel)
def keep_model(_engine: Engine, request: train.KeepModel) -> train.Kept:
    """Under the run's name, or another one that is free."""
    from gpttui.training.publish import publish

    name = request.name.strip()
    if not name or name.startswith(".") or any(char in name for char in "/\\\0:@"):
        raise UserError(f"{name!r} cannot be a model's name; use letters, digits and dashes")
    target = locations.user_models_dir() / name
    if target.exists():
        raise UserError(f"{target} is there already; give another name")
    loss = publish(Path(request.run), target, step=None if request.step < 0 else request.step)
    open_model(target)
    return train.Kept(str(target), loss)
