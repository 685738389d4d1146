"""AdamW for what is a list of vectors, Muon for what is a map between spaces.

Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon) replaces a matrix's momentum by the nearest
matrix whose singular values are all one, found by Newton-Schulz iteration: `torch.optim.Muon` does so one matrix at a
time, here all matrices of one shape go through as a batch, which on small models is what makes it affordable. Queries,
keys and values, which one fused matrix holds, are orthogonalised apart.
"""

import math
from collections import defaultdict
from collections.abc import Sequence

import torch
from torch import Tensor

from gpttui.model.gpt import GPT
from gpttui.runs.config import TrainConfig
from gpttui.training.distributed import in_bf16

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""The quintic a x + b x^3 + c x^5 that pushes every x in (0, 1] towards 1 fastest, if not exactly to it."""


def orthogonalise(x: Tensor, steps: int = 5, eps: float = 1e-7) -> Tensor:
    """About U V^T for each matrix U S V^T of `x` `[n, rows, columns]`, in x's precision.

    For wide matrices the iterations run on the Gram matrix alone: X_k = Q_k X_0, Q_k a polynomial in X_0 X_0^T, so that
    the matrix itself is touched twice, not ten times. Not in bfloat16: squaring the singular values leaves it too few
    digits, and small ones blow up.
    """
    a, b, c = COEFFICIENTS
    tall = x.size(-2) > x.size(-1)
    if tall:
        x = x.mT
    x = x / x.flatten(1).norm(dim=1).clamp(min=eps).view(-1, 1, 1)
    if x.size(-1) < 2 * x.size(-2) or x.dtype == torch.bfloat16:
        for _ in range(steps):
            gram = x @ x.mT
            x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    else:
        gram, q = x @ x.mT, None
        for step in range(steps):
            p = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
            p.diagonal(dim1=-2, dim2=-1).add_(a)  # p(G) = a I + b G + c G^2, and X <- p X
            q = p if q is None else p @ q
            if step + 1 < steps:
                gram = p @ gram @ p
        x = x if q is None else q @ x
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """Momentum, orthogonalised; a matrix `[rows, columns]` moves by lr * sqrt(max(1, rows / columns)).

    `dtype`: what Newton-Schulz computes in. `thirds`: parameters whose rows hold three maps (query, key, value) of
    equal size, to be orthogonalised apart.
    """

    def __init__(
        self,
        parameters: Sequence[Tensor],
        *,
        lr: float = 0.02,
        weight_decay: float = 0.0,
        momentum: float = 0.95,
        ns_steps: int = 5,
        dtype: torch.dtype = torch.float32,
        thirds: Sequence[Tensor] = (),
    ) -> None:
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})
        self.ns_steps, self.dtype = ns_steps, dtype
        self._thirds = {id(p) for p in thirds}

    def parts(self, parameter: Tensor) -> int:
        """Into how many matrices the rows of `parameter` fall that are orthogonalised apart."""
        return 3 if id(parameter) in self._thirds else 1

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            parameters = [p for p in group["params"] if p.grad is not None]
            buffers = [self.state[p].setdefault("momentum_buffer", torch.zeros_like(p)) for p in parameters]
            gradients = [p.grad for p in parameters]
            torch._foreach_lerp_(buffers, gradients, 1 - group["momentum"])
            updates = torch._foreach_lerp(gradients, buffers, group["momentum"])  # Nesterov's look ahead
            if group["weight_decay"]:
                torch._foreach_mul_(parameters, 1 - group["lr"] * group["weight_decay"])
            batches: dict[tuple[int, int], list[tuple[Tensor, Tensor]]] = defaultdict(list)
            for p, update in zip(parameters, updates, strict=True):
                parts = self.parts(p)
                for target, part in zip(p.chunk(parts), update.chunk(parts), strict=True):
                    batches[part.size(0), part.size(1)].append((target, part))
            for (rows, columns), pairs in batches.items():
                stacked = torch.stack([update for _, update in pairs]).to(self.dtype)
                moved = orthogonalise(stacked, self.ns_steps).to(updates[0].dtype)
                scale = group["lr"] * math.sqrt(max(1.0, rows / columns))
                torch._foreach_add_([target for target, _ in pairs], list(moved.unbind()), alpha=-scale)


def make_optimisers(model: GPT, config: TrainConfig, device: torch.device) -> list[torch.optim.Optimizer]:
    """AdamW alone, or Muon and AdamW: every parameter in exactly one. Groups carry `peak_lr` for the schedule."""
    blocks = [p for p in model.transformer.h.parameters() if p.ndim == 2] if config.optimizer == "muon" else []
    chosen = {id(p) for p in blocks}
    rest = [p for p in model.parameters() if id(p) not in chosen]
    groups = [
        {"params": [p for p in rest if p.ndim == 2], "weight_decay": config.weight_decay},
        {"params": [p for p in rest if p.ndim != 2], "weight_decay": 0.0},
    ]
    optimisers: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(
            [group for group in groups if group["params"]],
            lr=config.lr,
            betas=(config.beta1, config.beta2),
            fused=device.type in ("cpu", "cuda"),
        )
    ]
    if blocks:
        grouped = model.config.kv_heads != model.config.n_head
        fused_qkv = [] if grouped else [p for name, p in model.named_parameters() if name.endswith("c_attn.weight")]
        optimisers.append(
            Muon(
                blocks,
                lr=config.matrix_lr,
                weight_decay=config.matrix_weight_decay,
                momentum=config.momentum,
                ns_steps=config.newton_schulz_steps,
                dtype=torch.bfloat16 if in_bf16(config.precision, device) else torch.float32,
                thirds=fused_qkv,
            )
        )
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["peak_lr"] = group["lr"]
    return optimisers


def set_learning_rates(optimisers: Sequence[torch.optim.Optimizer], factor: float) -> None:
    """Every group's learning rate to `factor` of its peak."""
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = group["peak_lr"] * factor


def lr_factor(config: TrainConfig, step: int) -> float:
    """The learning rate of step `step` (0-based) as a fraction of the config's peak."""
    steps, scale = config.in_force(step)
    warmup = min(config.warmup, steps // 10)
    if step < warmup:
        return (step + 1) / (warmup + 1) * scale
    if config.schedule == "constant":
        return scale
    done = min(1.0, (step - warmup) / max(1, steps - warmup))
    if config.schedule == "linear":
        fraction = 1 - max(0.0, done - config.stable_fraction) / (1 - config.stable_fraction)
    else:
        fraction = 0.5 * (1 + math.cos(math.pi * done))
    return (config.min_lr_fraction + (1 - config.min_lr_fraction) * fraction) * scale
