"""Tokens laid out as running text: which piece of which token stands where, without laying out everything anew.

For: drawing and hit-testing a text of up to a million tokens. Not for: colours (the pane's business).
A token is one piece, or several where it holds newlines: each newline is drawn as ⏎ and ends the line. Lines break
before a token that starts a word where there is one, so that words stay whole; token widths come from a table, line
starts from a search in their running sum, and an appended token only lays out the last lines again.
"""

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from rich.cells import cell_len

from gpttui.records import Array
from gpttui.tui.renderables.labels import clip, token_label

if TYPE_CHECKING:
    from gpttui.tokenizers import Tokenizer


_NEWLINE = "⏎"
_SPACES = ("·", "⇥", _NEWLINE)


class Placed(NamedTuple):
    """One piece of a token in a line."""

    token: int
    """Index of the token in the ids shown."""
    text: str
    column: int
    width: int
    starts: bool
    """Whether this is the token's first piece."""


class PieceTable:
    """Pieces of each vocabulary entry met so far, in columns that numpy can look up."""

    def __init__(self, tokenizer: "Tokenizer | None") -> None:
        self.tokenizer = tokenizer
        self.texts: list[str] = []
        self._flags: list[tuple[int, bool, bool, bool]] = []
        self._spans: dict[int, tuple[int, int]] = {}
        self._columns: Array | None = None

    def span(self, token_id: int) -> tuple[int, int]:
        """First piece and number of pieces of a token."""
        found = self._spans.get(token_id)
        return self._add(token_id) if found is None else found

    def _add(self, token_id: int) -> tuple[int, int]:
        label = token_label(self.tokenizer, token_id)
        parts = [part + _NEWLINE for part in label.split(_NEWLINE)]
        parts[-1] = parts[-1][:-1]
        pieces = [part for part in parts if part]
        first = len(self.texts)
        for piece in pieces:
            bare = piece.strip("".join(_SPACES))
            opens = piece.startswith(_SPACES) and bool(bare)
            closes = piece.endswith(_SPACES)
            self.texts.append(piece)
            self._flags.append((cell_len(piece), piece.endswith(_NEWLINE), opens, closes))
        self._spans[token_id] = (first, len(pieces))
        self._columns = None
        return self._spans[token_id]

    def columns(self) -> Array:
        """`[piece, 4]`: cells, ends the line, starts a word, ends with a space."""
        if self._columns is None:
            self._columns = np.array(self._flags, dtype=np.int64).reshape(-1, 4)
        return self._columns


class TokenFlow:
    """A text of token ids in lines of `width` cells."""

    def __init__(self, tokenizer: "Tokenizer | None" = None, width: int = 80) -> None:
        self.table = PieceTable(tokenizer)
        self.width = max(1, width)
        self.ids = np.empty(0, dtype=np.int64)
        self._clear()

    def _clear(self) -> None:
        self._pieces = np.empty(0, dtype=np.int64)
        self._owners = np.empty(0, dtype=np.int64)
        self._starts: list[int] = [0]

    @property
    def height(self) -> int:
        """Lines of the whole text."""
        return len(self._starts) if self.ids.size else 0

    def reset(self, tokenizer: "Tokenizer | None", width: int) -> None:
        """Another tokenizer or width; ids are kept."""
        if tokenizer is not self.table.tokenizer:
            self.table = PieceTable(tokenizer)
        elif max(1, width) == self.width:
            return
        self.width = max(1, width)
        ids, self.ids = self.ids, np.empty(0, dtype=np.int64)
        self._clear()
        self.set_ids(ids)

    def set_ids(self, ids: Array) -> int:
        """Show these tokens; what is laid out for a common beginning is kept. Returns the first line that changed."""
        ids = np.asarray(ids, dtype=np.int64)
        common = min(len(ids), len(self.ids))
        differing = np.flatnonzero(ids[:common] != self.ids[:common])
        keep = int(differing[0]) if differing.size else common
        kept_pieces = int(np.searchsorted(self._owners, keep))
        kinds, which = np.unique(ids[keep:], return_inverse=True)
        spans = np.array([self.table.span(i) for i in kinds.tolist()], dtype=np.int64).reshape(-1, 2)[which]
        counts = spans[:, 1]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        self._pieces = np.concatenate([self._pieces[:kept_pieces], np.repeat(spans[:, 0], counts) + within])
        owners = np.repeat(np.arange(keep, len(ids)), counts)
        self._owners = np.concatenate([self._owners[:kept_pieces], owners])
        self.ids = ids
        # A line's end may move when what follows changes, so the line before the change is laid out again too.
        line = max(0, bisect_right(self._starts, kept_pieces) - 2)
        del self._starts[line + 1 :]
        self._break_lines()
        return line

    def _break_lines(self) -> None:
        first = self._starts[-1]
        rows = self.table.columns()[self._pieces[first:]]
        total = len(rows)
        if not total:
            return
        widths = np.minimum(rows[:, 0], self.width)
        ends_at = np.cumsum(widths)
        hard = np.flatnonzero(rows[:, 1]) + 1  # a line ends before these
        soft_mask = rows[:, 2].astype(bool)
        soft_mask[1:] |= rows[:-1, 3].astype(bool)
        soft = np.flatnonzero(soft_mask)
        hard_list, soft_list, sums = hard.tolist(), soft.tolist(), ends_at.tolist()
        start, used = 0, 0
        while True:
            end = bisect_right(sums, used + self.width, lo=start)
            at_hard = bisect_right(hard_list, start)
            if at_hard < len(hard_list) and hard_list[at_hard] <= end:
                end = hard_list[at_hard]
            elif end < total:
                at_soft = bisect_right(soft_list, end) - 1
                if at_soft >= 0 and soft_list[at_soft] > start:
                    end = soft_list[at_soft]
            if end >= total:
                break
            self._starts.append(first + end)
            start, used = end, sums[end - 1]

    def line(self, y: int) -> list[Placed]:
        """The pieces of line `y`, left to right; empty outside the text."""
        if not 0 <= y < self.height:
            return []
        start = self._starts[y]
        end = self._starts[y + 1] if y + 1 < len(self._starts) else len(self._pieces)
        placed, column = [], 0
        before = int(self._owners[start - 1]) if start else -1
        for owner, piece in zip(self._owners[start:end].tolist(), self._pieces[start:end].tolist(), strict=True):
            text = clip(self.table.texts[piece], self.width)
            width = cell_len(text)
            placed.append(Placed(owner, text, column, width, owner != before))
            column += width
            before = owner
        return placed

    def line_of(self, index: int) -> int:
        """The line in which token `index` starts."""
        piece = int(np.searchsorted(self._owners, index))
        return max(0, bisect_right(self._starts, piece) - 1)

    def last_line_of(self, index: int) -> int:
        """The line in which token `index` ends."""
        piece = int(np.searchsorted(self._owners, index + 1)) - 1
        return max(0, bisect_right(self._starts, piece) - 1)

    def column_of(self, index: int) -> int:
        """The column in which token `index` starts."""
        return next((p.column for p in self.line(self.line_of(index)) if p.token == index), 0)

    def token_at(self, x: int, y: int) -> int | None:
        """The token in cell (x, y), or None where there is none."""
        return next((p.token for p in self.line(y) if p.column <= x < p.column + p.width), None)

    def nearest(self, x: int, y: int) -> int | None:
        """The token in line `y` closest to column x; None for a line outside the text."""
        line = self.line(y)
        return min(line, key=lambda p: max(p.column - x, x - (p.column + p.width - 1), 0)).token if line else None
