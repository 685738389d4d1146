"""What every layer would say: the logit lens as a grid, ranks of pinned tokens, and who made their logits."""

from typing import ClassVar

from textual import on
from textual.binding import BindingType

from gpttui.protocol.stream import AskContributions, AskLens, LensGrid, Shares
from gpttui.tui.keys import TEXT, key
from gpttui.tui.renderables.charts import stop_place
from gpttui.tui.renderables.labels import quoted_label
from gpttui.tui.session.remembered import NUMBERS, YES_NO, Setting, TokenId, remember
from gpttui.tui.views.frame import InsideScreen
from gpttui.tui.views.layers.draw_chart import LETTERS
from gpttui.tui.views.layers.pane_grid import LayersGrid
from gpttui.tui.views.layers.pane_ranks import LayersRanks, Pinned
from gpttui.tui.views.layers.pane_shares import LayersShares
from gpttui.tui.views.table import ViewContext
from gpttui.tui.widgets.lines import LinesPane
from gpttui.tui.widgets.pane import Pane

KEPT = remember("layers", tuple[str, tuple[TokenId, ...], bool], of_model=False)
"""The model's path, tokens pinned by hand, whether the next one is pinned too."""
MOST_PINS = len(LETTERS)
TOP_K = 12
ROOMY = 28
"""Lines from which on the grid takes half of them at most, so that the shares of many layers are seen too."""
AROUND_ROWS = 6
"""Lines of the grid's pane that are no layers: its border, tokens, what came next, detail, legend."""

FLOPS_AT_ONCE = 8_000_000_000
"""Of the lens, in one question: of a large vocabulary columns come one after the other, keys are answered between."""


class LayersScreen(InsideScreen):
    """The grid on top, ranks and shares below."""

    VIEW: ClassVar[str] = "layers"
    SETTINGS: ClassVar[tuple[Setting, ...]] = (Setting("between", "grid_pane.between", YES_NO),)
    PLACES: ClassVar[tuple[Setting, ...]] = (Setting("row", "row", NUMBERS), Setting("pin", "ranks.cursor", NUMBERS))
    BINDINGS: ClassVar[list[BindingType]] = [
        key("p", "pin", "pin", "Follow the token of the cell, or no longer", TEXT, id="layers_pin"),
        key("P", "pin_next", "pin next", "Follow the token that comes next", TEXT, show=False, id="layers_pin_next"),
        key("m", "between", "between", "Also look between attention and MLP, or not", TEXT, id="layers_between"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    LayersScreen {
        #panes { grid-size: 2 2; grid-columns: 1fr 1fr; grid-rows: 1fr 1fr; }
        #grid { column-span: 2; }
    }
    """

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self.grid_pane = LayersGrid(id="grid")
        self.ranks = LayersRanks(id="ranks")
        self.shares = LayersShares(id="shares")
        self.pins: tuple[int, ...] = ()
        """Pinned by hand, in that order."""
        self.follows = True
        """The next token is pinned too."""
        self._asked: tuple[int, ...] = ()
        self._next = -1
        """What of it came next."""
        self._placed = False
        """The cursor stands in the row of the selected layer, or where a person has put it."""
        kept = self.link.kept.get(KEPT)
        if kept is not None and self.link.card is not None and kept[0] == self.link.card.path:
            _, self.pins, self.follows = kept

    @property
    def panes(self) -> tuple[Pane, ...]:
        return self.grid_pane, self.ranks, self.shares

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        """The grid gets the lines that its rows need, the two below get the rest."""
        stops = len(self.grid_pane.cells.stops) or (0 if self.link.card is None else self.link.card.n_layer + 1)
        room = self.app.size.height - 6
        most = room // 2 if room >= ROOMY else room * 5 // 8
        lines = max(5, min(stops + AROUND_ROWS, most))
        self.deck.table.styles.grid_rows = f"{lines} 1fr"

    @property
    def row(self) -> int:
        """Of the grid's cursor."""
        return self.grid_pane.cursor

    @row.setter
    def row(self, row: int) -> None:
        """Where it is one of the selected layer, it stays there."""
        self.grid_pane.cursor, self._placed = row, True

    # ── Showing ──────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def next_id(self) -> int:
        """The token after the selected one; at the end of the text the most probable one; -1 where neither is known."""
        snapshot, at = self.snapshot, self.position + 1
        if snapshot is None or at <= 0:
            return -1
        if at < len(snapshot.ids):
            return int(snapshot.ids[at])
        prediction = snapshot.prediction
        if prediction is None or prediction.position != at - 1 or not len(prediction.candidate_ids):
            return -1
        return int(prediction.candidate_ids[0])

    @property
    def watched(self) -> tuple[int, ...]:
        """All pins: the next token first, where it is followed."""
        following = (self.next_id,) if self.follows and self.next_id >= 0 else ()
        size = 0 if self.link.card is None else self.link.card.vocab_size
        return following + tuple(pin for pin in self.pins if pin not in following and pin < size)

    def mark(self) -> None:
        grid, snapshot = self.grid_pane, self.snapshot
        self.shares.selected = self.selection.layer
        if snapshot is None or not self.length:
            self.ranks.found = self.shares.found = None
            return
        grid.cells.about((snapshot.epoch, snapshot.weights, snapshot.interventions), snapshot.ids)
        grid.position = self.position
        grid.show_text(snapshot.ids, snapshot.n_slid)
        self._mark_row()

    def _mark_row(self) -> None:
        """The cursor's row follows the selected layer; the row of the embeddings counts as the first layer's."""
        grid, layer = self.grid_pane, self.selection.layer
        places = [stop_place(stop)[0] for stop in grid.cells.stops]
        if places and (not self._placed or grid.cursor >= len(places) or max(0, places[grid.cursor]) != layer):
            grid.cursor = max((n for n, place in enumerate(places) if place == layer), default=0)
            self._placed = True
        self.ranks.stop = grid.cells.numbers[grid.cursor] if grid.cursor < len(grid.cells.numbers) else -1

    def look(self) -> None:
        self.grid_pane.pins = self.watched
        self._ask_cells()
        self.ask("column", self._column_request, self._take_column, self.grid_pane, self.ranks)
        if self.watched:
            self.ask("shares", self._shares_request, self._take_shares, self.shares)

    def _ask_cells(self) -> None:
        """Only the columns that are in sight and not known yet."""
        grid = self.grid_pane
        laid_out = grid.scrollable_content_region.width > 0
        if laid_out and self.link.card is not None and self.length and grid.cells.missing(*grid.viewport) is not None:
            self.ask("cells", self._cells_request, self._take_cells, self.grid_pane)

    def _cells_request(self) -> AskLens:
        """As many columns as keys can wait for, those next to the selected one first; the others when they are here."""
        grid, card = self.grid_pane, self.link.card
        each = 1 if card is None else 2 * card.n_layer * (1 + grid.between) * card.vocab_size * card.d_model
        most = max(1, FLOPS_AT_ONCE // each)
        first, count = grid.cells.missing(*grid.viewport, self.position, most) or (self.position, 1)
        return AskLens(first, count, between=grid.between)

    def _take_cells(self, found: LensGrid) -> None:
        grid = self.grid_pane
        known = grid.cells.numbers
        grid.cells.take(found)
        now = grid.cells.numbers
        if now != known:
            self._fit()
            if grid.cursor < len(known):  # the same stop, or the one that ends its layer
                grid.cursor = next((n for n, number in enumerate(now) if number >= known[grid.cursor]), len(now) - 1)
        self._mark_row()
        grid.refresh()
        self._ask_cells()

    def _column_request(self) -> AskLens:
        self._asked, self._next = self.watched, self.next_id if self.follows else -1
        return AskLens(max(0, self.position), 1, TOP_K, self._asked, between=True)

    def _take_column(self, found: LensGrid) -> None:
        self.grid_pane.column = found
        self.ranks.following = self._next
        self.ranks.found = Pinned(self._asked, found)
        self.shares.has_mlps = any(stop.endswith(" mlp") for stop in found.stops)
        self.shares.token_id = self.ranks.token_id

    def _shares_request(self) -> AskContributions:
        return AskContributions(self.watched or (0,), self.position)

    def _take_shares(self, found: Shares) -> None:
        self.shares.found = found

    # ── Moving ───────────────────────────────────────────────────────────────────────────────────────────────────

    @on(LayersGrid.Scrolled)
    def _scrolled(self) -> None:
        self._ask_cells()

    @on(LinesPane.Moved)
    def _moved(self, event: LinesPane.Moved) -> None:
        if event.pane is self.grid_pane:
            self._select_cell(self.position, event.index)
        elif event.pane is self.ranks:
            self.shares.token_id = self.ranks.token_id

    @on(LayersGrid.Selected)
    def _selected(self, event: LayersGrid.Selected) -> None:
        self._select_cell(event.position, event.row)

    def _select_cell(self, position: int, row: int) -> None:
        stops = self.grid_pane.cells.stops
        if not 0 <= row < len(stops) or not self.length:
            return
        self.grid_pane.cursor = row
        layer = max(0, stop_place(stops[row])[0])
        here = self.selection.at(max(0, position), self.length)
        if self.link.card is not None:
            self.select(here.on(layer, here.head, self.link.card.n_layer, self.link.card.n_head))
        self._mark_row()

    def action_between(self) -> None:
        grid = self.grid_pane
        grid.between = not grid.between
        grid.cells.forget()
        self._ask_cells()

    # ── Pins ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @on(LinesPane.Picked)
    def _picked(self, event: LinesPane.Picked) -> None:
        if event.pane is self.grid_pane:
            self.action_pin()
        elif event.pane is self.ranks:
            self.ranks.action_unpin()

    @on(LayersGrid.PinWanted)
    def _pin_wanted(self, event: LayersGrid.PinWanted) -> None:
        self._toggle(event.token_id)

    @on(LayersRanks.Unpin)
    def _unpin(self, event: LayersRanks.Unpin) -> None:
        self._toggle(event.token_id)

    def action_pin(self) -> None:
        if self.grid_pane.token_id >= 0:
            self._toggle(self.grid_pane.token_id)

    def action_pin_next(self) -> None:
        self.follows = True
        self._keep()

    def _toggle(self, token_id: int) -> None:
        name = quoted_label(self.context.tokenizer, token_id, 16)
        if token_id not in self.watched:
            if len(self.watched) >= MOST_PINS:
                self.hints.say(f"{MOST_PINS} tokens are pinned already: unpin one by p in the pane of ranks.", "error")
                return
            self.pins = (*self.pins, token_id)
            self.hints.say(f"{name} is pinned.", "info")
        else:
            came_next = self.follows and token_id == self.next_id
            self.follows = self.follows and not came_next
            self.pins = tuple(pin for pin in self.pins if pin != token_id)
            again = "; P pins the next token again" if came_next else ""
            self.hints.say(f"{name} is no longer pinned{again}.", "info")
        self._keep()

    def _keep(self) -> None:
        if self.link.card is not None:
            self.link.kept[KEPT] = self.link.card.path, self.pins, self.follows
        if self.length:
            self.look()
