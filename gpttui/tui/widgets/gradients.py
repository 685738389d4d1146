"""The run in numbers: how far, how fast, how long still, and how strongly each layer is being changed.

For: what a person glances at while a model trains. Not for: curves (`LossPane`).
"""

from typing import ClassVar, NamedTuple

from textual.reactive import reactive
from textual.strip import Strip

from gpttui.sessions.view_files import Table
from gpttui.text import safe_text
from gpttui.tui.renderables.labels import clip, fit
from gpttui.tui.widgets.pane import Pane, Piece

NAME = 10


class Vitals(NamedTuple):
    """What is true of the run at one moment."""

    facts: tuple[tuple[str, str], ...] = ()
    """(name, value), the most important first."""
    done: float | None = None
    """Share of the run that is done."""
    layer_norms: tuple[float, ...] = ()
    """Gradient norms: embedding, blocks, head."""
    grad_norm: float = 0.0
    clip_at: float = 0.0
    notes: tuple[str, ...] = ()
    kept_in: str = ""
    """The run's directory."""
    figures: tuple[tuple[str, float | str], ...] = ()
    """(name with its unit, value): the facts unrounded."""


class GradientsPane(Pane):
    """Facts above, a bar for each layer's gradient below."""

    TITLES: ClassVar[tuple[str, str]] = ("Run", "")
    HELP: ClassVar[str] = """\
**Speed** is tokens of training text per second. **Left** is the time to the last step at the mean pace so far. \
The **learning rate** climbs during the warm-up and then follows its schedule; `[` and `]` change its peak while \
the run goes on. **Memory** is that of the engine's process.

The bars are **gradient norms**, √Σg² over all parameters of the embedding, of each block, and of the final norm \
with the head: how steeply the loss rises and falls with that part. How far a part then moves is the optimiser's \
choice: AdamW divides each gradient by its usual size, Muon makes all directions of a matrix's equally strong. The \
longest bar fills the row. A layer whose bar vanishes gets no signal; a bar that jumps while the loss jumps says where \
it happened. If the norm of all together exceeds the clipping threshold, all are scaled down to it.

More: Pascanu, Mikolov and Bengio, *On the difficulty of training recurrent neural networks* (2013), where clipping \
by the norm comes from."""

    vitals: reactive[Vitals] = reactive(Vitals())

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.waiting = "numbers come with the first step"

    def table(self) -> Table | None:
        """The run's figures, repeated beside each part's gradient."""
        vitals = self.vitals
        norms = vitals.layer_norms
        parts = {"part": _names(len(norms)), "gradient_norm": list(norms)} if norms else {}
        return {**parts, **dict(vitals.figures)}

    def render_line(self, y: int) -> Strip:
        lines = self._lines()
        if not lines:
            return self.empty_row(y)
        return self.row(lines[y]) if y < len(lines) else self.row([])

    def _lines(self) -> list[list[Piece]]:
        """As many as there is room for: facts beside each other where bars would not fit below them."""
        vitals, region = self.vitals, self.scrollable_content_region
        if not vitals.facts:
            return []
        facts = [self._fact(name, value) for name, value in vitals.facts]
        bars = self._bars(region.width)
        progress = [] if vitals.done is None else [self._progress(vitals.done, region.width)]
        notes: list[list[Piece]] = [[(clip(safe_text(n), region.width), self.tone("warn"))] for n in vitals.notes]
        room = region.height - len(progress) - len(bars)
        if len(facts) > room and region.width >= 44:
            facts = self._paired(vitals.facts, region.width)
        keep = max(2, region.height - len(progress) - len(bars))
        lines = [*progress, *facts[:keep], *bars]
        if vitals.kept_in:
            notes.append(self._fact("kept in", clip(safe_text(vitals.kept_in), max(1, region.width - NAME))))
        return [*lines, *notes] if len(lines) + len(notes) <= region.height else lines

    def _fact(self, name: str, value: str) -> list[Piece]:
        return [(fit(name, NAME), self.tone("dim")), (value, self.tone())]

    def _paired(self, facts: tuple[tuple[str, str], ...], width: int) -> list[list[Piece]]:
        half = width // 2
        lines: list[list[Piece]] = []
        for n in range(0, len(facts), 2):
            line: list[Piece] = []
            for name, value in facts[n : n + 2]:
                line += [(fit(name, NAME), self.tone("dim")), (fit(value, half - NAME), self.tone())]
            lines.append(line)
        return lines

    def _progress(self, done: float, width: int) -> list[Piece]:
        room = max(4, width - 6)
        full = round(min(1.0, done) * room)
        return [
            ("━" * full, self.tone("bar")),
            ("─" * (room - full), self.tone("dim")),
            (f" {done:>4.0%}", self.tone()),
        ]

    def _bars(self, width: int) -> list[list[Piece]]:
        vitals, dim = self.vitals, self.tone("dim")
        norms = vitals.layer_norms
        if not norms:
            return []
        clipped = vitals.clip_at and vitals.grad_norm > vitals.clip_at
        told = f"{vitals.grad_norm:.3g}" + (f", clipped to {vitals.clip_at:g}" if clipped else "")
        head: list[Piece] = [(fit("gradient", NAME), dim), (told, self.tone("warn" if clipped else ""))]
        room = self.scrollable_content_region.height - 3
        shown = list(zip(_names(len(norms)), norms, strict=True))
        if len(shown) > max(1, room):
            return [head]
        longest, cells = max(*norms, 1e-12), max(4, width - NAME - 8)
        rows: list[list[Piece]] = [
            [
                (fit(name, NAME), dim),
                (fit(_line(norm / longest, cells), cells), self.tone("bar")),
                (f" {norm:.3g}", dim),
            ]
            for name, norm in shown
        ]
        return [head, *rows]


def _line(share: float, width: int) -> str:
    """A bar to half a cell that leaves air between rows."""
    halves = max(1, round(share * 2 * width)) if share > 0 else 0
    return "━" * (halves // 2) + "╸" * (halves % 2)


def _names(count: int) -> list[str]:
    return ["embed", *(f"block {n}" for n in range(1, count - 1)), "head"][:count]
