"""Tokens on a plane: the two directions in which their vectors differ most.

For: seeing what lies near what. Not for: exact distances (`VectorsNear`).
"""

from typing import ClassVar

from rich.style import Style
from textual.reactive import reactive

from gpttui.protocol.stream import Map
from gpttui.sessions.view_files import Table
from gpttui.tui.renderables.labels import clip, so_many, token_label
from gpttui.tui.tables import token_columns
from gpttui.tui.views.vectors.draw_map import lay_out
from gpttui.tui.widgets.lines import AnswerPane, Line, Sheet, hit
from gpttui.tui.widgets.pane import TokenWanted

LONGEST = 12


class VectorsMap(AnswerPane[Map]):
    """Names where there is room, dots elsewhere; the selected token and those close to it stand out."""

    HELP: ClassVar[str] = """\
**What you see.** Vectors have hundreds of dimensions, a screen two. These are the two directions along which the \
vectors differ most (principal components). Below stands how much of all their spread each keeps: with 12% + 9% the \
map hides 79% of it, so two tokens that lie close here may be far apart. Trust the cosines to the left more. Both \
axes are stretched to fill the pane.

`m` changes between the tokens of **your text** and the **vocabulary** (whole words where there are enough, 2,000 at \
most; dots are tokens without room for a name, a thicker dot is several). `e` changes between what the tokens *are* \
(embedding) and what they *have become* after the selected layer. A click on a token of the text selects it.

**How.** Every vector is scaled to length 1, as cosines see it. x = vectors minus their mean = U S Vᵀ; the map is \
x · V[:2], and the shares are S²ᵢ / Σ S².

More: Jolliffe and Cadima 2016, "Principal component analysis: a review and recent developments"."""

    position: reactive[int] = reactive(-1)
    token_id: reactive[int] = reactive(-1)
    close: reactive[tuple[int, ...]] = reactive(())
    """Ids to stand out."""

    def titles(self) -> tuple[str, str]:
        found = self.found
        if found is None:
            return "Map", ""
        title = "Map of your text" if found.first >= 0 else f"Map of {so_many(len(found.ids))} of the vocabulary"
        across, up = (f"{share:.0%}" for share in found.explained.tolist())
        return title, f"keeps {across} + {up} of the spread"

    def lines_of(self, found: Map, width: int, height: int) -> Sheet | None:
        names = [clip(token_label(self.tokenizer, token_id), LONGEST) for token_id in found.ids.tolist()]
        sheet = Sheet()
        for line in lay_out(found.points, names, self._order(found), width, height):
            pieces: Line = []
            for text, point in line:
                style = self.tone("dim") if point < 0 else self._style(found, point)
                pieces.append((text, style))
            sheet.add(*pieces)
        return sheet

    def numbers_of(self, found: Map) -> Table | None:
        """A row for each token of the map."""
        across, up = found.explained.tolist()
        place = {"position": range(found.first + 1, found.first + 1 + len(found.ids))} if found.first >= 0 else {}
        points = {"x": found.points[:, 0], "y": found.points[:, 1], "x_share": across, "y_share": up}
        return {**place, **token_columns(self.tokenizer, found.ids.tolist()), **points}

    def _order(self, found: Map) -> list[int]:
        """Most wanted names first: the selected token, its neighbours, then the rest as they come."""
        ids = found.ids.tolist()
        if found.first >= 0:
            here = self.position - found.first
            return sorted(range(len(ids)), key=lambda n: abs(n - here))
        wanted = {token_id: n for n, token_id in enumerate((self.token_id, *self.close))}
        return sorted(range(len(ids)), key=lambda n: wanted.get(ids[n], len(wanted) + n))

    def _style(self, found: Map, point: int) -> Style:
        token_id = int(found.ids[point])
        if found.first >= 0:
            chosen = found.first + point == self.position and token_id == self.token_id
            style = self.tone("cursor" if chosen else "accent" if token_id == self.token_id else "")
            return style + hit(found.first + point)
        return self.tone("cursor" if token_id == self.token_id else "accent" if token_id in self.close else "dim")

    def pressed(self, place: tuple[int, ...]) -> None:
        self.post_message(TokenWanted(place[0]))
