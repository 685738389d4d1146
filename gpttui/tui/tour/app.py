"""An app that can be toured: the keys of the tour, which every screen has, and the offer at the first start."""

from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from gpttui.tui.in_turn import InTurnApp
from gpttui.tui.keys import MORE
from gpttui.tui.session.messages import ModelOpened

if TYPE_CHECKING:
    from gpttui.lessons.lesson import Chapter
    from gpttui.tui.tour.card import TourCard
    from gpttui.tui.tour.guessing import Guessing
    from gpttui.tui.tour.tour import Tour

OFFER = "New here? Press enter for the guided tour; any other key goes on as before."
ON_TOUR = frozenset({"tour_go_on", "tour_skip", "tour_back", "tour_more", "tour_leave"})


class TouringApp(InTurnApp):
    """Nothing of the tour is imported before it is asked for."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+g", "tour", "tour", id="tour", tooltip="The guided tour, by chapters", group=MORE),
        Binding(
            "G",
            "guess",
            "guess",
            id="guess",
            tooltip="Guess the next token before the bars are shown",
            group=MORE,
            show=False,
        ),
        *(
            Binding(key, f"tour_{name}", says, id=f"tour_{name}", show=False, tooltip=f"Tour: {tooltip}")
            for key, name, says, tooltip in (
                ("enter", "go_on", "next card", "the next card"),
                ("ctrl+n", "skip", "skip", "the next card, done or not"),
                ("ctrl+r", "back", "card before", "the card before"),
                ("ctrl+e", "more", "more", "a hint, or the technical wording"),
                ("escape", "leave", "leave tour", "leave it here"),
            )
        ),
    ]
    _tour: "Tour | None" = None
    _guessing: "Guessing | None" = None
    offered = False
    """The offer of the first start stands: enter takes it."""

    def on_ready(self) -> None:
        from gpttui.tui.tour.facts import playground

        if (play := playground(self)) is None:
            return
        if play.link.card is not None:
            self._first_model()
        else:
            play.link.watchers.append(self._heard)

    def _heard(self, message: Message) -> None:
        if isinstance(message, ModelOpened):
            self._first_model()

    def _first_model(self) -> None:
        """The first model is open: begin the tour that was asked for, or offer it to whom it never was."""
        from gpttui.tui.tour import keeping
        from gpttui.tui.tour.facts import playground

        play = playground(self)
        assert play is not None, "a model opens in the playground"
        if self._heard in play.link.watchers:
            play.link.watchers.remove(self._heard)
        if play.opening.tour is not None:
            self.call_later(self.begin_tour, *play.opening.tour)
        elif play.opening.offers_tour and not (kept := keeping.load()).offered:
            self.offered, kept.offered = True, True
            keeping.save(kept)
            play.hints.standing = OFFER

    async def on_event(self, event: events.Event) -> None:
        """Any key but enter refuses the offer, and does what it always does."""
        if self.offered and isinstance(event, events.Key) and event.key != "enter":
            self._offer_is_over()
        await super().on_event(event)

    def _offer_is_over(self) -> None:
        from gpttui.tui.tour.facts import playground

        self.offered = False
        if (play := playground(self)) is not None:
            play.hints.standing = ""

    @property
    def tour(self) -> "Tour":
        """The tour, made when it is first asked for."""
        if self._tour is None:
            from gpttui.tui.tour.tour import Tour

            self._tour = Tour(self)
        return self._tour

    @property
    def touring(self) -> bool:
        return self._tour is not None and self._tour.on

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The tour's keys are there while it is on."""
        if action in ON_TOUR:
            guesses = self.guesses and action in ("tour_go_on", "tour_leave")
            return self.touring or guesses or (action == "tour_go_on" and self.offered)
        if action == "guess":
            return not self.touring
        return super().check_action(action, parameters)

    @property
    def guesses(self) -> bool:
        """Guesses are being made, in the playground."""
        return self._guessing is not None and self._guessing.on

    def action_guess(self) -> None:
        """Begin to guess, or end it."""
        from gpttui.tui.tour.facts import playground
        from gpttui.tui.tour.guessing import Guessing

        if (play := playground(self)) is None or self.screen is not play:
            self.notify("Guesses are made in the playground: press escape, then G.", markup=False)
            return
        if self._guessing is None:
            self._guessing = Guessing(self)
        self._guessing.leave() if self._guessing.on else self._guessing.begin()

    def action_glossary(self) -> None:
        from gpttui.tui.tour.glossary import GlossaryScreen

        self.push_screen(GlossaryScreen())

    def begin_tour(self, chapters: "list[Chapter]", name: str = "", card: int = 0) -> None:
        """Begin with the chapter called `name`; without one, where the tour was left."""
        from gpttui.lessons import lesson

        self._offer_is_over()
        if self._guessing is not None and self._guessing.on:
            self._guessing.leave()
        kept = self.tour.kept
        kept.offered = True
        if not name:
            there = [chapter for chapter in chapters if chapter.id == kept.chapter]
            self.tour.begin(chapters, there[0] if there else chapters[0], kept.card if there else 0)
        else:
            self.tour.begin(chapters, lesson.chapter(name, chapters), card)

    def action_tour(self) -> None:
        from gpttui.lessons.lesson import chapters
        from gpttui.tui.tour.chapters import ChaptersScreen

        found = chapters()

        def chosen(name: str | None) -> None:
            if name is not None:
                self.begin_tour(found, name)

        self.push_screen(ChaptersScreen(found, self.tour), chosen)

    def action_tour_go_on(self) -> None:
        if self.offered:
            from gpttui.lessons.lesson import chapters

            self.begin_tour(chapters())
        elif self._guessing is not None and self._guessing.on:
            self._guessing.show()
        else:
            self.tour.enter()

    def action_tour_skip(self) -> None:
        self.tour.go_on()

    def action_tour_back(self) -> None:
        self.tour.back()

    def action_tour_more(self) -> None:
        self.tour.more()

    def action_tour_leave(self) -> None:
        if self._guessing is not None and self._guessing.on:
            self._guessing.leave()
        else:
            self.tour.leave()

    def on_tour_card_chosen(self, event: "TourCard.Chosen") -> None:
        if self._guessing is not None and self._guessing.on:
            self._guessing.choose(event.number)
        else:
            self.tour.guess(event.number)

    def on_tour_card_go_on(self, event: "TourCard.GoOn") -> None:
        if self.touring:
            self.action_tour_back() if event.back else self.action_tour_go_on()
