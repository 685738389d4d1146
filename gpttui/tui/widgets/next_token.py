"""What may come next: the most probable tokens as bars, and where the random number landed.

For: reading the distribution after one position, and picking from it. Not for: computing it (the engine's recorder).
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from gpttui.records import STAGES, Prediction, Snapshot
from gpttui.sessions.view_files import Table
from gpttui.tui.palette import token_styles
from gpttui.tui.renderables import candidates
from gpttui.tui.renderables.labels import percent, quoted_label, token_label
from gpttui.tui.tables import token_columns
from gpttui.tui.widgets.pane import NO_TEXT, Pane, Piece, moving, showing

HIDDEN = "hidden until you have guessed"


class _Rows(NamedTuple):
    """Which rows there is room for above and below the candidates."""

    settings: int
    draw: int
    titles: int
    tail: int

    @property
    def above(self) -> int:
        return self.settings + 2 * self.draw + self.titles


def _rows_for(height: int) -> _Rows:
    return _Rows(settings=int(height >= 3), draw=int(height >= 8), titles=int(height >= 10), tail=int(height >= 4))


_STAGES = "\n".join(f"{n}. **{stage.name}**: {stage.says}" for n, stage in enumerate(STAGES, 1))


class NextTokenPane(Pane):
    """Candidates after the selected token, most probable first; the pane's height decides how many."""

    NAME: ClassVar[str] = "next token"
    HELP: ClassVar[str] = f"""\
What the model expects after the selected token. Every probability is over the **whole** vocabulary: the scores \
(logits) z of all tokens go through softmax, p = exp(z/T) / Σ exp(z/T).

*model* is that with temperature T = 1: the tick ┊ on the bar. *drawn* is what a token is drawn from: the solid \
bar. Tokens that a cut removed are faint and say which cut. The last row is everything that has no row of its own.

Between the two lie these stages, in this order; most are off until you switch them on (`S`). On top stands what \
each does: ±12% is the probability it moves between tokens, −12% what it cuts. A token whose logit was shifted says \
by what, and by how much.

{_STAGES}

The strip on top lays the probabilities end to end. A random number between 0 and 1, fixed by seed and position, \
falls on it at ▼: that is the token that comes. ● marks the token that does follow in the text.

`↑` `↓` move, `enter` puts that token into the text instead. `)` and `(` (or shift with ↑ ↓) add 1 to that token's \
logit or take 1 off: its logit bias.

More: Holtzman et al., *The curious case of neural text degeneration* (2020), on top-p."""
    BINDINGS: ClassVar[list[BindingType]] = [
        moving("up", "move(-1)", "up", "next_token.up", "The more probable candidate"),
        moving("down", "move(1)", "down", "next_token.down", "The less probable candidate"),
        showing("enter", "pick", "pick", "next_token.pick", "Put this token into the text"),
        moving("right_parenthesis,shift+up", "bias(1)", "raise", "next_token.raise", "Add 1 to this token's logit"),
        moving("left_parenthesis,shift+down", "bias(-1)", "lower", "next_token.lower", "Take 1 off this token's logit"),
    ]

    DEFAULT_CSS = """
    NextTokenPane { padding: 0 1; }
    """

    snapshot: reactive[Snapshot | None] = reactive(None)
    cursor: reactive[int] = reactive(0)
    """Candidate under the cursor, 0 for the most probable."""
    hidden: reactive[bool] = reactive(False)
    """Somebody is guessing."""

    @dataclass
    class Picked(Message):
        """A person wants `token_id` after `position`."""

        position: int
        token_id: int

    @dataclass
    class Biased(Message):
        """A person wants the logit of `token_id` raised by `by`, from now on."""

        token_id: int
        by: float

    @dataclass
    class RowsChanged(Message):
        """There is room for another number of candidates now."""

        rows: int

    def __init__(self, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._known_rows = 0
        self._held = -1
        """The token that is being biased: the cursor goes with it."""

    @property
    def rows_wanted(self) -> int:
        """Candidates that fit."""
        height = self.scrollable_content_region.height
        rows = _rows_for(height)
        return max(1, height - rows.above - rows.tail)

    @property
    def prediction(self) -> Prediction | None:
        return self.snapshot.prediction if self.snapshot and not self.hidden else None

    def watch_snapshot(self, old: Snapshot | None, new: Snapshot | None) -> None:
        before = old.prediction.position if old and old.prediction else -1
        if self.prediction is None or self.prediction.position != before:
            self.cursor, self._held = 0, -1
        elif self._held >= 0:
            at = np.flatnonzero(self.prediction.candidate_ids == self._held)
            self.cursor = int(at[0]) if at.size else self.cursor
        self.cursor = max(0, min(self.cursor, self._shown - 1))

    def on_resize(self) -> None:
        self.cursor = max(0, min(self.cursor, self._shown - 1))
        if self.rows_wanted != self._known_rows:
            self._known_rows = self.rows_wanted
            self.post_message(self.RowsChanged(self._known_rows))

    @property
    def _shown(self) -> int:
        """Candidates on the screen."""
        return min(self.rows_wanted, len(self.prediction.candidate_ids)) if self.prediction else 0

    def table(self) -> Table | None:
        """A row for each candidate shown; the last one, of id -1, is all other tokens together."""
        snapshot, prediction = self.snapshot, self.prediction
        if snapshot is None or prediction is None:
            return None
        shown, sampling = self._shown, snapshot.sampling
        names = ("", *(cut.name for cut in prediction.cuts))
        columns = (prediction.model_probs, prediction.probs, prediction.final_probs)
        heads = [[float(prob) for prob in column[:shown]] for column in columns]
        below = float(prediction.probs[shown:].sum())
        rests = (1 - sum(heads[0]), prediction.tail_mass + below, max(0.0, 1 - sum(heads[2])))
        model, tempered, drawn = ([*head, rest] for head, rest in zip(heads, rests, strict=True))
        return {
            "after_position": prediction.position + 1,
            **token_columns(self.tokenizer, [*prediction.candidate_ids[:shown], -1]),
            "model": model,
            "tempered": tempered,
            "drawn": drawn,
            "cut_by": [*(names[int(cut)] for cut in prediction.cut_by[:shown]), ""],
            **{
                f"{shift.name.replace(' ', '_')}_shift": [*prediction.shifted_by[n, :shown].tolist(), 0.0]
                for n, shift in enumerate(prediction.shifts)
            },
            **{stage.field: getattr(sampling, stage.field) for stage in STAGES if stage.field != "logit_bias"},
        }

    def titles(self) -> tuple[str, str]:
        snapshot, prediction = self.snapshot, self.prediction
        if snapshot is None or prediction is None or not 0 <= prediction.position < len(snapshot.ids):
            return "Next token", ""
        after = quoted_label(self.tokenizer, int(snapshot.ids[prediction.position]), 14)
        subtitle = ""
        if self.has_focus and self.cursor < self._shown:
            subtitle = f"enter: put {quoted_label(self.tokenizer, int(prediction.candidate_ids[self.cursor]), 14)} here"
        elif prediction.next_id >= 0:
            subtitle = f"● {quoted_label(self.tokenizer, prediction.next_id, 14)} follows{self._chance_of_next()}"
        return f"Next token · after {after}", subtitle

    def _chance_of_next(self) -> str:
        """How probable the model found the token that follows, where it has no row to say so."""
        snapshot, prediction = self.snapshot, self.prediction
        if snapshot is None or prediction is None or prediction.next_id in prediction.candidate_ids[: self._shown]:
            return ""
        surprisal = float(snapshot.surprisal_bits[prediction.position + 1])
        return "" if np.isnan(surprisal) else f", {percent(2.0**-surprisal)} by the model"

    # ── Drawing ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _tones(self) -> candidates.Tones:
        return candidates.Tones(
            plain=self.tone(),
            dim=self.tone("dim"),
            strong=self.tone("strong"),
            accent=self.tone("accent"),
            bar=self.tone("bar"),
            warn=self.tone("warn"),
            hit=self.tone("cursor"),
            cycle=token_styles(self.depth, self.dark),
            depth=self.depth,
        )

    def _prepared(self, prediction: Prediction) -> tuple[_Rows, list[str], candidates.Columns, candidates.Tones]:
        """What all lines of one repaint share."""
        region = self.scrollable_content_region

        def make() -> tuple[_Rows, list[str], candidates.Columns, candidates.Tones]:
            labels = [token_label(self.tokenizer, int(i)) for i in prediction.candidate_ids[: self._shown]]
            return (
                _rows_for(region.height),
                labels,
                candidates.columns_for(region.width, labels, prediction),
                self._tones(),
            )

        return self.drawing(make)

    def render_line(self, y: int) -> Strip:
        snapshot, prediction = self.snapshot, self.prediction
        if snapshot is None or prediction is None:
            return self.empty_row(y)
        rows, labels, columns, tones = self._prepared(prediction)
        if y < rows.above:
            return self.row(self._above(y, rows, labels, columns, snapshot, prediction, tones))
        rank = y - rows.above
        if rank < len(labels):
            at_cursor = self.has_focus and rank == self.cursor
            pieces = candidates.candidate_pieces(prediction, rank, labels[rank], columns, tones, at_cursor=at_cursor)
            return self.row(pieces)
        if rank == len(labels) and rows.tail:
            return self.row(candidates.tail_pieces(prediction, len(labels), columns, tones))
        return self.row([])

    @property
    def empty_words(self) -> str:
        return HIDDEN if self.hidden else self.waiting if self.snapshot is None else NO_TEXT

    def _above(
        self,
        y: int,
        rows: _Rows,
        labels: list[str],
        columns: candidates.Columns,
        snapshot: Snapshot,
        prediction: Prediction,
        tones: candidates.Tones,
    ) -> list[Piece]:
        """Row `y` of what stands above the candidates."""
        width = self.scrollable_content_region.width
        if y < rows.settings:
            return candidates.settings_pieces(prediction, snapshot.sampling, width, tones)
        if rows.draw and y == rows.settings:
            newest = quoted_label(self.tokenizer, int(snapshot.ids[-1]), 14)
            words = candidates.last_draw_words(snapshot.last_draw, newest)
            return candidates.draw_pieces(prediction, snapshot.sampling, width, tones, at_end=words)
        if rows.draw and y == rows.settings + 1:
            return candidates.bar_of_draws(prediction, labels, width, tones)
        return candidates.title_pieces(columns, tones)

    # ── Choosing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def action_bias(self, by: int) -> None:
        if self.prediction is not None and self.cursor < self._shown:
            self._held = int(self.prediction.candidate_ids[self.cursor])
            self.post_message(self.Biased(self._held, by))

    def action_move(self, by: int) -> None:
        self._held = -1
        self.cursor = max(0, min(self._shown - 1, self.cursor + by))

    def action_pick(self) -> None:
        prediction = self.prediction
        if prediction is not None and self.cursor < self._shown:
            self.post_message(self.Picked(prediction.position, int(prediction.candidate_ids[self.cursor])))

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor, a second one picks."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        rank = offset.y - _rows_for(self.scrollable_content_region.height).above
        if 0 <= rank < self._shown:
            if event.chain > 1 and rank == self.cursor:
                self.action_pick()
            self.cursor = rank

    def wheel(self, down: int, right: int) -> None:
        self.action_move(down)
