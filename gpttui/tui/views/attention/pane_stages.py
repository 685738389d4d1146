"""One head stage by stage as maps of the same stretch of the text, and a cursor on one of their cells.

For: following scores from q·k to weights. Not for: the dimensions of one cell (`AttentionCell`), or asking the engine:
the pane says which stretch it shows (`viewport`) and is given that.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from rich.cells import cell_len
from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from gpttui.protocol.parts import Stages
from gpttui.records import Snapshot, goes_on
from gpttui.tokenizers import Tokenizer
from gpttui.tui.renderables.compare import crop
from gpttui.tui.renderables.labels import quoted_label, token_label
from gpttui.tui.renderables.square import is_sink
from gpttui.tui.views.attention.draw_maps import MapsLayout, arrange
from gpttui.tui.views.attention.draw_stages import SOFTMAX, StagesView, Viewport
from gpttui.tui.widgets.pane import Pane, Piece, moving, showing

Line = list[Piece]

ALL = -1
NOTES_FROM = 9
"""Lines of pane from which on the last one has notes."""


class AttentionStages(Pane):
    """q·k → scaled → masked → softmax."""

    HELP: ClassVar[str] = """\
**What you see.** How one attention head decides where each token looks, step by step. A row is a token that looks \
(its **query** q says what it looks for), a column a token that is looked at (its **key** k says what it has to offer).

```text
1  q·k        every query meets every key: large and positive where they fit
2  ÷ √d       divided by the root of their length, so that scores stay moderate
3  masked     what lies in the future becomes −∞: a GPT may not look ahead
4  softmax    wᵢⱼ = exp(sᵢⱼ) / Σⱼ exp(sᵢⱼ): scores become shares, and a row sums to 1
```

The shares say how much of each token's **value** flows into the row's vector. Scores are coloured by their sign (one \
colour is positive, the other negative, none is 0), weights from dark to bright. Each heading shows what the ends of \
its colours stand for; the ends grow with what has been seen of this head. With **RoPE** a query and a key are turned \
by their positions before they meet, so that what counts is how far apart they are; with **QK-norm** they are \
first brought to one length, and with a **learned gain** the queries then stretched by a factor of the head's own: how \
sharply it looks. All are in the numbers already, and named in the last line where the model has them.

`←` `→` another key, `↑` `↓` another query, or click a cell; `enter` goes to the key looked at most. `m` shows one \
stage after the other, then all four. `t` `T` hide weights below a threshold. `[` `]` another head, `{` `}` another \
layer. `H` hides the first token's column: the other weights of each row then sum to 1. `x` silences the head; `F` \
forbids it to look from this query at this key (✕), and again allows it.

A text too long for the pane scrolls with the cursor or the wheel; only what is shown is computed.

More: Vaswani et al. 2017, "Attention is all you need"; Su et al. 2021, "RoFormer" (RoPE); Henry et al. 2020, \
"Query-key normalization"."""

    BINDINGS: ClassVar[list[BindingType]] = [
        moving("left,h", "cell(0, -1)", "key left", "attention_stages.left", "The key before"),
        moving("right,l", "cell(0, 1)", "key right", "attention_stages.right", "The next key"),
        moving("up,k", "cell(-1, 0)", "query up", "attention_stages.up", "The query before"),
        moving("down,j", "cell(1, 0)", "query down", "attention_stages.down", "The next query"),
        moving("pageup", "cell(-10, 0)", "query up", "attention_stages.page_up", "Ten queries up"),
        moving("pagedown", "cell(10, 0)", "query down", "attention_stages.page_down", "Ten queries down"),
        showing("enter", "strongest", "strongest", "attention_stages.strongest", "The key this query looks at most"),
    ]  # fmt: skip

    DEFAULT_CSS = "AttentionStages { padding: 0 1; }"

    snapshot: reactive[Snapshot | None] = reactive(None)
    position: reactive[int] = reactive(-1)
    """The query, in positions of the text."""
    key: reactive[int] = reactive(-1)
    """Looked at; -1 until it is known."""
    stages: reactive[Stages | None] = reactive(None, always_update=True)
    stage: reactive[int] = reactive(ALL)
    """One of them alone, or `ALL`."""
    threshold: reactive[float] = reactive(0.0)
    """Weights below it are not shown."""
    shape: reactive[tuple[int, int]] = reactive((0, 0))
    """Layers and heads."""
    silenced: reactive[bool] = reactive(False)
    hides_first: reactive[bool] = reactive(False)
    """Weights are without the first key, the rest of each row sums to 1."""
    first_share: reactive[float] = reactive(0.0)
    """Of this head's weights, what the first token takes on average; 0 while it is not known."""

    @dataclass
    class Stepped(Message):
        """A person moves the cursor by so many rows and columns."""

        down: int
        right: int

    @dataclass
    class Chosen(Message):
        """A person chose a cell; a key of -1 means the one looked at most."""

        query: int
        key: int

    class Scrolled(Message):
        """Another stretch of the text is shown."""

    def __init__(self, tokenizer: Tokenizer | None = None, id: str | None = None) -> None:
        super().__init__(id=id)
        self.tokenizer = tokenizer
        self._layout = MapsLayout(0, 1, 1, 0, 1, 0, 0)
        self._labels: list[str] = []
        self._longest = 1
        self._top = self._left = 0
        self._told: Viewport | None = None
        self._seen: tuple[tuple[int, int, int, str], list[float]] | None = None

    # ── What is shown ────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def first(self) -> int:
        """The text position of the first row and column."""
        return 0 if self.snapshot is None else self.snapshot.n_slid

    @property
    def asking(self) -> int:
        """Text position of the query under the cursor: of what has left the context nothing is known."""
        return max(self.position, self.first)

    @property
    def viewport(self) -> Viewport | None:
        """What there is room for; None where there is none."""
        layout = self._layout
        if not layout.queries or not self._labels:
            return None
        return Viewport(self.first + self._top, layout.queries, self.first + self._left, layout.keys)

    @property
    def shown(self) -> range:
        """The stages on the screen."""
        return range(self._layout.maps) if self._layout.maps == 4 else range(self._single, self._single + 1)

    @property
    def _single(self) -> int:
        return self.stage if self.stage != ALL else SOFTMAX

    def next_stage(self) -> None:
        """All where there is room, then one after the other."""
        kinds = [*range(4), *([ALL] if self._arranged(one=False).maps == 4 else [])]
        here = self.stage if self._layout.maps == 4 or self.stage != ALL else SOFTMAX
        self.stage = kinds[(kinds.index(here) + 1) % len(kinds)]

    def watch_snapshot(self, before: Snapshot | None, snapshot: Snapshot | None) -> None:
        if before is not None and snapshot is not None and not goes_on(before, snapshot):
            self.stages = None  # its scores are not those of the tokens that now stand along the sides
        self._labels = []
        if snapshot is not None:
            self._labels = [token_label(self.tokenizer, i) for i in snapshot.ids[snapshot.n_slid :].tolist()]
        self._longest = max((cell_len(label) for label in self._labels), default=1)
        self._lay_out()

    def watch_stages(self, found: Stages | None) -> None:
        if found is not None and self.snapshot is not None:
            whose = (found.layer, found.head, self.snapshot.epoch, self.snapshot.weights)
            if self._seen is None or self._seen[0] != whose:
                self._seen = whose, [0.0, 0.0, 0.0]
            for stage, scores in enumerate((found.raw, found.scaled, found.masked)):
                sizes = np.abs(scores[np.isfinite(scores)])
                self._seen[1][stage] = max(self._seen[1][stage], float(sizes.max(initial=0.0)))

    def _arranged(self, *, one: bool) -> MapsLayout:
        room = self.scrollable_content_region
        return arrange(len(self._labels), room.width, room.height - self._notes, self._longest, one=one)

    @property
    def _notes(self) -> int:
        return int(self.scrollable_content_region.height >= NOTES_FROM)

    def _lay_out(self) -> None:
        if not self.is_mounted:
            return
        room = self.scrollable_content_region
        if room.width < 4 or room.height < 2 or not self._labels:
            self._layout = MapsLayout(0, 1, 1, 0, 1, 0, 0)
        else:
            self._layout = self._arranged(one=self.stage != ALL)
        self._follow()

    watch_stage = on_resize = on_mount = _lay_out

    def _follow(self) -> None:
        """Scroll so that the cell under the cursor is seen."""
        row, column = self.asking - self.first, self.key - self.first
        self._top = _around(row, self._top, self._layout.queries)
        if column >= 0:
            self._left = _around(column, self._left, self._layout.keys)
        self._settle()

    watch_position = watch_key = _follow

    def _settle(self) -> None:
        """Keep the stretch inside the text, and tell of it."""
        count, layout = len(self._labels), self._layout
        self._top = max(0, min(self._top, count - layout.queries))
        self._left = max(0, min(self._left, count - layout.keys))
        if self.is_mounted and self.viewport is not None and self.viewport != self._told:
            self._told = self.viewport
            self.post_message(self.Scrolled())
        self.refresh()

    # ── Words ────────────────────────────────────────────────────────────────────────────────────────────────────

    def titles(self) -> tuple[str, str]:
        found, count = self.stages, len(self._labels)
        if found is None or not count:
            return "Attention by stages", ""
        of_layers, of_heads = (f"/{n}" if n else "" for n in self.shape)
        title = f"Attention by stages · layer {found.layer + 1}{of_layers} · head {found.head + 1}{of_heads}"
        title += " ○ silenced" if self.silenced else ""
        layout = self._layout
        if layout.queries < count or layout.keys < count:
            rows, columns = (
                f"{start + 1}–{start + many}"
                for start, many in ((self._top, layout.queries), (self._left, layout.keys))
            )
            title += f" · tokens {rows} × {columns} of {count}"
        return title, self._under_cursor(found)

    def _under_cursor(self, found: Stages) -> str:
        query, key = found.cell
        if (query, key) != (self.asking, self.key) or self.snapshot is None or not len(found.met):
            return ""
        if max(query, key) >= len(self.snapshot.ids):
            return ""
        names = [quoted_label(self.tokenizer, int(self.snapshot.ids[at]), 12) for at in (query, key)]
        return f"{names[0]} looks at {names[1]}  {float(found.met[SOFTMAX]):.3f}"

    def _notes_line(self, found: Stages) -> Line:
        norm = "QK-norm with a learned gain" if found.qk_gain else "QK-norm"
        notes = [(norm, found.qk_norm), ("RoPE", found.rope)]
        had = " and ".join(name for name, has in notes if has)
        words = [f"q and k: after {had}" if had else "q and k as they are: this model has neither QK-norm nor RoPE"]
        if self.threshold:
            words.append(f"· weights below {self.threshold:.0%} hidden")
        seen = 0 if self.snapshot is None else len(self.snapshot.ids) - self.first
        if self.snapshot is not None and (self.hides_first or is_sink(self.first_share, seen)):
            first = quoted_label(self.tokenizer, int(self.snapshot.ids[self.first]), 12)
            takes = f"takes {self.first_share:.0%}"
            hidden = f"· softmax without {first}, which {takes}: the rest of each row sums to 1, H shows it"
            words.append(hidden if self.hides_first else f"· {first} {takes}, an attention sink: H hides it")
        return [("  ".join(words), self.tone("dim"))]

    # ── Drawing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def render_line(self, y: int) -> Strip:
        found, viewport = self.stages, self.viewport
        if found is None or viewport is None:
            return self.empty_row(y)
        lines = self.drawing(lambda: self._rows(found, viewport))
        return lines[y] if y < len(lines) else self.row([])

    def _rows(self, found: Stages, viewport: Viewport) -> list[Strip]:
        room, lines = self.scrollable_content_region, self._view(found, viewport).lines()
        lines += [[] for _ in range(room.height - len(lines))]
        if self._notes:
            lines[room.height - 1] = self._notes_line(found)
        return [self.row(crop(line, room.width)) for line in lines]

    def _view(self, found: Stages, viewport: Viewport) -> StagesView:
        return StagesView(
            layout=self._layout,
            shown=tuple(self.shown),
            found=found,
            viewport=viewport,
            labels=self._labels[self._top : self._top + viewport.queries],
            names=self._labels[self._left : self._left + viewport.keys],
            longest=self._longest,
            cursor=(self.asking - viewport.first_query, self.key - viewport.first_key),
            tops=(*(self._seen[1] if self._seen is not None else (1.0, 1.0, 1.0)), 1.0),
            threshold=self.threshold,
            ink=self.ink,
            width=self.scrollable_content_region.width,
        )

    # ── Choosing ─────────────────────────────────────────────────────────────────────────────────────────────────

    def action_cell(self, down: int, right: int) -> None:
        self.post_message(self.Stepped(down, right))

    def action_strongest(self) -> None:
        self.post_message(self.Chosen(self.asking, -1))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        place = None if offset is None or self.viewport is None else self._layout.at(offset.x, offset.y)
        if place is not None:
            _, row, column = place
            self.post_message(self.Chosen(self.first + self._top + row, self.first + self._left + column))

    def wheel(self, down: int, right: int) -> None:
        self._top += 3 * down
        self._left += 3 * right
        self._settle()


def _around(at: int, first: int, room: int) -> int:
    """The first of `room` places nearest to `first` that shows place `at`."""
    return min(at, max(first, at + 1 - max(1, room)))
