"""What one neuron is about: the tokens it promotes and suppresses, the passages of training text that fire it most.

For: the MLP view. Not for: searching (the engine does, in the background).
"""

from typing import ClassVar

from rich.cells import cell_len
from textual.reactive import reactive

from gpttui.protocol.parts import Neuron, Passage, Passages
from gpttui.sessions.view_files import Table
from gpttui.text import safe_text
from gpttui.tui.renderables.bars import bar
from gpttui.tui.renderables.labels import clip, fit, quoted_label, so_many, token_label
from gpttui.tui.tables import token_columns
from gpttui.tui.widgets.lines import Line, LinesPane, Sheet
from gpttui.tui.widgets.pane import label_border

METER = 16
ACTIVATION = 7


class MLPNeuron(LinesPane):
    """Promoted and suppressed tokens in two columns, then the passages."""

    HELP: ClassVar[str] = """\
**What you see.** A neuron is a question and an answer. The **answer** can be read off its weights: when it fires, the \
logits of the tokens to the left go up and those to the right go down, by W · (its column of W_out), the final norm's \
weights applied. These are its direct effects; what later layers make of it comes on top.

The **question** is best read from examples: `f` (or `enter` on a neuron) reads the model's own training text, or \
another one where that is not known or not here (the line above the passages names it), and keeps the ten passages in \
which the neuron fired most; the marked token is where it did. Often they have something in common, and that is its \
question. Often they have not: neurons may answer to several things at once, and a small model has to be thrifty with \
them.

It reads in the background; go on as you like. `c` stops it, what was found stays. All neurons of the layer are \
searched at once, and remembered for the next time.

More: Bills et al. 2023, "Language models can explain neurons in language models"; Elhage et al. 2022, "Toy models of \
superposition"."""

    neuron: reactive[Neuron | None] = reactive(None, always_update=True)
    passages: reactive[Passages | None] = reactive(None, always_update=True)

    def on_mount(self) -> None:
        self._entitle()

    def watch_neuron(self) -> None:
        self._entitle()
        self.redraw()

    def watch_passages(self) -> None:
        self._entitle()
        self.redraw()

    def _entitle(self) -> None:
        found = self.neuron
        name = "Neuron" if found is None else f"Neuron {found.neuron + 1} of layer {found.layer + 1}"
        running = self.passages is not None and self.passages.running
        label_border(self, name, "c: stop reading" if running else "f: which passages fire it?")

    def table(self) -> Table | None:
        """What it raises and lowers, then the passages one after the other."""
        found = self.neuron
        if found is None:
            return None
        columns: dict[str, object] = {
            "layer": found.layer + 1,
            "neuron": found.neuron + 1,
            **token_columns(self.tokenizer, found.up_ids.tolist(), "raises"),
            "raises_by": found.up,
            **token_columns(self.tokenizer, found.down_ids.tolist(), "lowers"),
            "lowers_by": found.down,
        }
        for n, passage in enumerate(self.passages.found if self.passages is not None else (), 1):
            texts = token_columns(self.tokenizer, passage.ids.tolist(), f"passage.{n}.token")
            columns |= {**texts, f"passage.{n}.fires_at": passage.at + 1, f"passage.{n}.activation": passage.activation}
        return columns

    def draw(self, width: int, height: int) -> Sheet | None:
        found = self.neuron
        if found is None:
            return None
        sheet = Sheet()
        half = (width - 2) // 2
        sheet.add((fit("raises", half) + "  ", self.tone("bar")), (fit("lowers", half), self.tone("warn")))
        count = min(len(found.up_ids), max(3, (height - 3) // 2))
        top = max(1e-9, float(abs(found.up).max()), float(abs(found.down).max()))
        for n in range(count):
            left = self._effect(int(found.up_ids[n]), float(found.up[n]), top, half, "bar")
            right = self._effect(int(found.down_ids[n]), float(found.down[n]), top, half, "warn")
            sheet.add(*left, ("  ", self.tone()), *right)
        sheet.add()
        self._passages(sheet, width)
        return sheet

    def _effect(self, token_id: int, effect: float, top: float, width: int, tone: str) -> Line:
        name = max(4, min(14, width - 8))
        cells = max(0, width - name - 7)
        return [
            (fit(quoted_label(self.tokenizer, token_id, name - 3), name), self.tone()),
            (fit(bar(abs(effect) / top, cells), cells), self.tone(tone)),
            (fit(f"{effect:+.2f}", 7, right=True), self.tone("dim")),
        ]

    def _passages(self, sheet: Sheet, width: int) -> None:
        found = self.passages
        if found is None:
            words = "f finds the passages that fire it."
            sheet.add((words, self.tone("dim")))
            return
        source = clip(safe_text(found.source), max(10, width - 44))
        figures = f"{found.tokens_read:,} of {so_many(found.tokens_total)}"
        if found.running:
            meter = fit(bar(found.tokens_read / max(1, found.tokens_total), METER), METER)
            sheet.add(
                ("reading ", self.tone("dim")), (meter, self.tone("bar")), (f" {figures} · {source}", self.tone("dim"))
            )
        else:
            words = f"Fired most in {source}" if found.done else f"Stopped after {figures} of {source}"
            sheet.add((words, self.tone("dim")))
        if not found.found and not found.running:
            sheet.add(("Nothing was found there.", self.tone("dim")))
        for passage in found.found:
            sheet.add(*self._passage(passage, width))

    def _passage(self, passage: Passage, width: int) -> Line:
        """The place in the middle, as much around it as fits."""
        labels = [self._plain(token_id) for token_id in passage.ids.tolist()]
        room = width - ACTIVATION - 1
        fired = labels[passage.at]
        before = "".join(labels[: passage.at])
        after = "".join(labels[passage.at + 1 :])
        left = max(0, (room - cell_len(fired)) * 3 // 5)
        while cell_len(before) > left:
            before = before[1:]
        rest = room - cell_len(before) - cell_len(fired)
        return [
            (fit(f"{passage.activation:.2f}", ACTIVATION - 1, right=True) + " ", self.tone("dim")),
            (" " * (left - cell_len(before)) + before, self.tone()),
            (fired, self.tone("cursor")),
            (clip(after, max(0, rest - (left - cell_len(before)))), self.tone()),
        ]

    def _plain(self, token_id: int) -> str:
        """As it reads in running text: a space is a space."""
        label = token_label(self.tokenizer, token_id)
        return " " + label[1:] if label.startswith("·") else label
