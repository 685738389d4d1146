"""The playground: four panes on one session. Keys become wishes of the session link, snapshots become panes.

The screen joins the panes, which do not know each other, and holds the selection they share. It decides nothing about
the model: what a step is, what may be taken back, what a setting means, is the engine's business.
"""

import asyncio
import gc
import random
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType

from gpttui.protocol.message import Look
from gpttui.records import Snapshot
from gpttui.tui import keys, ladders
from gpttui.tui.late import load_now
from gpttui.tui.pace import Pace
from gpttui.tui.renderables.labels import quoted_label, so_many
from gpttui.tui.screens.coming_back import ComingBack
from gpttui.tui.screens.early import early
from gpttui.tui.screens.train_door import TrainDoor
from gpttui.tui.selection import Selection
from gpttui.tui.session.asking import Engine
from gpttui.tui.session.chat import ANSWER, Chat
from gpttui.tui.session.hints import NO_CHECKPOINTS, Seen, altered, far, hint
from gpttui.tui.session.link import SessionLink
from gpttui.tui.session.loading import OnItsWay
from gpttui.tui.session.messages import EngineLost, EngineReady, EngineSilent, ModelOpened, Refused, SnapshotArrived
from gpttui.tui.session.opening import Opening
from gpttui.tui.session.running import Running
from gpttui.tui.session.sharing import SessionScreen
from gpttui.tui.session.train_link import TrainLink
from gpttui.tui.views import table as views
from gpttui.tui.widgets.attention import AttentionPane
from gpttui.tui.widgets.deck import PaneDeck
from gpttui.tui.widgets.hint_bar import HintBar
from gpttui.tui.widgets.key_bar import KeyBar
from gpttui.tui.widgets.loss import LossPane
from gpttui.tui.widgets.next_token import NextTokenPane
from gpttui.tui.widgets.pane import TokenWanted
from gpttui.tui.widgets.scrubber import Scrubber
from gpttui.tui.widgets.status_header import StatusHeader
from gpttui.tui.widgets.tokens import COLOUR_MODES, TokensPane
from gpttui.tui.widgets.writing import Writing

if TYPE_CHECKING:
    from gpttui.tokenizers import Tokenizer
    from gpttui.tui.widgets.prompt_editor import PromptEditor

SEEDS = 10_000
"""New seeds are drawn below it: short enough to note down."""


class PlayScreen(SessionScreen):
    """One model, one text, four ways to look at it."""

    AUTO_FOCUS = "#tokens"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.PLAYGROUND, *(view.binding() for view in (*views.VIEWS, views.STEP))]

    def __init__(self, engine: Engine, opening: Opening) -> None:
        super().__init__()
        self.opening = opening
        self._death = ""
        """What became of the engine before this one, and where its log is."""
        self.selection = Selection()
        self.seen = Seen()
        self.link = SessionLink(engine, self._look, self.post_message)
        self.on_its_way = OnItsWay(engine, self.link, partial(self.call_later, self._loads))
        self.training = TrainLink(engine, self.link)
        self.scrubber = Scrubber(id="scrubber")
        self.tokens = TokensPane(id="tokens")
        self.next = NextTokenPane(id="next")
        self.attention = AttentionPane(id="attention")
        self.loss = LossPane(id="loss")
        self.deck = PaneDeck((self.tokens, self.next, self.attention, self.loss))
        self.header = StatusHeader()
        self.pace = Pace(opening.numbers_rest_s, self.set_timer)
        self.hints = HintBar()
        learning = self.tokens, self.loss
        self.door = TrainDoor(self, self.training, learning, self.scrubber, self.hints, opening.numbers_rest_s)
        self.runner = Running(self, self.link, self.hints, self._run_changed, opening.run_per_s)
        self.writing = Writing(self, self.hints, self._written)
        self.chat = Chat(self.link, self.tokens, self.writing, self.hints)
        panes = self.deck, self.tokens, self.attention
        self.back = ComingBack(self.link, opening, panes, self.hints, self.select, self._wait, self._open_view)

    def compose(self) -> ComposeResult:
        yield self.header
        yield self.deck
        yield self.scrubber
        yield self.hints
        yield KeyBar()

    def on_mount(self) -> None:
        self.tokens.colour_mode = self.opening.colour_mode
        self._hint()
        for notice in self.opening.notices:
            self.notify(notice, severity="warning", markup=False)
        if self.opening.session is not None:
            self.back.begin(self.opening.session)
        else:
            self.link.open(self.opening.model, self.opening.prompt, self.opening.sampling, self.opening.seed)
        self.call_after_refresh(self._first_picture_stands)
        self.door.open(self.opening)

    async def _first_picture_stands(self) -> None:
        """What it did without: the engine, numpy and the prompt's tokens, the search for garbage."""
        gc.enable()
        self.run_worker(self.link.serve())
        await asyncio.sleep(0)  # the engine is started: it loads PyTorch by itself
        load_now("numpy")
        found = early(self.opening.model, self.link.opening_prompt)
        if found is not None and self.link.snapshot is None:
            self.tokens.token_view, self.tokens.tokenizer = found.token_view, found.tokenizer
            self.tokens.prompt = found.prompt

    def _look(self) -> Look:
        here, square = self.selection, self.attention
        return Look(here.position, here.layer, here.head, self.next.rows_wanted, square.have_rows, square.have_epoch)

    def select(self, selection: Selection) -> None:
        """Look elsewhere: panes mark the place at once, its numbers follow from the engine."""
        if selection != self.selection:
            self.selection = selection
            self._mark()
            self.link.show()

    def _mark(self) -> None:
        position = self.selection.index(self._length)
        self.tokens.position = self.attention.position = position
        self.attention.layer_index, self.attention.head_index = self.selection.layer, self.selection.head

    @property
    def _length(self) -> int:
        return 0 if self.link.snapshot is None else len(self.link.snapshot.ids)

    def on_token_wanted(self, event: TokenWanted) -> None:
        self.select(self.selection.at(event.position, self._length))

    @on(NextTokenPane.RowsChanged)
    def _rows_changed(self) -> None:
        self.link.show()

    def action_look(self, by: int) -> None:
        self.select(self.selection.at(self.selection.index(self._length) + by, self._length))

    def _look_through(self, layer: int, head: int) -> None:
        card = self.link.card
        if card is not None:
            self.seen = self.seen.after("head")
            self.select(self.selection.on(layer, head, card.n_layer, card.n_head))

    def action_head(self, by: int) -> None:
        self._look_through(self.selection.layer, self.selection.head + by)

    def action_layer(self, by: int) -> None:
        self._look_through(self.selection.layer + by, self.selection.head)

    def action_colour(self) -> None:
        at = COLOUR_MODES.index(self.tokens.colour_mode)
        self.tokens.colour_mode = COLOUR_MODES[(at + 1) % len(COLOUR_MODES)]

    def on_key(self, event: events.Key) -> None:
        self.runner.key(event)

    def action_to_prompt(self) -> None:
        self.link.home()

    def action_run(self) -> None:
        if self.goes_on():
            self.runner.begin()

    def _run_changed(self, running: bool) -> None:
        self._state()
        if not running:
            self._hint()

    def action_new_seed(self) -> None:
        self.link.set_seed(random.randrange(SEEDS))

    def action_stage(self, field: str, up: bool) -> None:
        if self.link.card is not None:
            self.link.set_sampling(ladders.turned(self.link.sampling, field, up, self.link.card.vocab_size))

    def action_sampling(self) -> None:
        from gpttui.tui.session.sampling_dialog import SamplingScreen

        if self.link.card is not None:
            self.app.push_screen(SamplingScreen(self.link, self.tokens.tokenizer))

    @on(NextTokenPane.Biased)
    def _biased(self, event: NextTokenPane.Biased) -> None:
        self.link.set_sampling(ladders.biased(self.link.sampling, event.token_id, event.by))

    @on(NextTokenPane.Picked)
    def _picked(self, event: NextTokenPane.Picked) -> None:
        self.link.choose(event.position, event.token_id)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a prompt is being written keys belong to it, those that write nothing too."""
        return not self.writing.has_keys and (action != "leave_opening" or self.on_its_way.going_on)

    async def action_edit_prompt(self) -> None:
        if self.writing.going_on:
            self.writing.go_on()
            return
        self.link.stop()
        await self.chat.edit()
        self.hints.say("Enter takes this text, escape cancels.", "info")

    async def on_prompt_editor_other_mode(self, event: "PromptEditor.OtherMode") -> None:
        event.stop()
        await self.chat.turn()

    def on_prompt_editor_changed(self, event: "PromptEditor.Changed") -> None:
        self.chat.draft(event.text)

    async def on_prompt_editor_submitted(self, event: "PromptEditor.Submitted") -> None:
        await self.writing.entered(event.text)

    async def on_prompt_editor_cancelled(self) -> None:
        await self.writing.left()

    def action_start_token(self) -> None:
        """Its attention often rests there: what is it without?"""
        tokenizer = self.tokens.tokenizer
        if tokenizer is not None and not tokenizer.bare(False).prompt(""):
            self.hints.say("This model's tokenizer puts no token before a text.", "info")
        elif tokenizer is not None:
            self.link.set_prompt(self.link.prompt, bare=not self.link.bare)

    def _written(self) -> None:
        self.tokens.draft = None
        self._hint()

    def action_models(self) -> None:
        from gpttui.tui.screens.models import ModelsScreen, Wanted

        def open_it(wanted: Wanted | None) -> None:
            if wanted is not None:
                self.hints.say(f"Opening {wanted.path} …", "info")
                self.link.open(wanted.path, wanted.prompt)

        here = self.opening.model if self.link.card is None else self.link.card.path
        self.app.push_screen(ModelsScreen(here), open_it)

    def action_train(self) -> None:
        self.door.go()

    def action_scrub(self, by: int) -> None:
        if not self.door.scrub(by):
            self.hints.say(NO_CHECKPOINTS, "info")

    def on_scrubber_wanted(self, event: Scrubber.Wanted) -> None:
        event.stop()
        self.door.scrub_to(event.step)

    def on_screen_resume(self) -> None:
        self.door.keep_up()

    def state(self) -> dict[str, Any]:
        return {
            "pane": self.deck.current.id,
            "zoomed": self.deck.zoomed,
            "colour_mode": self.tokens.colour_mode,
            "overview": self.attention.overview,
        }

    def _open_view(self, view_id: str) -> None:
        self.run_worker(self.app.run_action(f"view('{view_id}')", self))

    def action_view(self, view_id: str) -> None:
        context = views.ViewContext(
            self.link, self.tokens.tokenizer, self.link.snapshot, self.selection, self.select, self.door.scrub
        )
        self.app.push_screen(views.by_id(view_id).make(context))

    def action_copy_all(self) -> None:
        """The app's clipboard by OSC 52, which reaches the person's own machine over SSH too."""
        snapshot, tokenizer = self.link.snapshot, self.tokens.tokenizer
        if snapshot is not None and tokenizer is not None:
            self.app.copy_to_clipboard(tokenizer.decode(snapshot.ids.tolist()))
            self.hints.say(f"Copied the text: {so_many(len(snapshot.ids))}.", "info")

    @on(ModelOpened)
    def _opened(self, event: ModelOpened) -> None:
        from gpttui.tokenizers import Tokenizer

        opened, card = event.opened, event.opened.card
        self.tokens.token_view = card.token_view
        self.attention.n_layer, self.attention.n_head = card.n_layer, card.n_head
        self._split_by(Tokenizer.from_json(opened.tokenizer_json))
        self.loss.history, self.header.card = opened.history, card
        self.loss.waiting = "this model came without a record of its training"
        self.door.run_opened(card)
        if not event.restored:
            self.selection = Selection().on(self.selection.layer, self.selection.head, card.n_layer, card.n_head)
        self._repaint(opened.snapshot)
        before = f" Before that, {self._death}" if self._death else ""
        back = self.door.interrupted_words or f"The engine was started again; your text and settings are back.{before}"
        said = "; ".join(opened.notes) or far(opened.snapshot, opened.history, card)
        self._hint(back if event.restored else said)
        self.back.opened(opened)
        self.call_after_refresh(self.refresh_bindings)
        self.call_after_refresh(self.run_worker, partial(asyncio.to_thread, views.load_all))

    def _split_by(self, tokenizer: "Tokenizer") -> None:
        for pane in (self.tokens, self.next, self.attention):
            pane.tokenizer = tokenizer.bare(self.link.bare)

    @on(SnapshotArrived)
    def _arrived(self, event: SnapshotArrived) -> None:
        if event.new_text:
            self.selection = self.selection.newest()
        self.seen = self.seen.after(event.kind)
        before = () if self.tokens.snapshot is None else self.tokens.snapshot.interventions
        gone = [words for words in before if words not in event.snapshot.interventions]
        if event.kind == "scrub" and not self.link.waits_for("scrub"):
            self.door.mark_weights()
        tokenizer = self.tokens.tokenizer
        if event.kind == "prompt" and tokenizer is not None and tokenizer.is_bare != self.link.bare:
            self._split_by(tokenizer)
        self._repaint(event.snapshot, resting=event.kind == "step")
        if event.kind == "intervene":
            self.hints.say(altered(event.snapshot.interventions), "info")
        elif event.kind == "prompt" and gone:
            self.hints.say(f"Undone with the old text: {'; '.join(gone)}.", "info")
        elif event.kind == "step" and self.link.turn_ended:
            self.hints.say(self.chat.ended, "info")
        elif event.snapshot.ended and event.kind == "step":
            self.goes_on(f"with {quoted_label(self.tokens.tokenizer, int(event.snapshot.ids[-1]))}")
        elif not self.link.running and event.kind not in ("show", "scrub"):
            is_far = far(event.snapshot, self.loss.history, self.header.card)
            self._hint("" if event.kind != "prompt" else is_far if self.link.conversation is None else ANSWER)

    def _repaint(self, snapshot: Snapshot, *, resting: bool = False) -> None:
        """The text at once; numbers too, unless they are to rest between steps (which only ever add rows to a square,
        so that leaving one out loses nothing)."""
        self.tokens.snapshot = snapshot

        def numbers() -> None:
            self.next.snapshot = self.attention.snapshot = self.header.snapshot = snapshot

        self.pace.rested(numbers) if resting else self.pace.at_once(numbers)
        self._mark()
        self._state()

    @on(Refused)
    def _refused(self, event: Refused) -> None:
        self.hints.say(event.line, "error")
        self.training.refused(event.line)
        self.door.mark_weights()
        self._state()
        self.call_after_refresh(self.refresh_bindings)
        if self.link.snapshot is None:
            self.tokens.prompt = ""
            self._wait("no model is open: press m")

    @on(EngineReady)
    def _ready(self) -> None:
        self._state("loading")  # PyTorch is there, the model is not yet
        self._wait("loading the model…")

    def _loads(self, so_far: str) -> None:
        self._state(so_far)
        self._wait(f"opening the model: {so_far} · escape cancels")
        self.refresh_bindings()

    def action_leave_opening(self) -> None:
        self.run_worker(self.on_its_way.leave())

    @on(EngineSilent)
    def _silent(self, event: EngineSilent) -> None:
        self.hints.say(event.line, "warning")

    @on(EngineLost)
    def _lost(self, event: EngineLost) -> None:
        self._death = event.reason
        after = "starting another one…" if event.restarting else "press space to start it again"
        self.hints.say(f"{event.reason} · {after}", "error")
        self.training.lost()
        self._state("restarting" if event.restarting else "stopped")
        self._wait("the engine has stopped: press space to start it again")

    def _wait(self, why: str) -> None:
        for pane in (self.tokens, self.next, self.attention, self.loss):  # where they have nothing to show
            pane.waiting = why

    def _state(self, state: str = "") -> None:
        self.header.engine_state = state or ("running" if self.link.running else "ready")

    def _hint(self, instead: str = "") -> None:
        if not self.writing.going_on:
            self.hints.say(instead or hint(self.seen), "info" if instead else "hint")
