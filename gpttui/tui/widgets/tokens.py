"""The text as the model reads it: every token on its own background.

For: seeing and choosing tokens. Not for: editing (`PromptEditor`) or predictions (`NextTokenPane`).
"""

from functools import cached_property
from math import ceil, isnan, log2
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.reactive import reactive
from textual.strip import Strip

from gpttui.protocol.play import Drafted
from gpttui.records import Array, Snapshot
from gpttui.sessions.view_files import Table
from gpttui.tui.palette import STEPS, ColourDepth, heat_styles, levels, token_styles
from gpttui.tui.renderables.candidates import fitting
from gpttui.tui.renderables.labels import hex_bytes, quoted_label, so_many
from gpttui.tui.renderables.legend import legend_pieces
from gpttui.tui.renderables.roles import SIDES, Sides, legend
from gpttui.tui.renderables.token_flow import TokenFlow
from gpttui.tui.tables import token_columns
from gpttui.tui.widgets.pane import NO_TEXT, Pane, Piece, TokenWanted, moving

if TYPE_CHECKING:
    from gpttui.tui.renderables.pictures import Lines

ColourMode = Literal["alternate", "surprisal", "entropy"]
COLOUR_MODES: tuple[ColourMode, ...] = ("alternate", "surprisal", "entropy")

DRAFT_CHARACTERS = 20_000
"""Of a longer draft only the end is split while it is being edited, so that a keystroke stays quick."""


class TokensPane(Pane):
    """Tokens as running text, a detail line for the one under the cursor, and a legend for the colours."""

    HELP: ClassVar[str] = """\
The text, cut into the pieces that the model knows: its **tokens**. Each has a background of its own; `·` is a \
space, `⏎` a line break, `⟨E2⟩` a single byte of a character that takes several. The line below names the token \
under the cursor: its number in the vocabulary, its bytes, and how surprising it was.

**Surprisal** of a token is −log₂ p, where p is the probability that the model gave it before it came: 1 bit is \
a coin toss, 10 bits one chance in 1,024. **Entropy** is the surprisal to be expected of whatever follows a \
token, Σ −p log₂ p: low where the model is sure how to go on. The scale ends at log₂ of the vocabulary's size, a \
blind guess.

In a conversation colours say whose words a token is; the quiet ones are the chat template's own.

Bold tokens were drawn or picked; the rest is the prompt. Dim ones have left the model's context.

More: Sennrich, Haddow and Birch, *Neural machine translation of rare words with subword units* (2016)."""

    BINDINGS: ClassVar[list[BindingType]] = [
        moving("up", "move_line(-1)", "line up", "tokens.up", "Select the token above"),
        moving("down", "move_line(1)", "line down", "tokens.down", "Select the token below"),
    ]

    DEFAULT_CSS = """
    TokensPane { overflow-y: auto; scrollbar-gutter: stable; padding: 0 0 0 1; }
    """

    snapshot: reactive[Snapshot | None] = reactive(None)
    position: reactive[int] = reactive(-1)
    """Selected token; negative counts from the end."""
    colour_mode: reactive[ColourMode] = reactive("alternate")
    token_view: reactive[str] = reactive("text")
    draft: reactive[str | None] = reactive(None)
    """A prompt being edited: its split is shown instead of the snapshot."""
    drafted: reactive[Drafted | None] = reactive(None)
    """What the model would read of a conversation being edited: shown instead of the draft's split."""
    prompt: reactive[str] = reactive("")
    """What the text will begin with: its split is shown until there is a snapshot."""

    def __init__(self, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._count = 0
        """Tokens shown; while there are none, what follows is not there either."""
        self._shown: Array
        self._written: Array
        """Positions of the tokens that are drawn as text: all of them, except in a picture."""
        self._pictured: tuple[Array, Array]
        """Positions of the others, and what they are."""
        self._skipped_characters = 0

    @cached_property
    def _flow(self) -> TokenFlow:
        return TokenFlow()

    # ── What is shown ─────────────────────────────────────────────────────────────────────────────────────────────

    def table(self) -> Table | None:
        """A row for each token of the text."""
        snapshot = self.snapshot
        if snapshot is None:
            return None
        positions = np.arange(len(snapshot.ids))
        return {
            "position": positions + 1,
            **token_columns(self.tokenizer, snapshot.ids),
            "in_prompt": positions < snapshot.n_prompt,
            "in_context": positions >= snapshot.n_slid,
            "surprisal_bits": snapshot.surprisal_bits,
            "entropy_bits": snapshot.entropy_bits,
        }

    @property
    def selected(self) -> int:
        """The selected token, counted from the start; -1 for an empty text."""
        count = self._count
        if self.draft is not None:
            return count - 1
        at = self.position if self.position >= 0 else count + self.position
        return max(-1, min(count - 1, at))

    @property
    def _pinned(self) -> int:
        """Rows at the bottom that do not scroll: the legend and the detail line."""
        if not self._count:
            return 0
        room = self.scrollable_content_region.height
        explained = self.by_role or (self.colour_mode != "alternate" and self.draft is None)
        return min(1 + explained, max(0, room - 2))

    def _lay_out(self) -> None:
        if not self.is_mounted:
            return
        if self.tokenizer is None and self.snapshot is None:
            self._count = 0
            self._follow()
            return
        self._shown = self._ids()
        self._count = len(self._shown)
        if self.token_view != "text" and self.tokenizer is not None:
            from gpttui.tui.renderables.pictures import picture_tokens

            self._pictured = picture_tokens(self.token_view, self.tokenizer, self._shown)
            self._written = np.setdiff1d(np.arange(self._count), self._pictured[0])
        else:
            self._written = np.arange(self._count)
            self._pictured = (self._written[:0], self._written[:0])
        self._flow.reset(self.tokenizer, self.scrollable_content_region.width)
        self._flow.set_ids(self._shown[self._written])
        height = self._flow.height + len(self._picture()) + self._pinned
        self.need_room(0, height)
        self._follow()

    watch_snapshot = watch_tokenizer = watch_token_view = watch_prompt = watch_colour_mode = _lay_out
    watch_drafted = _lay_out

    def watch_draft(self) -> None:
        self.drafted = self.drafted if self.draft is not None else None
        self._lay_out()

    on_resize = on_mount = _lay_out

    def _picture(self) -> "Lines":
        """What tokens that are not text look like; nothing for a text."""
        if not self._count or not len(self._pictured[0]):
            return []
        positions, values = self._pictured
        region = self.scrollable_content_region
        from gpttui.tui.renderables.pictures import pixel_lines, spectrogram_lines

        room = region.height - self._pinned - self._flow.height
        if self.token_view == "speech":
            return spectrogram_lines(
                values, positions, region.width, room, selected=self.selected, depth=self.depth, table=self.heat
            )
        steps = None
        if self.colour_mode != "alternate" and self.draft is None and self.snapshot is not None:
            steps = levels(self._values(self.snapshot)[positions], self._top)
        return pixel_lines(
            values, positions, region.width, room,
            selected=self.selected, steps=steps, depth=self.depth, table=self.heat,
        )  # fmt: skip

    def _ids(self) -> Array:
        self._skipped_characters = 0
        if self.drafted is not None:
            return self.drafted.ids
        if self.draft is not None and self.tokenizer is not None:
            text = self.draft[-DRAFT_CHARACTERS:]
            if len(text) < len(self.draft):
                space = text.find(" ", 0, 200)
                text = text[max(0, space) :]
                self._skipped_characters = len(self.draft) - len(text)
            split = self.tokenizer.encode if self._skipped_characters else self.tokenizer.prompt
            return np.array(split(text), dtype=np.int64)
        if self.snapshot is not None:
            return self.snapshot.ids
        ids = self.tokenizer.prompt(self.prompt[:DRAFT_CHARACTERS]) if self.tokenizer is not None else []
        return np.array(ids, dtype=np.int64)

    def _follow(self) -> None:
        """Scroll so that the selected token can be seen, and name what is shown."""
        if not self.is_mounted:
            return
        if self._count:
            room = max(1, self.scrollable_content_region.height - self._pinned)
            first, last = self._lines_of(self.selected)
            top = self.scroll_offset.y
            if first < top:
                self.scroll_to(y=first, animate=False, force=True)
            elif last >= top + room:
                self.scroll_to(y=last - room + 1, animate=False, force=True)
        self.refresh()

    watch_position = _follow

    def _lines_of(self, position: int) -> tuple[int, int]:
        """The first and the last line of a token."""
        at = int(np.searchsorted(self._written, position))
        if at < len(self._written) and self._written[at] == position:
            return self._flow.line_of(at), self._flow.last_line_of(at)
        found = [y for y, line in enumerate(self._picture()) if any(cell.position == position for cell in line)]
        return (self._flow.height + found[0], self._flow.height + found[-1]) if found else (0, 0)

    def titles(self) -> tuple[str, str]:
        snapshot, count = self.snapshot, self._count
        if self.drafted is not None:
            return "Tokens · your draft, as the model reads it", so_many(count)
        if self.draft is not None:
            shown = len(self.draft) - self._skipped_characters
            of = f" · the last {shown:,} of {len(self.draft):,} characters" if self._skipped_characters else ""
            return "Tokens · your draft", f"{so_many(count)}{of}"
        elif snapshot is None or not count:
            return "Tokens", so_many(count) if count else ""
        else:
            drawn = count - snapshot.n_prompt
            parts = [f"{snapshot.n_prompt:,} prompt + {drawn:,} new" if drawn else so_many(count)]
            if snapshot.n_slid:
                parts.append(f"{snapshot.n_slid:,} out of context")
            mode = "" if self.colour_mode == "alternate" else f" · {self.colour_mode}"
            return f"Tokens{mode}", " · ".join(parts)

    # ── Drawing ───────────────────────────────────────────────────────────────────────────────────────────────────

    def render_line(self, y: int) -> Strip:
        room = self.scrollable_content_region.height
        if not self._count:
            return self.empty_row(y)
        from_bottom = room - 1 - y
        if from_bottom < self._pinned:
            legend = self._pinned == 2 and from_bottom == 1
            return self.row(self._legend() if legend else self._detail())
        line = y + self.scroll_offset.y
        placed = self._flow.line(line)
        if placed:
            positions = self._written[placed[0].token : placed[-1].token + 1].tolist()
            styles = self._styles_of(positions)
            first = placed[0].token
            return self.row((piece.text, styles[piece.token - first]) for piece in placed)
        picture = self._picture()
        below = line - self._flow.height
        return self.row((cell.text, cell.style) for cell in picture[below]) if below < len(picture) else self.row([])

    @property
    def empty_words(self) -> str:
        if self.draft is not None:
            return "type a prompt" if self.tokenizer else "the split shows as soon as the model's tokenizer is here"
        return self.waiting if self.snapshot is None else NO_TEXT

    def _styles_of(self, positions: list[int]) -> list[Style]:
        """Styles of the tokens at `positions`, which ascend."""
        cycle = token_styles(self.depth, self.dark)
        styles = [cycle[at % len(cycle)] for at in positions]
        snapshot = self.snapshot
        if self.sides is not None and self.by_role:
            styles = self.sides.styles(positions, self.depth, self.dark)
        if self.draft is not None or snapshot is None:
            return styles
        if self.colour_mode != "alternate":
            values = self._values(snapshot)[positions]
            heat, steps = heat_styles(self.depth, self.heat), levels(values, self._top).tolist()
            unknown = np.isnan(values).tolist()
            styles = [self.tone("dim") if is_nan else heat[step] for step, is_nan in zip(steps, unknown, strict=True)]
        drawn, gone = Style(bold=True), self.tone("dim") + Style(italic=True)
        for i, at in enumerate(positions):
            if at == self.selected:
                # On a colour map the cursor takes the one colour that no map has.
                styles[i] = self.tone("cursor" if self.colour_mode == "alternate" else "invert")
            elif at < snapshot.n_slid:
                styles[i] = gone
            elif at >= snapshot.n_prompt:
                styles[i] += drawn
        return styles

    @property
    def sides(self) -> Sides | None:
        """Whose words the tokens are, where they are a conversation."""
        shown = self.snapshot if self.draft is None else self.drafted
        return None if shown is None or not shown.turns else Sides(shown.turns, shown.n_prompt)

    @property
    def by_role(self) -> bool:
        """Whether the colours of a conversation say nothing else."""
        return self.sides is not None and (self.colour_mode == "alternate" or self.draft is not None)

    def _values(self, snapshot: Snapshot) -> Array:
        return snapshot.surprisal_bits if self.colour_mode == "surprisal" else snapshot.entropy_bits

    @property
    def _top(self) -> float:
        """The end of the colour scale: bits of a blind guess."""
        return float(ceil(log2(max(2, self.tokenizer.vocab_size)))) if self.tokenizer else 16.0

    def _legend(self) -> list[Piece]:
        dim = self.tone("dim")
        if self.by_role:
            return legend(self.depth, self.dark, dim)
        name = "surprisal" if self.colour_mode == "surprisal" else "entropy of what follows"
        if self.depth < ColourDepth.INDEXED:
            heat = heat_styles(self.depth, self.heat)
            samples = [(f" {self._top * step / STEPS:.1f} ", heat[step]) for step in (0, 1, 8, 16, 24)]
            return [(f"{name}  ", dim), *samples, (f"  to {self._top:.0f} bits", dim)]
        width = min(48, self.scrollable_content_region.width - len(name) - 2)
        return [
            (f"{name}  ", dim),
            *legend_pieces("0", f"{self._top:.0f} bits", width, self.depth, self.heat, dim),
        ]

    def _detail(self) -> list[Piece]:
        """Number, bytes, surprisal and entropy of the token under the cursor, as many as there is room for."""
        at, snapshot, dim, plain = self.selected, self.snapshot, self.tone("dim"), self.tone()
        token_id = int(self._shown[at])
        data = self.tokenizer.token_bytes(token_id) if self.tokenizer else b""
        has = self.tokenizer is None or self.tokenizer.has(token_id)
        parts: list[list[Piece]] = [
            [(quoted_label(self.tokenizer, token_id, 20), self.tone("accent"))],
            [("id ", dim), (f"{token_id}", plain)],
            [("bytes ", dim), (hex_bytes(data, 6), plain)] if has else [("a row of the model without a token", dim)],
        ]
        if self.sides is not None:
            parts.append([("of the ", dim), (SIDES[self.sides.at(at)], plain)])
        if self.draft is None and snapshot is not None:
            surprise, entropy = float(snapshot.surprisal_bits[at]), float(snapshot.entropy_bits[at])
            if not isnan(surprise):
                parts.append([("surprisal ", dim), (f"{surprise:.2f}", plain)])
            if not isnan(entropy):
                parts.append([("entropy after ", dim), (f"{entropy:.2f}", plain), (" bits", dim)])
        parts.append([("position ", dim), (f"{at + 1:,}", plain)])
        return fitting(parts, self.scrollable_content_region.width, plain)

    # ── Choosing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _select(self, index: int | None) -> None:
        if index is not None and self.draft is None and self.snapshot is not None and self._count:
            self.post_message(TokenWanted(max(0, min(self._count - 1, index))))

    def action_move_line(self, by: int) -> None:
        if not self._count or self.draft is not None:
            return
        first, last = self._lines_of(self.selected)
        x, y = self._place_of(self.selected, first)
        while (y := y + by) in range(self._flow.height + len(self._picture())):
            found = self._token_at(x, y)
            if found is not None and not first <= y <= last:
                self._select(found)
                return

    def _place_of(self, position: int, line: int) -> tuple[int, int]:
        """Column and line of a token that has cells in `line`."""
        if line < self._flow.height:
            return self._flow.column_of(int(np.searchsorted(self._written, position))), line
        column = 0
        for cell in self._picture()[line - self._flow.height]:
            if cell.position == position:
                break
            column += cell_len(cell.text)
        return column, line

    def _token_at(self, x: int, y: int) -> int | None:
        """The token in or nearest to column x of line y of what can be scrolled through."""
        if y < self._flow.height:
            at = self._flow.nearest(x, y)
            return None if at is None else int(self._written[at])
        picture = self._picture()
        for cell in picture[y - self._flow.height] if y - self._flow.height < len(picture) else ():
            x -= cell_len(cell.text)
            if x < 0:
                return cell.position if cell.position >= 0 else None
        return None

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is not None and offset.y < self.scrollable_content_region.height - self._pinned:
            self._select(self._token_at(offset.x, offset.y + self.scroll_offset.y))
