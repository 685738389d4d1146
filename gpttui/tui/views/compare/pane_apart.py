"""How far apart two vectors are at every stop of the model, and who drew them apart.

For: Compare. Not for: computing anything (the engine measures distances and shares).
"""

from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from textual.binding import BindingType
from textual.message import Message
from textual.reactive import reactive

from gpttui.protocol.stream import Compared
from gpttui.sessions.view_files import Table
from gpttui.tui.palette import STEPS, diverging, heat_styles
from gpttui.tui.renderables.bars import bar
from gpttui.tui.renderables.charts import (
    column_names,
    columns,
    pairs,
    stop_name,
    stop_place,
    wings,
)
from gpttui.tui.renderables.labels import clip, fit, percent, quoted_label
from gpttui.tui.tables import token_columns
from gpttui.tui.widgets.lines import AnswerPane, Line, Sheet, hit
from gpttui.tui.widgets.pane import moving

NAME, FIGURE = 18, 6
SAYS = 18
"""Cells of what a vector would go on with, at one stop."""
NOTHING = 0.005
"""What a distance of 0.00 is below: rounding draws no bars."""
MOST_PARTS = 12


class CompareDistances(AnswerPane[Compared]):
    """A bar for every stop, the embedding first; columns where there is little room."""

    NAME: ClassVar[str] = "how far apart"
    HELP: ClassVar[str] = """\
**What you see.** The model is a pile of layers. Each adds something to the vector of the marked word twice: its \
attention what it fetched from the words before, its MLP what it makes of that. After each addition this is how far \
the word's vector *a* in text A and *b* in text B have come apart. If a bar jumps, something was fetched there that \
tells the two meanings apart. The first one, `embedding`, is the token plus its place in models that add one.

    distance = 1 - cos(a, b) = 1 - a·b / (|a| |b|)

0: same direction. 1: at right angles, nothing in common. 2: opposite. `d` shows the plain length |a - b| instead. A \
first distance above 0 for the same token means that the word stands at another place: some models give places \
vectors of their own.

**Would go on** is the *logit lens*: what the model would say next if it ended here (softmax(W · finalnorm(a))). Early \
stops are rough, the last one is the real prediction.

`←` `→` go from stop to stop. `P` starts an experiment: text A goes to the playground, and at this stop its word's \
vector is replaced by B's. Then watch what the model says.

More: nostalgebraist 2020, "interpreting GPT: the logit lens"."""

    BINDINGS: ClassVar[list[BindingType]] = [
        moving("left,h", "move(-1)", "stop before", "compare_distances.left", "The stop before"),
        moving("right,l", "move(1)", "next stop", "compare_distances.right", "The next stop"),
        moving("d", "toggle('by_length')", "measure", "compare_distances.measure",
               "Angle between the vectors, or length between"),
    ]  # fmt: skip

    by_length: reactive[bool] = reactive(False)

    def watch_found(self, compared: Compared | None) -> None:
        if compared is not None:
            self.cursor = min(self.cursor, len(compared.stops) - 1)

    def numbers_of(self, found: Compared) -> Table | None:
        """A row for each stop."""
        columns: dict[str, object] = {
            "after": [stop_name(stop) for stop in found.stops],
            "cosine": found.cosines,
            "cosine_distance": 1 - found.cosines,
            "euclidean_distance": found.distances,
        }
        for side, name in enumerate("ab"):
            columns[f"length_{name}"] = found.norms[side]
            columns |= token_columns(self.tokenizer, found.lens_ids[side].tolist(), f"would_say_{name}")
            columns[f"prob_{name}"] = found.lens_probs[side]
        return columns

    def _far(self, compared: Compared) -> list[float]:
        """What is drawn: rounding, which would be a bar of 0.00, is nothing."""
        far = compared.distances if self.by_length else 1.0 - compared.cosines
        return [float(distance) if distance >= NOTHING else 0.0 for distance in far.tolist()]

    def titles(self) -> tuple[str, str]:
        title = "How far apart" + (" · length |a - b|" if self.by_length else " · 1 - cos(a, b)")
        compared = self.found
        if compared is None:
            return title, ""
        far = self._far(compared)
        here = f"after {stop_name(compared.stops[self.cursor])}: {_figure(far[self.cursor])}"
        return title, f"{here} · starts at {_figure(far[0])}, ends at {_figure(far[-1])}"

    def lines_of(self, found: Compared, width: int, height: int) -> Sheet | None:
        roomy = height >= min(len(found.stops) + 1, 14)
        return self._rows(found, width) if roomy else self._columns(found, width, height)

    @property
    def _tones(self) -> tuple[Style, Style]:
        """Of A and of B."""
        return self.tone("bar"), self.tone("accent")

    def _rows(self, compared: Compared, width: int) -> Sheet:
        far = self._far(compared)
        says = SAYS if width >= NAME + FIGURE + 2 * SAYS + 10 else 0
        cells = max(1, width - 2 - NAME - FIGURE - 1 - 2 * says)
        head = fit("  " + fit("after", NAME) + fit("distance", cells + FIGURE), width - 2 * says)
        sheet = Sheet()
        names = (" A would go on", " B would go on")
        sheet.add(
            (head, self.tone("dim")),
            *((fit(name, says), tone) for name, tone in zip(names, self._tones, strict=True)),
        )
        top = max([*far, NOTHING])
        for n, stop in enumerate(compared.stops):
            line: Line = [
                (self.mark(n), self.tone("accent")),
                (fit(stop_name(stop), NAME), self.tone("strong" if n == self.cursor else "")),
                (fit(bar(far[n] / top, cells), cells), self.tone("bar")),
                (fit(_figure(far[n]), FIGURE, right=True) + " ", self.tone()),
            ]
            for side in (0, 1) if says else ():
                line.append(
                    (fit(" " + self._says(compared, side, n), says), self.tone("" if n == self.cursor else "dim"))
                )
            sheet.choose(*line)
        return sheet

    def _says(self, compared: Compared, side: int, n: int) -> str:
        label = quoted_label(self.tokenizer, int(compared.lens_ids[side, n]), SAYS - 10)
        return f"{label} {percent(float(compared.lens_probs[side, n]))}"

    def _columns(self, compared: Compared, width: int, height: int) -> Sheet:
        """One block a stop; attention and MLP in two tones, the cursor's in a third."""
        far, sheet = self._far(compared), Sheet()
        wide = max(1, min(7, (width - 1) // max(1, len(far))))
        roomy = height > 3
        for line in columns(far, max([*far, NOTHING]), height - (2 if roomy else 1)):
            pieces: Line = []
            for n, glyph in enumerate(line):
                part = stop_place(compared.stops[n])[1]
                tone = self.tone("accent" if n == self.cursor else "bar" if part == "attn" else "dim")
                body = glyph * max(1, wide - 1) + " " * (wide > 1)
                pieces.append((body, tone + hit(n)))
            sheet.add(*pieces)
        names = column_names(compared.stops, wide)
        legend = [("  ▮ attention", self.tone("bar")), (" ▮ MLP", self.tone("dim"))]
        sheet.add((names, self.tone()), *(legend if width - cell_len(names) > 20 else ()))
        if roomy:
            word = " would say " if width > 60 else " "
            sides = (f"{name}{word}{self._says(compared, n, self.cursor)}" for n, name in enumerate("AB"))
            sheet.add(*((fit(side, width // 2), tone) for side, tone in zip(sides, self._tones, strict=True)))
        return sheet

    @property
    def count(self) -> int:
        return 0 if self.found is None else len(self.found.stops)

    def pressed(self, place: tuple[int, ...]) -> None:
        self.go(place[0])


class ComparePartsPane(AnswerPane[Compared]):
    """Heads and MLPs, those that contributed most first; all of them as a table where there is room."""

    TITLES: ClassVar[tuple[str, str]] = ("Who drew them apart", "x: silence · enter: look")
    NAME: ClassVar[str] = "who drew them apart"
    HELP: ClassVar[str] = """\
**What you see.** The word's last vector is a sum: its embedding, plus what every attention head and every MLP added. \
So the difference d = a - b of the two texts is a sum of the parts' differences dᵢ, and each has a share in it:

    share = dᵢ · d / |d|²

All shares together are 100%. A negative one pulls the two together. A head with a large share looked at a word that \
stands only before one of them.

**The table** has a row for each layer and a column for each head, the MLP last; the stronger the colour, the larger \
the share.

`↑` `↓` pick a part; its layer and head become the selected ones. `x` puts it out of order: if it really drew the two \
apart, the distances shrink at once. `x` again puts it back. `enter` on a head shows where it looks.

More: Elhage et al. 2021, "A mathematical framework for transformer circuits", on the vector as a sum of parts."""

    BINDINGS: ClassVar[list[BindingType]] = [
        moving("x", "silence", "silence", "compare_parts.silence", "Put this part out of order; again: as before"),
    ]

    @dataclass
    class Silence(Message):
        """A person wants this part out, or back; `head` is -1 for the layer's MLP."""

        layer: int
        head: int

    def watch_found(self, compared: Compared | None) -> None:
        if compared is not None:
            self.cursor = max(0, min(self.cursor, len(self.parts()) - 1))

    def parts(self) -> list[tuple[float, int, int]]:
        """(share, layer, head), largest first; head -1 is the MLP. None where the two vectors are the same."""
        compared = self.found
        if compared is None:
            return []
        found = [
            (float(s), layer, head) for layer, row in enumerate(compared.share_heads) for head, s in enumerate(row)
        ]
        found += [(float(s), layer, -1) for layer, s in enumerate(compared.share_mlps)]
        kept = [part for part in found if abs(part[0]) >= 5e-4]
        return sorted(kept, key=lambda part: -abs(part[0]))[:MOST_PARTS]

    def numbers_of(self, found: Compared) -> Table | None:
        """Every part's share, those that are not listed too; together they are 1."""
        shares = {"embeddings": float(found.share_embed), "changed by hand": float(found.share_altered)}
        for layer, row in enumerate(found.share_heads.tolist()):
            shares |= {f"layer {layer + 1} head {head + 1}": share for head, share in enumerate(row)}
        shares |= {f"layer {layer + 1} MLP": share for layer, share in enumerate(found.share_mlps.tolist())}
        return {"part": list(shares), "share": list(shares.values())}

    def action_silence(self) -> None:
        parts = self.parts()
        if self.cursor < len(parts):
            _, layer, head = parts[self.cursor]
            self.post_message(self.Silence(layer, head))

    def lines_of(self, found: Compared, width: int, height: int) -> Sheet | None:
        sheet, parts = Sheet(), self.parts()
        if not parts:
            sheet.add(("Nobody: the two vectors are the same.", self.tone()))
            return sheet
        table = self._table(found, height)
        beside = max((sum(cell_len(text) for text, _ in line) for line in table), default=0)
        beside = beside + 3 if table and width - beside - 3 >= 34 else 0
        cells = max(1, width - beside - 23)
        top = max(abs(share) for share, _, _ in parts)
        for n, (share, layer, head) in enumerate(parts):
            name = f"layer {layer + 1} " + (f"head {head + 1}" if head >= 0 else "MLP")
            line = self._share(self.mark(n), name, share, top, cells)
            sheet.choose(*line, *self._beside(table, n, beside))
        rest = float(found.share_embed) + float(found.share_altered)
        line = self._share("  ", "embeddings", rest, top, cells)
        sheet.add(*line, *self._beside(table, len(parts), beside))
        if beside:
            pad = [(" " * (width - beside), Style())]
            sheet.extend([[*pad, ("   ", Style()), *row] for row in table[len(sheet.lines) :]])
        elif table and height > len(sheet.lines) + len(table):
            sheet.extend([[], *([("  ", Style()), *row] for row in table)])
        return sheet

    def _share(self, mark: str, name: str, share: float, top: float, cells: int) -> Line:
        tone = self.tone("warn" if share < 0 else "bar")
        return [
            (mark, self.tone("accent")),
            (fit(name, 15), self.tone()),
            (fit(bar(min(1.0, abs(share) / top), cells), cells), tone),
            (fit(f"{round(share, 2) + 0.0:.0%}", 5, right=True), self.tone()),
        ]

    def _beside(self, table: list[Line], n: int, beside: int) -> Line:
        return [("    ", Style()), *table[n]] if beside and n < len(table) else []

    def _table(self, compared: Compared, height: int) -> list[Line]:
        """Every part's share in per cent, on the colours of signed amounts."""
        heads, mlps = compared.share_heads, compared.share_mlps
        if len(heads) + 1 > height:
            return []
        names = [str(head + 1) for head in range(heads.shape[1])] + (["MLP"] if len(mlps) else [])
        lines: list[Line] = [[("head  " + "".join(fit(name, 4, right=True) for name in names), self.tone("dim"))]]
        top = max([abs(float(share)) for row in (*heads, mlps) for share in row] or [1.0])
        styles = heat_styles(self.depth, diverging(self.dark))
        for layer in range(len(heads)):
            row = [*heads[layer].tolist(), *([float(mlps[layer])] if len(mlps) else [])]
            line: Line = [(fit(f"layer {layer + 1}", 8), self.tone("dim"))]
            for head, share in enumerate(row):
                step = min(STEPS - 1, max(0, int((share / top + 1) / 2 * STEPS))) if share == share else STEPS // 2
                place = hit(layer, head if head < heads.shape[1] else -1)
                line.append(
                    (fit(f"{round(100 * share) + 0:d}" if share == share else "", 4, right=True), styles[step] + place)
                )
            lines.append(line)
        return lines

    def pressed(self, place: tuple[int, ...]) -> None:
        for n, (_, layer, head) in enumerate(self.parts()):
            if (layer, head) == place:
                self.go(n)


class CompareFollows(AnswerPane[Compared]):
    """Both predictions, token by token, as bars growing apart."""

    TITLES: ClassVar[tuple[str, str]] = ("What follows", "probability after the marked token")
    NAME: ClassVar[str] = "what follows"
    HELP: ClassVar[str] = """\
**What you see.** What the model expects after the marked word: in text A to the left, in text B to the right, the \
same token in the middle. Where the bars differ, the context did it: up to the embedding both were one and the same.

**How.** The last vector x is compared with every token of the vocabulary, and softmax makes probabilities of it:

    logits = W · finalnorm(x)        p = exp(logits) / Σ exp(logits)

At temperature 1, before any cut, over the whole vocabulary. All bars share one scale.

More: Peters et al. 2018, "Deep contextualized word representations"."""

    names: reactive[tuple[str, str]] = reactive(("", ""))

    def lines_of(self, found: Compared, width: int, height: int) -> Sheet | None:
        left, right = (clip(name, width // 2 - 8) for name in self.names)
        rows = pairs(found.top_ids, found.top_probs, found.other_probs)[: max(1, height - 1)]
        labels = [quoted_label(self.tokenizer, pair.token_id, 18) for pair in rows]
        tones = self.tone("bar"), self.tone("accent"), self.tone(), self.tone("dim")
        return Sheet(wings(rows, labels, (f"A  {left} …", f"B  {right} …"), width, tones))

    def numbers_of(self, found: Compared) -> Table | None:
        """Every token of both lists, with its probability in each text."""
        rows = pairs(found.top_ids, found.top_probs, found.other_probs)
        a, b = [pair.left for pair in rows], [pair.right for pair in rows]
        return {**token_columns(self.tokenizer, [pair.token_id for pair in rows]), "after_a": a, "after_b": b}


def _figure(value: float) -> str:
    """Three figures, never a minus nothing."""
    return f"{value + 0.0:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"
