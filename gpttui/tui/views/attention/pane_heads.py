"""All heads of all layers as small maps to pick from, and what the selected one is like, in four figures.

For: finding the head worth a closer look. Not for: its weights (`AttentionStages`).
"""

from typing import Any, ClassVar

import numpy as np
from rich.style import Style
from textual.binding import BindingType
from textual.message import Message
from textual.reactive import reactive

from gpttui.protocol.parts import Heads
from gpttui.records import Array
from gpttui.sessions.view_files import Table
from gpttui.tokenizers import Tokenizer
from gpttui.tui.renderables.bars import bar
from gpttui.tui.renderables.compare import beside
from gpttui.tui.renderables.heatmap import HeatmapLines
from gpttui.tui.renderables.labels import fit
from gpttui.tui.views.attention.draw_small import SmallMaps, best_heads, map_lines, small_maps
from gpttui.tui.widgets.lines import Line, LinesPane, Sheet, hit
from gpttui.tui.widgets.pane import HeadWanted, moving, showing

KINDS = (
    ("P", "previous token"),
    ("F", "first token"),
    ("D", "duplicate token"),
    ("I", "induction"),
)
"""Letters that mark the best of each kind, in the order of the engine's scores."""
FIRST = 1
"""The place of the first token's score among them."""
NAME, SCORE, BEST, MOST_BAR = 17, 9, 13, 20
"""Columns of the table."""
TABLE_WIDTH, WIDE_TABLE, TABLE_LINES = NAME + 2 * SCORE + BEST, 70, 6
FLAT = 8
"""Below so many lines the heads' numbers make room for the table."""
CLEAR, MARKED = 0.4, 0.2
"""Scores on the probe from which on a head is said to be of a kind, and the best of a kind is marked."""


class AttentionHeads(LinesPane):
    """Rows are layers, columns heads; the table below (or beside) is about the selected head."""

    NAME: ClassVar[str] = "all heads"
    HELP: ClassVar[str] = """\
**What you see.** Every attention head of the model at once: a row is a layer, a column a head, and each small map is \
that head's pattern on your text (the brighter, the larger the share; in a long text a cell is the largest weight of \
its patch). A slanted line is a head that looks a fixed way back, a bright first column one that rests on the first \
token.

**What a head is like**, in four scores from 0 to 1. Each is the mean share that goes where such a head would look, \
over the tokens that have such a place:

```text
P  previous token    the token right before
F  first token       the very first one, where heads rest that have nothing to do
D  duplicate token   earlier copies of the same token
I  induction         what came after earlier copies: "A B … A" makes it look at B
```

They are measured on two texts. **This text** is yours: a score there may be high by chance, and – means that it has \
no such place. **The probe** is the same for every model of this vocabulary: random tokens, said twice (the mean of \
four draws), so that nothing but copying helps. Only scores on the probe can be compared between heads and models. \
P, F, D, I in a map's free corner mark the best of each kind on the probe, from 0.2 on. ○ is silenced.

Arrows or a click pick a head, which every view then shows; `enter` (or a second click) goes to its stages. `x` \
silences it. In a long text the layers come one after the other, the selected one first.

More: Olsson et al. 2022, "In-context learning and induction heads"; Elhage et al. 2021, "A mathematical framework \
for transformer circuits"; Xiao et al. 2023, "Efficient streaming language models with attention sinks"."""

    BINDINGS: ClassVar[list[BindingType]] = [
        moving("left,h", "go_on(0, -1)", "head before", "attention_heads.left", "The head to the left"),
        moving("right,l", "go_on(0, 1)", "next head", "attention_heads.right", "The head to the right"),
        moving("up,k", "go_on(-1, 0)", "layer below", "attention_heads.up", "The row above"),
        moving("down,j", "go_on(1, 0)", "layer above", "attention_heads.down", "The row below"),
        showing("enter", "open", "its stages", "attention_heads.open", "Go to its stages"),
    ]

    shape: reactive[tuple[int, int]] = reactive((0, 0))
    """Layers and heads."""
    place: reactive[tuple[int, int]] = reactive((0, 0))
    """The selected layer and head."""
    tokens: reactive[int] = reactive(1)
    """Of the text in the context."""
    silenced: reactive[frozenset[tuple[int, int]]] = reactive(frozenset())
    threshold: reactive[float] = reactive(0.0)
    hides_first: reactive[bool] = reactive(False)
    """Maps are without the first key, the rest of each row sums to 1."""

    class Opened(Message):
        """A person wants to see the selected head's stages."""

    class Resized(Message):
        """Maps of another size fit now."""

    def __init__(self, tokenizer: Tokenizer | None = None, id: str | None = None) -> None:
        super().__init__(tokenizer, id=id)
        self._maps: dict[int, Array] = {}
        self._scores: dict[int, Array] = {}
        self._probe: tuple[Array, int, int] | None = None
        self._lines: dict[tuple[int, int], list[Line]] = {}
        self._lines_of: object = None
        self._from, self._follow = 0, True
        self._told = self._seen = 0

    # ── What is held ─────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def of_draws(self) -> int:
        """How many draws the probe takes; at least one more, until that is known."""
        return 1 if self._probe is None else self._probe[2]

    @property
    def side(self) -> int:
        """Rows and columns of the maps that fit; 0 where the pane is not seen."""
        region = self.scrollable_content_region
        return self._room(region.width, region.height)[0].side if region.width > 3 and region.height > 1 else 0

    @property
    def first_share(self) -> float:
        """Of the selected head's attention on this text, what goes to the first token; 0 while it is not known."""
        layer, head = self.place
        scores = self._scores.get(layer)
        return float(np.nan_to_num(scores[head, FIRST])) if scores is not None and head < len(scores) else 0.0

    def table(self) -> Table | None:
        """A row for each head that was looked at, with its scores on the text and on the probe."""
        heads = [(layer, head) for layer in sorted(self._scores) for head in range(len(self._scores[layer]))]
        if not heads:
            return None
        found: dict[str, Any] = {"layer": [layer + 1 for layer, _ in heads], "head": [head + 1 for _, head in heads]}
        for n, (_, kind) in enumerate(KINDS):
            found[f"{kind}, this text"] = [float(self._scores[layer][head, n]) for layer, head in heads]
            if self._probe is not None:
                found[f"{kind}, probe"] = [float(self._probe[0][layer, head, n]) for layer, head in heads]
        return found

    def forget(self) -> None:
        """Another text or another model: of the heads nothing is known."""
        self._maps, self._scores, self._probe = {}, {}, None
        self._lines.clear()
        self.refresh()

    def take(self, found: Heads) -> None:
        for n in range(len(found.text_scores)):
            layer = found.first_layer + n
            self._maps[layer], self._scores[layer] = found.maps[n], found.text_scores[n]
            for head in range(self.shape[1]):
                self._lines.pop((layer, head), None)
        if found.draws:
            self._probe = found.probe_scores, found.draws, found.of_draws
        self.refresh()

    def watch_shape(self) -> None:
        self.forget()

    def watch_place(self) -> None:
        self._follow = True

    def watch_threshold(self) -> None:
        self._lines.clear()

    def recolour(self) -> None:
        self._lines.clear()
        super().recolour()

    def on_resize(self) -> None:
        if self.side != self._told:
            self._told = self.side
            self.post_message(self.Resized())

    def titles(self) -> tuple[str, str]:
        self._bring_into_view()
        layer, head = self.place
        n_layer, seen = self.shape[0], self._seen
        title = (
            f"All heads · layers {self._from + 1}–{self._from + seen} of {n_layer}"
            if 0 < seen < n_layer
            else "All heads"
        )
        title += " · first token hidden" if self.hides_first else ""
        return title, f"layer {layer + 1} head {head + 1}{self._kind()}"

    def _kind(self) -> str:
        """What the selected head clearly is."""
        if self._probe is None or self.place[0] >= len(self._probe[0]):
            return ""
        scores = np.nan_to_num(self._probe[0][self.place])
        best = int(scores.argmax())
        return f": {KINDS[best][1]} {scores[best]:.2f} on the probe" if scores[best] >= CLEAR else ""

    # ── Drawing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _room(self, width: int, height: int) -> tuple[SmallMaps, bool]:
        """How large maps are, and whether the table stands beside them."""
        n_layer, n_head = self.shape
        name = len(str(n_layer)) + 1
        table = TABLE_LINES if width >= TABLE_WIDTH else TABLE_LINES - 1
        below = small_maps(n_layer, n_head, self.tokens, width - name, max(1, height - 1 - table))
        if width < TABLE_WIDTH + 2 + name + 5 * n_head:
            return below, False
        aside = small_maps(n_layer, n_head, self.tokens, width - TABLE_WIDTH - 2 - name, height - 1)
        return (aside, True) if aside.area >= below.area else (below, False)

    def _bring_into_view(self) -> None:
        """Choose the layers that are seen: the selected one among them, unless somebody scrolled."""
        region, n_layer, layer = self.scrollable_content_region, self.shape[0], self.place[0]
        if not n_layer or region.width <= 0 or region.height <= 0:
            return
        self._seen = self._room(region.width, region.height)[0].layers
        if self._follow:
            self._from, self._follow = min(layer, max(self._from, layer + 1 - self._seen)), False
        self._from = max(0, min(self._from, n_layer - self._seen))

    def draw(self, width: int, height: int) -> Sheet | None:
        if not self.shape[0] or not self._maps:
            return None
        room, aside = self._room(width, height)
        state = (room, self.depth, self.dark, self.heat)
        if state != self._lines_of:
            self._lines_of = state
            self._lines.clear()
        self.entitle()
        grid, used = self._grid(room), len(str(self.shape[0])) + 2 + self.shape[1] * (room.columns + 1)
        sheet = Sheet()
        if aside:
            sheet.extend(beside(grid, self._table(width - used - 3), used, gap=3))
        else:
            sheet.extend(grid)
            sheet.extend([[], *self._table(width)] if height > len(grid) + TABLE_LINES else self._table(width))
        return sheet

    def _grid(self, room: SmallMaps) -> list[Line]:
        n_layer, n_head = self.shape
        name = len(str(n_layer)) + 1
        layer, head = self.place
        lines: list[Line] = [[(" " * name, Style())]]
        for n in range(n_head):
            tone = self.tone("accent" if n == head else "dim")
            lines[0].append((" " + fit(str(n + 1), room.columns), tone + hit(layer, n)))
        for row in range(self._from, self._from + room.layers):
            for n in range(room.lines):
                tone = self.tone("accent" if row == layer else "dim")
                line: Line = [(fit(str(row + 1) if n == 0 else "", name), tone)]
                for column in range(n_head):
                    line += self._piece(row, column, n, room)
                if (row, n_head - 1) == self.place:
                    line.append(("▌", self.tone("accent")))
                lines.append(line)
            lines += [[] for _ in range(room.gap)]
        return lines[int(self.scrollable_content_region.height < FLAT) :]

    def _piece(self, layer: int, head: int, n: int, room: SmallMaps) -> Line:
        """Line `n` of one head's map, and what stands to its left."""
        edge = "▐" if (layer, head) == self.place else "▌" if head and (layer, head - 1) == self.place else " "
        here = hit(layer, head)
        line: Line = [(edge, self.tone("accent") + here)]
        pieces = self._map(layer, head, room)[n]
        mark = self._marks(layer, head) if n == 0 else ""
        if mark and len(mark) < room.columns:  # the future's corner is free
            kept, left = [], room.columns - len(mark)
            for text, style in pieces:
                kept.append((text[:left], style))
                left -= len(text[:left])
            tone = self.tone("warn" if "○" in mark else "accent")
            pieces = [*kept, (mark, tone)]
        return [*line, *((text, style + here) for text, style in pieces)]

    def _marks(self, layer: int, head: int) -> str:
        best = [] if self._probe is None else best_heads(self._probe[0])
        letters = [
            KINDS[kind][0]
            for kind, found in enumerate(best)
            if found and found[:2] == (layer, head) and found[2] >= MARKED
        ]
        return "".join(letters) + ("○" if (layer, head) in self.silenced else "")

    def _map(self, layer: int, head: int, room: SmallMaps) -> list[Line]:
        found = self._lines.get((layer, head))
        if found is None:
            if layer not in self._maps:
                return [[(("·" if n == 0 else "").ljust(room.columns), self.tone("dim"))] for n in range(room.lines)]
            ink = HeatmapLines.of(self.ink, banded=False)
            found = map_lines(self._maps[layer][head], room, ink, self.threshold)
            self._lines[layer, head] = found
        return found

    def _table(self, width: int) -> list[Line]:
        """The selected head's scores on both texts, and the best of each kind."""
        (layer, head), (n_layer, n_head) = self.place, self.shape
        nothing = np.full((n_layer, n_head, len(KINDS)), np.nan, dtype=np.float32)
        text, (probe, draws, of_draws) = nothing.copy(), self._probe or (nothing, 0, 0)
        for known, scores in self._scores.items():
            text[known] = scores
        wide = width >= WIDE_TABLE
        cells = max(0, min(MOST_BAR, (width - NAME - 2 * (SCORE + BEST)) // 2 - 1)) if wide else 0
        name = max(2, min(NAME, width - 2 * SCORE - BEST))
        titles = "this text", "probe" if draws == of_draws else f"probe {draws}/{of_draws}"
        lines: list[Line] = [[(fit(f"layer {layer + 1} head {head + 1}", name), self.tone("strong"))]]
        for title, with_best in zip(titles, (wide, True), strict=True):
            words = fit(title, SCORE, right=True) + " " * (cells + 1 if cells else 0)
            lines[0].append((words + (fit("  best head", BEST) if with_best else ""), self.tone("dim")))
        best_on_text, best_on_probe = best_heads(text), best_heads(probe)
        for kind, (letter, words) in enumerate(KINDS):
            line: Line = [(letter, self.tone("accent")), (fit(f" {words}", name - 1), self.tone())]
            line += self._score(float(text[layer, head, kind]), cells)
            line += self._best(best_on_text[kind]) if wide else []
            line += self._score(float(probe[layer, head, kind]), cells)
            lines.append([*line, *self._best(best_on_probe[kind])])
        if width >= NAME + 2 * SCORE + BEST:
            told = "best head: layer.head and its score" if draws else "the probe is being measured…"
            lines.append([(told, self.tone("dim"))])
        return lines

    def _score(self, value: float, cells: int) -> Line:
        line: Line = [(fit("–" if np.isnan(value) else f"{value:.2f}", SCORE, right=True), self.tone())]
        return [*line, (" " + fit(bar(value, cells), cells), self.tone("bar"))] if cells else line

    def _best(self, found: tuple[int, int, float] | None) -> Line:
        if found is None:
            return [(" " * BEST, Style())]
        layer, head, score = found
        words = "  " + fit(f"{layer + 1}.{head + 1}", 6) + f"{score:.2f}"
        return [(fit(words, BEST), self.tone("accent") + hit(layer, head))]

    # ── Choosing ─────────────────────────────────────────────────────────────────────────────────────────────────

    def action_go_on(self, down: int, right: int) -> None:
        self.post_message(HeadWanted(self.place[0] + down, self.place[1] + right))

    def action_open(self) -> None:
        self.post_message(self.Opened())

    def pressed(self, place: tuple[int, ...]) -> None:
        if place == self.place:
            self.action_open()
        else:
            self.post_message(HeadWanted(*place))

    def _roll(self, by: int) -> None:
        self._from += 1 if by > 0 else -1
        self.refresh()
