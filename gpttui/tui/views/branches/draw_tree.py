"""A tree of continuations as lines: guides where it forks, a straight line where it does not.

For: the branches view. Not for: colours, or what a node is (`gpttui.sessions.tree`).
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

from gpttui.sessions.tree import Branches, model_words
from gpttui.tui.renderables.labels import percent

LAST, MORE, GOES_ON, NOTHING = "└╴", "├╴", "│ ", "  "
SEEN = 400
"""Cells of guides that a line keeps, those nearest to it; more than any screen shows."""
UNKNOWN, OTHER, MIXED = "?", "†", "mixed"


class Entry(NamedTuple):
    """One line of the tree."""

    nodes: tuple[int, ...]
    """The tokens it stands for, the last one being the place that can be jumped to."""
    guides: str
    bits: float
    """-log2 of the probability of these tokens."""
    joint_bits: float
    """Of everything from the prompt to the last of them."""
    models: frozenset[str | None]
    """Those that measured these tokens."""
    joint_models: frozenset[str | None]
    n_below: int


def entries(tree: Branches, leaf: int, *, folded: bool) -> Iterator[Entry]:
    """All nodes depth first; `folded`: stretches without a fork, a bookmark or the text's end in them as one line."""
    guides = {-1: ""}
    waiting: list[int] = []
    bits, models = 0.0, frozenset[str | None]()
    for row in tree.rows():
        node = row.node
        siblings = tree.child_ids(node.parent)
        above = guides[node.parent][-SEEN:]
        last = siblings[-1] == node.id
        forked = len(siblings) > 1
        guides[node.id] = above + ((NOTHING if last else GOES_ON) if forked else "")
        if not waiting:
            first, bits, models = above + ((LAST if last else MORE) if forked else ""), 0.0, frozenset()
        waiting.append(node.id)
        bits, models = bits + node.bits, models | {node.under}
        goes_on = folded and len(tree.child_ids(node.id)) == 1 and not node.bookmark and node.id != leaf
        if not goes_on:
            yield Entry(tuple(waiting), first, bits, row.joint_bits, models, row.models, row.n_below)
            waiting = []


def marked(figure: str, models: frozenset[str | None], now: str) -> str:
    """A figure as far as it means something: † where another model than `now` made it, no number where several did."""
    if figure == UNKNOWN or models <= {now}:
        return figure
    return f"{figure}{OTHER}" if len(models) == 1 else MIXED


def legend(tree: Branches) -> str:
    """What the marks stand for; empty where the tree needs none."""
    others = {node.under for node in tree.nodes.values() if node.bits == node.bits} - {tree.now}
    if not others:
        return ""
    whose = model_words(next(iter(others))) if len(others) == 1 else "other models than that of now"
    return f"{OTHER} measured under {whose}; {MIXED}: under several"


def nats(bits: float) -> str:
    """A log-probability in nats, at most eight cells: `-12.34`, `-1,234.5`; `?` where it is not known."""
    value = -bits * math.log(2) + 0.0
    return UNKNOWN if math.isnan(bits) else f"{value:.2f}" if value > -1000 else f"{value:,.1f}"


def chance(bits: float) -> str:
    """2^-bits in at most seven cells, however small: `12.3%`, `3.1e-12`; `?` where it is not known."""
    if math.isnan(bits):
        return UNKNOWN
    if bits < 13:  # percent writes what is rarer as "less than"
        return percent(2.0**-bits)
    exponent = -bits * math.log10(2)
    power = math.floor(exponent)
    mantissa = 10 ** (exponent - power)
    if mantissa >= 9.95:
        mantissa, power = 1.0, power + 1
    return f"{mantissa:.1f}e{power}"
