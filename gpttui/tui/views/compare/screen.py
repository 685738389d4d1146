"""One word in two contexts: the two texts, how far its vectors part, who parts them, and what follows."""

from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.message import Message

from gpttui.interventions import AblateHead, AblatePart, Intervention, PatchResidual
from gpttui.protocol.stream import AskCompare, Compared
from gpttui.text import safe_text
from gpttui.tui.keys import TEXT, key
from gpttui.tui.renderables.charts import stop_name, stop_place
from gpttui.tui.renderables.labels import clip
from gpttui.tui.selection import Selection
from gpttui.tui.session.messages import ModelOpened
from gpttui.tui.session.pairs import KEPT, MARKS, TwoTexts, opening, shared
from gpttui.tui.session.remembered import NUMBERS, YES_NO, Setting
from gpttui.tui.views.compare.pane_apart import CompareDistances, CompareFollows, ComparePartsPane
from gpttui.tui.views.compare.pane_texts import CompareTexts
from gpttui.tui.views.frame import NO_MODEL, InsideScreen
from gpttui.tui.views.table import ViewContext
from gpttui.tui.widgets.lines import LinesPane
from gpttui.tui.widgets.pane import Pane

NAMES = ("first text, A", "second text, B")


class CompareScreen(InsideScreen):
    """Two texts side by side."""

    VIEW: ClassVar[str] = "compare"
    SETTINGS: ClassVar[tuple[Setting, ...]] = (Setting("by_length", "distances.by_length", YES_NO),)
    PLACES: ClassVar[tuple[Setting, ...]] = (
        Setting("text", "texts.cursor", range(2)),
        Setting("stop", "distances.cursor", NUMBERS),
        Setting("part", "parts.cursor", NUMBERS),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        key("slash", "write_both", "two texts", "Write two other texts to compare", TEXT, id="compare_write"),
        key("n", "next_word", "next word", "Compare the next word that both texts share", TEXT, id="compare_word"),
        key("p", "take_text", "own text", "Put the playground's text into this row", TEXT, show=False,
            id="compare_take"),
        key("P", "patch", "patch", "Experiment: A in the playground, its word's vector taken from B at this stop", TEXT,
            id="compare_patch"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    CompareScreen {
        TokenLine { display: none; }
        #panes { grid-size: 2 3; grid-columns: 3fr 2fr; grid-rows: 4 1fr 1fr; }
        & > .-wide #panes { grid-columns: 2fr 1fr; }
        #texts, #follows { column-span: 2; }
    }
    """

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self.texts = CompareTexts(id="texts")
        self.distances = CompareDistances(id="distances")
        self.parts = ComparePartsPane(id="parts")
        self.follows = CompareFollows(id="follows")
        self.distances.set_reactive(LinesPane.cursor, 2 + 2 * context.selection.layer)
        self.two: TwoTexts | None = self.link.kept.get(KEPT)
        self._warned: tuple[Intervention, ...] = ()
        """The changes that the warning is about."""

    @property
    def panes(self) -> tuple[Pane, ...]:
        return self.texts, self.distances, self.parts, self.follows

    # ── What is compared ─────────────────────────────────────────────────────────────────────────────────────────

    def follow(self) -> None:
        """The two texts have nothing to do with the playground's, which may be empty."""
        self.hold.begin()
        self._show_two()
        self.hold.release_if_nothing_is_awaited()

    def _show_two(self) -> None:
        card, tokenizer = self.link.card, self.context.tokenizer
        if card is None or tokenizer is None:
            self.wait(NO_MODEL)
            return
        if self.two is None:
            self.two = opening(card, tokenizer)
        if self.two is None:
            self.wait("write two texts: press /")
            return
        self.link.kept[KEPT] = self.two
        self.texts.ids = tokenizer.prompt(self.two.a), tokenizer.prompt(self.two.b)
        self.look()

    def _compare(self, two: TwoTexts) -> None:
        self.two = two
        self.follow()

    def look(self) -> None:
        two = self.two
        if two is not None:
            places = (two.position_a, two.position_b) if min(two.position_a, two.position_b) >= 0 else (-1, -1)
            rows = max(8, self.app.size.height)
            panes = self.distances, self.parts, self.follows

            def take(compared: Compared) -> None:
                if two == self.two:  # else its answer is on its way
                    self._take(compared)

            self.ask("pair", lambda: AskCompare(two.a, two.b, two.word, *places, rows), take, *panes)

    def _take(self, compared: Compared) -> None:
        if self.link.changes and self.link.changes != self._warned:
            words = "Both texts go through the altered model: a change at a token's number is made in both."
            self.hints.say(words, "warning")
        self._warned = self.link.changes
        self.texts.marks = self.link.kept[MARKS] = compared.position_a, compared.position_b
        tokenizer = self.context.tokenizer
        if tokenizer is not None:
            sides = ((compared.ids_a, compared.position_a), (compared.ids_b, compared.position_b))
            told = [clip(safe_text(tokenizer.decode(ids[: at + 1].tolist())), 60) for ids, at in sides]
            self.follows.names = told[0], told[1]
        for pane in (self.distances, self.parts, self.follows):
            pane.found = compared

    def _refused(self, line: str) -> None:
        if self.is_there:
            for pane in (self.distances, self.parts, self.follows):
                pane.found = None
            two = self.two
            self.texts.marks = (-1, -1) if two is None else (two.position_a, two.position_b)
            super()._refused(line)
            self.wait(f"{line}\n/ writes two texts, ← → in the first pane mark a token in each")

    def _heard(self, message: Message) -> None:
        if isinstance(message, ModelOpened):
            self.two = None
        super()._heard(message)

    # ── Choosing ─────────────────────────────────────────────────────────────────────────────────────────────────

    @on(CompareTexts.Marked)
    def _marked(self, event: CompareTexts.Marked) -> None:
        if self.two is None:
            return
        marks = [
            mark if mark >= 0 else len(ids) - 1 for mark, ids in zip(self.texts.marks, self.texts.ids, strict=True)
        ]
        marks[event.side] = event.position
        if min(marks) >= 0:
            self.texts.marks = marks[0], marks[1]
            self._compare(replace(self.two, word="", position_a=marks[0], position_b=marks[1]))

    def action_next_word(self) -> None:
        two, compared = self.two, self.distances.found
        words = shared(two.a, two.b) if two is not None else []
        if two is None or not words:
            self.hints.say("The two texts share no word: / writes others, ← → mark a token in each.", "warning")
            return
        now = compared.word if compared is not None else ""
        at = words.index(now) + 1 if now in words else 0
        self._compare(TwoTexts(two.a, two.b, words[at % len(words)]))
        self.hints.say(f"Both texts have: {', '.join(words[:8])}.", "info")

    @on(LinesPane.Moved)
    def _moved(self, event: LinesPane.Moved) -> None:
        compared = self.distances.found
        if event.pane is self.distances and compared is not None:
            layer, _ = stop_place(compared.stops[event.index])
            if layer >= 0:
                self.look_through(layer, self.selection.head)
        elif event.pane is self.parts:
            _, layer, head = self.parts.parts()[event.index]
            self.look_through(layer, head if head >= 0 else self.selection.head)

    def select(self, selection: Selection) -> None:
        """A layer or head is another mark here, not another question."""
        if selection != self.selection:
            self.selection = selection
            self.context.select(selection)

    def action_layer(self, by: int) -> None:
        super().action_layer(by)
        self.distances.cursor = min(2 + 2 * self.selection.layer, max(0, self.distances.count - 1))

    @on(LinesPane.Picked)
    async def _picked(self, event: LinesPane.Picked) -> None:
        if event.pane is self.texts:
            await self._write_one(event.index)
        elif event.pane is self.parts:
            _, layer, head = self.parts.parts()[event.index]
            self.look_through(layer, max(0, head) if head >= 0 else self.selection.head)
            self.action_view("attention" if head >= 0 else "mlp")

    @on(ComparePartsPane.Silence)
    def _silence(self, event: ComparePartsPane.Silence) -> None:
        layer, head = event.layer, event.head
        self.link.toggle(AblateHead(layer, head) if head >= 0 else AblatePart(layer, "mlp"))

    # ── Writing ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _write_one(self, side: int) -> None:
        two = self.two or TwoTexts("", "")

        def done(text: str) -> None:
            self._compare(TwoTexts(text, two.b) if side == 0 else TwoTexts(two.a, text))

        await self.write(NAMES[side].capitalize(), two.b if side else two.a, done, "Enter compares, escape leaves it.")

    async def action_write_both(self) -> None:
        two = self.two or TwoTexts("", "")

        async def first(text: str) -> None:
            def second(other: str) -> None:
                self._compare(TwoTexts(text, other))

            await self.write(NAMES[1].capitalize(), two.b, second, "Enter compares the two.")

        await self.write(NAMES[0].capitalize(), two.a, first, "Enter goes on to the second text.")

    def action_take_text(self) -> None:
        two, snapshot, tokenizer = self.two or TwoTexts("", ""), self.snapshot, self.context.tokenizer
        if snapshot is None or tokenizer is None or not len(snapshot.ids):
            self.hints.say("The playground has no text yet.", "warning")
            return
        text = tokenizer.decode(snapshot.ids.tolist())
        self._compare(TwoTexts(two.a, text) if self.texts.cursor else TwoTexts(text, two.b))

    # ── The experiment ───────────────────────────────────────────────────────────────────────────────────────────

    def action_patch(self) -> None:
        """Text A into the playground, its word after this stop replaced by B's; the bars before and after."""
        compared, two = self.distances.found, self.two
        if compared is None or two is None:
            self.hints.say("First compare two texts: / writes them.", "warning")
            return
        stop = compared.stops[self.distances.cursor]
        layer, part = stop_place(stop)
        change = PatchResidual(layer, part, compared.position_a, two.b, compared.position_b)  # type: ignore[arg-type]
        if self.link.prompt != two.a:
            self.link.set_prompt(two.a)
        self.link.alter((*(kept for kept in self.link.changes if not isinstance(kept, PatchResidual)), change))
        self.look_at(compared.position_a)
        cosines = compared.cosines.tolist()
        little = 1 - cosines[self.distances.cursor] < (1 - min(cosines)) / 10
        more = "the two hardly differ there, pick another stop" if little else "U undoes it"
        words = f"A is in the playground, its word after {stop_name(stop)} taken from B: {more}."
        self.action_view("interventions")
        if isinstance(self.app.screen, InsideScreen):
            self.app.screen.announce(words)
