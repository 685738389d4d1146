"""The frame around every inside view: the model's header, the text with the selected token, the views by their keys.

A view inherits from `InsideScreen` and gives three things: its `panes`, `mark` (the selection, put into them at
once) and `look` (what it asks the engine for). The frame moves the one selection, follows the session, says what is
waited for and what went wrong. It computes nothing.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar, Self

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.geometry import Region
from textual.message import Message

from gpttui.interventions import Intervention
from gpttui.protocol.message import Request
from gpttui.records import Snapshot
from gpttui.tokenizers import Tokenizer
from gpttui.tui.renderables.labels import quoted_label
from gpttui.tui.selection import Selection
from gpttui.tui.session.hints import NO_CHECKPOINTS, altered
from gpttui.tui.session.messages import EngineLost, EngineReady, EngineSilent, ModelOpened, Refused, SnapshotArrived
from gpttui.tui.session.remembered import COMING_BACK, SETTINGS, Setting, take_back, take_up, values
from gpttui.tui.session.sharing import SessionScreen
from gpttui.tui.textual_private import PatientScreen
from gpttui.tui.views import table as views
from gpttui.tui.views.frame_keys import FRAME
from gpttui.tui.views.hold import LAYOUT, Hold
from gpttui.tui.views.table import ViewContext
from gpttui.tui.widgets.deck import PaneDeck, Size
from gpttui.tui.widgets.hint_bar import HintBar
from gpttui.tui.widgets.key_bar import KeyBar
from gpttui.tui.widgets.pane import HeadWanted, Pane, TokenWanted
from gpttui.tui.widgets.status_header import StatusHeader
from gpttui.tui.widgets.tabs import TabLine
from gpttui.tui.widgets.token_line import TokenLine
from gpttui.tui.widgets.writing import Then, Writing

if TYPE_CHECKING:
    from gpttui.tui.widgets.prompt_editor import PromptEditor

LIVE_S = 1.0
"""How often a view of a model in training looks again."""
NO_MODEL = "waiting for the model: escape goes back"
NO_TEXT = "there is no text to look into yet: press / and type one"
LOOKING = "asking the engine…"


class InsideScreen(PatientScreen[None], SessionScreen):
    """One view of what happens inside, over the whole terminal."""

    VIEW: ClassVar[str] = ""
    """Its id in `views.VIEWS`."""
    SETTINGS: ClassVar[tuple[Setting, ...]] = ()
    """How it shows things: found again whenever the view is opened, and in a session file."""
    PLACES: ClassVar[tuple[Setting, ...]] = ()
    """Where in the text and in the lists a person was: only a session file brings these back."""

    NEED: ClassVar[Size] = (70, 20)
    """From this size on all of its panes are shown, below it one at a time."""

    BINDINGS: ClassVar[list[BindingType]] = [*FRAME, *(view.binding() for view in views.VIEWS)]
    DEFAULT_CSS = """
    InsideScreen {
        layout: vertical;
        background: $background;
        &.-flat > TokenLine, &.-flat > TabLine { display: none; }
    }
    """
    FLAT_HEIGHT: ClassVar[int] = 14
    """Below so many lines the view gets those of the text and of the other views too."""

    def __init__(self, context: ViewContext) -> None:
        self.hold = Hold(self)
        super().__init__()
        self.context, self.link = context, context.link
        take_up(self.link.kept)
        self.selection = context.selection
        self.header, self.hints, self.token_line = StatusHeader(), HintBar(), TokenLine()
        self.header.card = self.link.card
        shown = [view.id for view in views.VIEWS]
        self.tabs = TabLine([(view.key, view.title) for view in views.VIEWS], shown.index(self.VIEW))
        self.writing = Writing(self, self.hints, partial(self.hints.say, ""))
        self._said_wrong = False
        self._announced: tuple[str, tuple[Intervention, ...]] = "", ()
        """What was said of changes that are not made yet, and which."""

    # ── What a view gives ────────────────────────────────────────────────────────────────────────────────────────

    @property
    def panes(self) -> tuple[Pane, ...]:
        """The view's panes, in order of their keys 1, 2, …; the first gets the focus."""
        raise NotImplementedError

    def mark(self) -> None:
        """The selection or the text changed: put them into the panes, ahead of any answer."""

    def look(self) -> None:
        """Ask for what the selection needs, one `ask` for each answer. There is a model and a text."""

    # ── What a view may use ──────────────────────────────────────────────────────────────────────────────────────

    @property
    def exported_name(self) -> str:
        """Views have panes of the same name: files say which view they are of."""
        model = super().exported_name
        return f"{model}-{self.VIEW}" if model else ""

    @property
    def snapshot(self) -> Snapshot | None:
        return self.link.snapshot

    @property
    def length(self) -> int:
        return 0 if self.link.snapshot is None else len(self.link.snapshot.ids)

    @property
    def position(self) -> int:
        """The selected token's index, of one that has left the context the first in it; -1 where there is no text."""
        return -1 if self.snapshot is None else max(self.selection.index(self.length), self.first)

    @property
    def first(self) -> int:
        """The first token that the model still sees; -1 where there is no text."""
        return min(self.snapshot.n_slid, self.length - 1) if self.snapshot is not None else -1

    def label(self, position: int, width: int = 16) -> str:
        """How the token at `position` of the text is written."""
        return (
            ""
            if self.snapshot is None
            else quoted_label(self.context.tokenizer, int(self.snapshot.ids[position]), width)
        )

    def state(self) -> dict[str, Any]:
        self.keep_settings()
        current = self.deck.current.id
        enlarged = current if self.deck.zoomed else ""
        return {"view": self.VIEW, "focus": current, "maximized": enlarged, "places": values(self, self.PLACES)}

    def keep_settings(self) -> None:
        """Leave them with the link, for when this view is opened again."""
        self.link.kept.setdefault(SETTINGS, {})[self.VIEW] = values(self, self.SETTINGS)

    @cached_property
    def deck(self) -> PaneDeck:  # type: ignore[override]
        return PaneDeck(self.panes, self.NEED, self.NEED)

    async def write(self, title: str, text: str, then: Then, hint: str = "") -> None:
        """Let a person write; `then` gets the text once it is entered."""
        await self.writing.begin(text, then, title)
        if hint:
            self.hints.say(hint, "info")

    def ask(
        self,
        kind: str,
        make: Callable[[], Request],
        take: Callable[[Any], None],
        *fills: Pane,
        awaited: bool = True,
    ) -> None:
        """Send the request that `make` builds once the engine is free; `take` gets its answer.

        Of those of one `kind` that wait only the newest is sent, so that a key held down leaves nothing to run. The
        frame waits for the answer unless it is not `awaited`. The text does not change between a request and its
        answer, the selection may: `take` labels numbers by what the answer is about. If that takes too long the panes
        that it `fills` are drawn faint, as numbers of before.
        """

        def taken(answer: Any) -> None:
            if not self.link.waits_for(f"{self.VIEW}.{kind}"):
                self.hold.answered(kind)
            if self.is_there:
                self._right_again()
                take(answer)  # and ask on, maybe
                if not self.link.waits_for(f"{self.VIEW}.{kind}"):
                    self.hold.filled(kind)
            self.hold.release_if_nothing_is_awaited()

        def refused(line: str) -> None:
            self._refused(line)
            self._answered(kind)

        if awaited:
            self.hold.ask(kind, *fills)
        self.link.ask(f"{self.VIEW}.{kind}", make, taken, refused)

    def _answered(self, kind: str) -> None:
        self.hold.answered(kind)
        self.hold.release_if_nothing_is_awaited()

    def select(self, selection: Selection) -> None:
        """Look elsewhere, in every view and in the playground."""
        if selection != self.selection:
            self.selection = selection
            self.follow()
            self.context.select(selection)

    def look_through(self, layer: int, head: int) -> None:
        """Select a head; both numbers wrap around."""
        if self.link.card is not None:
            self.select(self.selection.on(layer, head, self.link.card.n_layer, self.link.card.n_head))

    def look_at(self, position: int) -> None:
        """Select a token; what lies beyond an end is brought to it."""
        self.select(self.selection.at(max(position, self.first), self.length))
        if position < self.first:
            gone, first = max(0, position) + 1, self.first + 1
            self.hints.say(f"Token {gone:,} has left the context: the first that the model sees is {first:,}.", "info")

    def announce(self, words: str) -> None:
        """What a view has to say of the change that it has asked for: at once, and not talked over when it is made."""
        self._announced = words, self.link.changes
        self.hints.say(words, "info")

    def wait(self, why: str) -> None:
        """What panes that have nothing to show say instead."""
        for pane in self.panes:
            pane.waiting = why

    def follow(self) -> None:
        """Show the selection of now, and ask for its numbers."""
        self.hold.begin()
        self.token_line.position = self.position
        self.mark()
        if self.link.card is None:
            self.wait(NO_MODEL)
        elif not self.length:
            self.wait(NO_TEXT)
        else:
            self.look()
        self.hold.release_if_nothing_is_awaited()

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """A layout paints all that it moves: the whole screen is not to be painted once more behind it."""
        repaint = repaint and not layout and self.hold.opened
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    @property
    def holding(self) -> bool:
        return self.hold.holding

    # ── The frame itself ─────────────────────────────────────────────────────────────────────────────────────────

    def compose(self) -> ComposeResult:
        yield self.header
        yield self.token_line
        yield self.deck
        yield self.hints
        yield self.tabs
        yield KeyBar()

    def on_mount(self) -> None:
        back: dict[str, Any] = self.link.kept.pop(COMING_BACK, {})
        back = back if back.get("view") == self.VIEW else {}
        take_back(self, self.SETTINGS, self.link.kept.get(SETTINGS, {}).get(self.VIEW))
        take_back(self, self.PLACES, back.get("places"))
        self.link.watchers.append(self._heard)
        self.set_class(self.app.size.height < self.FLAT_HEIGHT, "-flat")
        self._take_tokenizer(self.context.tokenizer)
        self._show_state("ready" if self.link.card is not None else "loading")
        self.wait(LOOKING)
        self._follow_text()
        self.set_interval(LIVE_S, self._keep_up)
        self.call_after_refresh(self._focus_again, back)

    def _focus_again(self, back: dict[str, Any]) -> None:
        """The pane that was worked with when the session was saved, as large as it was."""
        for n, pane in enumerate(self.panes):
            if pane.id and pane.id == back.get("focus"):
                self.deck.go(n)
                if back.get("maximized") == pane.id:
                    self.deck.zoom()

    def on_screen_resume(self) -> None:
        """It has been laid out; once its panes know their sizes, it may be painted."""
        self.call_later(self._answered, LAYOUT)

    def on_screen_suspend(self) -> None:
        self.hold.release()

    def on_unmount(self) -> None:
        self.hold.release()
        if self._heard in self.link.watchers:
            self.link.watchers.remove(self._heard)
        views.tidy_later(self.app.set_timer)

    def on_resize(self) -> None:
        self.set_class(self.app.size.height < self.FLAT_HEIGHT, "-flat")

    def _follow_text(self) -> None:
        self._epoch = 0 if self.link.snapshot is None else self.link.snapshot.epoch
        self.header.snapshot = self.token_line.snapshot = self.link.snapshot
        self.follow()

    def _take_tokenizer(self, tokenizer: Tokenizer | None) -> None:
        self.context = replace(self.context, tokenizer=tokenizer)
        self.token_line.tokenizer = tokenizer
        for pane in self.panes:
            pane.tokenizer = tokenizer

    def _keep_up(self) -> None:
        """Weights that change are looked at again."""
        live = self.link.under is not None and self.link.under[1] < 0
        if self.is_current and live and not self.link.busy:
            self.link.show()

    def _heard(self, message: Message) -> None:
        """What the link tells the playground."""
        if not self.is_there:
            return
        if isinstance(message, SnapshotArrived):
            changed = message.kind != "show" or message.snapshot.epoch != self._epoch
            self.selection = self.selection.newest() if message.new_text else self.selection
            if changed:
                self._follow_text()
            self._show_state("ready")
            if message.kind == "intervene":
                (words, changes), self._announced = self._announced, ("", ())
                told = words if words and changes == self.link.changes else ""
                self.hints.say(told or altered(message.snapshot.interventions), "info")
        elif isinstance(message, ModelOpened):
            self.header.card = message.opened.card
            self._take_tokenizer(Tokenizer.from_json(message.opened.tokenizer_json).bare(self.link.bare))
            self._show_state("ready")
            self._follow_text()
        elif isinstance(message, Refused):
            self._refused(message.line)
        elif isinstance(message, EngineReady):
            self._show_state("loading")
        elif isinstance(message, EngineSilent):
            self._said_wrong = True
            self.hints.say(message.line, "warning")
        elif isinstance(message, EngineLost):
            self._refused(f"{message.reason} · {'starting another one…' if message.restarting else 'escape goes back'}")
            self._show_state("restarting" if message.restarting else "stopped")

    def _show_state(self, state: str) -> None:
        self.header.engine_state = state

    def _refused(self, line: str) -> None:
        if self.is_there:
            self._said_wrong = True
            self.hints.say(line, "error")
            self.wait(line)

    def _right_again(self) -> None:
        if self._said_wrong:
            self._said_wrong = False
            self.hints.say("")

    def on_token_wanted(self, event: TokenWanted) -> None:
        self.look_at(event.position)

    def on_head_wanted(self, event: HeadWanted) -> None:
        self.look_through(event.layer, self.selection.head if event.head is None else event.head)

    async def on_tab_line_wanted(self, event: TabLine.Wanted) -> None:
        event.stop()
        await self.app.run_action(f"view('{views.VIEWS[event.index].id}')", self)

    async def on_prompt_editor_submitted(self, event: "PromptEditor.Submitted") -> None:
        event.stop()
        await self.writing.entered(event.text)

    async def on_prompt_editor_cancelled(self) -> None:
        await self.writing.left()

    # ── Keys ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a text is being written keys belong to it; of panes there are keys for those that there are."""
        there = action != "pane" or parameters[0] in range(1, len(self.panes) + 1)
        return there and not self.writing.has_keys

    def action_look(self, by: int) -> None:
        if self.length:
            self.look_at(self.position + by)

    def action_look_at(self, position: int) -> None:
        self.look_at(position if position >= 0 else self.length - 1)

    def action_layer(self, by: int) -> None:
        self.look_through(self.selection.layer + by, self.selection.head)

    def action_head(self, by: int) -> None:
        self.look_through(self.selection.layer, self.selection.head + by)

    def action_scrub(self, by: int) -> None:
        if not self.context.scrub(by):
            self.hints.say(NO_CHECKPOINTS, "info")

    def action_leave(self, then: str = "") -> None:
        """Back to the playground, and press a key there."""
        if self.deck.zoomed and not then:
            self.deck.zoom()
            return
        self.keep_settings()
        self.dismiss()
        if then:
            self.app.simulate_key(then)

    def action_view(self, view_id: str) -> None:
        """Another view in this one's place; the open one's own key leaves it."""
        self.keep_settings()
        if view_id == self.VIEW or not self.is_active:
            self.dismiss()
            return
        context = replace(self.context, snapshot=self.link.snapshot, selection=self.selection)
        self.app.switch_screen(views.by_id(view_id).make(context))
