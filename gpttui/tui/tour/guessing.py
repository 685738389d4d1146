"""Guess the next token before the bars are shown, on any text and model: `G` in the playground.

The bars are hidden until a candidate is chosen or a token typed. Then they are shown, with the surprisal of the guess
beside those of the model's own best token, of a blind guess, and of a count of the text's pairs of tokens.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input

from gpttui.protocol.stream import AskLens, LensGrid
from gpttui.tui.own_screen import Dialog
from gpttui.tui.renderables.labels import percent, quoted_label
from gpttui.tui.tour import facts
from gpttui.tui.tour.card import LINES, SIDE_CELLS, SIDE_FROM, Face, TourCard
from gpttui.tui.widgets.key_bar import KeyBar

if TYPE_CHECKING:
    from textual.app import App

    from gpttui.records import Prediction
    from gpttui.tokenizers import Tokenizer
    from gpttui.tui.screens.play import PlayScreen

CANDIDATES = 4
OTHER = "another one: type it"
LABEL_CELLS = 14
LEAST = 1e-12


@dataclass(frozen=True, slots=True)
class Round:
    """One guess, in bits of surprisal."""

    guessed: float
    best: float
    blind: float
    pairs: float


def pair_bits(ids: Sequence[int], token_id: int, vocab: int) -> float:
    """Surprisal in bits of `token_id` after the last of `ids`, by how often it followed that token in `ids` before.

    One further count is shared out among all `vocab` tokens, so that what has not been seen is possible: a last token
    that is new gives a blind guess, log2 of `vocab`.
    """
    followers = [after for before, after in pairwise(ids) if before == ids[-1]]
    return -math.log2((followers.count(token_id) + 1 / vocab) / (len(followers) + 1))


class Guessing:
    """The game, while it is on; rounds are counted as long as one model is open."""

    def __init__(self, app: "App[Any]") -> None:
        self.app = app
        self.on = False
        self.rounds: list[Round] = []
        self._model = ""
        self._card = TourCard()
        self._order: list[int] = []
        """Ranks of the candidates offered, shuffled."""
        self._told: tuple[int, ...] | None = None
        """The text whose bars are shown."""
        self._prediction: Prediction | None = None
        self._watched = False

    @property
    def play(self) -> "PlayScreen":
        play = facts.playground(self.app)
        assert play is not None, "guesses are made in the playground"
        return play

    def begin(self) -> None:
        """Hide the bars and offer candidates."""
        play = self.play
        if play.link.snapshot is None or play.link.snapshot.prediction is None:
            play.hints.say("There is no text to go on from: press / and write one.", "info")
            return
        self.on, self._told, self._prediction, self._card = True, None, None, TourCard()
        play.mount(self._card, before=play.query_one(KeyBar))
        side = self.app.size.width >= SIDE_FROM
        play.deck.make_room((SIDE_CELLS, 0) if side else (0, LINES))
        if not self._watched:
            self._watched = True
            self.app.watch(play.next, "snapshot", self._changed, init=False)
        self._changed()
        self._card.focus()

    def leave(self) -> None:
        """Show the bars; the score stays."""
        self.on = False
        play = self.play
        play.next.hidden = False
        self._card.remove()
        play.deck.make_room((0, 0))
        play.deck.current.focus()
        play.hints.say(self.score or "No guess was made.", "info")

    def _changed(self) -> None:
        """Another text, or another place in it: the bars are hidden before they are drawn."""
        play = self.play
        snapshot, card = play.next.snapshot, play.link.card
        if not self.on or snapshot is None or snapshot.prediction is None or card is None:
            return
        if card.id != self._model:
            self._model, self.rounds = card.id, []
        here = self._here(snapshot.prediction, snapshot.ids.tolist())
        play.next.hidden = here != self._told
        if here == self._told or play.tokens.tokenizer is None:
            return
        self._told = None
        self._prediction = snapshot.prediction
        best = self._prediction.candidate_ids[:CANDIDATES].tolist()
        self._order = random.Random(str(here)).sample(range(len(best)), len(best))
        options = (*(self._label(best[rank]) for rank in self._order), OTHER)
        after = self._label(here[-1])
        keys = f"1–{len(options)} guesses · enter shows the bars · escape ends"
        self._card.face = Face(self._title, f"Which token follows {after}?", "›", options, keys=keys)

    def _here(self, prediction: "Prediction", ids: list[int]) -> tuple[int, ...]:
        return tuple(ids[: prediction.position + 1])

    @property
    def _title(self) -> str:
        return f"Guess {len(self.rounds) + 1}"

    def _label(self, token_id: int) -> str:
        return quoted_label(self.play.tokens.tokenizer, token_id, LABEL_CELLS)

    def choose(self, number: int) -> None:
        """Guess option `number`, counted from 1; the last one lets a person type."""
        prediction = self._prediction
        if prediction is None or self._told is not None:
            return
        if number <= len(self._order):
            rank = self._order[number - 1]
            self._reveal(int(prediction.candidate_ids[rank]), float(prediction.model_probs[rank]), number)
        else:
            self.app.push_screen(TypedGuess(), self._typed)

    def show(self) -> None:
        """The bars without a guess, for a class that guesses aloud."""
        if self._prediction is not None and self._told is None:
            self._reveal(-1, 1.0, 0)

    def _typed(self, text: str | None) -> None:
        prediction, tokenizer = self._prediction, self.play.tokens.tokenizer
        if not text or prediction is None or tokenizer is None:
            return
        tried = first_tokens(tokenizer, text)

        def take(grid: LensGrid) -> None:
            if self.on and self._prediction is prediction and self._told is None:
                likelier = int(grid.watched_probs[-1, 0].argmax())
                self._reveal(tried[likelier], float(grid.watched_probs[-1, 0, likelier]), 0)

        if tried:
            position = prediction.position
            ask = AskLens(first=position, count=1, watched=tuple(tried))
            self.play.link.ask("guess", lambda: ask, take, lambda line: self.play.hints.say(line, "error"))

    def _reveal(self, token_id: int, probability: float, number: int) -> None:
        prediction, play = self._prediction, self.play
        snapshot, card = play.next.snapshot, play.link.card
        assert prediction is not None and snapshot is not None and card is not None, "something was offered"
        self._told = self._here(prediction, snapshot.ids.tolist())
        play.next.hidden = False
        best_id, best = int(prediction.candidate_ids[0]), float(prediction.model_probs[0])
        said = [f"The model's best: {self._label(best_id)}, {percent(best)}, {bits(best):.1f} bits."]
        if token_id >= 0:
            pairs = pair_bits(self._told, token_id, card.vocab_size)
            made = Round(bits(probability), bits(best), math.log2(card.vocab_size), pairs)
            self.rounds.append(made)
            said.insert(
                0, f"Your guess: {self._label(token_id)}, {percent(probability)}, surprisal {made.guessed:.1f} bits."
            )
            said.append(f"A blind guess: {made.blind:.1f}; by a count of this text's pairs of tokens: {pairs:.1f}.")
            said.append(self.score)
        title, keys = self._card.face.title, "space draws, then guess again · escape ends"
        options = self._card.face.options[:-1] if number else ()
        right = self._order.index(0) + 1
        self._card.face = Face(title, " ".join(said), "", options, number, right, keys)

    @property
    def score(self) -> str:
        """All rounds of this model in one sentence; empty without any."""
        rounds = self.rounds
        if not rounds:
            return ""
        mine, best = fmean(made.guessed for made in rounds), fmean(made.best for made in rounds)
        hits = sum(made.guessed <= made.best for made in rounds)
        return (
            f"Score: {hits} of {len(rounds)} the model's best; on average {mine:.1f} bits, the model's best "
            f"{best:.1f}, a blind guess {rounds[0].blind:.1f}."
        )


def bits(probability: float) -> float:
    """Surprisal in bits."""
    return -math.log2(max(probability, LEAST)) + 0.0


def first_tokens(tokenizer: "Tokenizer", text: str) -> list[int]:
    """The token that a typed text begins with: as it stands, and as a new word, where that is another token."""
    found = []
    for written in (text, f" {text}"):
        ids = tokenizer.encode(written)
        if ids and tokenizer.decode(ids[:1]).strip() and ids[0] not in found:
            found.append(ids[0])
    return found or tokenizer.encode(text)[:1]


class TypedGuess(Dialog[str | None]):
    """Dismissed with what was typed, or with None."""

    CSS = """
    TypedGuess {
        align: center bottom;
        background: $background 0%;
        Input { width: 60; max-width: 100%; border: round $primary; background: $background; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Close", id="guess_close")]

    def compose(self) -> ComposeResult:
        typed = Input()
        typed.border_title = Content("Your guess: the next word, or its beginning")
        typed.border_subtitle = Content("enter guesses · escape goes back")
        yield typed

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(event.value)
