"""The keys and values of the positions already seen: passed in to `GPT.forward`, never hidden on the model.

Storage grows by blocks, so that a context of 131,072 costs what its text needs; a step writes one row and stepping back
only lowers `length`: rows beyond it are never read. Idea from nanochat's `KVCache`.
"""

import torch
from torch import Tensor

BLOCK = 256
"""Positions that storage grows by, at least."""


def grown(x: Tensor, length: int, dim: int) -> Tensor:
    """`x` with `length` entries along `dim`: those that it has, then whatever memory holds."""
    more = x.new_empty((*x.shape[:dim], length, *x.shape[dim + 1 :]))
    more.narrow(dim, 0, x.size(dim)).copy_(x)
    return more


class KVCache:
    """Keys and values, each `[layer, batch, kv_head, held, d_head]`; the first `length` positions are filled, and at
    most `capacity` can be.
    """

    def __init__(
        self,
        n_layer: int,
        kv_heads: int,
        d_head: int,
        capacity: int,
        batch_size: int = 1,
        *,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.capacity = capacity
        shape = (n_layer, batch_size, kv_heads, min(capacity, BLOCK), d_head)
        self.keys = torch.empty(shape, device=device, dtype=dtype)
        self.values = torch.empty(shape, device=device, dtype=dtype)
        self.length = 0

    @property
    def held(self) -> int:
        """Positions that there is storage for."""
        return self.keys.size(3)

    def make_room(self, end: int) -> bool:
        """Storage for `end` positions, half as much again as there was; whether keys and values have moved.

        Raises ValueError beyond the capacity.
        """
        if end <= self.held:
            return False
        if end > self.capacity:
            raise ValueError(f"{end} positions do not fit a context of {self.capacity}")
        held = min(self.capacity, -(-max(end, self.held * 3 // 2) // BLOCK) * BLOCK)
        self.keys, self.values = grown(self.keys, held, 3), grown(self.values, held, 3)
        return True

    @property
    def size_bytes(self) -> int:
        """Bytes of the filled part, keys and values together."""
        per_position = self.keys.element_size() * self.keys[:, :, :, :1].numel() * 2
        return per_position * self.length

    def extend(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Write rows `[B, kv_head, T, d_head]` behind `length`; return all keys and values up to and with them.

        `length` itself moves once per pass (`advance`), after every layer has written.
        """
        end = self.length + k.size(2)
        self.make_room(end)
        keys, values = self.keys[layer], self.values[layer]
        keys[:, :, self.length : end] = k
        values[:, :, self.length : end] = v
        return keys[:, :, :end], values[:, :, :end]

    def advance(self, count: int) -> None:
        """The pass over `count` positions is done: they count as filled from now on."""
        self.length += count

    def truncate(self, length: int) -> None:
        """Forget every position from `length` on. Exact: what stays was never touched by what goes."""
        if not 0 <= length <= self.length:
            raise ValueError(f"cannot cut a cache of {self.length} positions to {length}")
        self.length = length
