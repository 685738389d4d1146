"""What the six parts of a step share: what the step is, the row and the token looked at, a sentence and its formula."""

from dataclasses import dataclass
from math import log
from typing import ClassVar

from textual.message import Message
from textual.reactive import reactive

from gpttui.protocol.backprop import StepRow, TakenApart
from gpttui.tui.renderables.ink import wrapped
from gpttui.tui.renderables.labels import quoted_label
from gpttui.tui.widgets.lines import LinesPane, Sheet

TAKING = "taking one training step, and keeping all of it…"
FORMULA_KEY = "m: the formula"


class PartPane(LinesPane):
    """One part of a step."""

    PART: ClassVar[str] = ""
    """Its title on the border."""
    HINT: ClassVar[str] = "← → token · r row · m formula · space takes the next step"
    """What to try in this part."""
    FORMULA: ClassVar[tuple[str, ...]] = ()
    """Lines of mathematics, shown on request."""

    taken: reactive[TakenApart | None] = reactive(None, always_update=True)
    read: reactive[StepRow | None] = reactive(None, always_update=True)
    position: reactive[int] = reactive(0)
    """The token looked at, from 0."""
    formula: reactive[bool] = reactive(False)

    @dataclass
    class PositionWanted(Message):
        """A person chose a token of the row."""

        position: int

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.waiting = TAKING

    # ── What a part gives ────────────────────────────────────────────────────────────────────────────────────────

    def says(self, taken: TakenApart, row: StepRow) -> str:
        """The part in a sentence or two."""
        raise NotImplementedError

    def body(self, sheet: Sheet, taken: TakenApart, row: StepRow, width: int, height: int) -> None:
        """Its lines below that; `height` lines are left."""
        raise NotImplementedError

    @property
    def ready(self) -> bool:
        """Whether its own numbers are there."""
        return True

    # ── What a part may use ──────────────────────────────────────────────────────────────────────────────────────

    def label(self, token_id: int, width: int = 16) -> str:
        return "padding" if token_id < 0 else quoted_label(self.tokenizer, token_id, width)

    @property
    def blind(self) -> float:
        """The loss of a blind guess, in nats."""
        return log(max(2, self.taken.vocab_size)) if self.taken is not None else 1.0

    def titles(self) -> tuple[str, str]:
        taken, row = self.taken, self.read
        if taken is None or row is None:
            return self.PART, ""
        kept = f" of {taken.rows:,}" + (
            f" kept, {taken.rows_in_all:,} in all" if taken.rows < taken.rows_in_all else ""
        )
        return self.PART, f"row {row.row + 1:,}{kept} · token {self.position + 1:,} of {len(row.ids):,}"

    def draw(self, width: int, height: int) -> Sheet | None:
        taken, row = self.taken, self.read
        if taken is None or row is None or not self.ready:
            return None
        sheet = Sheet()
        for words in wrapped(self.says(taken, row), width):
            sheet.add((words, self.tone("strong")))
        if self.formula:
            for words in self.FORMULA:
                sheet.add((f"  {words}", self.tone("accent")))
        sheet.add(("", self.tone()))
        self.body(sheet, taken, row, width, max(1, height - len(sheet.lines)))
        return sheet
