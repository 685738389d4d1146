"""Gradient norms by layer, for the bars that show where learning happens. Not for clipping, which is the loop's."""

import torch
from torch import Tensor


def layer_of(name: str, layers: int) -> int:
    """Which bar of the gradient norms parameter `name` belongs to: 0 embedding, 1 … blocks, then the rest."""
    if name.startswith("transformer.h."):
        return 1 + int(name.split(".")[2])
    return 0 if name.startswith(("transformer.wte", "transformer.wpe")) else 1 + layers


def layer_norms(gradients: list[Tensor], bars: list[int], layers: int) -> list[float]:
    """Norms of embedding, blocks and the rest, with one wait for the device; `bars`: the bar of each gradient."""
    norms = torch.stack(torch._foreach_norm(gradients))
    sums = torch.zeros(layers + 2, dtype=torch.float64)
    sums.index_add_(0, torch.tensor(bars), norms.double().cpu().square())
    return [float(value) for value in sums.sqrt().tolist()]
