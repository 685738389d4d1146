"""The logit lens as a grid, layer by position, and what the cell under the cursor would go on with.

For: Layers. Not for: ranks over layers (`LayersRanks`), or asking the engine: the pane says which columns it shows
(`viewport`), a screen fills `cells`.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from rich.cells import cell_len
from rich.style import Style
from textual.message import Message
from textual.reactive import reactive

from gpttui.protocol.stream import LensGrid
from gpttui.sessions.view_files import Table
from gpttui.tokenizers import Tokenizer
from gpttui.tui.palette import ColourDepth, heat_styles, level
from gpttui.tui.renderables.bars import bar
from gpttui.tui.renderables.charts import stop_name
from gpttui.tui.renderables.heatmap import cell_number
from gpttui.tui.renderables.labels import clip, fit, percent, quoted_label, token_label
from gpttui.tui.renderables.legend import legend_pieces
from gpttui.tui.tables import token_columns
from gpttui.tui.views.layers.draw_cells import UNKNOWN, LensCells
from gpttui.tui.views.layers.draw_chart import around, row_name
from gpttui.tui.widgets.lines import Line, LinesPane, Sheet, hit

SIDE, SIDE_FROM = 34, 100
"""Cells of the list beside the grid, and the width from which on there is room for it."""
NUMBER = 4
"""Cells of a probability within a cell of the grid."""
MOST_LABEL = 9
LEGEND_FROM, DETAIL_FROM = 7, 4
"""Lines of pane from which on there is a line for these."""
TOKEN = -1
"""Marks a place that stands for a token, not for a cell."""


class LayersGrid(LinesPane):
    """A row for the embeddings and for the end of each layer; a column for each token of the text."""

    TITLES: ClassVar[tuple[str, str]] = ("Logit lens: what each layer would say", "p: pin the cell's token")
    HELP: ClassVar[str] = """\
**What you see.** The **logit lens**: what the model would go on with if it stopped early. Every token's vector passes \
through the layers from top to bottom, and each layer adds something to it. Here every one of these unfinished vectors \
is read as only the last one normally is: brought to length by the final norm and compared with every token.

    p = softmax(W · finalnorm(x))      x: the vector after this layer, W: the tokens' vectors at the end of the model

A cell names the token that is most probable there, on the colour of its probability (the legend tells the scale; \
over the whole vocabulary, at temperature 1, nothing cut). The row `embedding` comes before any layer (token plus \
place, in models that add a vector for the place): what mostly follows this token whatever stands before it. The \
lowest row is what the model really says. A name is underlined where the cell is right: that token did come next; the \
line `came next` has it.

Look along a column from top to bottom for the layer in which the model makes up its mind. Early rows are often \
nonsense: those vectors are written for later layers, not for this lens.

`←` `→` another token, `↑` `↓` another layer, or click a cell; the selection follows everywhere. `p`, `enter` or a \
second click pins the cell's token (a click on a token of the list pins that one): the panes below follow its rank and \
say who raised its logit. `m` shows the vectors in the middle of each layer too, \
between attention and MLP. A long text scrolls with the cursor.

More: nostalgebraist 2020, "interpreting GPT: the logit lens"; Belrose et al. 2023, "Eliciting latent predictions from \
transformers with the tuned lens"."""

    position: reactive[int] = reactive(-1)
    """The selected column, in positions of the text."""
    column: reactive[LensGrid | None] = reactive(None, always_update=True)
    """All stops at the selected position, with as many tokens as there is room for."""
    pins: reactive[tuple[int, ...]] = reactive(())

    @dataclass
    class Selected(Message):
        """A person chose the cell of row `row` at `position`."""

        position: int
        row: int

    @dataclass
    class PinWanted(Message):
        """A person wants token `token_id` pinned, or not any more."""

        token_id: int

    class Scrolled(Message):
        """Other columns are shown."""

    def __init__(self, tokenizer: Tokenizer | None = None, id: str | None = None) -> None:
        super().__init__(tokenizer, id)
        self.cells = LensCells()
        self.between = False
        self._text: np.ndarray[tuple[int], np.dtype[np.int32]] = np.empty(0, dtype=np.int32)
        self._begin = self._left = self._row = 0
        self._told: tuple[int, int] | None = None

    # ── What is shown ────────────────────────────────────────────────────────────────────────────────────────────

    def show_text(self, ids: "np.ndarray[tuple[int], np.dtype[np.int32]]", first: int) -> None:
        """The text; what stands before position `first` has left the context."""
        before = self._text
        if len(before) > len(ids) or not np.array_equal(before, ids[: len(before)]):
            self.column = None
        self._text, self._begin = ids, min(first, max(0, len(ids) - 1))
        self._settle()
        self.refresh()

    def on_resize(self) -> None:
        left = self._left
        self._settle()
        if self._left != left:  # else it has been drawn as large as it now is
            self.refresh()

    @property
    def token_id(self) -> int:
        """The token of the cell under the cursor; -1 where it is not known yet."""
        ids, at = self.cells.ids, self.position
        return int(ids[self.cursor, at]) if self.cursor < len(ids) and 0 <= at < ids.shape[1] else UNKNOWN

    def table(self) -> Table | None:
        """A row for each cell that is known."""
        stops, positions = np.nonzero(self.cells.ids != UNKNOWN)
        if not len(stops):
            return None
        return {
            "after": [stop_name(self.cells.stops[n]) for n in stops.tolist()],
            "position": positions + 1,
            **token_columns(self.tokenizer, self.cells.ids[stops, positions].tolist()),
            "prob": self.cells.probs[stops, positions],
        }

    @property
    def count(self) -> int:
        return len(self.cells.stops)

    @property
    def _ends(self) -> bool:
        """Whether all stops of the grid are ends of layers."""
        return not any(stop.endswith(" attn") for stop in self.cells.stops) or not any(
            stop.endswith(" mlp") for stop in self.cells.stops
        )

    @property
    def _side(self) -> int:
        return SIDE if self.scrollable_content_region.width >= SIDE_FROM else 0

    @property
    def _name_cells(self) -> int:
        return 10 if self.scrollable_content_region.width >= 56 else 4

    @property
    def _columns(self) -> tuple[int, int]:
        """(cells of a column, how many columns)"""
        room = max(1, self.scrollable_content_region.width - self._side - self._name_cells)
        here = self._text[self._begin :]
        longest = max((cell_len(token_label(self.tokenizer, int(i))) for i in here[-200:].tolist()), default=1)
        label = min(MOST_LABEL, max(4, longest)) + 1
        cell = min(room, max(label, min(label + NUMBER + 1, room // max(1, len(here)))))
        return cell, min(len(here), max(1, room // cell))

    @property
    def viewport(self) -> tuple[int, int]:
        """(first, count) of the columns shown, in positions of the text."""
        return self._begin + self._left, self._columns[1]

    def _settle(self) -> None:
        """Scroll so that the column under the cursor is seen, and tell where to."""
        if not self.is_mounted:
            return
        count = len(self._text) - self._begin
        at = max(0, self.position - self._begin)
        self._left = around(at, self._left, self._columns[1], count) if count > 0 else 0
        if self.viewport != self._told:
            self._told = self.viewport
            self.post_message(self.Scrolled())

    watch_position = _settle

    # ── Drawing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def draw(self, width: int, height: int) -> Sheet | None:
        cells = self.cells
        if not cells.known or not len(self._text):
            return None
        detail = not self._side and height >= DETAIL_FROM
        legend = height >= LEGEND_FROM
        room = height - 1 - detail - legend
        came_next = room > len(cells.stops)
        rows = max(1, min(len(cells.stops), room))
        self._row = around(self.cursor, self._row, rows, len(cells.stops))
        left: list[Line] = [self._head()]
        left += [self._cells(row) for row in range(self._row, self._row + rows)]
        if came_next:
            left.append(self._came_next())
        if detail:
            left.append(self._detail(width))
        if legend:
            left.append(self._legend(width - self._side))
        beside = self._list(height) if self._side else []
        sheet = Sheet()
        for n in range(max(len(left), len(beside))):
            line = left[n] if n < len(left) else []
            if n < len(beside):
                pad = max(0, width - self._side - sum(cell_len(text) for text, _ in line))
                line = [*line, (" " * pad, self.tone()), *beside[n]]
            sheet.add(*line)
        return sheet

    def _shown(self) -> range:
        first, count = self.viewport
        return range(first, min(first + count, len(self._text), self.cells.ids.shape[1]))

    def _head(self) -> Line:
        cell, _ = self._columns
        line: Line = [
            (fit("after", self._name_cells) if self._name_cells > 5 else " " * self._name_cells, self.tone("dim"))
        ]
        for at in self._shown():
            label = fit(token_label(self.tokenizer, int(self._text[at])), cell - 1)
            tone = self.tone("cursor" if at == self.position else "strong")
            line += [(label, tone + hit(at, self.cursor)), (" ", self.tone())]
        return line

    def _cells(self, row: int) -> Line:
        cells, (cell, _) = self.cells, self._columns
        name = row_name(cells.stops[row], self._ends, self._name_cells < 10)
        tone = self.tone("accent" if row == self.cursor else "")
        line: Line = [(fit(name, self._name_cells), tone + hit(self.position, row))]
        styles = heat_styles(self.depth, self.heat)
        for at in self._shown():
            token_id, prob = int(cells.ids[row, at]), float(cells.probs[row, at])
            if token_id == UNKNOWN:
                line.append((fit("…", cell), self.tone("dim")))
                continue
            label = token_label(self.tokenizer, token_id)
            number = cell_number(prob)
            number = number if cell_len(label) + len(number) < cell - 1 else ""
            text = fit(label, cell - 1 - len(number)) + number
            style = styles[level(prob)]
            if at + 1 < len(self._text) and token_id == int(self._text[at + 1]):
                style += Style(underline=True)
            if row == self.cursor and at == self.position:
                text, style = self._marked(text, style)
            line += [(text, style + hit(at, row)), (" ", self.tone())]
        return line

    def _marked(self, text: str, style: Style) -> tuple[str, Style]:
        """The cell under the cursor: its colours the other way round; in brackets where there are none."""
        if self.depth >= ColourDepth.INDEXED:
            return text, style + Style(reverse=True, bold=True)
        return "[" + fit(text, max(0, cell_len(text) - 2)) + "]", self.tone("cursor")

    def _came_next(self) -> Line:
        cell, _ = self._columns
        line: Line = [(fit("came next" if self._name_cells > 5 else "→", self._name_cells), self.tone("dim"))]
        for at in self._shown():
            there = at + 1 < len(self._text)
            label = token_label(self.tokenizer, int(self._text[at + 1])) if there else "?"
            line.append((fit(label, cell), self.tone("dim") + (hit(at, self.cursor))))
        return line

    def _legend(self, width: int) -> Line:
        scale = legend_pieces("0", "1", min(24, max(8, width // 3)), self.depth, self.heat, self.tone("dim"))
        words = "   underlined: it did come next"
        return [("probability ", self.tone("dim")), *scale, (words if width >= 60 else "", self.tone("dim"))]

    # ── The cell under the cursor ────────────────────────────────────────────────────────────────────────────────

    def _tops(self) -> list[tuple[int, float]]:
        """Tokens of the cell under the cursor, most probable first; none until they are known."""
        found = self.column
        if found is None or self.cursor >= len(self.cells.numbers) or not found.top_ids.shape[1]:
            return []
        number, numbers = self.cells.numbers[self.cursor], found.numbers.tolist()
        if number not in numbers:
            return []
        row = numbers.index(number)
        if found.first != self.position or int(found.top_ids[row, 0, 0]) != self.token_id:
            return []
        ids, probs = found.top_ids[row, 0].tolist(), found.top_probs[row, 0].tolist()
        return list(zip(ids, probs, strict=True))

    @property
    def _where(self) -> str:
        stop = self.cells.stops[self.cursor] if self.cursor < self.count else "embed"
        name = row_name(stop, True, False) if self._ends else stop_name(stop)
        at = min(max(0, self.position), len(self._text) - 1)
        return f"{quoted_label(self.tokenizer, int(self._text[at]), 9)} after {name}"

    def _detail(self, width: int) -> Line:
        where = self._where if width >= 64 else row_name(self.cells.stops[self.cursor], self._ends, False)
        line: Line = [(clip(f"{where}: ", width // 2), self.tone("accent"))]
        for token_id, prob in self._tops():
            label, style = token_label(self.tokenizer, token_id), hit(TOKEN, token_id)
            line.append((label, self.tone("strong" if token_id in self.pins else "") + style))
            line.append((f" {percent(prob)}  ", self.tone("dim") + style))
        return line

    def _list(self, height: int) -> list[Line]:
        lines: list[Line] = [[(fit(self._where, SIDE - 2), self.tone("accent"))]]
        tops = self._tops()[: height - 1]
        for token_id, prob in tops:
            pinned = token_id in self.pins
            label = fit(token_label(self.tokenizer, token_id), 11)
            place = hit(TOKEN, token_id)
            lines.append(
                [
                    ("● " if pinned else "  ", self.tone("accent")),
                    (label, self.tone("strong" if pinned else "") + place),
                    (fit(bar(prob, SIDE - 24), SIDE - 24), self.tone("bar") + place),
                    (fit(percent(prob), 8, right=True), self.tone() + place),
                ]
            )
        return [[("  ", self.tone()), *line] for line in lines]

    # ── Choosing ─────────────────────────────────────────────────────────────────────────────────────────────────

    def pressed(self, place: tuple[int, ...]) -> None:
        at, row = place
        if at == TOKEN:
            self.post_message(self.PinWanted(row))
        elif (at, row) == (self.position, self.cursor):
            self.action_pick()
        else:
            self.post_message(self.Selected(at, row))

    def _roll(self, by: int) -> None:
        self.go(self.cursor + (1 if by > 0 else -1))

    def wheel(self, down: int, right: int) -> None:
        super().wheel(down, right)
        if right and len(self._text):
            self.post_message(self.Selected(self.position + right, self.cursor))
