"""The journey of the selected token: the map from which every other view is one key away. Also as a walk.

A walk (`f`) is a mode of the same screen: the map is covered, each press uncovers the next part and says what happened
there; after the last one the distribution; then the token is drawn, appended, and the walk starts over with it.
"""

from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.timer import Timer

from gpttui.protocol.stream import AskJourney, Journey
from gpttui.tui.keys import STEP, key
from gpttui.tui.renderables.labels import quoted_label
from gpttui.tui.session.remembered import NUMBERS, YES_NO, Setting, remember
from gpttui.tui.views import table as views
from gpttui.tui.views.frame import InsideScreen
from gpttui.tui.views.journey.draw_words import drawing, stop_names
from gpttui.tui.views.journey.pane_map import TOP_K, JourneyPane
from gpttui.tui.views.table import ViewContext
from gpttui.tui.widgets.pane import Pane

VIEW_OF_PART = {"token": "vectors", "place": "vectors", "embed": "vectors", "attn": "attention", "mlp": "mlp"}
RESUME = remember("walk", tuple[int, int, int], of_model=True)
"""A walk while a part's own view is open: position, token, parts uncovered."""
PLAY_EVERY_S = 2.0
"""Between two parts of a walk that plays by itself."""
PLAYING = "The walk plays by itself. g stops it."
HINT = "↑ ↓ from part to part · ← → another token · f walks, g by itself"


class JourneyScreen(InsideScreen):
    """One pane, one question."""

    VIEW: ClassVar[str] = "journey"
    SETTINGS: ClassVar[tuple[Setting, ...]] = (
        Setting("added", "pane.added", YES_NO),
        Setting("shared_scale", "pane.shared_scale", YES_NO),
        Setting("turned", "pane.turned", YES_NO),
    )
    PLACES: ClassVar[tuple[Setting, ...]] = (Setting("walked", "walked", NUMBERS), Setting("stop", "stop", NUMBERS))
    BINDINGS: ClassVar[list[BindingType]] = [
        key("f", "walk", "part by part", "Part by part: uncover the next one, in the end draw the token", STEP,
            id="journey_walk"),
        key("g", "play", "play", "Uncover part after part, and draw token after token; again: stop", STEP,
            id="journey_play"),
    ]  # fmt: skip

    def __init__(self, context: ViewContext, *, walking: bool = False) -> None:
        super().__init__(context)
        self.pane = JourneyPane(id="journey")
        self.pane.set_reactive(JourneyPane.walked, int(walking))
        self.came_walking = walking
        kept: tuple[int, int, int] | None = self.link.kept.pop(RESUME, None)
        self._resumed = None if walking else kept
        self._playing: Timer | None = None
        self._back_at: int | None = None
        """The stop to begin at; None: the first, or the selected layer's."""

    @property
    def panes(self) -> tuple[Pane, ...]:
        return (self.pane,)

    def mark(self) -> None:
        pane = self.pane
        pane.vocab_size = 0 if self.link.card is None else self.link.card.vocab_size
        pane.go_to_layer(self.selection.layer)
        if not self.length:
            pane.take(None)
        self._guide()

    def look(self) -> None:
        self.ask("journey", self._request, self._take, self.pane)

    def _request(self) -> AskJourney:
        watched = (self.following,) if self.following >= 0 else ()
        return AskJourney(self.position, TOP_K, watched, token_apart=True)

    @property
    def following(self) -> int:
        """The token that comes after the selected one; -1 at the end of the text."""
        snapshot, at = self.snapshot, self.position + 1
        return int(snapshot.ids[at]) if snapshot is not None and 0 < at < len(snapshot.ids) else -1

    def _take(self, journey: Journey) -> None:
        first = self.pane.journey is None
        watched = self.following if journey.position == self.position and journey.watched_ranks.shape[1] else -1
        self.pane.snapshot = self.snapshot
        self.pane.take(journey, watched)
        if first and self._resumed is not None and self._resumed[:2] == (journey.position, journey.token_id):
            self.came_walking = True
            self.pane.walk(self._resumed[2])
            if self._back_at is not None:
                self.pane.stop = min(self.pane.stop, self._back_at)
        elif first and self._back_at is not None:
            self.pane.stop = min(self._back_at, len(journey.stops) - 1)
        elif first and self.selection.layer and not self.walking:
            self.pane.go_to_layer(self.selection.layer, from_start=True)
        if self.hints.tone == "hint" or not self.hints.line:  # what was just said stays
            self._guide()

    def action_layer(self, by: int) -> None:
        super().action_layer(by)
        self.pane.go_to_layer(self.selection.layer, from_start=True)

    @on(JourneyPane.Went)
    def _went(self, event: JourneyPane.Went) -> None:
        event.stop()
        if event.layer >= 0:
            self.look_through(event.layer, self.selection.head)
        self._guide()

    @on(JourneyPane.Opened)
    def _opened(self, event: JourneyPane.Opened) -> None:
        event.stop()
        wanted = VIEW_OF_PART[event.part]
        if any(view.id == wanted for view in views.VIEWS):
            if self.walking and self.pane.journey is not None:
                journey = self.pane.journey
                self.link.kept[RESUME] = (journey.position, journey.token_id, self.pane.walked)
            self.action_view(wanted)

    @property
    def stop(self) -> int:
        """Under the cursor."""
        return self.pane.stop

    @stop.setter
    def stop(self, stop: int) -> None:
        self._back_at = stop

    # ── The walk ─────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def walking(self) -> bool:
        return self.pane.walked > 0

    @property
    def walked(self) -> int:
        """How many parts a walk has uncovered; 0: it is no walk."""
        return self.pane.walked

    @walked.setter
    def walked(self, parts: int) -> None:
        """Go on with a walk of the selected token."""
        if parts and self.snapshot is not None and self.length:
            self._resumed = self.position, int(self.snapshot.ids[self.position]), parts

    @property
    def _current(self) -> bool:
        """Whether the map is of the token that is selected now, so that its end is the text's."""
        journey, snapshot = self.pane.journey, self.snapshot
        if journey is None or snapshot is None or not self.length:
            return False
        return (journey.position, journey.token_id) == (self.position, int(snapshot.ids[self.position]))

    def action_walk(self) -> None:
        """The next part; behind the last one the token is drawn, or the text's next one taken."""
        if not self._current:
            return
        if self.pane.walked < self.pane.parts:
            self.pane.walk(self.pane.walked + 1)
        elif self.position < self.length - 1:
            self.look_at(self.position + 1)
        else:
            super().action_step()

    def action_play(self) -> None:
        """Walk by itself, at a pace at which each part's sentence can be read, or stop."""
        if self._playing is not None:
            self._playing.stop()
            self._playing = None
            self._guide()
        else:
            self._playing = self.set_interval(PLAY_EVERY_S, self._play_on)
            self._play_on()

    def _play_on(self) -> None:
        if self.is_active and not self.link.busy:
            self.action_walk()
            self._guide()

    def action_step(self) -> None:
        if self.walking:
            self.action_walk()
        else:
            super().action_step()

    def action_back(self) -> None:
        if self.pane.walked > 1:
            self.pane.walk(self.pane.walked - 1)
        else:
            super().action_back()

    def action_leave(self, then: str = "") -> None:
        if self.walking and not self.came_walking and not then:
            self._see_all()
        else:
            super().action_leave(then)

    def action_view(self, view_id: str) -> None:
        """The journey's own key shows a walker the whole way, then leaves."""
        if view_id == self.VIEW and self.walking:
            self._see_all()
        else:
            super().action_view(view_id)

    def _see_all(self) -> None:
        self.came_walking = False
        self.pane.walk(0)
        self._guide()

    def _guide(self) -> None:
        """Say what the next press does."""
        if not self._said_wrong:
            words = self._next_words() if self.walking else HINT
            self.hints.say(PLAYING if self._playing is not None else words)

    def _next_words(self) -> str:
        pane, journey, snapshot = self.pane, self.pane.journey, self.snapshot
        if journey is None or snapshot is None:
            return ""
        if pane.walked < len(journey.stops):
            covers = " · backspace covers it again" if pane.walked > 1 else ""
            return f"f or space: next comes {stop_names(journey.stops)[pane.walked].long}{covers}"
        if pane.walked < pane.parts:
            return "f or space: what becomes of the last vector"
        if self.following >= 0:
            label = quoted_label(self.context.tokenizer, self.following, 16)
            return f"f or space: on to the token that follows in the text, {label}"
        return f"f or space {drawing(snapshot.sampling)} and appends it"


def walking(context: ViewContext) -> JourneyScreen:
    """The journey as a walk, standing at the first stop."""
    return JourneyScreen(context, walking=True)
