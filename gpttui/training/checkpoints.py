"""Checkpoints of a run: a model directory that anything can open, plus what is needed to go on exactly.

The random state and the data position need no file: both are functions of (seed, step). What remains is the step, the
optimisers' moments and a few numbers.
"""

import os
import shutil
from pathlib import Path

import msgspec
import torch
from torch import Tensor

from gpttui.errors import UserError, one_line
from gpttui.files import read_json
from gpttui.model import checkpoint
from gpttui.model.dialects import compared
from gpttui.model.gpt import GPT
from gpttui.runs import rundir

OPTIMISER = "optimiser.safetensors"
FORMAT = 1


class TrainState(msgspec.Struct, kw_only=True):
    """The numbers of a run at one step."""

    step: int = 0
    elapsed_s: float = 0.0
    first_loss_nats: float | None = None
    val_loss_nats: float | None = None
    best_val_loss_nats: float | None = None
    val_step: int = -1
    """That of the last evaluation."""
    format: int = FORMAT


def save(
    path: Path, model: GPT, tokenizer_json: str, optimisers: list[torch.optim.Optimizer], state: TrainState
) -> Path:
    """Write the checkpoint of `state.step` beside, then give it its place. Raises UserError; older ones stay intact."""
    beside = path / rundir.CHECKPOINTS / f".{state.step:08d}.{os.getpid()}"
    try:
        beside.mkdir(parents=True, exist_ok=True)
        checkpoint.save(model, beside)
        (beside / rundir.TOKENIZER).write_text(tokenizer_json, encoding="utf-8")
        checkpoint.write_tensors(_flatten(optimisers), beside / OPTIMISER)
        (beside / rundir.STATE).write_bytes(msgspec.json.encode(state))
        return rundir.publish_checkpoint(path, beside, state.step)
    except Exception as error:  # safetensors raises its own class, not OSError, on a full disk
        shutil.rmtree(beside, ignore_errors=True)
        why = rundir.one_line_os(error, path) if isinstance(error, OSError) else one_line(error)
        raise UserError(f"cannot save step {state.step}: {why}; {rundir.what_is_left(path)}") from error


def restore(folder: Path, model: GPT, optimisers: list[torch.optim.Optimizer]) -> TrainState:
    """Put weights and moments of checkpoint `folder` into `model` and `optimisers`, in place.

    Raises UserError for another shape, a newer version or a damaged file.
    """
    state = read_state(folder)
    stored = checkpoint.load(folder)
    if compared(stored.config) != compared(model.config):
        raise UserError(
            f"the checkpoint {folder} is of another shape than this run; resume with the options it began with"
        )
    with torch.no_grad():
        for name, p in model.state_dict().items():
            p.copy_(stored.state_dict()[name])
    _unflatten(optimisers, checkpoint.read_file(folder / OPTIMISER), folder)
    return state


def read_state(folder: Path) -> TrainState:
    """The numbers of checkpoint `folder`."""
    try:
        state = read_json(folder / rundir.STATE, TrainState)
    except FileNotFoundError as error:
        raise UserError(f"{folder} holds no {rundir.STATE}: its run cannot go on from there") from error
    if state.format > FORMAT:
        raise UserError(f"{folder} was written by a newer gpttui; upgrade gpttui to resume it")
    return state


def _flatten(optimisers: list[torch.optim.Optimizer]) -> dict[str, Tensor]:
    """Every moment under `optimiser.group.parameter.name`."""
    tensors = {}
    for o, optimiser in enumerate(optimisers):
        for g, group in enumerate(optimiser.param_groups):
            for i, p in enumerate(group["params"]):
                for name, value in optimiser.state.get(p, {}).items():
                    tensors[f"{o}.{g}.{i}.{name}"] = value
    return tensors


def _unflatten(optimisers: list[torch.optim.Optimizer], tensors: dict[str, Tensor], folder: Path) -> None:
    for optimiser in optimisers:
        optimiser.state.clear()
    for key, value in tensors.items():
        o, g, i, name = key.split(".", 3)
        try:
            p = optimisers[int(o)].param_groups[int(g)]["params"][int(i)]
        except IndexError as error:
            raise UserError(
                f"{folder} was trained with another optimiser; resume with the options it began with"
            ) from error
        if value.shape not in (p.shape, torch.Size([])):
            raise UserError(f"{folder / OPTIMISER} does not fit the model: {key} is {tuple(value.shape)}")
        device = "cpu" if name == "step" and p.device.type == "cpu" else p.device
        optimisers[int(o)].state[p][name] = value.to(device, copy=True)
