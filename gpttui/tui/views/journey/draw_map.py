"""One token's way through the model as a map: across, a column for each stop; down, a line for each.

For: what `JourneyPane` draws. Not for: deciding which way round (the pane does, by its room).
A walk is the same map with later stops still covered: their names are there, nothing else.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from rich.cells import cell_len

from gpttui.protocol.stream import Journey
from gpttui.records import Array
from gpttui.tui.renderables.bars import bar, plain_bar
from gpttui.tui.renderables.ink import Ink, Line, Piece, hit, number, prob_cell, width_of
from gpttui.tui.renderables.labels import fit, percent
from gpttui.tui.renderables.streams import lying, scale_of, upright
from gpttui.tui.views.journey.draw_words import StopName, stop_names

LEAST_COLUMN, MOST_COLUMN, DISTRIBUTION = 7, 18, 24
LEAST_FOLDED = 7
"""Lines from which on stops are folded; below, those around the cursor have them all."""
FOLDED_FROM, LAST_BARS = 24, 4
"""Lines of a room in which a way that is folded leaves some for where it ends."""
LABELLED = 13
"""Cells from which on a column's figures have their names beside them, and its readings their percentages."""


@dataclass(frozen=True)
class JourneyMap:
    """All that one drawing depends on."""

    journey: Journey
    labels: tuple[tuple[str, ...], ...]
    """`[stop][k]`: the lens's tokens."""
    token: str
    cursor: int
    ink: Ink
    watched: str = ""
    """The token whose rank is followed, as in `labels`; empty for none."""
    added: bool = False
    """Strips show what each stop added, not the sum."""
    shared_scale: bool = False
    uncovered: int = 1 << 30
    """How many stops are drawn; the distribution comes after all of them."""

    @cached_property
    def vectors(self) -> Array:
        """`[stop, d_model]`: what the strips show."""
        vectors = self.journey.vectors
        return np.diff(vectors, axis=0, prepend=np.zeros_like(vectors[:1])) if self.added else vectors

    @cached_property
    def names(self) -> tuple[StopName, ...]:
        return stop_names(self.journey.stops)

    @property
    def count(self) -> int:
        return len(self.journey.stops)

    @property
    def ended(self) -> bool:
        """Whether the distribution is drawn."""
        return self.uncovered > self.count

    def wins(self, stop: int, k: int) -> bool:
        """Whether that token is the one which the last vector finds most probable, if it may be known yet."""
        return self.ended and bool(self.journey.top_ids[stop, k] == self.journey.top_ids[-1, 0])

    @property
    def decided(self) -> int:
        """The stop from which on that token leads for good."""
        other = np.flatnonzero(self.journey.top_ids[:, 0] != self.journey.top_ids[-1, 0])
        return int(other[-1]) + 1 if len(other) else 0

    def mark(self, text: str, stop: int, tone: str = "plain") -> Piece:
        """A text that belongs to a stop, brighter where the cursor is; blank while the stop is covered."""
        if stop >= self.uncovered:
            return " " * cell_len(text), self.ink.plain + hit(stop)
        return text, (self.ink.accent if stop == self.cursor else getattr(self.ink, tone)) + hit(stop)

    def title(self, text: str, stop: int) -> Piece:
        """A stop's name, which stands even over a covered one."""
        ink = self.ink
        return text, (ink.cursor if stop == self.cursor else ink.dim if stop >= self.uncovered else ink.plain) + hit(
            stop
        )


def window(at: int, count: int, room: int) -> range:
    """At most `room` of `count` things, `at` among them, about in the middle."""
    room = max(1, min(room, count))
    first = max(0, min(at - room // 2, count - room))
    return range(first, first + room)


def folded(at: int, count: int, room: int) -> list[range]:
    """What of `count` things has room, a line for each and for each gap: the first, the last, and those around `at`."""
    if room >= count or room < LEAST_FOLDED:
        return [window(at, count, room)]
    middle = window(at, count, room - 4)
    if middle.start <= 2:
        return [range(room - 2), range(count - 1, count)]
    if middle.stop >= count - 2:
        return [range(1), range(count - room + 2, count)]
    return [range(1), middle, range(count - 1, count)]


def column_width(count: int, width: int) -> int:
    """Cells of each stop's column where all stops go across, the distribution beside them; 0 where they do not fit."""
    found = (width - DISTRIBUTION) // count
    return min(found, MOST_COLUMN) if found >= LEAST_COLUMN else 0


# ── Across ────────────────────────────────────────────────────────────────────────────────────────────────────────


def across(view: JourneyMap, width: int, height: int) -> list[Line]:
    """A column for each stop, from left to right, and at the right what the last vector becomes."""
    wide = column_width(view.count, width) or LEAST_COLUMN
    stops = window(view.cursor, view.count, max(1, (width - DISTRIBUTION) // wide))
    labelled = wide >= LABELLED
    says = max(1, min(len(view.labels[0]), (height - 8) // 3, 6))
    tile = max(2, height - says - 6 - 2 * bool(view.watched) - (not labelled))
    lines = [_layers(view, stops, wide), _parts(view, stops, wide), *_tiles(view, stops, wide, tile)]
    if not labelled:
        lines.append([("How long it is, and how much was added:", view.ink.dim)])
    lines += [_lengths(view, stops, wide), _added(view, stops, wide)]
    lines.append([("If the model stopped here, it would say:", view.ink.dim)])
    lines += [_says(view, stops, wide, k) for k in range(says)]
    if view.watched:
        lines.append([(f'Rank of "{view.watched}", which follows in the text:', view.ink.dim)])
        lines.append([view.mark(fit(_rank(view, stop), wide), stop) for stop in stops])
    left = len(stops) * wide
    right = _distribution(view, width - left, len(lines))
    for line, beside in zip(lines, right, strict=False):
        line += [(" " * (left - width_of(line)), view.ink.plain), *beside]
    return lines[:height]


def _layers(view: JourneyMap, stops: range, wide: int) -> Line:
    """`layer 1 ───────────` over the columns of a layer."""
    line: Line = []
    start = stops.start
    while start < stops.stop:
        layer = view.names[start].layer
        end = start
        while end < stops.stop and view.names[end].layer == layer:
            end += 1
        room = (end - start) * wide - 2
        words = "start" if layer < 0 else f"layer {layer + 1}"
        here = view.names[view.cursor].layer == layer
        rule = "─" * max(0, room - cell_len(words) - 1)
        line.append((fit(f"{words} {rule}", room) + "  ", (view.ink.accent if here else view.ink.dim) + hit(start)))
        start = end
    return line


def _parts(view: JourneyMap, stops: range, wide: int) -> Line:
    line: Line = []
    for stop in stops:
        name = view.names[stop]
        words = f"+ {name.short}" if wide >= LABELLED else name.short if wide >= 11 else name.shortest
        words = view.token if stop == 0 else words
        line += [view.title(fit(words, wide - 2), stop), ("  ", view.ink.plain)]
    return line


def _tiles(view: JourneyMap, stops: range, wide: int, lines: int) -> list[Line]:
    tops = scale_of(view.vectors, view.shared_scale)
    blank = [(" " * (wide - 2), view.ink.plain)] * lines
    columns = [
        upright(view.vectors[stop], float(tops[stop]), lines, wide - 2, view.ink) if stop < view.uncovered else blank
        for stop in stops
    ]
    found: list[Line] = []
    for row in range(lines):
        line: Line = []
        for stop, column in zip(stops, columns, strict=True):
            text, style = column[row]
            arrow = "━▶" if row == lines // 2 and stop + 1 < view.uncovered else "  "
            line += [(text, style + hit(stop)), (arrow, view.ink.bar)]
        found.append(line)
    return found


def _lengths(view: JourneyMap, stops: range, wide: int) -> Line:
    name = "length " if wide >= LABELLED else ""
    return [view.mark(fit(name + number(float(view.journey.norms[stop])), wide), stop) for stop in stops]


def _added(view: JourneyMap, stops: range, wide: int) -> Line:
    name = "added " if wide >= LABELLED else "+"
    texts = ("" if stop == 0 else name + number(float(view.journey.added_norms[stop])) for stop in stops)
    return [view.mark(fit(text, wide), stop, "dim") for stop, text in zip(stops, texts, strict=True)]


def _says(view: JourneyMap, stops: range, wide: int, k: int) -> Line:
    line: Line = []
    for stop in stops:
        prob, label = float(view.journey.top_probs[stop, k]), view.labels[stop][k]
        if wide >= LABELLED + 1:
            label = fit(label, wide - 8) + f"{percent(prob):>6}"
        text, style = prob_cell(label, prob, wide - 2, view.ink, bold=view.wins(stop, k))
        drawn = stop < view.uncovered
        line += [(text, style + hit(stop)) if drawn else view.mark(text, stop), ("  ", view.ink.plain)]
    return line


def _rank(view: JourneyMap, stop: int) -> str:
    return f"{int(view.journey.watched_ranks[stop, 0]) + 1:,}"


def _distribution(view: JourneyMap, width: int, lines: int) -> list[Line]:
    """What the last vector becomes: bars below each other."""
    ink, probs = view.ink, view.journey.top_probs[-1]
    if not view.ended:
        return [[("what comes next", ink.dim)]]
    found: list[Line] = [[("what comes next", ink.strong)], [("the last vector's chances", ink.dim)]]
    name = min(16, width // 2 - 3)
    found += _bars(view, width, name, max(1, lines - 3), max(float(probs[0]), 1e-9))
    rest = max(0.0, 1.0 - float(probs[: len(found) - 2].sum()))
    return [*found, [(fit("  all others" if name > 11 else "  others", name) + f"{percent(rest):>7}", ink.dim)]]


def _bars(view: JourneyMap, width: int, name: int, count: int, top: float) -> list[Line]:
    """The likeliest tokens; ● before the one that follows in the text. `top`: the probability of the longest bar."""
    ink, probs = view.ink, view.journey.top_probs[-1]
    room = max(0, width - name - 8)
    lines: list[Line] = []
    for prob, label in list(zip(probs.tolist(), view.labels[-1], strict=True))[:count]:
        follows = bool(view.watched) and label == view.watched
        drawn = bar(prob / top, room) if ink.coloured else plain_bar(prob / top, room)
        words = fit(("● " if follows else "  ") + label, name)
        tone = ink.accent if follows else ink.plain
        lines.append([(words, tone), (f"{percent(prob):>7} ", ink.dim), (drawn, ink.bar)])
    return lines


# ── Down ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Columns:
    """What a line has room for, in cells; 0: left out."""

    name: int
    strip: int
    figures: int
    cell: int
    cells: int
    rank: int

    @classmethod
    def of(cls, width: int, ranked: bool) -> "Columns":
        cells = 1 if width < 72 else 2 if width < 110 else 3
        cell = 9 if width < 60 else 14
        name, figures = (14 if width >= 60 else 11), (13 if width >= 50 else 0)
        rank = 7 if ranked and width >= 72 else 0
        strip = max(0, width - name - 2 - figures - cells * (cell + 1) - rank)
        return cls(name, strip, figures, cell, cells, rank)


def down(view: JourneyMap, width: int, height: int) -> list[Line]:
    """A line for each stop, from the embedding at the top to the distribution at the bottom."""
    last = max(LAST_BARS if height >= FOLDED_FROM else 0, min(6, height - view.count - 3)) if height >= 8 else 0
    if view.ended and view.cursor == view.count - 1 and height >= 4:
        last = max(last, 1)  # a small room shows where the way ends, too
    room = height - (height >= 4) - (last + 1 if last else 0)
    stretches = folded(view.cursor, view.count, room)
    columns = Columns.of(width, bool(view.watched))
    tall = 2 * view.count <= room
    lines: list[Line] = []
    if height >= 4:
        lines.append([(_titles(view, columns), view.ink.dim)])
    tops = scale_of(view.vectors, view.shared_scale)
    for n, stops in enumerate(stretches):
        if n:
            lines.append(_fold(view, range(stretches[n - 1].stop, stops.start)))
        for stop in stops:
            lines += _stop(view, columns, stop, float(tops[stop]), first=stop == stops.start, tall=tall)
    if last and view.ended:
        lines.append([("The last vector becomes chances for all tokens:", view.ink.dim)])
        lines += _bars(view, width, min(14, width // 2), last, 1.0)
    return lines[:height]


def _titles(view: JourneyMap, columns: Columns) -> str:
    titles = fit("", columns.name) + " " + fit("what was added" if view.added else "its vector", columns.strip) + " "
    titles += f"{'length':>6}{'added':>6} " if columns.figures else ""
    return titles + fit("it would say", columns.cells * (columns.cell + 1)) + ("rank ●" if columns.rank else "")


def _fold(view: JourneyMap, hidden: range) -> Line:
    """A line for stops that have none; a click goes to the one in their middle."""
    first, last = (view.names[n].layer + 1 for n in (hidden.start, hidden.stop - 1))
    words = f" ⋮ layers {first}–{last}" if first != last else f" ⋮ layer {first}"
    return [(words, view.ink.dim + hit(hidden[len(hidden) // 2]))]


def _stop(view: JourneyMap, columns: Columns, stop: int, top: float, *, first: bool, tall: bool) -> list[Line]:
    ink, at, covered = view.ink, view.names[stop], stop >= view.uncovered
    number_of = str(at.layer + 1) if at.part == "attn" or (at.part == "mlp" and first) else ""
    words = view.token if stop == 0 else f"{number_of:>2} + {at.short if columns.name >= 14 else at.shortest}"
    name: Line = [view.title(fit(words, columns.name), stop), (" ", ink.plain)]
    if covered:
        return [name, []] if tall else [name]
    drawn = lying(view.vectors[stop], top, columns.strip, ink) if columns.strip else []
    strip: Line = [(text, style + hit(stop)) for text, style in drawn]
    strip.append((" " * (columns.strip + 1 - width_of(strip)), ink.plain))
    line = name + strip
    if columns.figures:
        added = "" if stop == 0 else f"+{number(float(view.journey.added_norms[stop]))}"
        line.append(view.mark(f"{number(float(view.journey.norms[stop])):>6}{added:>6} ", stop))
    for k in range(min(columns.cells, len(view.labels[stop]))):
        prob, label = float(view.journey.top_probs[stop, k]), view.labels[stop][k]
        if columns.cell >= 12:
            label = fit(label, columns.cell - 6) + f"{percent(prob):>6}"
        text, style = prob_cell(label, prob, columns.cell, ink, bold=view.wins(stop, k))
        line += [(text, style + hit(stop)), (" ", ink.plain)]
    if columns.rank:
        line.append(view.mark(f"{_rank(view, stop):>6}", stop))
    return [line, [(" " * (columns.name + 1), ink.plain), *strip]] if tall else [line]
