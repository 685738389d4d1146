"""Wishes of the screen become requests to the engine: one in flight, the newest wish of a kind wins.

A step asked for while another step runs is dropped, so a key held down leaves nothing running after its release beyond
the step in flight. Settings and looks are coalesced, never lost. When the engine dies a new one is started and the
session is put back: text, choices, sampling, seed. No widget is touched from here; the screen gets messages.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec
from textual.message import Message

from gpttui.engine.client import EngineDied, EngineFailure
from gpttui.errors import UserError
from gpttui.interventions import Intervention
from gpttui.protocol import frames as protocol
from gpttui.protocol.frames import Answer, EngineInfo, Look, Opened, Request, Shown
from gpttui.records import ModelCard, Sampling, Snapshot, Told
from gpttui.tui.session.messages import EngineLost, EngineReady, ModelOpened, Refused, SnapshotArrived
from gpttui.tui.session.trail import Trail

STEPS = frozenset({"step", "back", "home"})
"""Kinds that are dropped, not queued, while one of them is in flight."""
NEW_TEXT = frozenset({"open", "prompt", "choose", "jump"})
"""Kinds that make waiting steps pointless."""
OF_A_MODEL = ("compare", "compare.marks", "vectors", "walk")
"""What views remember in the words or the ids of one model: forgotten when another is opened."""


class Engine(Protocol):
    """What the link needs of `EngineClient`; tests bring their own."""

    info: EngineInfo | None
    on_event: Callable[[Answer], None]
    on_death: Callable[[str], None]

    @property
    def alive(self) -> bool: ...
    async def connect(self) -> None: ...
    async def request(self, request: Request) -> Answer: ...
    async def restart(self) -> None: ...
    async def close(self) -> None: ...


class SessionLink:
    """`look()` says what the panes show at the moment a request leaves; `post` hands a message to the screen."""

    def __init__(self, engine: Engine, look: Callable[[], Look], post: Callable[[Message], Any]) -> None:
        self.card: ModelCard | None = None
        self.snapshot: Snapshot | None = None
        self.prompt = ""
        self.sampling = Sampling()
        self.seed = 0
        self.changes: tuple[Intervention, ...] = ()
        """What the model is altered by, or will be as soon as the engine has heard of it."""
        self.under: tuple[str, int] | None = None
        """The run and step (-1: live) whose weights the text stands under; None: the opened model's own."""
        self.running = False
        """Keep stepping until told otherwise."""
        self.listeners: list[Callable[[Answer], None]] = []
        """Called with every event of the engine that is not about the engine itself."""
        self.watchers: list[Callable[[Message], None]] = []
        """Called with every message that the screen gets: screens that lie above it follow the session too."""
        self.trail = Trail(self)
        self.watchers.append(self.trail.heard)
        self._engine, self._look, self._post_to_screen = engine, look, post
        self.kept: dict[str, Any] = {}
        """What views remember while they are closed, by their ids."""
        self._takers: dict[str, tuple[Callable[[Any], None], Callable[[str], None]]] = {}
        self._held: tuple[Intervention, ...] = ()
        self._picked: set[int] = set()
        self._chosen, self._written = -1, ""
        self._opening: protocol.OpenModel | None = None
        self._resuming: protocol.Restore | None = None
        self._jump: tuple[list[int], list[bool]] = ([], [])
        self._scrubbed: tuple[str, int] | None = None
        self._pending: dict[str, Callable[[], Request]] = {}
        self._in_flight = ""
        self._death: str | None = None
        self._wake = asyncio.Event()
        engine.on_event, engine.on_death = self._event, self._died

    @property
    def busy(self) -> bool:
        return bool(self._in_flight or self._pending)

    @property
    def opening_prompt(self) -> str | None:
        """The text that the model is being opened with; None: its own."""
        return None if self._opening is None else self._opening.prompt

    # ── Wishes ───────────────────────────────────────────────────────────────────────────────────────────────────

    def open(
        self, path: str, prompt: str | None = None, sampling: Sampling | None = None, seed: int | None = None
    ) -> None:
        self.seed = self.seed if seed is None else seed
        self.sampling = sampling or self.sampling
        self._opening = protocol.OpenModel(path, prompt, Look(), self.sampling, self.seed)
        self._resuming = None
        self._wish("open", self._open_request)

    def resume(self, session: protocol.Restore) -> None:
        """Open a model and put a saved session back, token for token."""
        self.open(session.path, session.prompt, session.sampling, session.seed)
        self._resuming = session

    def _open_request(self) -> Request:
        assert self._opening is not None
        return msgspec.structs.replace(self._resuming or self._opening, look=Look(top_k=self._look().top_k))

    def train(self, request: protocol.StartRun | protocol.ResumeRun) -> None:
        """Begin or go on with a run, and open the model that it trains."""
        self._opening = protocol.OpenModel(request.path, request.prompt, Look(), request.sampling, request.seed)
        self._wish("open", lambda: msgspec.structs.replace(request, look=Look(top_k=self._look().top_k)))

    def scrub(self, run: str, step: int, tokens: int) -> None:
        """The text under the weights of a run's checkpoint, or of the run itself (-1)."""

        def make() -> Request:
            self._scrubbed = run, step
            return protocol.UseCheckpoint(run, step, tokens, self._look())

        self._wish("scrub", make)

    def step(self) -> None:
        self._wish("step", lambda: protocol.Step(self._newest()))

    def back(self) -> None:
        self._wish("back", lambda: protocol.Back(False, self._newest()))

    def home(self) -> None:
        self._wish("home", lambda: protocol.Back(True, self._newest()))

    def run(self) -> None:
        self.running = self.card is not None
        self.step()

    def stop(self) -> None:
        self.running = False

    def set_prompt(self, text: str) -> None:
        self._written = text
        self._wish("prompt", lambda: protocol.SetPrompt(self._written, self._newest()))

    def choose(self, position: int, token_id: int) -> None:
        self._chosen = position + 1
        self._wish("choose", lambda: protocol.Choose(position, token_id, self._newest()))

    def set_sampling(self, sampling: Sampling) -> None:
        self.sampling = sampling
        self._wish("sampling", lambda: protocol.SetSampling(self.sampling, self._look()))

    def set_seed(self, seed: int) -> None:
        self.seed = seed
        self._wish("seed", lambda: protocol.SetSeed(self.seed, self._look()))

    def toggle(self, change: Intervention) -> None:
        """Alter the model by one thing more, or no longer by it."""
        left = tuple(held for held in self.changes if held != change)
        self.alter(left if len(left) < len(self.changes) else (*left, change))

    def alter(self, changes: tuple[Intervention, ...]) -> None:
        """Alter the model by these and nothing else."""
        if self.card is not None and changes != self.changes:
            self.changes = changes
            self._wish("intervene", lambda: protocol.Intervene(self.changes, self._look()))

    def jump(self, appended: list[int], picked: list[bool], draws: Sequence[Told] = ()) -> None:
        """Put another continuation behind the prompt."""
        self._jump = appended, picked
        self._wish("jump", lambda: protocol.Jump(appended, picked, self._newest(), list(draws)))

    @property
    def picked(self) -> list[bool]:
        """For each token behind the prompt: whether a person chose it."""
        if self.snapshot is None:
            return []
        return [n in self._picked for n in range(self.snapshot.n_prompt, len(self.snapshot.ids))]

    def show(self) -> None:
        self._wish("show", lambda: protocol.Show(self._look()))

    def ask(
        self, kind: str, make: Callable[[], Request], take: Callable[[Any], None], refuse: Callable[[str], None]
    ) -> None:
        """What a view wants to know: `take` gets the answer, `refuse` the line that says why there is none.

        As with every wish, the newest of a kind replaces one that waits; `make` is called when it leaves.
        """
        self._takers[kind] = (take, refuse)
        self._wish(kind, make)

    def _newest(self) -> Look:
        look = self._look()
        return Look(-1, look.layer, look.head, look.top_k, look.have_rows, look.have_epoch)

    def _wish(self, kind: str, make: Callable[[], Any]) -> None:
        if kind in STEPS and (self._in_flight in STEPS or self._pending.keys() & (STEPS | NEW_TEXT)):
            return
        if kind in NEW_TEXT:
            self.running = False
            for step in STEPS:
                self._pending.pop(step, None)
        if kind != "open" and self.card is None:
            if self._opening is None or self._engine.alive:
                return
            kind, make = "open", self._open_request
        self._pending[kind] = make
        self._wake.set()

    def _post(self, message: Message) -> None:
        self._post_to_screen(message)
        for watch in list(self.watchers):
            watch(message)

    # ── The one loop that talks ──────────────────────────────────────────────────────────────────────────────────

    async def serve(self) -> None:
        """Run for as long as the screen lives."""
        await self._connect()
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._pending or self._death:
                if self._death or not self._engine.alive:
                    if not await self._revive():
                        break
                else:
                    await self._send_next()

    async def _connect(self) -> None:
        try:
            await self._engine.connect()
        except UserError as error:
            self._post(EngineLost(str(error), restarting=False))

    async def _send_next(self) -> None:
        kind = next(iter(self._pending))
        make = self._pending.pop(kind)
        self._in_flight = kind
        try:
            answer = await self._engine.request(make())
        except EngineFailure as error:
            if kind in self._takers:
                self._takers[kind][1](str(error))
            else:
                self.running = False
                if kind == "intervene":
                    self.changes = self._held
                elif (
                    kind == "restore" and self.under is not None
                ):  # no such checkpoint any more: the model's own weights
                    self.under = None
                    self._pending = {kind: self._restoring} | self._pending
                self._post(Refused(str(error)))
        except EngineDied:
            self.running = False
        else:
            self._take(kind, answer)
        finally:
            self._in_flight = ""
        if self.running and not self._pending:
            self.step()

    def _take(self, kind: str, answer: Answer) -> None:
        if kind in self._takers:
            self._takers[kind][0](answer)
        elif isinstance(answer, Opened):
            self._opened(answer, restored=kind == "restore")
        elif isinstance(answer, Shown):
            self._keep(answer.snapshot)
            if kind == "intervene":
                self._held = self.changes
            elif kind == "choose":
                self._picked.add(self._chosen)
            elif kind == "prompt":
                self.prompt = self._written
            elif kind == "scrub":
                self.under = self._scrubbed
            elif kind == "jump":
                first, (_, picked) = answer.snapshot.n_prompt, self._jump
                self._picked = {first + n for n, by_hand in enumerate(picked) if by_hand}
            self._post(SnapshotArrived(answer.snapshot, kind, new_text=kind in STEPS | NEW_TEXT))

    def _opened(self, opened: Opened, restored: bool) -> None:
        if self.card is not None and opened.card.path != self.card.path:
            for name in OF_A_MODEL:
                self.kept.pop(name, None)
        asked = self._opening.prompt if self._opening is not None else None
        if not restored:
            self.prompt = opened.card.prompt if asked is None else asked
            self._picked.clear()
            self.changes = self._held = ()
            self.under = (opened.card.path, -1) if opened.snapshot.weights else None
            if self._resuming is not None:
                first, picked = opened.snapshot.n_prompt, self._resuming.picked
                self._picked = {first + n for n, by_hand in enumerate(picked) if by_hand}
                self.changes = self._held = self._resuming.changes
                self.under = (self._resuming.run, self._resuming.step) if self._resuming.run else None
                self._resuming = None
        self.card = opened.card
        self.sampling, self.seed = opened.snapshot.sampling, opened.snapshot.seed
        self._keep(opened.snapshot)
        self._post(ModelOpened(opened, restored))

    def _keep(self, snapshot: Snapshot) -> None:
        """Remember it, and forget choices that were taken back."""
        length = len(snapshot.ids)
        self._picked = {position for position in self._picked if position < length}
        self.snapshot = snapshot

    # ── The engine's life ────────────────────────────────────────────────────────────────────────────────────────

    def _event(self, answer: Answer) -> None:
        if isinstance(answer, EngineInfo):
            self._post(EngineReady(answer))
        else:
            for listener in self.listeners:
                listener(answer)

    def _died(self, reason: str) -> None:
        """Start anew by itself only what had once worked; otherwise the next key press tries again."""
        self.running = False
        restarting = self._engine.info is not None
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
            await self._engine.restart()
        except UserError as error:
            self._pending.clear()
            self._post(EngineLost(str(error), restarting=False))
            return False
        waiting, self._pending = self._pending, {}
        if "open" not in waiting:
            self._pending["restore"] = self._restoring
        self._pending |= waiting
        return True

    def _restoring(self) -> Request:
        if self.card is None or self.snapshot is None:
            return self._open_request()
        appended = [int(i) for i in self.snapshot.ids[self.snapshot.n_prompt :]]
        card, look = self.card, self._newest()
        picked, changes = self.picked, self.changes
        draws = self.trail.draws(self.trail.leaf)
        run, step = self.under or ("", -1)
        if step < 0:  # live weights died with the engine; the path of a run stands for its newest whole checkpoint
            run, self.under = "", None
        return protocol.Restore(
            card.path, self.prompt, appended, picked, self.sampling, self.seed, look, changes, draws, run, step
        )
