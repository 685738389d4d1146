"""Attention squares put together from the rows that snapshots bring.

For: `AttentionPane`, which asks only for rows it does not hold. Not for: drawing.
"""

import numpy as np

from gpttui.records import Array, Snapshot

KEPT_HEADS = 8
"""Squares held at once: the last heads looked at. Of 1,024 tokens they take 8 × 4 MB."""


class Squares:
    """The rows of each (layer, head) seen lately, all of one epoch."""

    def __init__(self) -> None:
        self.epoch = -1
        self._held: dict[tuple[int, int], tuple[Array, int]] = {}

    def rows(self, key: tuple[int, int]) -> int:
        """Rows held from the first on."""
        return self._held[key][1] if key in self._held else 0

    def square(self, key: tuple[int, int], tokens: int) -> Array | None:
        """Weights `[tokens, tokens]` of (layer, head) `key`, or None while rows are missing."""
        return self._held[key][0][:tokens, :tokens] if self.rows(key) >= tokens > 0 else None

    def take(self, snapshot: Snapshot) -> None:
        """Add what the snapshot brings; forget what it makes untrue."""
        tokens = len(snapshot.ids) - snapshot.n_slid
        if snapshot.epoch != self.epoch:
            self._held.clear()
            self.epoch = snapshot.epoch
        for key, (square, rows) in self._held.items():
            self._held[key] = (square, min(rows, tokens))
        piece = snapshot.attention
        if piece is None:
            return
        key = (piece.layer, piece.head)
        square, rows = self._held.pop(key, (np.zeros((0, 0), dtype=np.float32), 0))
        if piece.first_query > rows:
            self._held[key] = (square, rows)
            return
        end = piece.first_query + len(piece.weights)
        if end > len(square):
            larger = np.zeros((2 * end, 2 * end), dtype=np.float32)
            larger[:rows, :rows] = square[:rows, :rows]
            square = larger
        keys = piece.weights.shape[1]
        square[piece.first_query : end] = 0
        square[piece.first_query : end, :keys] = piece.weights
        self._held[key] = (square, end)
        while len(self._held) > KEPT_HEADS:
            del self._held[next(iter(self._held))]
