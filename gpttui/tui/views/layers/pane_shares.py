"""Who put how much into one token's logit: embeddings, each layer's attention and MLP, biases; and that they sum to it.

For: Layers. Not for: single heads or neurons (their views).
"""

from textwrap import wrap
from typing import ClassVar, NamedTuple

from textual.reactive import reactive

from gpttui.protocol.stream import Shares
from gpttui.sessions.view_files import Table
from gpttui.tokenizers import Tokenizer
from gpttui.tui.renderables.charts import signed_bar
from gpttui.tui.renderables.labels import clip, fit, quoted_label
from gpttui.tui.tables import token_columns
from gpttui.tui.widgets.lines import AnswerPane, Line, Sheet, hit
from gpttui.tui.widgets.pane import HeadWanted

NAME, FIGURE = 8, 8
ROOMY = 28
"""Width from which on a bar has its axis drawn."""
TWO_FROM = 34
"""Width from which on attention and MLP may stand side by side."""


class Part(NamedTuple):
    """One term of the sum."""

    name: str
    layer: int
    """-1: none."""
    share: float


class LayersShares(AnswerPane[Shares]):
    """Signed bars on one axis."""

    HELP: ClassVar[str] = """\
**What you see.** The chosen token's **logit** (the score that softmax makes its probability of) at the end of the \
model, taken apart. The last vector is a sum: the token's embedding, its place's, and what every attention and every \
MLP added. The logit reads that sum through the final norm, whose scale is held at what it was; so each part has a \
share of its own, to the right of the axis where it raised the logit, to the left where it lowered it:

    logit = W[token] · finalnorm(x)        x = token + place + Σ attention + Σ MLP
    share of a part = W[token] · (its vector, scaled as the norm scales x)

The last line adds all of them up and holds the sum against the logit as the model computes it: the difference is \
rounding, and nothing is missing. `bias` is what the final norm adds for every text alike; `by hand` is what \
interventions put in or took out.

These are **direct** shares: what a part does by changing what later parts see counts as theirs. And they are raw: a \
share that all tokens have in common moves no probability. A layer's attention is all its heads and its bias.

`↑` `↓` scroll; a click on a layer selects it; choose the token in the pane of ranks. `X` silences the selected \
layer's MLP: see what becomes of the sum.

More: Elhage et al. 2021, "A mathematical framework for transformer circuits"."""

    token_id: reactive[int] = reactive(-1)
    """Whose logit."""
    selected: reactive[int] = reactive(0)
    """The selected layer."""
    has_mlps: reactive[bool] = reactive(True)

    def __init__(self, tokenizer: Tokenizer | None = None, id: str | None = None) -> None:
        super().__init__(tokenizer, id)
        self._above = 0
        self._below = 0
        """Lines that are out of sight on either side."""

    def titles(self) -> tuple[str, str]:
        name = quoted_label(self.tokenizer, self.token_id, 12) if self.token_id >= 0 else "a token"
        more = f" · ↓ {self._below} more" if self._below else ""
        return f"Who made the logit of {name}", f"logits, direct{more}"

    @property
    def _index(self) -> int:
        found = self.found
        return found.token_ids.index(self.token_id) if found is not None and self.token_id in found.token_ids else -1

    def parts(self) -> list[Part]:
        """All terms of the sum, in the order in which they are added; empty until known."""
        found, n = self.found, self._index
        if found is None or n < 0:
            return []
        attention = found.heads[n].sum(axis=1) + found.attn_biases[n]
        mlps = found.mlps[n] + found.mlp_biases[n]
        parts = [Part("token", -1, float(found.embed[n]))]
        if place := float(found.pos_embed[n]):
            parts.append(Part("place", -1, place))
        for layer in range(len(attention)):
            parts.append(Part(f"{layer + 1} attn", layer, float(attention[layer])))
            if self.has_mlps:
                parts.append(Part(f"{layer + 1} MLP", layer, float(mlps[layer])))
        rest = (("bias", float(found.final_bias[n])), ("by hand", float(found.altered[n].sum())))
        return [*parts, *(Part(name, -1, share) for name, share in rest if share)]

    def numbers_of(self, found: Shares) -> Table | None:
        """A row for each term of each followed token's logit; layer or head 0: of none."""
        rows: list[tuple[int, str, int, int, float]] = []
        for n in range(len(found.token_ids)):
            rows += [(n, "token", 0, 0, float(found.embed[n])), (n, "place", 0, 0, float(found.pos_embed[n]))]
            for layer, heads in enumerate(found.heads[n].tolist(), 1):
                rows += [(n, "head", layer, head, share) for head, share in enumerate(heads, 1)]
                rows.append((n, "attention bias", layer, 0, float(found.attn_biases[n, layer - 1])))
                mlp = float(found.mlps[n, layer - 1] + found.mlp_biases[n, layer - 1])
                rows.append((n, "MLP", layer, 0, mlp))
            rows += [(n, "bias", 0, 0, float(found.final_bias[n])), (n, "by hand", 0, 0, float(found.altered[n].sum()))]
        of, part, layer_column, head, share = zip(*rows, strict=True) if rows else ((),) * 5
        return {
            "position": found.position + 1,
            **token_columns(self.tokenizer, [found.token_ids[n] for n in of]),
            "part": part,
            "layer": layer_column,
            "head": head,
            "share": share,
            "logit": found.logits[list(of)],
        }

    # ── Drawing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def lines_of(self, found: Shares, width: int, height: int) -> Sheet | None:
        parts, sheet = self.parts(), Sheet()
        if not parts:
            for words in wrap("No token is pinned: p pins the token of a cell.", max(8, width)):
                sheet.add((words, self.tone("dim")))
            return sheet
        top = max([abs(part.share) for part in parts] + [1e-9])
        two = len(parts) > height - 1 and width >= TWO_FROM
        room = (width - 1) // 2 if two else width
        for pair in _pairs(parts) if two else [(part,) for part in parts]:
            line: Line = []
            for part in pair:
                line += [*([(" ", self.tone())] if line else []), *self._part(part, top, room)]
            sheet.add(*line)
        seen = max(0, height - 1)  # the last line stays in sight
        self._above = max(0, min(self._above, len(sheet.lines) - seen))
        below = max(0, len(sheet.lines) - seen - self._above)
        sheet.lines[:] = sheet.lines[self._above : self._above + seen]
        if below != self._below:
            self._below = below
            self.call_next(self.entitle)
        sheet.add(*self._sum(width))
        return sheet

    def _part(self, part: Part, top: float, width: int) -> Line:
        roomy = width >= ROOMY
        name, figure = (NAME, FIGURE) if roomy else (7, 7)
        left, right = signed_bar(part.share / top, max(2, width - name - figure - roomy))
        place = hit(part.layer)
        tone = self.tone("accent" if part.layer == self.selected else "")
        return [
            (fit(part.name, name), tone + place),
            (left, self.tone("warn") + place),
            ("│" if roomy else "", self.tone("dim")),
            (right, self.tone("bar") + place),
            (fit(f"{round(part.share, 2) + 0.0:+.2f}", figure, right=True), self.tone() + place),
        ]

    def _sum(self, width: int) -> Line:
        """The proof: sum, logit, difference."""
        found, n = self.found, self._index
        assert found is not None
        total, logit = float(found.totals[n]), float(found.logits[n])
        off = abs(total - logit)
        small = f"{off:.0e}" if off else "0"
        said = (
            f"sum {total:+.4f}   logit {logit:+.4f}   difference {off:.6f}",
            f"sum {total:+.3f} logit {logit:+.3f} difference {small}",
            f"sum {total:+.2f} logit {logit:+.2f} off {small}",
        )
        return [(clip(next((words for words in said if len(words) <= width), said[-1]), width), self.tone("strong"))]

    # ── Choosing ─────────────────────────────────────────────────────────────────────────────────────────────────

    def pressed(self, place: tuple[int, ...]) -> None:
        if place[0] >= 0:
            self.post_message(HeadWanted(place[0]))

    def _roll(self, by: int) -> None:
        self._above = max(0, self._above + (1 if by > 0 else -1))
        self.refresh()


def _pairs(parts: list[Part]) -> list[tuple[Part, ...]]:
    """Two parts a line, those of a layer together."""
    before = [part for part in parts if part.layer < 0 and part.name in ("token", "place")]
    layers = [part for part in parts if part.layer >= 0]
    after = parts[len(before) + len(layers) :]
    return [tuple(some[n : n + 2]) for some in (before, layers, after) for n in range(0, len(some), 2)]
