"""Tokens as vectors: what lies close to the selected one, a map of all, and arithmetic."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta
from textual.binding import BindingType

from gpttui.errors import UserError
from gpttui.protocol.stream import AskArithmetic, AskMap, AskNeighbours, Map, Near, Sum
from gpttui.tui.keys import TEXT, key
from gpttui.tui.renderables.charts import stop_place
from gpttui.tui.renderables.labels import quoted_label
from gpttui.tui.session.remembered import YES_NO, Setting, TokenId, remember
from gpttui.tui.views.frame import InsideScreen
from gpttui.tui.views.table import ViewContext
from gpttui.tui.views.vectors.pane_map import VectorsMap
from gpttui.tui.views.vectors.pane_near import VectorsNear, VectorsSum
from gpttui.tui.views.vectors.words import example, opening_sum, read_sum, whole_words, written
from gpttui.tui.widgets.pane import Pane

KEPT = remember("vectors", Annotated[tuple[TokenId, ...], Meta(min_length=3, max_length=4)], of_model=True)
"""The sum: a, b, c and, where one is expected, d."""
MOST_POINTS = 2000


class VectorsScreen(InsideScreen):
    """Neighbours and arithmetic to the left, the map to the right."""

    VIEW: ClassVar[str] = "vectors"
    SETTINGS: ClassVar[tuple[Setting, ...]] = (
        Setting("map_of", "of", ("text", "vocabulary")),
        Setting("at_start", "at_start", YES_NO),
        Setting("table", "table", ("embedding", "unembedding")),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        key("m", "map_of", "text/vocabulary", "Map the text's tokens, or the vocabulary", TEXT, id="vectors_map"),
        key("e", "embedding", "embedding/layer", "Map what tokens are, or what they have become", TEXT,
            id="vectors_embedding"),
        key("equals_sign", "write_sum", "a - b + c", "Write a sum of words", TEXT, id="vectors_sum"),
        key("u", "table", "table", "Compare with the table at the end of the model, or at its start", TEXT, show=False,
            id="vectors_table"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    VectorsScreen {
        #panes { grid-size: 2 2; grid-columns: 1fr 1fr; grid-rows: 3fr 2fr; }
        & > .-wide #panes { grid-columns: 2fr 3fr; grid-rows: 1fr 1fr; }
        #map { row-span: 2; }
    }
    """

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self.near = VectorsNear(id="near")
        self.map = VectorsMap(id="map")
        self.sum = VectorsSum(id="sum")
        self.of: Literal["text", "vocabulary"] = "text"
        self.at_start = False
        self.stops_a_layer = 2
        self.table: Literal["embedding", "unembedding"] = "embedding"
        self._near: dict[str, tuple[int, str, Near]] = {}
        """What lies near the token as looked up, and near what it has become: its id, the table, the answer."""
        self._asked: object = None
        self._added: tuple[int, str] | None = None
        """The weights that the sum was made with."""

    @property
    def panes(self) -> tuple[Pane, ...]:
        return self.near, self.map, self.sum

    # ── Showing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def mark(self) -> None:
        snapshot = self.snapshot
        self.map.position = self.position
        if snapshot is None or not self.length:
            self.near.own = self.near.later = self.map.found = None
            self._near.clear()
            self.map.token_id = -1
            return
        self.map.token_id = int(snapshot.ids[self.position])
        if self.link.card is not None:
            self.sum.vocabulary = self.link.card.vocab_size

    @property
    def rows(self) -> int:
        return max(8, self.app.size.height // 2)

    def look(self) -> None:
        token_id, table = self.map.token_id, self.table
        pane = self.near
        self.ask(
            "own",
            lambda: AskNeighbours(token_id, table=table, k=self.rows),
            lambda near: self._take_own(token_id, table, near),
            pane,
        )
        self.ask(
            "later",
            lambda: AskNeighbours(-1, self.position, self.stop, table, self.rows),
            lambda near: self._take_later(table, near),
            pane,
        )
        wanted = self._map_wanted()
        if wanted != self._asked:
            self._asked = wanted
            self.ask("map", lambda: self._map_request(), self._take_map, self.map)
        snapshot = self.snapshot
        if snapshot is not None and self._added != (snapshot.epoch, snapshot.weights):
            self._added = snapshot.epoch, snapshot.weights
            self._add()

    @property
    def stop(self) -> int:
        """The stop after the selected layer."""
        return self.stops_a_layer * (self.selection.layer + 1)

    def _map_request(self) -> AskMap:
        tokenizer = self.context.tokenizer
        words = whole_words(tokenizer)[:MOST_POINTS] if self.of == "vocabulary" and tokenizer is not None else ()
        return AskMap(self.of, 0 if self.at_start else self.stop, MOST_POINTS, words, unit=True)

    def _map_wanted(self) -> object:
        """What the map depends on; the selected token is none of it."""
        snapshot = self.snapshot
        if snapshot is None or self.of == "vocabulary":
            return self.of, None if snapshot is None else snapshot.weights
        return (
            self.of,
            self.at_start or self.stop,
            snapshot.epoch,
            len(snapshot.ids),
            snapshot.weights,
            self.link.changes,
        )

    def _take_own(self, token_id: int, table: str, near: Near) -> None:
        self._near["own"] = token_id, table, near
        self._pair()
        if self.link.card is not None and near.n_stops:
            self.stops_a_layer = max(1, (near.n_stops - 1) // max(1, self.link.card.n_layer))
        self.map.close = tuple(near.ids[:8].tolist())

    def _take_later(self, table: str, near: Near) -> None:
        if self.snapshot is not None:
            self._near["later"] = int(self.snapshot.ids[near.position]), table, near
            self._pair()

    def _pair(self) -> None:
        """Both lists are of one token and one table, or neither is shown yet."""
        own, later = self._near.get("own"), self._near.get("later")
        if own is not None and later is not None and own[:2] == later[:2]:
            self.near.token = quoted_label(self.context.tokenizer, own[0], 16)
            self.near.place = f"layer {stop_place(later[2].stop_name)[0] + 1}"
            self.near.own, self.near.later = own[2], later[2]

    def _take_map(self, found: Map) -> None:
        self.map.found = found

    # ── The map ──────────────────────────────────────────────────────────────────────────────────────────────────

    def action_map_of(self) -> None:
        self.of = "vocabulary" if self.of == "text" else "text"
        self.follow()

    def action_embedding(self) -> None:
        self.at_start, self.of = not self.at_start, "text"
        self.follow()
        where = "are: their embeddings" if self.at_start else f"have become after {self.near.place}"
        self.hints.say(f"The map shows what the tokens {where}.", "info")

    def action_table(self) -> None:
        self.table = "unembedding" if self.table == "embedding" else "embedding"
        self.follow()
        where = "reads them in with" if self.table == "embedding" else "compares the last vector with"
        self.hints.say(f"Compared with the table that the model {where}.", "info")

    # ── Arithmetic ───────────────────────────────────────────────────────────────────────────────────────────────

    def _add(self) -> None:
        tokenizer = self.context.tokenizer
        if tokenizer is None:
            return
        ids: tuple[int, ...] = self.link.kept.get(KEPT) or opening_sum(tokenizer)
        if not ids or max(ids) >= tokenizer.vocab_size:
            self.sum.waiting = "press = and write a sum: a - b + c"
            return
        a, b, c, expected = (*ids, -1)[:4]

        def take(found: Sum) -> None:
            self.sum.asked, self.sum.found = ids, found

        self.ask("sum", lambda: AskArithmetic(a, b, c, expected, 10), take, self.sum)

    async def action_write_sum(self) -> None:
        tokenizer = self.context.tokenizer
        if tokenizer is None:
            return

        def done(line: str) -> None:
            try:
                ids = read_sum(tokenizer, line)
            except UserError as error:
                self.hints.say(str(error), "error")
                return
            self.link.kept[KEPT] = ids
            self._add()

        words = [tokenizer.decode([token_id]).strip() for token_id in self.sum.asked]
        await self.write("A sum of words", written(words), done, f"Such as: {example(tokenizer)}. Enter adds.")

    async def on_lines_pane_picked(self) -> None:
        if self.sum.has_focus:
            await self.action_write_sum()
