"""From a run to a model directory: weights in half precision, tokenizer, recorded history and the card.

The figure on the card is measured here, on the weights as they were written, over the whole held-out part.
"""

import json
import shlex
from pathlib import Path
from typing import Any

import msgspec
import torch

from gpttui.errors import UserError
from gpttui.files import read_json, write_whole
from gpttui.model import checkpoint
from gpttui.runs import rundir
from gpttui.runs import summary as run_summary
from gpttui.runs.config import NOT_ORDERED, TrainConfig
from gpttui.runs.history import joined, loss_history
from gpttui.storage import model_card
from gpttui.training.data import open_data
from gpttui.training.evaluate import held_out_loss
from gpttui.training.recipes import RECIPES, Recipe
from gpttui.training.shape import OF_THE_BASE

HELD_OUT = ("text_field", "val_fraction", "documents", "corpus_documents", "seed")
METRIC = "validation loss (nats a token)"


def publish(run: Path, target: Path, *, step: int | None = None, dtype: torch.dtype = torch.float16) -> float:
    """Write the model of `run` (its newest checkpoint, or that of `step`) into `target`; its held-out loss in nats.

    The card has the words of the recipe that the run began as, if it learned from the recipe's text. Raises UserError
    where the run has no such checkpoint.
    """
    saved = dict(rundir.checkpoints(run))
    if not saved or (step is not None and step not in saved):
        raise UserError(f"{run} has no checkpoint{'' if step is None else f' of step {step}'}; train it first")
    step = max(saved) if step is None else step
    config = rundir.read_config(run)
    checkpoint.save(checkpoint.load(saved[step]), target, dtype=dtype)
    data = open_data(config, run)
    (target / rundir.TOKENIZER).write_text(data.tokenizer.to_json(), encoding="utf-8")
    loss = held_out_loss(checkpoint.load(target), data.val, data.val.tokens, torch.device("cpu"))
    recipe = RECIPES.get(config.recipe)
    if recipe is not None and Path(recipe.config.data).name != Path(config.data).name:
        recipe = None
    ends = data.tokenizer.encode(model_card.of_run(config)["ends"])
    history = loss_history(run, recipe.title if recipe else run.name, step)
    card = _card(run, saved[step], recipe, target.name, loss, step)
    card |= {"ends_with": ends if len(ends) == 1 else []}
    if recipe is not None and recipe.config.init:
        history, card = _with_its_base(Path(config.init), history, card)
    write_whole(target / "history.json", json.dumps(history) + "\n")
    model_card.write(target, card)
    return loss


def _with_its_base(
    base: Path, history: dict[str, Any], card: model_card.Card
) -> tuple[dict[str, Any], model_card.Card]:
    """Curve and card of a recipe in stages, which tell of all; its command trains those that are not there.

    Raises UserError where the one before left nothing.
    """
    try:
        first, before = model_card.read(base), read_json(base / "history.json", dict[str, Any])
        return joined(before, history), card | {
            "steps": first["steps"] + card["steps"],
            "minutes": round(first["minutes"] + card["minutes"], 1),
        }
    except (OSError, KeyError, ValueError) as error:
        raise UserError(f"{base} does not tell how it was trained: {error}; train it by its recipe first") from error


def _card(run: Path, saved: Path, recipe: Recipe | None, model_id: str, loss: float, step: int) -> model_card.Card:
    config, shape = rundir.read_config(run), checkpoint.read_shape(saved)
    heads = f"{shape.n_layer} layers, {shape.n_head} heads, width {shape.d_model}, context {shape.context}"
    return model_card.of_run(config) | {
        "title": recipe.title if recipe else model_id,
        "summary": recipe.summary if recipe else "",
        "cannot": recipe.cannot if recipe else "",
        **({"data": recipe.data} if recipe else {}),
        "shape": f"{config.arch}, {heads}",
        "source": _source(config, run, recipe),
        "recipe": config.recipe if recipe else "",
        "command": _command(config, model_id),
        "seed": config.seed,
        "steps": step,
        "minutes": round(run_summary.describe(run).elapsed_s / 60, 1),
        "metric_name": METRIC,
        "metric_value": round(loss, 4),
        "prompts": list(recipe.prompts) if recipe else [],
        **({"prompt": recipe.prompts[0]} if recipe and recipe.prompts else {}),
        "look_inside": recipe.look_inside if recipe else "",
        "arch": config.arch,
    }


def _source(config: TrainConfig, run: Path, recipe: Recipe | None) -> dict[str, Any]:
    """Fields of a TrainConfig that take the same held-out part of the same text again; a recipe's text by its name."""
    data = config.data
    file = run / "data" / "stdin.txt" if data == "-" else Path(data).expanduser()
    if recipe is not None and Path(data).name == recipe.config.data:
        data = recipe.config.data
    elif file.exists():
        data = str(file.resolve())
    return {"data": data} | {name: getattr(config, name) for name in HELD_OUT}


FLAGS = ("documents", "from_starts", "qk_gain", "embed_scale", "compile")
"""Options without a value."""


def _command(config: TrainConfig, model_id: str) -> str:
    """The command that makes this model again: the recipe, and what this run set otherwise."""
    recipe = RECIPES.get(config.recipe)
    plain = msgspec.to_builtins(recipe.config if recipe else TrainConfig(data=config.data))
    words = ["gpttui train", *([f"--recipe {config.recipe}"] if recipe else [])]
    if recipe is None or Path(recipe.config.data).name != Path(config.data).name:
        words.append(f"--data {shlex.quote(config.data)}")
    for field, value in msgspec.to_builtins(config).items():
        of_the_base = (bool(config.init) and field in OF_THE_BASE) or (field == "init" and bool(plain["init"]))
        if field == "steps" and config.minutes:
            continue  # they were fitted to the time
        if value != plain[field] and field not in ("data", "threads", *NOT_ORDERED) and not of_the_base:
            words.append(f"--{field.replace('_', '-')}" + ("" if field in FLAGS else f" {shlex.quote(str(value))}"))
    return " ".join([*words, f"--run-dir RUN --export {model_id}"])
