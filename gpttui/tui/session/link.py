"""Wishes of the screen become requests to the engine: one in flight, the newest wish of a kind wins.

A step asked for while another step runs is dropped, so a key held down leaves nothing running after its release beyond
the step in flight. Settings and looks are coalesced, never lost. When the engine dies a new one is started and the
session is put back: text, choices, sampling, seed. No widget is touched from here; the screen gets messages.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import msgspec
from textual.message import Message

from gpttui.engine.client import EngineDied, EngineFailure
from gpttui.errors import UserError
from gpttui.interventions import Intervention, without_places
from gpttui.protocol import play as protocol
from gpttui.protocol import train as training
from gpttui.protocol.message import Answer, EngineInfo, Look, Request
from gpttui.protocol.play import Opened, Shown
from gpttui.records import ChatMessage, Conversation, ModelCard, Sampling, Snapshot, Told
from gpttui.tui.session.asking import Engine, Question, telling_of_silence
from gpttui.tui.session.messages import EngineLost, EngineReady, EngineSilent, ModelOpened, Refused, SnapshotArrived
from gpttui.tui.session.remembered import forget_model
from gpttui.tui.session.trail import Trail

STEPS = frozenset({"step", "back", "home"})
"""Kinds that are dropped, not queued, while one of them is in flight."""
NEW_TEXT = frozenset({"open", "prompt", "choose", "jump"})
"""Kinds that make waiting steps pointless."""


class SessionLink:
    """`look()` says what the panes show at the moment a request leaves; `post` hands a message to the screen."""

    def __init__(self, engine: Engine, look: Callable[[], Look], post: Callable[[Message], Any]) -> None:
        self.card: ModelCard | None = None
        self.snapshot: Snapshot | None = None
        self.prompt = ""
        self.conversation: Conversation | None = None
        """What the prompt is, where it is not just a text."""
        self.no_chat = ""
        """Why the open model cannot be talked to."""
        self.bare = False
        """The prompt is without the tokens that the tokenizer puts around a text."""
        self.sampling = Sampling()
        self.seed = 0
        self.changes: tuple[Intervention, ...] = ()
        """What the model is altered by, or will be as soon as the engine has heard of it."""
        self.under: tuple[str, int] | None = None
        """The run and step (-1: live) whose weights the text stands under; None: the opened model's own."""
        self.running = False
        self.steps_per_s = 0.0
        """While it runs by itself: at most so many tokens a second; 0: as fast as the model goes."""
        self._rest: asyncio.TimerHandle | None = None
        """Keep stepping until told otherwise."""
        self.listeners: list[Callable[[Answer], None]] = []
        """Called with every event of the engine that is not about the engine itself."""
        self.watchers: list[Callable[[Message], None]] = []
        """Called with every message that the screen gets: screens that lie above it follow the session too."""
        self.trail = Trail()
        self._engine, self._look, self._post_to_screen = engine, look, post
        self.kept: dict[str, Any] = {}
        """What views remember while they are closed, by the names that `remember` has given."""
        self.made: tuple[Intervention, ...] = ()
        """What the model is altered by as the engine last said."""
        self._picked: set[int] = set()
        self.opening_prompt: str | None = None
        """The text that the model is being opened with; None: its own."""
        self._opening: Question | None = None
        """The model that was asked for last; asked for again where no engine could open any yet."""
        self._pending: dict[str, Question] = {}
        self._in_flight = ""
        self._death: str | None = None
        self._in_vain = False
        """A new engine was started, and has answered nothing yet."""
        self._wake = asyncio.Event()
        engine.on_event, engine.on_death = self._event, self._died

    @property
    def busy(self) -> bool:
        return bool(self._in_flight or self._pending)

    def waits_for(self, kind: str) -> bool:
        return kind == self._in_flight or kind in self._pending

    # ── Wishes ───────────────────────────────────────────────────────────────────────────────────────────────────

    def open(
        self, path: str, prompt: str | None = None, sampling: Sampling | None = None, seed: int | None = None
    ) -> None:
        self.seed = self.seed if seed is None else seed
        self.sampling = sampling or replace(self.sampling, logit_bias=())  # of one vocabulary
        self._begin(protocol.OpenModel(path, prompt, self.sampling, self.seed))

    def resume(self, session: protocol.Restore, refused: Callable[[str], None]) -> None:
        """Open a model and put a saved session back, token for token; `refused` hears why that is not possible."""
        self.sampling, self.seed = session.sampling, session.seed
        self._begin(session, refused)

    def train(self, request: training.StartRun | training.ResumeRun) -> None:
        """Begin or go on with a run, and open the model that it trains."""
        self._begin(request)

    def _begin(
        self,
        request: protocol.OpenModel | protocol.Restore | training.StartRun | training.ResumeRun,
        refused: Callable[[str], None] | None = None,
    ) -> None:
        def make() -> Request:
            return msgspec.structs.replace(request, look=Look(top_k=self._look().top_k))

        def take(opened: Opened) -> None:
            self._opened(opened, request.prompt, request if isinstance(request, protocol.Restore) else None)

        self.opening_prompt = request.prompt
        self._opening = Question("open", make, take, refused or self._refused)
        self._wish(self._opening)

    def scrub(self, run: str, step: int, tokens: int) -> None:
        """The text under the weights of a run's checkpoint, or of the run itself (-1)."""

        def drawn_anew(_snapshot: Snapshot) -> None:
            self.under = run, step
            self._picked.clear()

        self._change("scrub", lambda: training.UseCheckpoint(run, step, tokens, self._look()), drawn_anew)

    def step(self) -> None:
        self._change("step", lambda: protocol.Step(look=self._newest()))

    def back(self) -> None:
        self._change("back", lambda: protocol.Back(False, look=self._newest()))

    def home(self) -> None:
        self._change("home", lambda: protocol.Back(True, look=self._newest()))

    def run(self) -> None:
        self.running = self.card is not None
        self.step()

    def stop(self) -> None:
        self.running = False

    def set_prompt(self, text: str, *, bare: bool | None = None) -> None:
        """Another text, `bare` or not as the one before unless it is told."""
        alone = self.bare if bare is None else bare

        def taken() -> None:
            self.prompt, self.bare, self.conversation = text, alone, None

        self._new_text(lambda: protocol.SetPrompt(text, alone, look=self._newest()), taken)

    def converse(self, messages: tuple[ChatMessage, ...]) -> None:
        """A conversation that the model is to answer."""
        self._new_text(lambda: protocol.SetChat(messages, look=self._newest()))

    def _new_text(self, make: Callable[[], Request], taken: Callable[[], None] = lambda: None) -> None:
        """Changes that name places of the old text go with it, as they do in the engine."""
        self.changes = kept = without_places(self.changes)

        def done(_: Snapshot) -> None:
            taken()
            self.made = without_places(self.made)

        def refused() -> None:
            self.changes = self.made if self.changes == kept else self.changes

        self._change("prompt", make, done, refused)

    def choose(self, position: int, token_id: int) -> None:
        self._change(
            "choose",
            lambda: protocol.Choose(position, token_id, look=self._newest()),
            lambda _: self._picked.add(position + 1),
        )

    def set_sampling(self, sampling: Sampling) -> None:
        self.sampling = sampling
        self._change("sampling", lambda: protocol.SetSampling(self.sampling, look=self._look()))

    def set_seed(self, seed: int) -> None:
        self.seed = seed
        self._change("seed", lambda: protocol.SetSeed(self.seed, look=self._look()))

    def toggle(self, change: Intervention) -> None:
        """Alter the model by one thing more, or no longer by it."""
        left = tuple(held for held in self.changes if held != change)
        self.alter(left if len(left) < len(self.changes) else (*left, change))

    def alter(self, changes: tuple[Intervention, ...]) -> None:
        """Alter the model by these and nothing else."""
        if self.card is not None and changes != self.changes:
            self.changes = changes

            def made(_snapshot: Snapshot) -> None:
                self.made = changes

            def refused() -> None:
                if self.changes == changes:
                    self.changes = self.made

            self._change("intervene", lambda: protocol.Intervene(changes, look=self._look()), made, refused)

    def jump(self, appended: list[int], picked: list[bool], draws: Sequence[Told] = ()) -> None:
        """Put another continuation behind the prompt."""

        def there(snapshot: Snapshot) -> None:
            self._picked = {snapshot.n_prompt + n for n, by_hand in enumerate(picked) if by_hand}

        self._change("jump", lambda: protocol.Jump(appended, picked, list(draws), look=self._newest()), there)

    @property
    def picked(self) -> list[bool]:
        """For each token behind the prompt: whether a person chose it."""
        if self.snapshot is None:
            return []
        return [n in self._picked for n in range(self.snapshot.n_prompt, len(self.snapshot.ids))]

    @property
    def turn_ended(self) -> bool:
        """Whether the model has drawn a token that ends its answer."""
        snapshot = self.snapshot
        if self.conversation is None or snapshot is None or snapshot.last_draw is None or snapshot.last_draw.picked:
            return False
        return int(snapshot.ids[-1]) in self.conversation.ends

    def show(self) -> None:
        self._change("show", lambda: protocol.Show(look=self._look()))

    def ask(
        self, kind: str, make: Callable[[], Request], take: Callable[[Any], None], refuse: Callable[[str], None]
    ) -> None:
        """What a view wants to know: `take` gets the answer, `refuse` the line that says why there is none.

        As with every wish, the newest of a kind replaces one that waits; `make` is called when it leaves.
        """
        self._wish(Question(kind, make, take, refuse, again=True))

    def _newest(self) -> Look:
        return msgspec.structs.replace(self._look(), position=-1)

    def _change(
        self,
        kind: str,
        make: Callable[[], Request],
        done: Callable[[Snapshot], None] = lambda _: None,
        undone: Callable[[], None] = lambda: None,
    ) -> None:
        """A wish about the session itself: `done` once it is so, `undone` where the engine says no."""

        def take(shown: Shown) -> None:
            self._keep(shown.snapshot)
            if shown.conversation is not None:
                self.prompt, self.conversation = shown.prompt or "", shown.conversation
            done(shown.snapshot)
            self.running = self.running and not self.turn_ended
            if kind != "show" or shown.snapshot.weights:
                self._trace(kind)
            self._post(SnapshotArrived(shown.snapshot, kind, new_text=kind in STEPS | NEW_TEXT))

        def refuse(line: str) -> None:
            undone()
            self._refused(line)

        self._wish(Question(kind, make, take, refuse))

    def _wish(self, question: Question) -> None:
        kind = question.kind
        if kind in STEPS and (self._in_flight in STEPS or self._pending.keys() & (STEPS | NEW_TEXT)):
            return
        if kind in NEW_TEXT:
            self.running = False
            for step in STEPS:
                self._pending.pop(step, None)
        if kind != "open" and self.card is None:
            if self._opening is None or self._engine.alive:
                return
            question = self._opening
        self._pending[question.kind] = question
        self._wake.set()

    def _refused(self, line: str) -> None:
        self.running = False
        self._post(Refused(line))

    def _trace(self, kind: str) -> None:
        """The trail hears of the text as it now is."""
        if self.card is not None and self.snapshot is not None:
            run = self.under[0] if self.snapshot.weights and self.under is not None else ""
            self.trail.follow(self.snapshot, kind, self.card.path, run, self.changes, self.picked)

    def _post(self, message: Message) -> None:
        self._post_to_screen(message)
        for watch in list(self.watchers):
            watch(message)

    # ── The one loop that talks ──────────────────────────────────────────────────────────────────────────────────

    async def serve(self) -> None:
        """Run for as long as the screen lives."""
        try:
            await self._engine.connect()
        except UserError as error:
            self._post(EngineLost(str(error), restarting=False))
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._pending or self._death:
                if self._death or not self._engine.alive:
                    if not await self._revive():
                        break
                else:
                    await self._send_next()

    async def _send_next(self) -> None:
        question = self._pending.pop(next(iter(self._pending)))
        self._in_flight, begun_s = question.kind, time.monotonic()
        end: Callable[[], None]
        try:
            with telling_of_silence(lambda silent_s: self._post(EngineSilent(silent_s))):
                end = partial(question.take, await self._engine.request(question.make()))
            self._in_vain = False
        except EngineFailure as error:
            end = partial(question.refuse, str(error))
        except EngineDied:
            end = partial(self._lose, question)
        finally:
            self._in_flight = ""
        end()
        if self.running and not self._pending:
            self._next_step(time.monotonic() - begun_s)

    def _next_step(self, took_s: float) -> None:
        """While it runs by itself: at once, or when the time of a token is over, of which `took_s` are."""
        if self._rest is not None:
            self._rest.cancel()
        rest_s = 1 / self.steps_per_s - took_s if self.steps_per_s else 0.0
        if rest_s > 0:
            self._rest = asyncio.get_running_loop().call_later(rest_s, self._rested)
        else:
            self.step()

    def _rested(self) -> None:
        if self.running:
            self.step()

    def _lose(self, question: Question) -> None:
        """The engine died over it."""
        self.running = False
        if question.again:
            question.again = False
            self._pending.setdefault(question.kind, question)

    def _opened(self, opened: Opened, prompt: str | None, resumed: protocol.Restore | None) -> None:
        """A model is open, on `prompt` (None: its own), or on what was saved."""
        if self.card is not None and opened.card.path != self.card.path:
            forget_model(self.kept)
        self.prompt = opened.card.prompt if prompt is None else prompt
        self.conversation = None if resumed is None else resumed.conversation
        self.bare = resumed is not None and resumed.bare
        self._picked.clear()
        self.changes = self.made = ()
        self.under = (opened.card.path, -1) if opened.snapshot.weights else None
        if resumed is not None:
            first = opened.snapshot.n_prompt
            self._picked = {first + n for n, by_hand in enumerate(resumed.picked) if by_hand}
            self.changes = self.made = resumed.changes
            self.under = (resumed.run, resumed.step) if resumed.run else None
        self._open(opened, restored=False)

    def _open(self, opened: Opened, *, restored: bool) -> None:
        self.card, self.no_chat = opened.card, opened.no_chat
        self.sampling, self.seed = opened.snapshot.sampling, opened.snapshot.seed
        self._keep(opened.snapshot)
        self._trace("open")
        self._post(ModelOpened(opened, restored))

    def _keep(self, snapshot: Snapshot) -> None:
        """Remember it, and forget choices that were taken back."""
        length = len(snapshot.ids)
        self._picked = {position for position in self._picked if position < length}
        self.snapshot = snapshot
        self.running = self.running and not snapshot.ended

    # ── The engine's life ────────────────────────────────────────────────────────────────────────────────────────

    def _event(self, answer: Answer) -> None:
        if isinstance(answer, EngineInfo):
            self._post(EngineReady(answer))
        else:
            for listener in self.listeners:
                listener(answer)

    def _died(self, reason: str) -> None:
        """Start anew by itself only what has worked since its last start; otherwise the next key press tries again."""
        self.running = False
        restarting = self._engine.info is not None and not self._in_vain
        self._post(EngineLost(reason, restarting))
        if restarting:
            self._death = reason
            self._wake.set()

    async def _revive(self) -> bool:
        """A new engine with the old session. False where it cannot be started."""
        self._death = None
        for step in STEPS:
            self._pending.pop(step, None)
        try:
            self._in_vain = True
            await self._engine.restart()
        except UserError as error:
            self._pending.clear()
            self._post(EngineLost(str(error), restarting=False))
            return False
        waiting, self._pending = self._pending, {}
        if "open" not in waiting:
            first = self._restoring() if self.snapshot is not None else self._opening
            self._pending |= {} if first is None else {first.kind: first}
        self._pending |= waiting
        return True

    def _restoring(self) -> Question:
        """Everything as it was before the engine died."""

        def make() -> Request:
            card, snapshot, look = self.card, self.snapshot, self._newest()
            assert card is not None and snapshot is not None
            appended = snapshot.ids[snapshot.n_prompt :].tolist()
            draws = self.trail.draws(self.trail.leaf)
            run, step = self.under or ("", -1)
            if step < 0:  # live weights died with the engine; the path of a run stands for its newest whole checkpoint
                run, self.under = "", None
            settings, chat = (self.sampling, self.seed), self.conversation
            return protocol.Restore(
                card.path,
                self.prompt,
                appended,
                self.picked,
                *settings,
                self.changes,
                draws,
                run,
                step,
                chat,
                self.bare,
                look=look,
            )

        def refused(line: str) -> None:
            if self.under is not None:  # no such checkpoint any more: the model's own weights
                self.under = None
                self._pending = {"restore": self._restoring()} | self._pending
            self._refused(line)

        return Question("restore", make, lambda opened: self._open(opened, restored=True), refused)
