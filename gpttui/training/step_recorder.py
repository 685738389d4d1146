"""Watching a training step while it is taken, and taking one on a text of one's own.

A `StepRecorder` changes nothing in the step: attention stays fused, hooks on activations only copy. What it has seen is
a `StepApart`. Not for: taking a run's step, which is the loop's.
"""

import copy
import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from gpttui.errors import UserError
from gpttui.model.gpt import GPT
from gpttui.model.memory import free_memory_bytes
from gpttui.runs.config import FINE_TUNING, TrainConfig
from gpttui.training.data import Batch
from gpttui.training.loss import mean_loss
from gpttui.training.optim import Muon, make_optimisers
from gpttui.training.step_apart import Pass, Rule, StepApart

ROWS_BYTES = 256 << 20
"""Most memory for what single rows went through; as many rows of the batch are kept as fit, one at least."""
COPIES = 7
"""Of the weights: before, after, gradients, two moments, and one in float64 that counts twice."""


class RowTap:
    """Copies what some rows go through, and their gradients on the way back."""

    fused = True

    def __init__(self, step: "StepRecorder", rows: int) -> None:
        self.step, self.rows = step, rows

    def __call__(self, site: str, x: Tensor) -> Tensor:
        part = site.rpartition(".")[2]
        if self.rows and part in ("q", "k", "v", "z", "logits"):
            self._keep(self.step.values, site, x)
        if self.rows and part in ("embed", "resid_mid", "resid_post", "z"):
            x.register_hook(  # type: ignore[no-untyped-call]
                lambda gradient: self._keep(self.step.slopes, site, gradient)
            )
        return x

    def _keep(self, where: dict[str, list[Tensor]], site: str, x: Tensor) -> None:
        where[site].append(x.detach()[: self.rows].float().clone())


class StepRecorder:
    """Handed to the loop for one step, which tells it of each stage. Raises UserError where memory is too small."""

    def __init__(self, model: GPT, optimisers: Sequence[torch.optim.Optimizer], config: TrainConfig) -> None:
        self.model, self.optimisers, self.config = model, optimisers, config
        self.values: dict[str, list[Tensor]] = defaultdict(list)
        self.slopes: dict[str, list[Tensor]] = defaultdict(list)
        self.passes: list[Pass] = []
        self.rows = max(1, ROWS_BYTES // row_bytes(model, config.context))
        rows = config.batch * config.accumulation * row_bytes(model, config.context)
        needed = 4 * COPIES * model.n_params + min(ROWS_BYTES, rows)
        free = free_memory_bytes(next(model.parameters()).device)
        if free and needed > 0.9 * free:
            raise UserError(
                f"to take a step of this model apart needs about {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB are free; "
                "train a smaller model to look into"
            )
        self.before: dict[str, Tensor] = {}
        self.gradients: dict[str, Tensor] = {}
        self.grad_norm = math.nan

    def begin(self) -> None:
        """Before the first pass."""
        self.before = {name: p.detach().clone() for name, p in self.model.named_parameters()}

    def tap(self, batch: Batch, factor: float, seed: int | None) -> RowTap:
        """For the forward pass over `batch`, whose mean loss counts `factor` in the step's."""
        seen = sum(len(one.batch.inputs) for one in self.passes)
        self.passes.append(Pass(batch, factor, seed))
        return RowTap(self, max(0, min(len(batch.inputs), self.rows - seen)))

    def found(self, grad_norm: float) -> None:
        """Gradients are added up, and not clipped yet."""
        self.grad_norm = grad_norm
        trained = [(name, p.grad) for name, p in self.model.named_parameters() if p.grad is not None]
        self.gradients = {name: gradient.detach().clone() for name, gradient in trained}

    def taken(self, step: int, loss: float) -> "StepApart":
        """The optimisers have been: `step` is that step's number, from 1."""
        moments: dict[str, dict[str, Tensor]] = {}
        rules: dict[str, Rule] = {}
        names = {id(p): name for name, p in self.model.named_parameters()}
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                for p in group["params"]:
                    state = optimiser.state.get(p, {})
                    name = names[id(p)]
                    moments[name] = {key: x.detach().clone() for key, x in state.items() if isinstance(x, Tensor)}
                    rules[name] = rule_of(optimiser, group, p, moments[name])
        return StepApart(
            model=self.model,
            config=self.config,
            step=step,
            loss_nats=loss,
            grad_norm=self.grad_norm,
            passes=tuple(self.passes),
            values={site: torch.cat(parts) for site, parts in self.values.items()},
            slopes={site: torch.cat(parts) for site, parts in self.slopes.items()},
            before=self.before,
            gradients=self.gradients,
            after={name: p.detach().clone() for name, p in self.model.named_parameters()},
            moments=moments,
            rules=rules,
        )


def row_bytes(model: GPT, context: int) -> int:
    """What is kept of one row of `context` tokens."""
    config = model.config
    heads = (3 * config.n_head + 2 * config.kv_heads) * config.d_head
    return 4 * context * (config.n_layer * (2 * config.d_model + heads) + config.d_model + config.vocab_size)


def rule_of(
    optimiser: torch.optim.Optimizer, group: dict[str, Any], parameter: Tensor, moments: dict[str, Tensor]
) -> Rule:
    """What holds of `parameter` in `group` of its optimiser, after the step."""
    lr, decay = group["lr"], group["weight_decay"]
    if isinstance(optimiser, Muon):
        steps, parts, dtype = optimiser.ns_steps, optimiser.parts(parameter), optimiser.dtype
        return Rule(True, lr, decay, momentum=group["momentum"], ns_steps=steps, parts=parts, dtype=dtype)
    return Rule(False, lr, decay, betas=group["betas"], eps=group["eps"], count=int(moments["step"]))


def step_on_text(model: GPT, ids: Sequence[int]) -> StepApart:
    """One step of AdamW on a text of one's own, taken by a copy of `model`, in float32: nothing of `model` changes.

    The batch is one row, the text's last `context` + 1 tokens. Raises UserError where the text is too short, or where
    the gradient is not finite.
    """
    if len(ids) < 2:
        raise UserError("a training step needs a text of two tokens or more; draw some, or write another text")
    row = torch.tensor(list(ids)[-(model.config.context + 1) :])
    batch = Batch(row[None, :-1], row[None, 1:])
    config = TrainConfig(data="text", context=batch.inputs.size(1), batch=1, lr=FINE_TUNING["lr"])
    trained = copy.deepcopy(model).float().requires_grad_(True).eval()
    device = next(trained.parameters()).device
    optimisers = make_optimisers(trained, config, device)
    recorder = StepRecorder(trained, optimisers, config)
    recorder.begin()
    logits = trained(batch.inputs.to(device), tap=recorder.tap(batch, 1.0, None))
    loss = mean_loss(logits, batch)
    loss.backward()  # type: ignore[no-untyped-call]
    gradients = [p.grad for p in trained.parameters() if p.grad is not None]
    grad_norm = float(torch.stack(torch._foreach_norm(gradients)).double().norm())
    if not (math.isfinite(grad_norm) and math.isfinite(float(loss.detach()))):
        raise UserError("the gradient of this text is not a finite number: this model cannot be trained on it")
    recorder.found(grad_norm)
    if grad_norm > config.grad_clip:
        torch._foreach_mul_(gradients, config.grad_clip / grad_norm)
    for optimiser in optimisers:
        optimiser.step()
    return recorder.taken(1, float(loss.detach()))
