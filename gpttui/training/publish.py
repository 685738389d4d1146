"""From a run to a model directory: weights in half precision, tokenizer, recorded history and the card.

The figure on the card is measured here, on the weights as they were written, over the whole held-out part.
"""

import json
from pathlib import Path
from typing import Any

import torch

from gpttui import rundir
from gpttui.errors import UserError
from gpttui.model import checkpoint
from gpttui.run_history import loss_history
from gpttui.training.data import open_data
from gpttui.training.evaluate import held_out_loss
from gpttui.training.recipes import RECIPES, Recipe


def publish(
    run: Path, target: Path, *, recipe_name: str = "", step: int | None = None, dtype: torch.dtype = torch.float16
) -> float:
    """Write the model of `run` (its newest checkpoint, or that of `step`) into `target`; its held-out loss in nats.

    Raises UserError where the run has no such checkpoint.
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
    recipe = RECIPES.get(recipe_name)
    history = loss_history(run, recipe.title if recipe else run.name, step)
    card = _card(run, recipe, recipe_name, loss, step)
    checkpoint.write_atomically(target / "history.json", json.dumps(history) + "\n")
    checkpoint.write_atomically(target / "card.json", json.dumps(card, indent=2, ensure_ascii=False) + "\n")
    checkpoint.write_atomically(target / "README.md", _readme(target.name, recipe, card, run))
    return loss


def _card(run: Path, recipe: Recipe | None, name: str, loss: float, step: int) -> dict[str, Any]:
    config = rundir.read_config(run)
    state = rundir.describe(run)
    return {
        "data": recipe.data if recipe else Path(config.data).name,
        "metric_name": recipe.metric_name if recipe else "validation loss (nats a token)",
        "metric_value": round(loss, 4),
        "summary": recipe.summary if recipe else "",
        "prompts": list(recipe.prompts) if recipe else [],
        "prompt": recipe.prompts[0] if recipe and recipe.prompts else config.sample_prompt,
        "token_view": recipe.token_view if recipe else "text",
        "arch": config.arch,
        "recipe": name,
        "seed": config.seed,
        "steps": step,
        "minutes": round(state.elapsed_s / 60, 1),
    }


def _readme(model_id: str, recipe: Recipe | None, card: dict[str, Any], run: Path) -> str:
    config = rundir.read_config(run)
    rows = config.batch * config.accumulation
    command = f"gpttui train --recipe {card['recipe']} --run-dir RUN --export {model_id}" if recipe else "gpttui train"
    return f"""# {recipe.title if recipe else model_id}

{card["summary"]}

| | |
|---|---|
| data | {card["data"]}; the last {config.val_fraction:.0%} held out |
| measured | {card["metric_name"]}: {card["metric_value"]}, over all of the held-out part |
| shape | {config.arch}, {config.layers} layers, {config.heads} heads, width {config.width}, context {config.context} |
| training | {card["steps"]} steps of {rows} rows, {config.optimizer}, seed {config.seed} |
| time | {card["minutes"]} minutes |

Trained by gpttui itself: `{command}`
"""
