"""One attention head as a square: which earlier tokens each token looks at, and how much.

For: reading one head's pattern, of a few tokens or of a thousand. Not for: scores before the softmax, or all heads.
"""

from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import BindingType
from textual.reactive import reactive
from textual.strip import Strip

from gpttui.records import Array, Snapshot
from gpttui.sessions.view_files import Table
from gpttui.tui.renderables.heatmap import CellSize, HeatmapLines
from gpttui.tui.renderables.labels import quoted_label, token_label
from gpttui.tui.renderables.legend import legend_pieces
from gpttui.tui.renderables.square import SquareLayout, arrange, first_share, is_sink, pooled, without_first
from gpttui.tui.renderables.square_lines import SquareView
from gpttui.tui.tables import token_columns
from gpttui.tui.widgets.pane import NO_TEXT, Pane, Piece, TokenWanted, moving, showing
from gpttui.tui.widgets.squares import Squares

LEAST_LEGEND = 12
"""Columns that the scale of colours keeps."""


class AttentionPane(Pane):
    """Rows are queries, columns are keys; the selected token's row stands out, the cell under the cursor is named."""

    HELP: ClassVar[str] = """\
One **attention head**: each row is a token (the query) asking, each column an earlier token (the key) being \
looked at. The brighter the cell, the larger the share of that token's value that flows into the row's vector. A \
row sums to 1; the empty corner is the future, which a GPT cannot see.

The weights of a row are softmax(q·kᵀ / √d): the query's dot product with every key, divided by the root of \
their length d, turned into shares.

Many heads rest on the **first token** when they have nothing to do: an *attention sink*. Where it takes much, the \
last line says so, and `H` hides its column: the other weights of each row are then divided by what is left, so that \
they sum to 1 again. The number at the cursor stays the model's own.

`←` `→` move along the row, `↑` `↓` select another token, `[` `]` change the head, `{` `}` the layer. Where the \
text is too long for the pane it scrolls; `f` shows all of it, every cell being the largest weight of its block.

More: Vaswani et al., *Attention is all you need* (2017); Clark et al., *What does BERT look at?* (2019); Xiao et al., \
*Efficient streaming language models with attention sinks* (2023)."""

    BINDINGS: ClassVar[list[BindingType]] = [
        moving("left,h", "move_key(-1)", "key left", "attention.left", "The key before"),
        moving("right,l", "move_key(1)", "key right", "attention.right", "The key after"),
        moving("up,k", "move_query(-1)", "query up", "attention.up", "Select the token before"),
        moving("down,j", "move_query(1)", "query down", "attention.down", "Select the token after"),
        showing("f", "toggle('overview')", "fit", "attention.overview", "The whole square, pooled by maximum"),
        showing("H", "toggle('hides_first')", "hide sink", "attention.hide_first", "Hide the first token's column"),
    ]

    DEFAULT_CSS = """
    AttentionPane { overflow: auto auto; padding: 0 1; }
    """

    snapshot: reactive[Snapshot | None] = reactive(None, always_update=True)
    position: reactive[int] = reactive(-1)
    """Selected token of the text (the query); negative counts from the end."""
    layer_index: reactive[int] = reactive(0)
    """From 0. (`layer` of a widget is Textual's own.)"""
    head_index: reactive[int] = reactive(0)
    n_layer: reactive[int] = reactive(0)
    n_head: reactive[int] = reactive(0)
    overview: reactive[bool] = reactive(False)
    """Whether a square that does not fit is pooled instead of scrolled."""
    hides_first: reactive[bool] = reactive(False)
    """Whether the first token's column is left out, and the others of each row sum to 1."""

    def __init__(self, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._squares = Squares()
        self._key = (0, 0)
        self._raw: Array | None = None
        self._weights: Array | None = None
        """As they are drawn: `_raw`, or without the first key."""
        self._pooled: Array
        self._layout = SquareLayout(0, 0, 0, CellSize(), label_width=1, top=0, bottom=0)
        self._labels: list[str] = []
        self._longest = 1
        self._cursor: int | None = None
        self._hovered: tuple[int, int] | None = None

    # ── What is held ──────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def have_rows(self) -> int:
        """Rows of the wanted head that need not be sent again."""
        return self._squares.rows((self.layer_index, self.head_index))

    @property
    def have_epoch(self) -> int:
        return self._squares.epoch

    def table(self) -> Table | None:
        """The square `[query, key]`, and the tokens along its sides."""
        if self._raw is None or self.snapshot is None:
            return None
        layer, head = self._key
        return {
            "layer": layer + 1,
            "head": head + 1,
            "first_position": self._first + 1,
            **token_columns(self.tokenizer, self.snapshot.ids[self._first :]),
            "weights": self._raw.copy(),
        }

    @property
    def _first(self) -> int:
        """The text position of row 0."""
        return self.snapshot.n_slid if self.snapshot else 0

    @property
    def selected(self) -> int:
        """The selected row of the square; -1 where the selection has left the context or there is none."""
        if self.snapshot is None:
            return -1
        count = len(self.snapshot.ids)
        at = self.position if self.position >= 0 else count + self.position
        return min(count - 1, at) - self._first if at >= self._first else -1

    @property
    def cursor(self) -> int:
        """The key under the cursor: the one looked at most, until a person moves."""
        if self._weights is None or self.selected < 0:
            return -1
        if self._cursor is None:
            return int(self._weights[self.selected].argmax())
        return max(0, min(self.selected, self._cursor))

    def watch_snapshot(self, old: Snapshot | None, new: Snapshot | None) -> None:
        if new is None:
            self._raw = self._weights = None
        else:
            if old is None or len(old.ids) != len(new.ids) or old.epoch != new.epoch:
                self._cursor = None
            self._squares.take(new)
        self._lay_out()

    def _lay_out(self) -> None:
        """Take the wanted head as soon as all its rows are here; what is shown stays until then."""
        if not self.is_mounted:
            return
        snapshot = self.snapshot
        if snapshot is not None:
            tokens = len(snapshot.ids) - snapshot.n_slid
            wanted = self._squares.square((self.layer_index, self.head_index), tokens)
            if wanted is not None:
                self._key, self._raw = (self.layer_index, self.head_index), wanted
            else:
                self._raw = self._squares.square(self._key, tokens)
            self._weights = self._raw if self._raw is None or not self.hides_first else without_first(self._raw)
            self._labels = [token_label(self.tokenizer, i) for i in snapshot.ids[snapshot.n_slid :].tolist()]
        if self._weights is not None:
            self._arrange(self._weights)
        self._follow()

    watch_tokenizer = watch_layer_index = watch_head_index = watch_overview = watch_hides_first = _lay_out
    on_resize = on_mount = _lay_out

    def _arrange(self, weights: Array) -> None:
        room = self.content_size
        self._longest = max((cell_len(label) for label in self._labels), default=1)
        self._layout = arrange(len(weights), room.width, room.height, self._longest, overview=self.overview)
        self._pooled = pooled(weights, self._layout)
        self.need_room(self._layout.width, self._layout.height)

    def _follow(self) -> None:
        """Scroll so that the cell under the cursor can be seen, and name it."""
        if self.is_mounted and self._weights is not None and self.selected >= 0:
            layout, region = self._layout, self.scrollable_content_region
            line = layout.line_of_row(layout.shown_row(self.selected))
            column = layout.shown_column(self.cursor) * layout.size.columns
            x = _scroll_for(column, layout.size.columns, self.scroll_offset.x, region.width - layout.left)
            y = _scroll_for(line, 1, self.scroll_offset.y, region.height - layout.top - layout.bottom)
            self.scroll_to(x, y, animate=False, force=True)
        self.refresh()

    watch_position = _follow

    def titles(self) -> tuple[str, str]:
        layer, head = self._key
        of_layers, of_heads = (f"/{n}" if n else "" for n in (self.n_layer, self.n_head))
        title = f"Attention · layer {layer + 1}{of_layers} · head {head + 1}{of_heads}"
        return title if self._weights is not None else "Attention", self._under_cursor()

    def _under_cursor(self) -> str:
        """`"·king" → "·the" 0.412`: how much of the key's value flows to the query."""
        if self._raw is None:
            return ""
        row, key = self._hovered or (self.selected, self.cursor)
        if not 0 <= key <= row < len(self._labels) or self.snapshot is None:
            return ""
        query_id, key_id = (int(self.snapshot.ids[self._first + at]) for at in (row, key))
        names = f"{quoted_label(self.tokenizer, query_id, 12)} looks at {quoted_label(self.tokenizer, key_id, 12)}"
        return f"{names}  {float(self._raw[row, key]):.3f}"

    # ── Drawing ───────────────────────────────────────────────────────────────────────────────────────────────────

    def render_line(self, y: int) -> Strip:
        if self._weights is None:
            return self.empty_row(y)
        view, names = self._view(self._weights)
        if y < self._layout.top:
            return names[y] if y < len(names) else self.row([])
        if y >= self.scrollable_content_region.height - self._layout.bottom:
            return self.row(self._legend())
        return view.matrix_line(y - self._layout.top + self.scroll_offset.y)

    def _view(self, weights: Array) -> tuple[SquareView, list[Strip]]:
        """The drawing, and its lines of column names; made once for all lines of a repaint."""
        scroll_x, scroll_y = self.scroll_offset

        def make() -> tuple[SquareView, list[Strip]]:
            ink = self.ink
            view = SquareView(
                layout=self._layout,
                cells=HeatmapLines.of(ink),
                ink=ink,
                weights=weights,
                pooled=self._pooled,
                labels=self._labels,
                longest_label=self._longest,
                selected=self.selected,
                cursor=self.cursor,
                width=self.scrollable_content_region.width,
                scroll_x=scroll_x,
                scroll_y=scroll_y,
            )
            return view, view.label_lines()

        return self.drawing(make, scroll_x, scroll_y)

    @property
    def empty_words(self) -> str:
        if self.snapshot is None:
            return self.waiting
        return (
            f"waiting for layer {self.layer_index + 1}, head {self.head_index + 1}…"
            if len(self.snapshot.ids)
            else NO_TEXT
        )

    def _legend(self) -> list[Piece]:
        said = "each cell: the largest weight of its block" if self._layout.pooled else "a row sums to 1"
        share = 0.0 if self._raw is None else first_share(self._raw)
        if self.snapshot is not None and self._labels and (self.hides_first or is_sink(share, len(self._labels))):
            first = quoted_label(self.tokenizer, int(self.snapshot.ids[self._first]), 10)
            takes = f"{first} takes {share:.0%} (a sink); H hides it"
            said = f"without {first} ({share:.0%}), the rest sums to 1" if self.hides_first else takes
        width = self.scrollable_content_region.width
        room = max(LEAST_LEGEND, min(30, width - cell_len(said) - 2))
        pieces = legend_pieces("0", "1", min(room, width), self.depth, self.heat, self.tone("dim"))
        return [*pieces, ("  " + said, self.tone("dim"))]

    # ── Choosing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def action_move_key(self, by: int) -> None:
        if self._weights is not None and self.selected >= 0:
            self._cursor = max(0, min(self.selected, self.cursor + by))
            self._hovered = None
            self._follow()

    def action_move_query(self, by: int) -> None:
        if self._weights is not None:
            row = max(0, min(len(self._weights) - 1, self.selected + by))
            self.post_message(TokenWanted(self._first + row))

    def _cell_at(self, event: events.MouseEvent) -> tuple[int, int] | None:
        """(query, key) under the mouse."""
        offset, layout = event.get_content_offset(self), self._layout
        if offset is None or self._weights is None:
            return None
        height = self.scrollable_content_region.height
        if not layout.top <= offset.y < height - layout.bottom or offset.x < layout.left:
            return None
        row, _ = layout.rows_of_line(offset.y - layout.top + self.scroll_offset.y)
        column = (offset.x - layout.left + self.scroll_offset.x) // layout.size.columns
        if row >= layout.shown_rows or column >= layout.shown_columns:
            return None
        return layout.first_row(row), layout.first_column(column)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        hovered = self._cell_at(event)
        if hovered != self._hovered:
            self._hovered = hovered
            self.entitle()

    def on_leave(self) -> None:
        self._hovered = None
        self.entitle()

    def on_click(self, event: events.Click) -> None:
        cell = self._cell_at(event)
        if cell is not None:
            self._cursor = cell[1]
            self.post_message(TokenWanted(self._first + cell[0]))
            self._follow()


def _scroll_for(at: int, size: int, offset: int, room: int) -> int:
    """The offset nearest to `offset` at which [at, at + size) lies inside `room`."""
    return min(at, max(offset, at + size - max(size, room)))
