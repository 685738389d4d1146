"""What the model is altered by, one line each, and its prediction before and after.

For: undoing, and seeing what an intervention does. Not for: making one (`InterventionsBoard`, the screen's keys).
"""

from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from textual.binding import BindingType
from textual.message import Message
from textual.reactive import reactive

from gpttui.interventions import Intervention, Mode, Steer
from gpttui.protocol.stream import Unaltered
from gpttui.sessions.view_files import Table
from gpttui.text import safe_text
from gpttui.tui.renderables.charts import Pair, pairs, wings
from gpttui.tui.renderables.labels import clip, quoted_label
from gpttui.tui.tables import token_columns
from gpttui.tui.widgets.lines import AnswerPane, LinesPane, Sheet, hit
from gpttui.tui.widgets.pane import moving

HOW = (
    ("x", "silence the part under the cursor"),
    ("X", "silence the whole MLP of this layer"),
    ("f", "forbid this head to look at one token"),
    ("p", "patch: a vector from another text"),
    ("S", "steer: the difference of two texts"),
    ("M", "silence by zero, or by the mean"),
)


class InterventionsList(LinesPane):
    """The changes in the order they are applied."""

    NAME: ClassVar[str] = "changed"
    HELP: ClassVar[str] = """\
**What you see.** Everything that the model is altered by just now, in the order it is applied. It holds wherever you \
go and while you step, until it is undone; the header says ALTERED all the while.

`d` or `delete` takes back the one under the cursor, `U` the last, `0` all of them. `M` changes a silenced part from \
zero to its mean and back. `+` `-` make steering stronger or weaker.

**Silence** puts zeros (or a mean) in place of what a part writes. **Forbid** sets one score of one head to -∞ before \
softmax, so that the rest of the row shares what it gave there. **Patch** replaces one token's vector by that of \
another text, and lets the model go on. **Steer** adds strength × (vector of one text - vector of another) after a \
layer, everywhere.

`R` writes down the shell command that does the same.

More: Meng et al. 2022, "Locating and editing factual associations in GPT"; Turner et al. 2023, "Activation \
addition"."""

    BINDINGS: ClassVar[list[BindingType]] = [
        moving("d,delete,enter", "undo", "undo", "interventions_list.undo", "Take this change back"),
    ]

    changes: reactive[tuple[Intervention, ...]] = reactive(())
    mode: reactive[Mode] = reactive("zero")

    @dataclass
    class Undone(Message):
        """A person takes change `index` back."""

        index: int

    def watch_changes(self, changes: tuple[Intervention, ...]) -> None:
        self.cursor = max(0, min(self.cursor, len(changes) - 1))

    def titles(self) -> tuple[str, str]:
        count = len(self.changes)
        return f"Changed: {count or 'nothing'}", "d: undo · U: the last · 0: all" if count else ""

    def action_undo(self) -> None:
        if self.changes:
            self.post_message(self.Undone(self.cursor))

    def pressed(self, place: tuple[int, ...]) -> None:
        self.post_message(self.Undone(place[0]))

    def table(self) -> Table | None:
        """The changes in words, in order."""
        words = [change.words for change in self.changes]
        return {"number": range(1, len(words) + 1), "change": words} if words else None

    def draw(self, width: int, height: int) -> Sheet | None:
        sheet = Sheet()
        for n, change in enumerate(self.changes):
            words = clip(safe_text(change.words), width - 6)
            pad = " " * (width - 5 - cell_len(words))
            undo = (" ✗ ", self.tone("dim") + hit(n))
            sheet.choose((self.mark(n), self.tone("accent")), (words + pad, self.tone()), undo)
        if not self.changes:
            sheet.add(("Nothing is changed.", self.tone()))
            sheet.add()
        elif height > len(self.changes) + len(HOW):
            sheet.add()
        if height > len(self.changes) + 3:
            for key, words in HOW:
                words += f" (now: {self.mode})" if key == "M" else ""
                sheet.add((f"{key}  ", self.tone("accent")), (words, self.tone("dim")))
            if any(isinstance(change, Steer) for change in self.changes):
                sheet.add(("+ -", self.tone("accent")), ("  steer stronger, weaker", self.tone("dim")))
        return sheet


class InterventionsBars(AnswerPane[Unaltered]):
    """The prediction of the untouched model to the left, of the altered one to the right."""

    NAME: ClassVar[str] = "before and after"
    HELP: ClassVar[str] = """\
**What you see.** What the model expects after the selected token: to the left as it was loaded, to the right with \
everything that you changed. Where the bars differ, your changes did it.

**How.** Both predictions are over the whole vocabulary, at temperature 1, before any cut. The distance between them is

    Σ p·log₂(p/q)   in bits, p: altered, q: as it was

0: the same. It is how many bits a token costs more if one still believes the old prediction.

Silence every head if you like: then each token sees only itself.

More: Kullback and Leibler 1951, "On information and sufficiency"; Zhang and Nanda 2024, "Towards best practices of \
activation patching in language models: metrics and methods"."""

    after: reactive[str] = reactive("")
    """The selected token, as it is written."""

    def titles(self) -> tuple[str, str]:
        bits = "" if self.found is None else f"{_bits(self.found.divergence_bits)} bits apart"
        return f"Before and after · what follows {self.after}".rstrip(), bits

    def _pairs(self, found: Unaltered) -> list[Pair]:
        ids, probs = (found.top_ids, found.now_ids), (found.top_probs, found.now_probs)
        return pairs(ids, probs, (found.top_now, found.now_before))

    def numbers_of(self, found: Unaltered) -> Table | None:
        """Every token of both lists, with its probability in each model."""
        rows = self._pairs(found)
        return {
            "after_position": found.position + 1,
            **token_columns(self.tokenizer, [pair.token_id for pair in rows]),
            "as_it_was": [pair.left for pair in rows],
            "altered": [pair.right for pair in rows],
            "bits_apart": found.divergence_bits,
        }

    def lines_of(self, found: Unaltered, width: int, height: int) -> Sheet | None:
        rows = self._pairs(found)[: max(1, height - 1)]
        labels = [quoted_label(self.tokenizer, pair.token_id, 18) for pair in rows]
        tones = self.tone("bar"), self.tone("warn") + Style(bold=False), self.tone(), self.tone("dim")
        return Sheet(wings(rows, labels, ("as it was", "altered"), width, tones))


def _bits(bits: float) -> str:
    """Two decimals, more where they would be zeros; what rounding leaves is nothing."""
    return f"{bits:.2f}" if bits >= 0.01 or bits < 1e-5 else f"{bits:.1g}"
