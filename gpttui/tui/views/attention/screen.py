"""Attention from the inside: one head's scores stage by stage, one of their cells by dimension, all heads at once."""

from typing import ClassVar

from textual import on
from textual.binding import BindingType

from gpttui.interventions import AblateHead, ForbidEdge
from gpttui.protocol.parts import AskHeads, AskStages, Heads, Stages
from gpttui.tui.keys import HEAD, TEXT, key
from gpttui.tui.renderables.labels import quoted_label
from gpttui.tui.session.remembered import NUMBERS_OR_NONE, YES_NO, Setting
from gpttui.tui.views.attention.pane_cell import AttentionCell
from gpttui.tui.views.attention.pane_heads import AttentionHeads
from gpttui.tui.views.attention.pane_stages import ALL, AttentionStages
from gpttui.tui.views.frame import InsideScreen
from gpttui.tui.views.table import ViewContext
from gpttui.tui.widgets.pane import Pane

SIZE = "size"
"""At an opening the frame waits for the layout too: what is asked for depends on what fits."""
FOLLOW = -1
"""The key under the cursor is the one looked at most."""
CELLS_AT_ONCE, PARAMS_AT_ONCE = 4_000_000, 12_000_000
"""Of patterns, and of the probe's passes, in one question about all heads: it keeps keys waiting for some 40 ms."""
THRESHOLDS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)


class AttentionScreen(InsideScreen):
    """The stages on top, the cell and all heads below."""

    VIEW: ClassVar[str] = "attention"
    NEED: ClassVar[tuple[int, int]] = (100, 30)
    SETTINGS: ClassVar[tuple[Setting, ...]] = (
        Setting("stage", "stages.stage", range(ALL, 4)),
        Setting("threshold", ("stages.threshold", "heads.threshold"), THRESHOLDS),
        Setting("by_size", "cell.by_size", YES_NO),
        Setting("hides_first", ("stages.hides_first", "heads.hides_first"), YES_NO),
    )
    PLACES: ClassVar[tuple[Setting, ...]] = (Setting("key", "key", NUMBERS_OR_NONE),)
    BINDINGS: ClassVar[list[BindingType]] = [
        key("m", "stage", "stage", "One stage after the other, then all four where there is room", TEXT,
            id="attention_stage"),
        key("t", "threshold(1)", "threshold", "Hide weights below a higher threshold", TEXT, id="attention_hide"),
        key("T", "threshold(-1)", "threshold", "Hide fewer weights", TEXT, id="attention_hide_less"),
        key("d", "order", "order", "The largest products first, or dimension by dimension", TEXT, show=False,
            id="attention_order"),
        key("H", "hide_first", "hide sink", "Hide the first token's column, or show it again", TEXT,
            id="attention_hide_first"),
        key("F", "forbid", "forbid", "Forbid this query to look at this key; again: allow it", HEAD,
            id="attention_forbid"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    AttentionScreen {
        #panes { grid-size: 2 2; grid-columns: 3fr 4fr; grid-rows: 1fr 1fr; }
        #stages { column-span: 2; }
    }
    """

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self.stages = AttentionStages(id="stages")
        self.cell = AttentionCell(id="cell")
        self.key = FOLLOW
        """Text position of the key under the cursor, or `FOLLOW`."""
        self.heads = AttentionHeads(id="heads")
        self._prompt: bytes | None = None
        """Whose keys are chosen among; None: no text was seen yet."""
        self._asked: object = None
        """The stretch that was asked for last."""
        self._surveyed: tuple[int, str, bytes, int, bool] | None = None
        """The text, the weights and the size of the maps that the next are about."""
        self._layers_left: list[int] = []
        self._draws = 0

    @property
    def panes(self) -> tuple[Pane, ...]:
        return self.stages, self.cell, self.heads

    # ── Showing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def mark(self) -> None:
        snapshot, card, selection = self.snapshot, self.link.card, self.selection
        if snapshot is None or not self.length:
            self.stages.snapshot = None
            self.stages.stages = self.cell.found = None
            self.heads.forget()
            self._surveyed = None
            return
        prompt = snapshot.ids[: snapshot.n_prompt].tobytes()
        if self._prompt not in (None, prompt) or not snapshot.n_slid <= self.key < self.length:
            self.key = FOLLOW
        self._prompt = prompt
        if card is not None:
            self.stages.shape = self.heads.shape = card.n_layer, card.n_head
        self.stages.snapshot = snapshot
        self.stages.position = self.position
        if self.key != FOLLOW:
            self.stages.key = self.key
        self.heads.tokens = self.length - snapshot.n_slid
        self.heads.place = selection.layer, selection.head
        self._name_sink()
        ablated = (change for change in self.link.changes if isinstance(change, AblateHead))
        self.heads.silenced = frozenset((change.layer, change.head) for change in ablated)

    def look(self) -> None:
        if self.stages.viewport is None:
            self.hold.ask(SIZE)
        self.ask("stages", self._request, self._take, self.stages, self.cell)
        self._survey()

    def _request(self) -> AskStages:
        selection, cell, seen = self.selection, (self.stages.asking, self.key), self.stages.viewport
        self._asked = seen
        first_query, queries, first_key, keys = seen or (cell[0], 1, max(0, cell[1]), 1)
        hide = self.stages.hides_first
        return AskStages(selection.layer, selection.head, first_query, queries, first_key, keys, cell, hide)

    def _take(self, found: Stages) -> None:
        snapshot = self.snapshot
        if snapshot is None or max(found.cell) >= self.length:
            return
        self.stages.silenced = AblateHead(found.layer, found.head) in self.link.made
        self.stages.stages = found
        if self.key == FOLLOW:
            self.stages.key = found.cell[1]
        query, key_ = (quoted_label(self.context.tokenizer, int(snapshot.ids[at]), 14) for at in found.cell)
        self.cell.names, self.cell.first = (query, key_), snapshot.n_slid
        self.cell.found = found
        if self.stages.viewport != self._asked:  # the key looked at most lies elsewhere
            self.ask("stages", self._request, self._take, self.stages, self.cell)

    def _survey(self) -> None:
        """Look at all heads again if anything about them has changed: the selected layer first, then the others."""
        snapshot, card = self.snapshot, self.link.card
        if snapshot is None or card is None or not self.heads.side:
            return
        text = snapshot.epoch, snapshot.weights, snapshot.ids.tobytes()
        wanted = (*text, self.heads.side, self.heads.hides_first)
        if wanted != self._surveyed:
            if self._surveyed is None or text[:2] != self._surveyed[:2]:
                self._draws = 0
            self._surveyed = wanted
            self._layers_left = sorted(range(card.n_layer), key=lambda n: (n != self.selection.layer, n))
            self._survey_on()

    def _survey_on(self) -> None:
        """As many layers or draws of the probe at a time as keys can wait for: each answer is painted.

        The engine draws while the maps are painted; with them it sends what it has drawn before.
        """
        side, left, of_draws, card = self.heads.side, self._layers_left, self.heads.of_draws, self.link.card
        if not side or card is None:
            self._surveyed = None
        elif left:
            layer, hide = left[0], self.heads.hides_first
            most = max(1, CELLS_AT_ONCE // max(1, card.n_head * self.heads.tokens**2))
            layers = next(n for n in range(1, len(left) + 1) if n == most or layer + n not in left)
            asked = AskHeads(side, layer, layers, draws=0, hide_first=hide)
            self.ask("heads", lambda: asked, self._take_heads, self.heads)
        elif self._draws < of_draws:
            draws = self._draws + max(1, PARAMS_AT_ONCE // card.params)
            self.ask("probe", lambda: AskHeads(layers=0, draws=draws), self._take_heads, awaited=False)

    def _take_heads(self, found: Heads) -> None:
        self.heads.take(found)
        self._name_sink()
        self._draws = max(self._draws, found.draws)
        done = range(found.first_layer, found.first_layer + len(found.maps))
        self._layers_left = [n for n in self._layers_left if n not in done]
        self._survey_on()

    def _name_sink(self) -> None:
        """What the first token takes of the selected head's attention, as far as it is known."""
        self.stages.first_share = self.heads.first_share

    # ── Choosing ─────────────────────────────────────────────────────────────────────────────────────────────────

    @on(AttentionStages.Scrolled)
    def _scrolled(self) -> None:
        if self.length and self.link.card is not None and self.stages.viewport != self._asked:
            self.look()
        self._answered(SIZE)

    @on(AttentionStages.Stepped)
    def _stepped(self, event: AttentionStages.Stepped) -> None:
        if not self.length:
            return
        if event.right and self.stages.key >= 0:
            self.key = max(self.stages.first, min(self.length - 1, self.stages.key + event.right))
            self.follow()
        if event.down:
            self.look_at(max(self.stages.first, self.stages.asking + event.down))

    @on(AttentionStages.Chosen)
    def _chosen(self, event: AttentionStages.Chosen) -> None:
        self.key = event.key
        if event.query == self.position:
            self.follow()
        else:
            self.look_at(event.query)

    @on(AttentionHeads.Resized)
    def _resized(self) -> None:
        if self.length and self.link.card is not None:
            self._survey()

    @on(AttentionHeads.Opened)
    def _opened(self) -> None:
        self.deck.go(0)

    def action_stage(self) -> None:
        self.stages.next_stage()

    def action_threshold(self, by: int) -> None:
        at = THRESHOLDS.index(self.stages.threshold)
        self.stages.threshold = self.heads.threshold = found = THRESHOLDS[max(0, min(at + by, len(THRESHOLDS) - 1))]
        self.hints.say(f"Weights below {found:.0%} are hidden." if found else "Every weight is shown.", "info")

    def action_hide_first(self) -> None:
        self.stages.hides_first = self.heads.hides_first = hide = not self.stages.hides_first
        self.key = FOLLOW
        left = "The first token's column is hidden, the rest of each row sums to 1; scores are as they are."
        self.hints.say(left if hide else "Every column is shown.", "info")
        self.follow()

    def action_order(self) -> None:
        self.cell.by_size = not self.cell.by_size

    def action_forbid(self) -> None:
        query, key_ = self.stages.asking, self.stages.key
        if not self.length or key_ < 0:
            return
        if key_ > query:
            self.hints.say("It lies in the future: no head may look there anyway.", "warning")
            return
        change = ForbidEdge(self.selection.layer, self.selection.head, query, key_)
        again = change in self.link.changes
        self.key = key_
        left = "it is the only key of its row, so that the head gives nothing here"
        gone = left if query == self.stages.first else "the other keys of the row share what it gave here"
        self.link.toggle(change)
        self.announce("Allowed again." if again else f"Forbidden: {gone}. F undoes it.")
