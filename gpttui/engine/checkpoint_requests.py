"""The engine's answers about a run's files: any of its checkpoints under the open text, its batches, what it changed.

For: runs that train here, elsewhere, or not any more. Loaded checkpoints are kept, so that scrubbing back and forth
costs a pass over the text and no disk.
"""

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F

from gpttui import locations
from gpttui.errors import UserError
from gpttui.inference.opening import open_model
from gpttui.model import checkpoint
from gpttui.model.gpt import GPT
from gpttui.protocol.frames import Answer, Shown, UseCheckpoint
from gpttui.protocol.train import AskBatch, AskBeforeAfter, AskProbes, BatchLosses, KeepModel, Kept, Probe, Probes
from gpttui.records import frozen
from gpttui.runs import rundir

if TYPE_CHECKING:
    from gpttui.engine.server import Engine

KEPT_BYTES = 256 << 20
PROBING_S = 0.08
"""What one answer with probes may take: a request behind it waits."""


class Loaded:
    """Checkpoints in memory, the ones used last."""

    def __init__(self, most_bytes: int = KEPT_BYTES) -> None:
        self.most_bytes = most_bytes
        self._models: OrderedDict[tuple[Path, float], GPT] = OrderedDict()

    def get(self, folder: Path, device: str) -> GPT:
        """The model in `folder`, from memory where it is there unchanged. Only model.safetensors is read."""
        try:
            key = (folder, (folder / checkpoint.WEIGHTS).stat().st_mtime)
        except OSError as error:
            raise UserError(f"the checkpoint {folder.name} is gone; the run keeps fewer than it saves") from error
        if key not in self._models:
            self._models[key] = checkpoint.load(folder, device=device)
        self._models.move_to_end(key)
        while len(self._models) > 1 and sum(map(_size_bytes, self._models.values())) > self.most_bytes:
            self._models.popitem(last=False)
        return self._models[key]


def _size_bytes(model: GPT) -> int:
    return sum(p.numel() * p.element_size() for p in model.parameters())


def latest(run: Path) -> Path | None:
    """The newest checkpoint, whole or weights alone."""
    saved = rundir.checkpoints(run)
    return saved[-1][1] if saved else None


# ── Scrubbing ─────────────────────────────────────────────────────────────────────────────────────────────────────


def use_checkpoint(engine: "Engine", request: UseCheckpoint) -> Shown:
    session, live, run = engine.need_session(), engine.live, Path(request.run)
    if request.step < 0:
        if live is None or live.path != request.run:
            raise UserError("this run is not being trained here; its newest checkpoint is the last there is")
        model, weights = live.trainer.model, live.weights
    else:
        model = engine.checkpoints.get(rundir.checkpoint_at(run, request.step), engine.device)
        weights = f"checkpoint {request.step:,}"
    if model.config.vocab_size != session.model.config.vocab_size:
        raise UserError(f"the open model has another vocabulary than {run.name}; open that run first")
    session.redraw(model, weights, max(request.tokens, len(session) - session.n_prompt))
    if live is not None:
        live.read_step = live.step if request.step < 0 else -1
    return Shown(session.snapshot(request.look, since_s=engine.since_s))


def ask_probes(engine: "Engine", request: AskProbes) -> Probes:
    from gpttui.engine.live_run import probe
    from gpttui.tokenizers import Tokenizer

    run = Path(request.run)
    ids = Tokenizer.open(run).encode(request.prompt or "\n") or [0]
    started_s, found = perf_counter(), list[Probe]()
    wanted = [(step, folder) for step, folder in rundir.checkpoints(run) if step > request.after]
    for step, folder in wanted:
        found.append(probe(engine.checkpoints.get(folder, engine.device), ids, step, request.top_k))
        if perf_counter() - started_s > PROBING_S:
            break
    return Probes(tuple(found), more=len(found) < len(wanted))


# ── A batch ───────────────────────────────────────────────────────────────────────────────────────────────────────


def ask_batch(engine: "Engine", request: AskBatch) -> BatchLosses:
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
    return losses_of(
        model, batch.inputs[: request.rows], batch.targets[: request.rows], step, weights_step, rows_in_all
    )


@torch.inference_mode()
def losses_of(
    model: GPT, inputs: torch.Tensor, targets: torch.Tensor, step: int, weights_step: int, rows_in_all: int
) -> BatchLosses:
    """Each token's loss in nats, by one pass over rows `[rows, T]`."""
    device = next(model.parameters()).device
    logits = model.eval()(inputs.to(device)).float()
    losses = F.cross_entropy(logits.flatten(0, 1), targets.to(device).flatten(), reduction="none")  # padding: 0
    losses = losses.view(inputs.shape).masked_fill(targets.to(device) < 0, float("nan")).cpu()
    first = torch.full((len(inputs), 1), float("nan"))
    ids = torch.cat((inputs[:, :1], targets), dim=1)
    return BatchLosses(
        step=step,
        weights_step=weights_step,
        rows_in_all=rows_in_all,
        ids=frozen(ids.numpy().astype(np.int32)),
        losses_nats=frozen(torch.cat((first, losses), dim=1).numpy()),
    )


# ── Afterwards ────────────────────────────────────────────────────────────────────────────────────────────────────


def ask_before_after(engine: "Engine", request: AskBeforeAfter) -> Answer:
    from gpttui.engine.before_after import before_after

    return before_after(engine.checkpoints, engine.device, request)


def keep_model(_engine: "Engine", request: KeepModel) -> Kept:
    """Under the run's name, or another one that is free."""
    from gpttui.training.publish import publish

    name = request.name.strip()
    if not name or name.startswith(".") or any(char in name for char in "/\\\0"):
        raise UserError(f"{name!r} cannot be a model's name; use letters, digits and dashes")
    target = locations.user_models_dir() / name
    if target.exists():
        raise UserError(f"{target} is there already; give another name")
    loss = publish(Path(request.run), target, step=None if request.step < 0 else request.step)
    open_model(target)
    return Kept(str(target), loss)


HANDLERS: dict[type, Callable[["Engine", Any], Answer]] = {
    UseCheckpoint: use_checkpoint,
    AskProbes: ask_probes,
    AskBatch: ask_batch,
    AskBeforeAfter: ask_before_after,
    KeepModel: keep_model,
}
