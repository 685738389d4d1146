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
from gpttui.tui.renderables.labels import clip, figure, fit, quoted_label, so_many, token_label
from gpttui.tui.tables import token_columns
from gpttui.tui.widgets.lines import AnswerPane, Line, Sheet

METER = 16
ACTIVATION = 7
NAME = 8
"""Fewer letters of a text's name say nothing."""


class MLPNeuron(AnswerPane[Neuron]):
    """Promoted and suppressed tokens in two columns, then the passages."""

    NAME: ClassVar[str] = "one neuron"
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

    passages: reactive[Passages | None] = reactive(None, always_update=True)

    def titles(self) -> tuple[str, str]:
        found = self.found
        name = "Neuron" if found is None else f"Neuron {found.neuron + 1} of layer {found.layer + 1}"
        running = self.passages is not None and self.passages.running
        return name, "c: stop reading" if running else "f: which passages fire it?"

    def numbers_of(self, found: Neuron) -> Table | None:
        """What it raises and lowers, then the passages one after the other."""
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

    def lines_of(self, found: Neuron, width: int, height: int) -> Sheet | None:
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
            (fit(figure(effect, 7, sign=True), 7, right=True), self.tone("dim")),
        ]

    def _passages(self, sheet: Sheet, width: int) -> None:
        found = self.passages
        if found is None:
            words = "f finds the passages that fire it; F looks in a text of yours."
            sheet.add((words, self.tone("dim")))
            return
        sheet.add(*self._progress(found, width))
        if not found.found and not found.running:
            sheet.add(("Nothing was found there.", self.tone("dim")))
        for passage in found.found:
            sheet.add(*self._passage(passage, width))

    def _progress(self, found: Passages, width: int) -> Line:
        """How far it has read, and in what: numbers whole, the meter and the text's name in what room is left."""
        dim, source = self.tone("dim"), safe_text(found.source)
        figures = f"{found.tokens_read:,} of {so_many(found.tokens_total)}"
        if found.done and not found.running:
            return [(clip(f"Fired most in {source}", width), dim)]
        if not found.running:
            stopped = f"Stopped after {figures}"
            return [
                (_with_room(stopped if cell_len(stopped) <= width else f"Read {figures}", " of ", source, width), dim)
            ]
        lead = "reading "
        cells = min(METER, max(0, width - cell_len(lead) - cell_len(figures) - 1))
        meter = fit(bar(found.tokens_read / max(1, found.tokens_total), cells), cells)
        rest = _with_room(f" {figures}", " · ", source, width - cell_len(lead) - cells)
        return [(lead, dim), (meter, self.tone("bar")), (rest, dim)]

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
            (fit(figure(passage.activation, ACTIVATION - 1), ACTIVATION - 1, right=True) + " ", self.tone("dim")),
            (" " * (left - cell_len(before)) + before, self.tone()),
            (fired, self.tone("cursor")),
            (clip(after, max(0, rest - (left - cell_len(before)))), self.tone()),
        ]

    def _plain(self, token_id: int) -> str:
        """As it reads in running text: a space is a space."""
        label = token_label(self.tokenizer, token_id)
        return " " + label[1:] if label.startswith("·") else label


def _with_room(figures: str, between: str, name: str, width: int) -> str:
    """The figures, and the name behind them if more than a few letters of it have room."""
    room = width - cell_len(figures) - cell_len(between)
    return figures + between + clip(name, room) if room >= min(NAME, cell_len(name)) else figures
