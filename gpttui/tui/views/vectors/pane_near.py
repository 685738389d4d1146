"""Which tokens lie closest to a vector, and where `a - b + c` lands.

For: Vectors. Not for: the plane (`VectorsMap`).
"""

from typing import ClassVar

from textual.reactive import reactive

from gpttui.protocol.stream import Near, Sum
from gpttui.sessions.view_files import Table
from gpttui.tui.renderables.bars import bar
from gpttui.tui.renderables.labels import fit, quoted_label
from gpttui.tui.tables import token_columns
from gpttui.tui.widgets.lines import AnswerPane, Line, LinesPane, Sheet

NAME, FIGURE = 14, 6


class VectorsNear(LinesPane):
    """Two lists: nearest to the token's own vector, nearest to what it has become."""

    NAME: ClassVar[str] = "neighbours"
    HELP: ClassVar[str] = """\
**What you see.** A model knows a token only as a vector: a row of a table that training has filled. Words that occur \
in similar places end up with similar vectors. To the left: the tokens whose vectors point most nearly the same way \
as the *selected token's own*. To the right: the nearest to *what it has become* after the selected layer, in this \
very text; `{` `}` change the layer. On the way the vector leaves "which word this is" and moves towards "which word \
comes next".

**How.** The cosine of the angle between two vectors, over the whole vocabulary:

    cos(a, b) = a·b / (|a| |b|)

1: same direction. 0: nothing in common. The token itself is left out of its own list. `u` compares with the table \
that the *last* vector is compared with instead (in many models, these too, it is the same table).

More: Mikolov et al. 2013, "Efficient estimation of word representations in vector space"."""

    own: reactive[Near | None] = reactive(None, always_update=True)
    later: reactive[Near | None] = reactive(None, always_update=True)
    token: reactive[str] = reactive("")
    place: reactive[str] = reactive("")
    """`layer 3`."""

    def table(self) -> Table | None:
        """Both lists, one below the other."""
        if self.own is None:
            return None
        lists = [("as looked up", self.own), *([(f"after {self.place}", self.later)] if self.later is not None else [])]
        return {
            "of": self.token,
            "vector": [name for name, near in lists for _ in near.ids],
            "length": [near.norm for _, near in lists for _ in near.ids],
            **token_columns(self.tokenizer, [n for _, near in lists for n in near.ids.tolist()], "near"),
            "cosine": [cosine for _, near in lists for cosine in near.cosines.tolist()],
        }

    def titles(self) -> tuple[str, str]:
        return f"Closest to {self.token}".rstrip(), "cosine"

    def draw(self, width: int, height: int) -> Sheet | None:
        if self.own is None:
            return None
        half = (width - 2) // 2
        sheet = Sheet()
        left, right = self._list(self.own, half), self._list(self.later, half)
        sheet.add(
            (fit("as looked up", half) + "  ", self.tone("dim")),
            (
                fit(f"after {self.place} here" if half < 26 else f"after {self.place}, in this text", half),
                self.tone("dim"),
            ),
        )
        norms = f"length {self.own.norm:.2f}", f"length {self.later.norm:.2f}" if self.later is not None else ""
        for n in range(min(max(1, height - 2), max(len(left), len(right)))):
            one = left[n] if n < len(left) else [(" " * half, self.tone())]
            sheet.add(*one, ("  ", self.tone()), *(right[n] if n < len(right) else []))
        sheet.add((fit(norms[0], half) + "  ", self.tone("dim")), (fit(norms[1], half), self.tone("dim")))
        return sheet

    def _list(self, near: Near | None, width: int) -> list[Line]:
        if near is None:
            return []
        name = min(NAME, max(4, width - FIGURE - 2))
        cells = max(0, width - name - FIGURE)
        lines: list[Line] = []
        for token_id, cosine in zip(near.ids.tolist(), near.cosines.tolist(), strict=True):
            label = fit(quoted_label(self.tokenizer, token_id, name - 3), name)
            blocks = fit(bar(max(0.0, cosine), cells), cells)
            lines.append(
                [(label, self.tone()), (blocks, self.tone("bar")), (f"{cosine + 0.0:{FIGURE}.2f}", self.tone())]
            )
        return lines


class VectorsSum(AnswerPane[Sum]):
    """`a - b + c`, what lies nearest, and the honest rank of the expected answer."""

    TITLES: ClassVar[tuple[str, str]] = ("Arithmetic", "=: write another")
    HELP: ClassVar[str] = """\
**What you see.** Directions between vectors can mean something: in a large model *king* - *man* + *woman* comes out \
near *queen*. `=` or `enter` writes another sum, such as `king - man + woman = queen`; each word must be a single \
token of this model.

**Honest.** Small models have few clean directions, and the inputs are usually nearest to their own sum. They are \
**not** hidden here, but dimmed. The rank of the expected answer is given among all tokens, and then without a, b and \
c, as such results are usually quoted.

    cos(wₐ - w_b + w_c, w)   for every token's vector w

More: Linzen 2016, "Issues in evaluating semantic spaces using word analogies"."""

    asked: reactive[tuple[int, ...]] = reactive(())
    """a, b, c and, where one is expected, d."""
    vocabulary: reactive[int] = reactive(0)

    def lines_of(self, found: Sum, width: int, height: int) -> Sheet | None:
        if len(self.asked) < 3:
            return None
        sheet = Sheet()
        a, b, c, *expected = (quoted_label(self.tokenizer, token_id, 12) for token_id in self.asked)
        line: Line = [(f"{a} - {b} + {c}", self.tone("strong"))]
        sheet.add(*line, *([(" = ", self.tone("dim")), (f"{expected[0]}?", self.tone("accent"))] if expected else []))
        if expected:
            sheet.extend([[(words, self.tone())] for words in self._verdict(found, expected[0], width)])
        cells = max(0, width - NAME - FIGURE - 3)
        for n, (token_id, cosine) in enumerate(zip(found.ids.tolist(), found.cosines.tolist(), strict=True)):
            kind = "accent" if token_id in self.asked[3:] else "dim" if token_id in self.asked[:3] else ""
            label = fit(quoted_label(self.tokenizer, token_id, NAME - 3), NAME)
            blocks = fit(bar(max(0.0, cosine), cells), cells)
            sheet.add(
                (f"{n + 1:2d} ", self.tone("dim")),
                (label, self.tone(kind)),
                (blocks, self.tone("dim" if kind == "dim" else "bar")),
                (f"{cosine + 0.0:{FIGURE}.2f}", self.tone(kind)),
            )
        return sheet

    def numbers_of(self, found: Sum) -> Table | None:
        """The tokens nearest to the sum."""
        asked = token_columns(self.tokenizer, self.asked)["token"]
        if len(asked) < 3:
            return None
        columns: dict[str, object] = {"a": asked[0], "b": asked[1], "c": asked[2]}
        columns |= {**token_columns(self.tokenizer, found.ids.tolist(), "near"), "cosine": found.cosines}
        if len(asked) < 4:
            return columns
        ranks = {"rank": found.expected_rank + 1, "rank_without_inputs": found.expected_rank_without_inputs + 1}
        return columns | {"expected": asked[3], "expected_cosine": found.expected_cosine} | ranks

    def _verdict(self, found: Sum, expected: str, width: int) -> list[str]:
        rank, without = found.expected_rank + 1, found.expected_rank_without_inputs + 1
        words = f"{expected} is number {rank:,} of {self.vocabulary:,}"
        tail = f"number {without:,} without the inputs"
        return [f"{words}; {tail}"] if len(words) + len(tail) + 2 <= width else [words, f"  {tail}"]
