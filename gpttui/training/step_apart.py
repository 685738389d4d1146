"""One training step taken apart: what it read, every gradient on its way back, every weight before and after.

Losses and derivatives are measured with `torch.func.functional_call` on the weights from before the step, so that the
model in training is never written to. Gradients are those of the step's loss (the mean over all counted tokens of the
batch) in nats. Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors" (1986). Not for:
watching the step while it is taken (`gpttui.training.step_recorder`).
"""

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import functional_call

from gpttui.errors import UserError
from gpttui.model.gpt import GPT, causal_mask
from gpttui.protocol.backprop import SLOPE_STEP
from gpttui.runs.config import TrainConfig
from gpttui.training.data import IGNORED, Batch
from gpttui.training.loss import mean_loss
from gpttui.training.optim import orthogonalise


@dataclass(frozen=True)
class Pass:
    """One forward and backward pass of a step: its rows, and the factor of its mean loss in the step's loss."""

    batch: Batch
    factor: float
    seed: int | None
    """Of its dropout; None: without."""


@dataclass(frozen=True)
class Rule:
    """How one parameter is updated: its optimiser's settings at this step."""

    muon: bool
    lr: float
    weight_decay: float
    betas: tuple[float, float] = (0.0, 0.0)
    eps: float = 0.0
    momentum: float = 0.0
    ns_steps: int = 0
    parts: int = 1
    """Muon: into how many matrices its rows fall that are orthogonalised apart."""
    dtype: torch.dtype = torch.float32
    """Muon: what that is computed in."""
    count: int = 0
    """AdamW: how many steps its moments are made of."""


@dataclass(frozen=True)
class Update:
    """What is added to one weight, term by term. Numbers that its optimiser does not have are nan."""

    gradient: float
    """Before clipping."""
    clipped: float
    first_moment: float
    second_moment: float
    momentum: float
    """Muon: of the gradient, looked ahead (Nesterov)."""
    direction: float
    """AdamW: m / (sqrt(v) + eps), both corrected for their start at 0; Muon: the orthogonalised momentum's entry."""
    decay: float
    """-lr * weight decay * weight."""
    step: float
    """-lr * direction (Muon: with the matrix's factor in it)."""
    before: float
    after: float


@dataclass
class StepApart:
    """Everything that one step was, to be looked at in any order."""

    model: GPT
    """Its shape; its weights may be of any later moment and are not read."""
    config: TrainConfig
    step: int
    loss_nats: float
    grad_norm: float
    """Of all gradients together, before clipping."""
    passes: tuple[Pass, ...]
    values: dict[str, Tensor]
    """By site: q, k, v, z `[rows, heads, T, D]`, logits `[rows, T, V]`, of the rows kept."""
    slopes: dict[str, Tensor]
    """By site, the loss's gradient there: embed, resid_mid, resid_post `[rows, T, C]`, z `[rows, H, T, D]`."""
    before: dict[str, Tensor]
    """Weights by name, before the step …"""
    gradients: dict[str, Tensor]
    """… their gradients before clipping (float32 like they; of all those that had one) …"""
    after: dict[str, Tensor]
    """… and the weights after it."""
    moments: dict[str, dict[str, Tensor]]
    rules: dict[str, Rule]
    _double: dict[str, Tensor] = field(default_factory=dict)
    _plain_loss: float | None = None

    # ── What it read ──────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def rows(self) -> int:
        """How many rows of the batch are kept in full."""
        return len(self.values["logits"])

    @property
    def rows_in_all(self) -> int:
        return sum(len(one.batch.inputs) for one in self.passes)

    def row(self, row: int) -> tuple[Tensor, Tensor, Tensor]:
        """Inputs, targets, and what each target's loss counts in the step's loss, each `[T]`.

        The counts of all rows sum to 1; padding counts 0. Raises UserError where the row is not kept.
        """
        if not 0 <= row < self.rows:
            raise UserError(f"row {row + 1} is not kept; there are rows 1 to {self.rows}")
        for one in self.passes:
            if row < len(one.batch.inputs):
                break
            row -= len(one.batch.inputs)
        batch = one.batch
        weights = (batch.targets != IGNORED).double() if batch.weights is None else batch.weights.double()
        weights = weights * (batch.targets != IGNORED)
        share = one.factor * weights / weights.sum().clamp(min=1e-9)
        return batch.inputs[row].cpu(), batch.targets[row].cpu(), share[row].cpu()

    def logits(self, row: int) -> Tensor:
        """`[T, V]` float64."""
        return self.values["logits"][row].double().cpu()

    def losses(self, row: int) -> Tensor:
        """-ln p of each target, in nats `[T]`; nan for padding."""
        return token_losses(self.logits(row), self.row(row)[1])

    def logits_gradient(self, row: int, position: int) -> tuple[Tensor, Tensor, float]:
        """Probabilities and p - (1 at the target), each `[V]`, and the factor that makes the gradient of it: what this
        token counts in the step's loss. With label smoothing the 1 is spread as the loss has it."""
        _, targets, shares = self.row(row)
        probs = self.logits(row)[position].softmax(-1)
        wanted = torch.zeros_like(probs)
        if int(targets[position]) != IGNORED:
            smoothing = self.config.label_smoothing
            wanted += smoothing / len(wanted)
            wanted[int(targets[position])] += 1 - smoothing
        return probs, probs - wanted, float(shares[position])

    # ── The way back ──────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def stops(self) -> tuple[str, ...]:
        """Sites of the residual stream, from the embedding up."""
        found = ["embed"]
        for layer in range(self.model.config.n_layer):
            found += [f"blocks.{layer}.resid_mid", f"blocks.{layer}.resid_post"]
        return tuple(found)

    def stream_gradients(self, row: int) -> Tensor:
        """The gradient of the residual stream `[stop, T, C]`, after the embedding and after each attention and MLP.

        That of `embed` is of the token's vector: with dropout on, behind its mask.
        """
        return torch.stack([self.slopes[site][row] for site in self.stops]).cpu()

    def passed_back(self, row: int, layer: int, position: int) -> tuple[Tensor, Tensor]:
        """How one position's heads read earlier tokens, and gradient x value, each `[H, T]`.

        The second is pattern[i, j] * (dL/dz_i · v_j): by how much the loss would grow for a relative change of this
        one weight of the pattern. Below 0: more of that token's value would have lowered the loss. Dropout of patterns
        is left out.
        """
        config, site = self.model.config, f"blocks.{layer}.attn."
        q, k, v = (self.values[site + name][row].double() for name in "qkv")
        if config.kv_heads != config.n_head:
            k, v = (x.repeat_interleave(config.n_head // config.kv_heads, dim=0) for x in (k, v))
        T, window = q.size(1), config.windows[layer] if config.windows else 0
        scores = (k @ q[:, position, :, None]).squeeze(-1) / math.sqrt(q.size(-1))  # [H, T]
        scores = scores.masked_fill(~causal_mask(T, T, q.device, window)[position], -math.inf)
        pattern = scores.softmax(-1)
        slope = self.slopes[site + "z"][row, :, position].double()  # [H, D]
        return pattern.cpu(), (pattern * (v @ slope[..., None]).squeeze(-1)).cpu()

    # ── Into the weights ──────────────────────────────────────────────────────────────────────────────────────────

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters that were trained."""
        return tuple(self.gradients)

    def need(self, name: str) -> str:
        """`name`. Raises UserError where the step has no such parameter."""
        if name not in self.gradients:
            raise UserError(f"{name!r} is no weight that this step trained")
        return name

    @property
    def clip_factor(self) -> float:
        """What all gradients were multiplied by: 1 where nothing was clipped."""
        clip = self.config.grad_clip
        return clip / self.grad_norm if clip and self.grad_norm > clip else 1.0

    def update_of(self, name: str) -> Tensor:
        """Weights after minus weights before."""
        return self.after[name] - self.before[name]

    def table(self, name: str, what: str) -> Tensor:
        """`value`, `gradient` (before clipping) or `update` of a parameter as a matrix `[rows, columns]`."""
        found = {"value": self.before, "gradient": self.gradients}.get(what)
        tensor = self.update_of(name) if found is None else found[self.need(name)]
        return as_table(tensor)

    def update_at(self, name: str, row: int, column: int) -> Update:
        """One weight's update term by term."""
        rule, moments = self.rules[self.need(name)], self.moments[name]

        def at(x: Tensor) -> float:
            return float(as_table(x)[row, column])

        value, gradient = at(self.before[name]), at(self.gradients[name])
        clipped = at(self.gradients[name] * self.clip_factor) if self.clip_factor != 1 else gradient
        first = second = momentum = math.nan
        if rule.muon:
            ahead = self.gradients[name] * self.clip_factor
            ahead = torch.lerp(ahead, moments["momentum_buffer"], rule.momentum)
            momentum = at(ahead)
            parts = [orthogonalise(part[None].to(rule.dtype), rule.ns_steps)[0] for part in ahead.chunk(rule.parts)]
            scale = math.sqrt(max(1.0, parts[0].size(0) / parts[0].size(1)))
            direction = at(torch.cat(parts)) * scale
        else:
            first, second = at(moments["exp_avg"]), at(moments["exp_avg_sq"])
            beta1, beta2 = rule.betas
            root = math.sqrt(second / (1 - beta2**rule.count)) + rule.eps
            direction = first / (1 - beta1**rule.count) / root
        decay, step = -rule.lr * rule.weight_decay * value, -rule.lr * direction
        return Update(gradient, clipped, first, second, momentum, direction, decay, step, value, at(self.after[name]))

    # ── The same batch under other weights ────────────────────────────────────────────────────────────────────────

    @torch.no_grad()
    def loss_with(self, name: str, row: int, column: int, deltas: Iterable[float]) -> list[float]:
        """The step's loss in nats, in float64, with one weight of before the step changed by each of `deltas`.

        Dropout and label smoothing are as they were in the step: a delta of 0 gives the loss that it had.
        """
        if not self._double:
            self._double = {key: p.double() for key, p in self.before.items()}
        plain, found = self._double[self.need(name)], list[float]()
        for delta in deltas:
            if not delta:
                self._plain_loss = self._loss(self._double) if self._plain_loss is None else self._plain_loss
                found.append(self._plain_loss)
                continue
            moved = plain.clone(memory_format=torch.contiguous_format)
            as_table(moved)[row, column] += delta
            found.append(self._loss(self._double | {name: moved}))
        return found

    def slope_at(self, name: str, row: int, column: int) -> float:
        """The derivative of the step's loss by one weight, from two losses left and right of it."""
        low, high = self.loss_with(name, row, column, (-SLOPE_STEP, SLOPE_STEP))
        return (high - low) / (2 * SLOPE_STEP)

    def _loss(self, weights: dict[str, Tensor]) -> float:
        total = 0.0
        for one in self.passes:
            with self._mode(one.seed):
                logits = functional_call(self.model, weights, (one.batch.inputs.to(self._device),))
            total += one.factor * float(mean_loss(logits, _in(one.batch, logits.dtype), self.config.label_smoothing))
        return total

    @contextmanager
    def _mode(self, seed: int | None) -> Iterator[None]:
        """Dropout as it was, and the model's mode and the random numbers as they are afterwards."""
        was = self.model.training
        devices = [self._device] if self._device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            if seed is not None:
                torch.manual_seed(seed)
            self.model.train(seed is not None)
            try:
                yield
            finally:
                self.model.train(was)

    @property
    def _device(self) -> torch.device:
        return next(iter(self.before.values())).device

    @torch.no_grad()
    def compared(self, batches: Iterable[Batch]) -> tuple[float, float, int]:
        """Mean losses in nats over `batches` before and after the step, and how many tokens they are means of:
        every target that is not padding, without dropout."""
        sums, count = [0.0, 0.0], 0
        for batch in batches:
            targets = batch.targets.flatten()
            count += int((targets != IGNORED).sum())
            for n, weights in enumerate((self.before, self.after)):
                sums[n] += float(token_losses(self._eval(weights, batch.inputs), batch.targets).nansum())
        return sums[0] / max(1, count), sums[1] / max(1, count), count

    @cached_property
    def compared_batch(self) -> tuple[float, float, int]:
        """`compared` over the step's own batch."""
        return self.compared([one.batch for one in self.passes])

    @torch.no_grad()
    def compared_row(self, row: int) -> tuple[Tensor, Tensor]:
        """Losses of a row's tokens before and after the step `[T]`, without dropout."""
        inputs, targets, _ = self.row(row)
        before, after = (token_losses(self._eval(w, inputs[None])[0], targets) for w in (self.before, self.after))
        return before, after

    def _eval(self, weights: dict[str, Tensor], inputs: Tensor) -> Tensor:
        with self._mode(None):
            logits: Tensor = functional_call(self.model, weights, (inputs.to(self._device),))
        return logits.double().cpu()


def as_table(x: Tensor) -> Tensor:
    """A parameter as a matrix; a list of numbers is one row."""
    return x.reshape(-1, x.size(-1)) if x.dim() > 1 and x.size(-1) > 1 else x.reshape(1, -1)


def token_losses(logits: Tensor, targets: Tensor) -> Tensor:
    """-ln p of each target in nats, shaped as they are; nan for padding."""
    flat = F.cross_entropy(logits.flatten(0, -2), targets.flatten(), ignore_index=IGNORED, reduction="none")
    return flat.view(targets.shape).masked_fill(targets == IGNORED, math.nan)


def _in(batch: Batch, dtype: torch.dtype) -> Batch:
    return batch if batch.weights is None else Batch(batch.inputs, batch.targets, batch.weights.to(dtype))
