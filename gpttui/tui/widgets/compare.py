"""One word in two texts: how far its two vectors are apart at every stop, who drew them apart, what follows.

For: context made visible. Not for: comparing two models.
"""

from typing import Any, ClassVar

import numpy as np
from textual.binding import BindingType
from textual.reactive import reactive
from textual.strip import Strip

from gpttui.inspect_protocol import Compared
from gpttui.text import safe_text
from gpttui.tokenizers import Tokenizer
from gpttui.tui.renderables.bars import bar
from gpttui.tui.renderables.compare import beside, contributors, crop
from gpttui.tui.renderables.journey import stop_words
from gpttui.tui.renderables.labels import clip, fit, percent, quoted_label, token_label
from gpttui.tui.widgets.pane import Pane, Piece, label_border, moving

Array = np.ndarray[Any, Any]
NAME, TOKEN = 25, 16
WIDE = 96
"""From this width on two blocks stand side by side."""
PARTS = 10
FOLLOWING = 6


class ComparePane(Pane):
    """The texts on top, distance and contributors under them, the two predictions at the bottom."""

    HELP: ClassVar[str] = """\
**What you see.** The same word in two texts, marked in each. A model that only looked words up would hold the same \
vector for both. Here each layer mixes in what stands *before* the word, so the two vectors part on their way.

**How far apart.** At every stop, the cosine distance of the two vectors a and b:

    distance = 1 - a·b / (|a| |b|)

0: same direction. 1: at right angles. A first distance above 0 with the same token means that the word stands at \
another place in the two texts: places have vectors of their own.

**Who drew them apart.** Every head and MLP adds to the vector, so the last difference d = a - b is a sum of parts \
dᵢ, and a part's share is dᵢ·d / |d|². All shares together, with that of the embeddings, are 100%. A negative share \
pulls the two together.

**What follows.** Both predictions after the word, and at the right what the *other* text gives that same token."""

    BINDINGS: ClassVar[list[BindingType]] = [
        moving("up,k", "scroll_by(-1)", "up", "compare_up", "Scroll up"),
        moving("down,j", "scroll_by(1)", "down", "compare_down", "Scroll down"),
    ]

    compared: reactive[Compared | None] = reactive(None, always_update=True)
    first: reactive[int] = reactive(0)
    """The first line shown."""

    def __init__(self, tokenizer: Tokenizer | None, id: str | None = None) -> None:
        super().__init__(id=id)
        self.tokenizer = tokenizer

    def on_mount(self) -> None:
        label_border(self, "Two contexts", "/ other texts")

    def watch_compared(self, compared: Compared | None) -> None:
        self.first = 0
        if compared is not None:
            label_border(self, f"Two contexts of “{clip(safe_text(compared.word), 24)}”", "/ other texts")
        self.refresh()

    def watch_first(self) -> None:
        self.refresh()

    def action_scroll_by(self, by: int) -> None:
        if self.compared is not None:
            region = self.scrollable_content_region
            most = len(self._lines(self.compared, region.width)) - region.height
            self.first = max(0, min(self.first + by, most))

    def render_line(self, y: int) -> Strip:
        compared, region = self.compared, self.scrollable_content_region
        if compared is None or region.width < 1:
            return self.empty_row(y)
        lines = self._lines(compared, region.width)
        at = y + max(0, min(self.first, len(lines) - region.height))
        return self.row(crop(lines[at], region.width) if at < len(lines) else [])

    def _lines(self, compared: Compared, width: int) -> list[list[Piece]]:
        texts = [
            self._text("A", compared.ids_a, compared.position_a, width),
            self._text("B", compared.ids_b, compared.position_b, width),
            [],
        ]
        if width >= WIDE:
            half = width * 3 // 5
            middle = beside(self._distances(compared, half), self._parts(compared, width - half - 2), half)
            left = (width - 2) // 2
            last = beside(self._following(compared, 0, left), self._following(compared, 1, width - left - 2), left)
            return [*texts, *middle, [], *last]
        blocks = [self._distances(compared, width), self._parts(compared, width)]
        blocks += [self._following(compared, side, width) for side in (0, 1)]
        return texts + [line for block in blocks for line in [*block, []]]

    def _text(self, name: str, ids: Array, marked: int, width: int) -> list[Piece]:
        """The text, its word marked; of a long one what stands before the word."""
        labels = [token_label(self.tokenizer, token_id) for token_id in ids.tolist()]
        first = marked
        while first > 0 and sum(map(len, labels[first - 1 : marked + 1])) < width - 8:
            first -= 1
        line: list[Piece] = [(f" {name}  ", self.tone("strong")), ("…" if first else "", self.tone("dim"))]
        tones = {n: self.tone("cursor" if n == marked else "dim") for n in range(marked, len(labels))}
        line += [(labels[n], tones.get(n, self.tone())) for n in range(first, len(labels))]
        return line

    def _distances(self, compared: Compared, width: int) -> list[list[Piece]]:
        far = [max(0.0, 1 - float(cosine)) for cosine in compared.cosines.tolist()]
        top, cells = max([*far, 1e-9]), max(1, width - NAME - 8)
        same = "same token" if compared.same_tokens else "different tokens"
        lines: list[list[Piece]] = [[(f" How far apart (cosine distance; {same})", self.tone("dim"))]]
        for stop, distance in zip(compared.stops, far, strict=True):
            name, blocks = fit(" " + stop_words(stop), NAME + 1), bar(distance / top, cells)
            lines.append([(name, self.tone()), (blocks, self.tone("bar")), (f" {distance:.3f}", self.tone())])
        return lines

    def _parts(self, compared: Compared, width: int) -> list[list[Piece]]:
        lines: list[list[Piece]] = [[(" Who drew them apart (share of it)", self.tone("dim"))]]
        parts = contributors(compared.share_heads, compared.share_mlps, PARTS)
        if not parts:
            return [*lines, [(" nobody: the two vectors are the same", self.tone())]]
        top, cells = max(abs(part.share) for part in parts), max(1, width - 19)
        for name, share in [*parts, ("embeddings", compared.share_embed)]:
            tone = self.tone("warn" if share < 0 else "bar")
            blocks = bar(min(1.0, abs(share) / top), cells)
            lines.append(
                [(fit(f" {name}", 12), self.tone()), (blocks, tone), (f" {round(share, 2) + 0.0:.0%}", self.tone())]
            )
        return lines

    def _following(self, compared: Compared, side: int, width: int) -> list[list[Piece]]:
        here, other = ("A", "B") if side == 0 else ("B", "A")
        cells = max(1, width - TOKEN - 20)
        head = fit(f" {here} goes on with", TOKEN + 2 + cells + 8) + f"in {other}"
        lines: list[list[Piece]] = [[(head, self.tone("dim"))]]
        rows = (compared.top_ids, compared.top_probs, compared.other_probs)
        for token_id, prob, elsewhere in list(zip(*(row[side].tolist() for row in rows), strict=True))[:FOLLOWING]:
            name = " " + fit(quoted_label(self.tokenizer, token_id, TOKEN - 3), TOKEN) + " "
            figures = [(f"{percent(prob):>7} ", self.tone()), (f"{percent(elsewhere):>7}", self.tone("dim"))]
            lines.append([(name, self.tone()), (fit(bar(prob, cells), cells), self.tone("bar")), *figures])
        return lines
