"""The parts of a token's cost as rows of a table, amounts with their units, and points against the context length.

For: Cost. Not for: measuring or counting (the engine does both).
"""

from typing import Literal, NamedTuple

import numpy as np

from gpttui.protocol.parts import Cost
from gpttui.records import Array
from gpttui.tui.renderables.braille import braille_line

Grouping = Literal["part", "layer", "each"]
GROUPINGS: tuple[Grouping, ...] = ("part", "layer", "each")
Quantity = Literal["ms", "flops", "bytes"]
QUANTITIES: tuple[Quantity, ...] = ("ms", "flops", "bytes")

PART_NAMES = {
    "embed": "embedding",
    "qkv": "queries, keys, values",
    "attend": "attend",
    "project": "mix the heads",
    "mlp": "MLP",
    "unembed": "logits",
}
SHORT_NAMES = {**PART_NAMES, "qkv": "q, k, v", "project": "mix heads"}
PART_WORDS = {
    "embed": "reads one row of the table of tokens (and one of places, where the model has such); no matrix product",
    "qkv": "three products of the vector with matrices: its query, its key, its value; the norm before them included",
    "attend": "its query meets every key so far, softmax, the values are summed: the part that grows with the text",
    "project": "one product joins what the heads found and adds it to the vector",
    "mlp": "two products (three with a gate): out to the neurons and back; the norm before them included",
    "unembed": "the last vector meets every token of the vocabulary; the final norm included",
}


class CostRow(NamedTuple):
    """Some parts together."""

    name: str
    part: str
    """Empty where several kinds are together."""
    layer: int
    """-1: of no single layer."""
    ms: float
    flops: float
    weight_bytes: float
    cache_bytes: float

    def amount(self, quantity: Quantity) -> float:
        """What its bar shows."""
        return {"ms": self.ms, "flops": self.flops, "bytes": self.weight_bytes + self.cache_bytes}[quantity]


def cost_rows(cost: Cost, by: Grouping, short: bool = False) -> list[CostRow]:
    """The parts one by one, or together by their kind or their layer, in the order in which they are computed."""
    names = SHORT_NAMES if short else PART_NAMES
    found: dict[tuple[str, int], list[float]] = {}
    numbers = np.stack([cost.ms, cost.flops, cost.weight_bytes, cost.cache_bytes], axis=1).astype(np.float64)
    for part, layer, amounts in zip(cost.parts, cost.layers.tolist(), numbers.tolist(), strict=True):
        inner = 0 <= layer < cost.n_layer
        key = (part if by != "layer" or not inner else "", layer if by != "part" and inner else -1)
        sums = found.setdefault(key, [0.0] * 4)
        found[key] = [total + amount for total, amount in zip(sums, amounts, strict=True)]
    rows = []
    for (kind, layer), sums in found.items():
        name = names.get(kind, kind)
        if layer >= 0:
            name = f"{layer + 1} {SHORT_NAMES.get(kind, kind)}" if kind else f"layer {layer + 1}"
        rows.append(CostRow(name, kind, layer, *sums))
    return rows


def total_row(rows: list[CostRow]) -> CostRow:
    sums = np.sum([(row.ms, row.flops, row.weight_bytes, row.cache_bytes) for row in rows], axis=0)
    return CostRow("all together", "", -1, *sums.tolist())


# ── Amounts ───────────────────────────────────────────────────────────────────────────────────────────────────────

_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def amount(value: float, unit: str) -> str:
    """Three figures and a unit: `12.1 MB`, `940 B`, `6.01 MFLOP`; prefixes are powers of 1,000."""
    for size, prefix in _PREFIXES:
        if abs(value) >= size * 0.9995:
            return f"{_three(value / size)} {prefix}{unit}"
    return f"{value:.0f} {unit}" if float(value).is_integer() else f"{_three(value)} {unit}"


def milliseconds(ms: float) -> str:
    """`0.034 ms`, `2.31 ms`, `140 ms`."""
    return f"{ms:.3f} ms" if ms < 0.9995 else f"{_three(ms)} ms"


def shown_amount(value: float, quantity: Quantity) -> str:
    """An amount of this quantity, with its unit."""
    return milliseconds(value) if quantity == "ms" else amount(value, "FLOP" if quantity == "flops" else "B")


def _three(value: float) -> str:
    size = abs(value)
    return f"{value:.2f}" if size < 9.995 else f"{value:.1f}" if size < 99.95 else f"{value:.0f}"


# ── Against the length of the context ─────────────────────────────────────────────────────────────────────────────

POINT = "●"


def length_chart(
    curve: tuple[Array, Array] | None, points: tuple[Array, Array], longest: int, top: float, width: int, lines: int
) -> list[list[str]]:
    """`lines` lines of `width` characters: x from 1 to `longest` tokens, y from 0 to `top`.

    `curve` (x, y) is drawn as a line, `points` (x, y) as dots over it.
    """
    glyphs = [[" "] * width for _ in range(lines)]
    if width < 1 or lines < 1:
        return glyphs
    across = (width - 1) / max(1, longest - 1)
    up = lines / (top if top > 0 else 1.0)
    if curve is not None:
        x = (curve[0] - 1) * across + 0.5
        y = np.clip(lines - curve[1] * up, 0.05, lines - 0.05)
        dots = braille_line(x, y, width, lines, thick=True)
        for line, column in np.argwhere(dots).tolist():
            glyphs[line][column] = chr(0x2800 + int(dots[line, column]))
    for at, value in zip(points[0].tolist(), points[1].tolist(), strict=True):
        column = min(width - 1, max(0, round((at - 1) * across)))
        glyphs[min(lines - 1, max(0, int(lines - value * up)))][column] = POINT
    return glyphs
