"""The keys and values of the positions already seen: passed in to `GPT.forward`, never hidden on the model.

Storage is allocated once for the whole context, so that a step writes one row and stepping back only lowers `length`:
rows beyond it are never read. Idea from nanochat's `KVCache`.
"""

import torch
from torch import Tensor


class KVCache:
    """Keys and values, each `[layer, batch, kv_head, capacity, d_head]`; the first `length` positions are filled."""

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
        shape = (n_layer, batch_size, kv_heads, capacity, d_head)
        self.keys = torch.zeros(shape, device=device, dtype=dtype)
        self.values = torch.zeros(shape, device=device, dtype=dtype)
        self.length = 0

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
