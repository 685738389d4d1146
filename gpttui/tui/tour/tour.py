"""Which card is shown, what it waits for, and where it stands: the tour as it runs.

It looks at the state of the program ten times a second while it is on, so that any way of doing a deed counts, and goes
on only at a person's key. Not for: what a card says (`gpttui.lessons`), how it is drawn (`card`).
"""

import math
import random
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.timer import Timer
from textual.widget import Widget

from gpttui.errors import UserError
from gpttui.lessons import deeds, words
from gpttui.lessons.lesson import Card, Chapter, Lesson
from gpttui.protocol.play import Restore
from gpttui.records import Sampling
from gpttui.tui.renderables.labels import quoted_label
from gpttui.tui.tour import facts, keeping, summary
from gpttui.tui.tour.card import LINES, SIDE_CELLS, SIDE_FROM, Face, TourCard
from gpttui.tui.widgets.deck import PaneDeck
from gpttui.tui.widgets.key_bar import KeyBar

if TYPE_CHECKING:
    from textual.app import App
    from textual.screen import Screen

LOOK_EVERY_S = 0.1
CANDIDATES = 4
SHORT = {"tokenizer": "bpe:512", "minutes": "0", "steps": "1000"}
POINTED = "-pointed"


class Tour:
    """The tour of one program. `on` while a chapter is shown."""

    def __init__(self, app: "App[Any]") -> None:
        self.app = app
        self.kept = keeping.load()
        self.chapters: Sequence[Chapter] = ()
        self.chapter: Chapter | None = None
        self.at = 0
        """The card, counted from 0."""
        self.done = False
        """The card's deed is done, or its guess made."""
        self._early = False
        """The card's deed was done before its card came, and has not been undone since."""
        self.page = "say"
        """Which of the card's texts is read: say, hint, more or why."""
        self.chosen = self.right = 0
        self.guessable: tuple[str, ...] = ()
        self._widget: TourCard | None = None
        self._pointed: Widget | None = None
        self._brought: tuple[Card, Screen[Any]] | None = None
        """The card whose pane has been brought to the front of this screen: once, then a person may turn away."""
        self._timer: Timer | None = None
        self._before: Restore | None = None
        """What was on the table before the tour, to be put back."""

    @property
    def on(self) -> bool:
        return self.chapter is not None

    @property
    def lesson(self) -> Lesson:
        assert self.chapter is not None, "no chapter is shown"
        return self.chapter.lesson

    @property
    def card(self) -> Card:
        return self.lesson.card[self.at]

    # ── From card to card ────────────────────────────────────────────────────────────────────────────────────────

    def begin(self, chapters: Sequence[Chapter], chapter: Chapter, card: int = 0) -> None:
        """Show a chapter, from one of its cards on."""
        if not self.on:
            self._remember()
        self.chapters, self.chapter = chapters, chapter
        self.at = max(0, min(card, len(chapter.lesson.card) - 1))
        self._to_playground()
        self._set_table()
        self._enter()
        if self._timer is None:
            self._timer = self.app.set_interval(LOOK_EVERY_S, self.look)

    def go_on(self) -> None:
        """The next card; behind the last one the next chapter, and behind that the end."""
        assert self.chapter is not None
        if self.at + 1 < len(self.lesson.card):
            self.at += 1
            self._enter()
            return
        if self.chapter.id not in (*self.kept.done, summary.ID):
            self.kept.done.append(self.chapter.id)
        following = [chapter for chapter in self.chapters if chapter.number > self.chapter.number]
        if following:
            self.begin(self.chapters, following[0])
        elif self.chapter.id != summary.ID:
            self.begin(self.chapters, summary.of(self.kept, self.chapters))
        else:
            self.kept.chapter, self.kept.card = "", 0
            self.leave("That was the tour. ctrl+g opens any of its chapters again.", keep_place=False)

    def enter(self) -> None:
        """What enter does: the next card, once this one is read, done or guessed. Of a deed that had been done before
        its card came, the reason for it is read first."""
        was_done = self.done
        self.look()  # what was done in this very moment counts, and its reason is read first
        if self.done and not was_done:
            return
        if self.card.kind == "do" and self.done and self.page != "why":
            self.page = "why"
            self.look()
        elif self.card.kind in ("say", "recap") or self.done:
            self.go_on()

    def back(self) -> None:
        """The card before."""
        if self.at:
            self.at -= 1
            self._enter()

    def more(self) -> None:
        """The hint of a deed that is not done yet, then the technical wording, then the card again."""
        pages = ["why" if self.done and self.card.why else "say"]
        if self.card.hint and not self.done and self.card.kind == "do":
            pages.append("hint")
        if self.card.more:
            pages.append("more")
        at = pages.index(self.page) if self.page in pages else -1
        self.page = pages[(at + 1) % len(pages)]
        self.look()

    def guess(self, number: int) -> None:
        """Commit to an option."""
        if self.chapter is None or self.card.kind != "guess" or self.chosen or not 1 <= number <= len(self.guessable):
            return
        self.chosen, self.done, self.page = number, True, "why"
        self._hide_bars(False)
        made = keeping.Guess(number == self.right, len(self.guessable), *self._guess_bits(number))
        self.kept.guesses.setdefault(f"{self.chapter.id} {self.at + 1}", made)
        keeping.save(self.kept)
        self.look()

    def _guess_bits(self, number: int) -> tuple[float | None, float, float]:
        """Surprisal in bits of the candidate guessed, of the model's best one, and of any token guessed blindly."""
        play = facts.playground(self.app)
        if not self.card.candidates or play is None or play.link.snapshot is None or play.link.card is None:
            return None, 0.0, 0.0
        prediction = play.link.snapshot.prediction
        assert prediction is not None, "candidates were found in it"
        order = self._shuffled(range(len(self.guessable)))
        bits = [-math.log2(max(float(p), 1e-12)) for p in prediction.model_probs[: len(order)]]
        return bits[order[number - 1]], bits[0], math.log2(play.link.card.vocab_size)

    def _shuffled(self, ranks: Sequence[int]) -> list[int]:
        """The candidates' ranks in the order in which they are offered: always the same on one card."""
        return random.Random(f"{self.lesson.seed} {self.at}").sample(ranks, len(ranks))

    def leave(self, says: str = "", *, keep_place: bool = True) -> None:
        """End the tour here, and put back what was on the table before it."""
        if self.chapter is not None and self.chapter.id == summary.ID:
            self.kept.chapter, self.kept.card = "", 0
        elif self.chapter is not None and keep_place:
            self.kept.chapter, self.kept.card = self.chapter.id, self.at
        keeping.save(self.kept)
        self.chapter = None
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._point_at(None)
        self._hide_bars(False)
        self._take_card_away()
        play = facts.playground(self.app)
        if play is None:
            return
        if self._before is not None:
            play.link.resume(self._before, lambda line: play.hints.say(line, "error"))
            self._before = None
        play.hints.say(says or "The tour waits here: ctrl+g goes on with it.", "info")

    def _enter(self) -> None:
        """Show the card that is due."""
        assert self.chapter is not None
        self.done, self.page, self.chosen, self.right, self.guessable = False, "say", 0, 0, ()
        card, deed = self.card, self.lesson.deeds[self.at]
        self._early = bool(deed) and deeds.done(deed, facts.facts(self.app))
        if card.prompt is not None or card.model:
            self._set_table()
        if card.train and (play := facts.playground(self.app)) is not None:
            play.training.ordered = short_run(card.train)
        self._hide_bars(card.candidates)
        if card.options and not card.candidates:
            self.guessable, self.right = tuple(card.options), card.answer
        if self.chapter.id != summary.ID:
            self.kept.chapter, self.kept.card = self.chapter.id, self.at
        keeping.save(self.kept)
        self.look()
        if self._widget is not None and card.kind != "do":
            self._widget.focus()

    def _to_playground(self) -> None:
        """Chapters begin there."""
        top = facts.top_screen(self.app)
        if top is not None and top is self.app.screen and top is not facts.playground(self.app):
            top.dismiss(None)

    # ── What lies on the table ───────────────────────────────────────────────────────────────────────────────────

    def _remember(self) -> None:
        play = facts.playground(self.app)
        if play is None or play.link.card is None or play.link.snapshot is None:
            return
        link, snapshot = play.link, play.link.snapshot
        assert snapshot is not None and link.card is not None
        self._before = Restore(
            link.card.path, link.prompt, snapshot.ids[snapshot.n_prompt :].tolist(), link.picked, link.sampling,
            link.seed, changes=link.changes,
        )  # fmt: skip

    def _set_table(self) -> None:
        """The model, the text and the settings that the card is about, the model unaltered."""
        play = facts.playground(self.app)
        if play is None or not self.lesson.model:
            return
        lesson, before = self.lesson, self.lesson.card[: self.at + 1]
        model = next((card.model for card in reversed(before) if card.model), lesson.model)
        prompt = next((card.prompt for card in reversed(before) if card.prompt is not None), lesson.prompt)
        sampling, link = Sampling(lesson.temperature), play.link
        if link.card is None or link.card.id != model:
            try:
                from gpttui.storage import gallery

                path = str(gallery.find(model))
            except UserError as error:
                play.hints.say(str(error), "error")
                return
            link.open(path, prompt or None, sampling, lesson.seed)
            return
        link.alter(())
        link.set_sampling(sampling)
        link.set_seed(lesson.seed)
        link.set_prompt(prompt or link.card.prompt)

    # ── Looking ──────────────────────────────────────────────────────────────────────────────────────────────────

    def look(self) -> None:
        """Check the deed, and show the card on the screen that is on top."""
        if self.chapter is None:
            return
        screen = facts.top_screen(self.app)
        if screen is None or not screen.query(KeyBar):
            return
        if self._widget is None or not self._widget.is_attached or self._widget.screen is not screen:
            self._put_card_on(screen)
        if self.card.kind == "do" and not self.done and self._laid:
            if deeds.done(self.lesson.deeds[self.at], facts.facts(self.app)):
                self.done, self.page = True, "say" if self._early else "why"
            self._early = False
        if self.card.candidates and not self.guessable:
            self._find_candidates()
        self._keep_run()
        if self._widget is not None:
            self._widget.face = self.face()
        self._point_at(self._find(screen, self.card.point))
        self._bring(screen)

    def _keep_run(self) -> None:
        """Note how far the model has come that a person trains in this chapter."""
        play = facts.playground(self.app)
        trains = play is not None and any(card.train for card in self.lesson.card)
        record = play.training.record if play is not None and trains else None
        if record is None or record.started is None or (loss := facts.newest_loss(record)) is None:
            return
        self.kept.trained = keeping.Trained(record.step, loss, math.log(record.started.vocab_size))

    @property
    def _laid(self) -> bool:
        """The model and the text of the card are on the table."""
        play = facts.playground(self.app)
        return play is not None and not (play.link.waits_for("open") or play.link.waits_for("prompt"))

    def _hide_bars(self, hidden: bool) -> None:
        if (play := facts.playground(self.app)) is not None:
            play.next.hidden = hidden

    def _find_candidates(self) -> None:
        play = facts.playground(self.app)
        if play is None or play.link.snapshot is None or play.link.busy or play.tokens.tokenizer is None:
            return
        prediction = play.link.snapshot.prediction
        if prediction is None or len(prediction.candidate_ids) < 2:
            return
        tokenizer = play.tokens.tokenizer
        best = [int(token) for token in prediction.candidate_ids[:CANDIDATES]]
        order = self._shuffled(range(len(best)))
        self.guessable = tuple(quoted_label(tokenizer, best[rank], 16) for rank in order)
        self.right = order.index(0) + 1

    def face(self) -> Face:
        """The card as it is to be drawn now."""
        assert self.chapter is not None
        card, known = self.card, facts.numbers(self.app)
        if self.chosen:
            known["guess"] = self.guessable[self.chosen - 1]
        text = words.filled(getattr(card, self.page), known)
        waits = card.kind == "do" and not self.done
        keys = ["ctrl+n skips"] if waits else ["1–4 guesses"] if card.options and not self.chosen else [self._goes_on]
        keys += ["ctrl+r back"] if self.at else []
        keys += ["ctrl+e hint"] if waits and card.hint else ["ctrl+e in technical words"] if card.more else []
        over = self.chapter.id == summary.ID
        keys = ["enter ends the tour"] if over else keys
        return Face(
            self.lesson.title
            if over
            else f"{self.chapter.number} {self.lesson.title} · {self.at + 1} of {len(self.lesson.card)}",
            text,
            "✓" if self.done else "›" if waits else "",
            self.guessable,
            self.chosen,
            self.right,
            " · ".join(keys),
        )

    @property
    def _goes_on(self) -> str:
        """The key that goes on: enter, unless the pane or view that is worked with has a use of its own for it."""
        active = self.app.screen.active_bindings.get("enter")
        ours = active is None or active.node is self.app
        return "enter goes on" if ours else "ctrl+n goes on"

    def _find(self, screen: "Screen[Any]", name: str) -> Widget | None:
        return next(iter(screen.query(f"#{name}").results(Widget)), None) if name else None

    def _point_at(self, pane: Widget | None) -> None:
        if pane is not self._pointed:
            if self._pointed is not None:
                self._pointed.remove_class(POINTED)
            if pane is not None:
                pane.add_class(POINTED)
            self._pointed = pane

    def _bring(self, screen: "Screen[Any]") -> None:
        """Show the pane that the card speaks of where there is no room for all; not where that is the deed."""
        if self._pointed is None or self._brought == (self.card, screen):
            return
        self._brought = self.card, screen
        if not any(clause.fact == "pane" for clause in self.lesson.deeds[self.at]):
            for deck in screen.query(PaneDeck):
                deck.bring(self._pointed)

    def _put_card_on(self, screen: "Screen[Any]") -> None:
        self._take_card_away()
        self._widget = TourCard()
        screen.mount(self._widget, before=screen.query_one(KeyBar))
        side = self.app.size.width >= SIDE_FROM
        self._make_room(screen, (SIDE_CELLS, 0) if side else (0, LINES))
        if self.card.kind != "do":
            self.app.call_later(partial(_focus, self._widget))

    def _take_card_away(self) -> None:
        if self._widget is not None and self._widget.is_attached:
            screen = self._widget.screen
            self._widget.remove()
            self._make_room(screen, (0, 0))
        self._widget = None

    def _make_room(self, screen: "Screen[Any]", taken: tuple[int, int]) -> None:
        for deck in screen.query(PaneDeck):
            deck.make_room(taken)


def short_run(text: str) -> dict[str, str]:
    """The training form, filled in for a run on `text` that takes a laptop half a minute."""
    from gpttui.tui.session import run_order

    return run_order.with_preset(run_order.fitted(run_order.initial(text)), "seconds") | SHORT


def _focus(widget: Widget) -> None:
    if widget.is_attached:
        widget.focus()
