"""Charts of two things side by side: columns over stops, bars that grow apart from a name in the middle.

For: Compare, and bars before and after an intervention. Not for: curves over time (`series`).
"""

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.style import Style

from gpttui.records import Array
from gpttui.tui.renderables.bars import bar
from gpttui.tui.renderables.labels import clip, fit, percent

Piece = tuple[str, Style]

LEVELS = " ▁▂▃▄▅▆▇█"
FIGURE = 7
"""Cells of a probability beside its bar."""


def stop_name(stop: str) -> str:
    """`embed` and `2 attn` in plain words, layers counted from 1."""
    if stop == "embed":
        return "embedding"
    layer, _, part = stop.partition(" ")
    names = {"attn": "attention", "mlp": "MLP"}
    return f"layer {int(layer) + 1} {names[part]}" if part in names and layer.isdecimal() else stop


def stop_place(stop: str) -> tuple[int, str]:
    """(layer, part) of a stop: (-1, `embed`), (2, `attn`) …; of what is before every layer the layer is -1."""
    layer, _, part = stop.partition(" ")
    return (int(layer), part) if layer.isdecimal() else (-1, stop)


def columns(values: list[float], top: float, height: int) -> list[list[str]]:
    """`height` lines of one glyph a value: blocks that grow upwards to `top`, to an eighth of a cell."""
    lines = []
    for line in range(height):
        below = height - 1 - line
        filled = [(value / top if top > 0 else 0.0) * height - below for value in values]
        lines.append([LEVELS[round(max(0.0, min(1.0, share)) * 8)] for share in filled])
    if lines:
        lines[-1] = [
            "▁" if glyph == " " and value > 0 else glyph for glyph, value in zip(lines[-1], values, strict=True)
        ]
    return lines


def column_names(stops: tuple[str, ...], wide: int) -> str:
    """Under the columns: `in`, then each layer's number under its first stop."""
    line, seen = "", -2
    for n, stop in enumerate(stops):
        layer, _ = stop_place(stop)
        if layer != seen and cell_len(line) <= n * wide:
            line = fit(line, n * wide) + ("in" if layer < 0 and wide > 1 else "·" if layer < 0 else str(layer + 1))
            seen = layer
    return line


def bar_from_right(share: float, width: int) -> str:
    """As `bar`, growing to the left, in exactly `width` cells; to half a cell, as right-hand blocks go no finer."""
    if not share > 0 or width <= 0:
        return " " * max(0, width)
    full, rest = divmod(max(1, min(8 * width, round(share * 8 * width))), 8)
    tip = "" if not rest else "▕" if rest < 3 else "▐" if rest < 7 else "█"
    return " " * (width - full - bool(tip)) + tip + "█" * full


def signed_bar(share: float, width: int) -> tuple[str, str]:
    """A bar from an axis in the middle: (left of it, right of it), together exactly `width` cells wide.

    `share`: -1 to 1, of one half. The axis is the border between the two parts.
    """
    left, right = width // 2, width - width // 2
    size = min(1.0, abs(share))
    if share < 0:
        return bar_from_right(size, left), " " * right
    return " " * left, bar(size, right).ljust(right)


class Pair(NamedTuple):
    """One token's two probabilities."""

    token_id: int
    left: float
    right: float


Two = Array | tuple[Array, Array]
"""Something for each side."""


def pairs(ids: Two, probs: Two, others: Two) -> list[Pair]:
    """Tokens of both lists, `[k]` each, by the larger of their two probabilities; `others`: the other side's."""
    found: dict[int, Pair] = {}
    for side in (0, 1):
        for token_id, mine, theirs in zip(ids[side].tolist(), probs[side].tolist(), others[side].tolist(), strict=True):
            found[token_id] = Pair(token_id, *((mine, theirs) if side == 0 else (theirs, mine)))
    return sorted(found.values(), key=lambda pair: -max(pair.left, pair.right))


def wings(
    found: Sequence[Pair], labels: list[str], titles: tuple[str, str], width: int, tones: tuple[Style, ...]
) -> list[list[Piece]]:
    """The titles of both sides, then a line each: `12.1%  ▐███ "·is" ██▌  8.3%`.

    All bars are to one scale; `tones` are left bar, right bar, name and figures.
    """
    left, right, plain, dim = tones
    half, top = width // 2, max(max(pair.left, pair.right) for pair in found) or 1.0
    name = max(4, min(max(map(cell_len, labels)), width // 3))
    cells = max(0, (width - name - 2 - 2 * FIGURE) // 2)
    lines = [[(fit(titles[0], half), left), (fit(titles[1], width - half, right=True), right)]]
    for pair, label in zip(found, labels, strict=True):
        text = clip(label, name)
        pad = name - cell_len(text)
        lines.append(
            [
                (fit(percent(pair.left), FIGURE - 1, right=True) + " ", plain if pair.left >= pair.right else dim),
                (bar_from_right(pair.left / top, cells), left),
                (" " + " " * (pad // 2) + text + " " * (pad - pad // 2) + " ", plain),
                (fit(bar(pair.right / top, cells), cells), right),
                (" " + fit(percent(pair.right), FIGURE - 1), plain if pair.right >= pair.left else dim),
            ]
        )
    return lines
