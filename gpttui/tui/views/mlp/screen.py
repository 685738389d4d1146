"""What an MLP does to one token, its loudest neurons, and what one of them is about."""

from typing import ClassVar

from textual import on
from textual.binding import BindingType

from gpttui.interventions import AblateNeuron
from gpttui.protocol.message import Answer
from gpttui.protocol.parts import (
    LIKELIEST,
    AskMLP,
    AskNeuron,
    CancelSearch,
    MLPActivity,
    Neuron,
    Passages,
    SearchPassages,
)
from gpttui.text import safe_text
from gpttui.tui.keys import TEXT, key
from gpttui.tui.renderables.labels import quoted_label, so_many
from gpttui.tui.session.remembered import NUMBERS_OR_NONE, YES_NO, Setting
from gpttui.tui.views.frame import InsideScreen
from gpttui.tui.views.mlp.pane_flow import MLPFlow, MLPTop
from gpttui.tui.views.mlp.pane_neuron import MLPNeuron
from gpttui.tui.views.table import ViewContext
from gpttui.tui.widgets.lines import LinesPane
from gpttui.tui.widgets.pane import Pane


class MLPScreen(InsideScreen):
    """The flow on top, neurons and one neuron below."""

    VIEW: ClassVar[str] = "mlp"
    PLACES: ClassVar[tuple[Setting, ...]] = (
        Setting("neuron", "neuron", NUMBERS_OR_NONE),
        Setting("pinned", "pinned", YES_NO),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        key("f", "find", "passages", "Read the training text for what fires this neuron most", TEXT, id="mlp_find"),
        key("F", "find_in", "passages in …", "Read a text of your own for what fires this neuron most", TEXT,
            id="mlp_find_in"),
        key("c", "cancel", "stop reading", "Stop reading; what was found stays", TEXT, show=False, id="mlp_cancel"),
        key("N", "number", "neuron", "Go to a neuron by its number", TEXT, show=False, id="mlp_number"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    MLPScreen {
        #panes { grid-size: 2 2; grid-columns: 2fr 3fr; grid-rows: 9 1fr; }
        & > .-wide #panes { grid-rows: 10 1fr; }
        #flow { column-span: 2; }
    }
    """

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self.flow = MLPFlow(id="flow")
        self.top = MLPTop(id="top")
        self.about = MLPNeuron(id="about")
        self.neuron = -1
        """Asked about; -1: the loudest."""
        self.pinned = False
        """Asked for by its number, wherever it stands in the list."""
        self.text_file = ""
        """Searched for passages; empty: the model's training text."""
        self._reading = False

    @property
    def panes(self) -> tuple[Pane, ...]:
        return self.flow, self.top, self.about

    def on_mount(self) -> None:
        self.link.listeners.append(self._news)
        self.top.focus()

    def on_unmount(self) -> None:
        if self._news in self.link.listeners:
            self.link.listeners.remove(self._news)

    # ── Showing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def mark(self) -> None:
        if not self.length:
            self._nothing()

    def _nothing(self) -> None:
        self.flow.found = self.top.found = None
        self.about.found = None

    def look(self) -> None:
        rows = max(10, self.app.size.height)
        self.ask(
            "mlp", lambda: AskMLP(self.selection.layer, self.position, rows, LIKELIEST), self._take, self.flow, self.top
        )

    def _take(self, found: MLPActivity) -> None:
        self.flow.token = self.label(found.position)
        mine = (c for c in self.link.made if isinstance(c, AblateNeuron) and c.layer == found.layer)
        self.top.silenced = frozenset(change.neuron for change in mine)
        self.top.target = quoted_label(self.context.tokenizer, found.token_id, 8) if found.token_id >= 0 else ""
        self.flow.found = self.top.found = found
        if not 0 <= self.neuron < len(found.post):
            self.pinned, self.neuron = False, -1
        if self.neuron not in found.top.tolist() and not self.pinned:
            self.top.cursor = 0
        elif not self.pinned:
            self.top.cursor = found.top.tolist().index(self.neuron)
        self._ask_neuron(self.neuron if self.pinned else self.top.neuron)

    @property
    def listed_layer(self) -> int:
        """Whose neurons are listed."""
        return self.selection.layer if self.top.found is None else self.top.found.layer

    def _ask_neuron(self, neuron: int) -> None:
        """Of a neuron whose layer is being read, the reading tells from now on."""
        if neuron < 0:
            return
        self.neuron = neuron
        known, layer = self.about.passages, self.listed_layer
        self.ask("neuron", lambda: AskNeuron(layer, neuron, 24), self._take_neuron, self.about)
        if known is not None and known.layer == layer and known.running and known.neuron != neuron:
            self._search(layer, neuron)

    def _search(self, layer: int, neuron: int) -> None:
        self.ask("search", lambda: SearchPassages(layer, neuron, self.text_file), self._read)

    def _take_neuron(self, found: Neuron) -> None:
        self.about.found, self.about.passages = found, found.passages

    def _take_passages(self, found: Passages) -> None:
        about = self.about.found
        if about is not None and (found.layer, found.neuron) == (about.layer, about.neuron):
            self.about.passages = found

    def _news(self, answer: Answer) -> None:
        if isinstance(answer, Passages) and self.is_there:
            self._read(answer)

    def _read(self, found: Passages) -> None:
        """How far the reading has got."""
        self._take_passages(found)
        if self._reading and not found.running:
            self._reading = False
            told = f"Read {so_many(found.tokens_read)}: the passages of every neuron of layer {found.layer + 1}."
            self.hints.say(told if found.done else "Stopped; what was found stays.", "info")

    def _refused(self, line: str) -> None:
        super()._refused(line)
        if self.is_there and "no MLPs" in line:
            self._nothing()

    # ── Choosing ─────────────────────────────────────────────────────────────────────────────────────────────────

    def action_layer(self, by: int) -> None:
        self.pinned, self.neuron = False, -1
        super().action_layer(by)

    @on(LinesPane.Moved)
    def _moved(self, event: LinesPane.Moved) -> None:
        if event.pane is self.top:
            self.pinned = False
            self._ask_neuron(self.top.neuron)

    @on(LinesPane.Picked)
    def _picked(self, event: LinesPane.Picked) -> None:
        if event.pane is self.top:
            self.action_find()

    def action_silence_head(self) -> None:
        """Here x is about the neuron that is shown."""
        if self.neuron >= 0:
            self.link.toggle(AblateNeuron(self.listed_layer, self.neuron))

    @on(MLPTop.Silence)
    def _silence(self, event: MLPTop.Silence) -> None:
        self.link.toggle(AblateNeuron(self.listed_layer, event.neuron))

    def action_find(self) -> None:
        neuron, layer = self.neuron, self.listed_layer
        if neuron >= 0:
            self._reading = True
            self._search(layer, neuron)
            what = "the training text" if not self.text_file else safe_text(self.text_file.rpartition("/")[2])
            self.hints.say(f"Reading {what}; go on as you like, c stops it.", "info")

    async def action_find_in(self) -> None:
        """In a text of one's own, from now on: of most models nobody has the training text."""

        def done(text: str) -> None:
            self.text_file = text.strip()
            self.action_find()

        hint = "A text file on the engine's machine; empty: the model's training text, where it is known."
        await self.write("Search this text", self.text_file, done, hint)

    def action_cancel(self) -> None:
        known = self.about.passages
        if known is not None and known.running:
            self._reading = True
            self.ask("search", CancelSearch, self._read)

    async def action_number(self) -> None:
        found = self.flow.found
        if found is None:
            return
        count = len(found.post)

        def done(text: str) -> None:
            if not text.strip().isdecimal() or not 1 <= int(text) <= count:
                self.hints.say(f"Write a neuron's number, 1 to {count:,}.", "error")
                return
            self.pinned = True
            self._ask_neuron(int(text) - 1)

        await self.write("Neuron number", str(self.neuron + 1), done, f"1 to {count:,}; enter shows it.")
