"""The text as the model reads it: every token on its own background.

For: seeing and choosing tokens. Not for: editing (`PromptEditor`) or predictions (`NextTokenPane`).
"""

from math import ceil, isnan, log2
from typing import ClassVar, Literal

import numpy as np
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from gpttui.records import Snapshot
from gpttui.tokenizers import Tokenizer
from gpttui.tui.palette import VIRIDIS, heat_styles, levels, token_styles
from gpttui.tui.renderables.labels import hex_bytes, quoted_label
from gpttui.tui.renderables.legend import legend_pieces
from gpttui.tui.renderables.token_flow import Array, TokenFlow
from gpttui.tui.widgets.pane import Pane, Piece

ColourMode = Literal["alternate", "surprisal", "entropy"]
COLOUR_MODES: tuple[ColourMode, ...] = ("alternate", "surprisal", "entropy")

DRAFT_CHARACTERS = 20_000
"""Of a longer draft only the end is split while it is being edited, so that a keystroke stays quick."""


class TokensPane(Pane):
    """Tokens as running text, a detail line for the one under the cursor, and a legend for the colours."""

    HELP: ClassVar[str] = """\
The text, cut into the pieces that the model knows: its **tokens**. Each has a background of its own; `·` is a space, `⏎` \
a line break, `⟨E2⟩` a single byte of a character that takes several. The line below names the token under the cursor: \
its number in the vocabulary, its bytes, and how surprising it was.

**Surprisal** of a token is −log₂ p, where p is the probability that the model gave it before it came: 1 bit is a coin \
toss, 10 bits one chance in 1,024. **Entropy** is the surprisal to be expected of whatever follows a token, Σ −p log₂ p: \
low where the model is sure how to go on. The scale ends at log₂ of the vocabulary's size, a blind guess.

Bold tokens were drawn or picked; the rest is the prompt. Dim ones have left the model's context.

More: Sennrich, Haddow and Birch, *Neural machine translation of rare words with subword units* (2016)."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move_line(-1)", "Line up", id="tokens.up", group=Pane.MOVE, show=False, tooltip="Select the token above"),
        Binding("down", "move_line(1)", "Line down", id="tokens.down", group=Pane.MOVE, show=False, tooltip="Select the token below"),
    ]

    DEFAULT_CSS = """
    TokensPane { overflow-y: auto; scrollbar-gutter: stable; padding: 0 0 0 1; }
    """

    snapshot: reactive[Snapshot | None] = reactive(None)
    tokenizer: reactive[Tokenizer | None] = reactive(None)
    position: reactive[int] = reactive(-1)
    """Selected token; negative counts from the end."""
    colour_mode: reactive[ColourMode] = reactive("alternate")
    token_view: reactive[str] = reactive("text")
    draft: reactive[str | None] = reactive(None)
    """A prompt being edited: its split is shown instead of the snapshot."""

    class Selected(Message):
        """A person chose the token at `position` (counted from the start)."""

        def __init__(self, position: int) -> None:
            super().__init__()
            self.position = position

    def __init__(self, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._flow = TokenFlow()
        self._shown: Array = np.empty(0, dtype=np.int64)
        self._skipped_characters = 0

    # ── What is shown ─────────────────────────────────────────────────────────────────────────────────────────────

    def watch_snapshot(self) -> None:
        self._lay_out()

    def watch_tokenizer(self) -> None:
        self._lay_out()

    def watch_draft(self) -> None:
        self._lay_out()

    def watch_position(self) -> None:
        self._follow()

    def watch_colour_mode(self) -> None:
        self._lay_out()

    def on_resize(self) -> None:
        self._lay_out()

    def on_mount(self) -> None:
        self._lay_out()

    @property
    def selected(self) -> int:
        """The selected token, counted from the start; -1 for an empty text."""
        count = len(self._shown)
        if self.draft is not None:
            return count - 1
        at = self.position if self.position >= 0 else count + self.position
        return max(-1, min(count - 1, at))

    @property
    def _pinned(self) -> int:
        """Rows at the bottom that do not scroll: the legend and the detail line."""
        if not self._shown.size:
            return 0
        room = self.scrollable_content_region.height
        return min(1 + (self.colour_mode != "alternate" and self.draft is None), max(0, room - 2))

    def _lay_out(self) -> None:
        if not self.is_mounted:
            return
        self._shown = self._ids()
        self._flow.reset(self.tokenizer, self.scrollable_content_region.width)
        self._flow.set_ids(self._shown)
        self.virtual_size = Size(self.scrollable_content_region.width, self._flow.height + self._pinned)
        self._follow()

    def _ids(self) -> Array:
        self._skipped_characters = 0
        if self.draft is not None and self.tokenizer is not None:
            text = self.draft[-DRAFT_CHARACTERS:]
            if len(text) < len(self.draft):
                space = text.find(" ", 0, 200)
                text = text[max(0, space) :]
                self._skipped_characters = len(self.draft) - len(text)
            return np.array(self.tokenizer.encode(text), dtype=np.int64)
        return np.empty(0, dtype=np.int64) if self.snapshot is None else self.snapshot.ids

    def _follow(self) -> None:
        """Scroll so that the selected token can be seen, and name what is shown."""
        if not self.is_mounted:
            return
        if self._shown.size:
            room = max(1, self.scrollable_content_region.height - self._pinned)
            first, last = self._flow.line_of(self.selected), self._flow.last_line_of(self.selected)
            top = self.scroll_offset.y
            if first < top:
                self.scroll_to(y=first, animate=False, force=True)
            elif last >= top + room:
                self.scroll_to(y=last - room + 1, animate=False, force=True)
        self._entitle()
        self.refresh()

    def _entitle(self) -> None:
        snapshot, count = self.snapshot, len(self._shown)
        if self.draft is not None:
            more = f" · the first {self._skipped_characters:,} characters are not shown" if self._skipped_characters else ""
            self.label_border("Tokens · your draft", f"{count:,} tokens{more}")
        elif snapshot is None or not count:
            self.label_border("Tokens")
        else:
            drawn = count - snapshot.n_prompt
            parts = [f"{snapshot.n_prompt:,} prompt + {drawn:,} new" if drawn else f"{count:,} tokens"]
            if snapshot.n_slid:
                parts.append(f"{snapshot.n_slid:,} out of context")
            mode = "" if self.colour_mode == "alternate" else f" · {self.colour_mode}"
            self.label_border(f"Tokens{mode}", " · ".join(parts))

    # ── Drawing ───────────────────────────────────────────────────────────────────────────────────────────────────

    def render_line(self, y: int) -> Strip:
        room = self.scrollable_content_region.height
        if not self._shown.size:
            return self.empty_row(y)
        from_bottom = room - 1 - y
        if from_bottom < self._pinned:
            legend = self._pinned == 2 and from_bottom == 1
            return self.row(self._legend() if legend else self._detail())
        placed = self._flow.line(y + self.scroll_offset.y)
        if not placed:
            return self.row([])
        styles = self._styles_of(placed[0].index, placed[-1].index + 1)
        first = placed[0].index
        return self.row((piece.text, styles[piece.index - first]) for piece in placed)

    def empty_row(self, y: int) -> Strip:
        if self.snapshot is None and self.draft is None:
            return super().empty_row(y)
        if y != self.scrollable_content_region.height // 2:
            return self.row([])
        return self.centred("type a prompt" if self.draft is not None else "type a prompt: press /", self.tone("dim"))

    def _styles_of(self, start: int, stop: int) -> list[Style]:
        """Styles of tokens [start, stop)."""
        cycle = token_styles(self.depth, self.dark)
        styles = [cycle[i % len(cycle)] for i in range(start, stop)]
        snapshot = self.snapshot
        if self.draft is not None or snapshot is None:
            return styles
        if self.colour_mode != "alternate":
            values = self._values(snapshot)[start:stop]
            heat = heat_styles(self.depth, VIRIDIS)
            steps = levels(values, self._top).tolist()
            known = (~np.isnan(values)).tolist()
            none = self.tone("dim")
            styles = [heat[step] if is_known else none for step, is_known in zip(steps, known, strict=True)]
        drawn, gone = Style(bold=True), self.tone("dim") + Style(italic=True)
        for i in range(start, stop):
            if i < snapshot.n_slid:
                styles[i - start] = gone
            elif i >= snapshot.n_prompt:
                styles[i - start] += drawn
        if start <= self.selected < stop:
            styles[self.selected - start] = self.tone("cursor")
        return styles

    def _values(self, snapshot: Snapshot) -> Array:
        return snapshot.surprisal_bits if self.colour_mode == "surprisal" else snapshot.entropy_bits

    @property
    def _top(self) -> float:
        """The end of the colour scale: bits of a blind guess."""
        return float(ceil(log2(max(2, self.tokenizer.vocab_size)))) if self.tokenizer else 16.0

    def _legend(self) -> list[Piece]:
        dim = self.tone("dim")
        name = "surprisal" if self.colour_mode == "surprisal" else "entropy of what follows"
        width = min(48, self.scrollable_content_region.width - len(name) - 2)
        return [
            (f"{name}  ", dim),
            *legend_pieces("0", f"{self._top:.0f} bits", width, self.depth, VIRIDIS, dim),
        ]

    def _detail(self) -> list[Piece]:
        """Number, bytes, surprisal and entropy of the token under the cursor, as many as there is room for."""
        at, snapshot, dim = self.selected, self.snapshot, self.tone("dim")
        token_id = int(self._shown[at])
        data = self.tokenizer.token_bytes(token_id) if self.tokenizer else b""
        pieces: list[Piece] = [
            (quoted_label(self.tokenizer, token_id, 20), self.tone("accent")),
            ("  id ", dim),
            (f"{token_id}", self.tone()),
        ]
        if self.draft is None and snapshot is not None:
            surprise = float(snapshot.surprisal_bits[at])
            entropy = float(snapshot.entropy_bits[at])
            if not isnan(surprise):
                pieces += [("  surprisal ", dim), (f"{surprise:.2f}", self.tone()), (" bits", dim)]
            if not isnan(entropy):
                pieces += [("  then entropy ", dim), (f"{entropy:.2f}", self.tone())]
        pieces += [("  bytes ", dim), (hex_bytes(data, 8), self.tone()), (f"  at {at:,}", dim)]
        return pieces

    # ── Choosing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _select(self, index: int | None) -> None:
        if index is not None and self.draft is None and self._shown.size:
            self.post_message(self.Selected(max(0, min(len(self._shown) - 1, index))))

    def action_move_line(self, by: int) -> None:
        if not self._shown.size:
            return
        line = self._flow.line_of(self.selected) + by
        self._select(self._flow.nearest(self._flow.column_of(self.selected), line))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is not None and offset.y < self.scrollable_content_region.height - self._pinned:
            self._select(self._flow.nearest(offset.x, offset.y + self.scroll_offset.y))
