"""One token's journey: the vector at every stop, how much each stop added, and what the model would say there.

For: the residual stream of one position. Not for: all positions at once.
"""

from typing import ClassVar

import numpy as np
from textual.binding import BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from gpttui.inspect_protocol import Journey
from gpttui.tokenizers import Tokenizer
from gpttui.tui.renderables.bars import bar
from gpttui.tui.renderables.journey import decided_at, layer_of, sayings, stop_words
from gpttui.tui.renderables.labels import clip, fit, percent, quoted_label
from gpttui.tui.renderables.signed import signed_strip
from gpttui.tui.widgets.pane import Pane, Piece, label_border, moving

NAME, NUMBER = 24, 8
WIDE = 104
"""From this width on a stop is one line."""
EXTREME = 98
"""Percentile of a vector's magnitudes at which its colours end, so that one outlier does not pale the rest."""


class JourneyPane(Pane):
    """A stop a line, the embedding on top, the prediction at the bottom."""

    HELP: ClassVar[str] = """\
**What you see.** One token on its way through the model. It starts as its embedding plus the vector of its place. \
Every layer then *adds* twice: its attention what it fetched from other tokens, its MLP what it makes of that. \
Nothing is ever overwritten, so the path is a sum:

    x = embedding + position
    x = x + attention(norm(x))      for every layer
    x = x + MLP(norm(x))

**The strip** is x itself: one cell or half a cell for a component, or for the largest of several; one colour is \
positive, the other negative, pale near 0, on a scale of its own: vectors grow \
a hundredfold on the way. **length** is √Σx², **added** the length of what this stop adds.

**It would say** is the *logit lens*: probabilities = softmax(W · finalnorm(x)), as if the model ended at this stop. \
The last stop's reading is the real prediction, before temperature and cuts. The token that wins there stands in the \
accent colour wherever it is named, and ● marks the stop from which on it leads for good. Early readings are rough: \
the output matrix was never trained on those vectors.

More: nostalgebraist 2020, "interpreting GPT: the logit lens"."""

    BINDINGS: ClassVar[list[BindingType]] = [
        moving("up,k", "stop(-1)", "stop before", "journey_up", "The stop before"),
        moving("down,j", "stop(1)", "next stop", "journey_down", "The next stop"),
        moving("home,g", "stop(-9999)", "first stop", "journey_first", "The embedding"),
        moving("end,G", "stop(9999)", "last stop", "journey_last", "The last stop"),
    ]

    journey: reactive[Journey | None] = reactive(None, always_update=True)
    stop: reactive[int] = reactive(0)
    """Which stop the cursor is on."""

    class StopChanged(Message):
        """The cursor moved to a stop of `layer` (-1: the embeddings)."""

        def __init__(self, layer: int) -> None:
            super().__init__()
            self.layer = layer

    def __init__(self, tokenizer: Tokenizer | None, id: str | None = None) -> None:
        super().__init__(id=id)
        self.tokenizer = tokenizer
        self._drawn: tuple[object, list[list[Piece]], int] | None = None

    def on_mount(self) -> None:
        label_border(self, "Journey")

    def recolour(self) -> None:
        self._drawn = None
        super().recolour()

    def watch_journey(self, journey: Journey | None) -> None:
        self._drawn = None
        if journey is not None:
            self.stop = min(self.stop, len(journey.stops) - 1)
            label_border(self, f"Journey of {quoted_label(self.tokenizer, journey.token_id)}", "↑ ↓ stops")
        self.refresh()

    def watch_stop(self) -> None:
        self.refresh()

    def action_stop(self, by: int) -> None:
        if self.journey is not None:
            self.stop = max(0, min(len(self.journey.stops) - 1, self.stop + by))
            self.post_message(self.StopChanged(layer_of(self.journey.stops[self.stop])))

    def render_line(self, y: int) -> Strip:
        journey, region = self.journey, self.scrollable_content_region
        if journey is None or region.width < 1:
            return self.empty_row(y)
        lines, cursor = self._lines(journey, region.width, region.height)
        first = max(0, min(cursor - region.height // 2, len(lines) - region.height))
        return self.row(lines[first + y]) if first + y < len(lines) else self.row([])

    def _lines(self, journey: Journey, width: int, height: int) -> tuple[list[list[Piece]], int]:
        """All lines, and the one with the cursor."""
        key = (width, height, self.stop, id(journey), self.depth, self.dark)
        if self._drawn is None or self._drawn[0] != key:
            self._drawn = (key, *self._made(journey, width, height))
        return self._drawn[1], self._drawn[2]

    def _made(self, journey: Journey, width: int, height: int) -> tuple[list[list[Piece]], int]:
        tops = np.percentile(np.abs(journey.vectors), EXTREME, axis=1)
        decided = decided_at(journey.top_ids)
        wide = width >= WIDE
        strip = max(4, min(journey.vectors.shape[1], 2 * width // 7)) if wide else width - NAME - 2 * NUMBER - 3
        lines: list[list[Piece]] = [self._heading(strip, wide)] if height > 2 else []
        cursor = 0
        for n in range(len(journey.stops)):
            if n == self.stop:
                cursor = len(lines)
            lines += self._stop(journey, n, strip, float(tops[n]), wide, width, decided)
        room = height - len(lines) - 2
        return lines + self._prediction(journey, width, max(3, room)), cursor

    def _heading(self, strip: int, wide: bool) -> list[Piece]:
        words = fit("  stop", NAME + 2) + fit("length", NUMBER, right=True) + fit("added", NUMBER, right=True) + "  "
        words += (fit("its vector", strip) if strip > 3 else "") + ("  if it stopped here it would say" if wide else "")
        return [(words, self.tone("dim"))]

    def _stop(
        self, journey: Journey, n: int, strip: int, top: float, wide: bool, width: int, decided: int
    ) -> list[list[Piece]]:
        here = self.tone("cursor") if n == self.stop else self.tone()
        added = "" if n == 0 else f"+{float(journey.added_norms[n]):.2f}"
        line: list[Piece] = [
            ("● " if n == decided else "  ", self.tone("accent")),
            (fit(stop_words(journey.stops[n]), NAME), here),
            (fit(f"{float(journey.norms[n]):.2f}", NUMBER, right=True), self.tone()),
            (fit(added, NUMBER, right=True) + "  ", self.tone("dim")),
        ]
        if strip > 3:
            line += signed_strip(journey.vectors[n], strip, top, self.depth, self.dark)
        if wide:
            used = 2 + NAME + 2 * NUMBER + 2 + sum(len(text) for text, _ in line[4:])
            return [[*line, ("  ", self.tone()), *self._says(journey, n, width - used - 2)]]
        return [line, [("    would say ", self.tone("dim")), *self._says(journey, n, width - 14)]]

    def _says(self, journey: Journey, n: int, room: int) -> list[Piece]:
        """The winner of the last stop in the accent colour."""
        pieces: list[Piece] = []
        told = sayings(self.tokenizer, journey.top_ids[n], journey.top_probs[n], room)
        for rank, words in enumerate(told):
            wins = int(journey.top_ids[n, rank]) == int(journey.top_ids[-1, 0])
            pieces.append(("  " if rank else "", self.tone()))
            pieces.append((words, self.tone("accent" if wins else "dim" if rank else "")))
        return pieces

    def _prediction(self, journey: Journey, width: int, most: int) -> list[list[Piece]]:
        lines: list[list[Piece]] = [[], [(clip("  last vector → next token", width), self.tone("dim"))]]
        cells = max(1, min(50, width - 28))
        for token_id, prob in list(zip(journey.top_ids[-1].tolist(), journey.top_probs[-1].tolist(), strict=True))[
            :most
        ]:
            name = fit(quoted_label(self.tokenizer, token_id, 14), 17, right=True)
            wins = self.tone("accent" if token_id == int(journey.top_ids[-1, 0]) else "")
            lines.append([(f"{name} ", wins), (bar(prob, cells), self.tone("bar")), (f" {percent(prob)}", self.tone())])
        return lines
