"""The inside views and the training screen: the real program in a terminal, from outside.

Views: from a key to the last byte painted. Training: what an open screen costs a run, against the same run without one,
and how long a key waits for its token while the engine trains. Nothing inside gpttui is instrumented.
"""

import os
import re
import signal
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, perf_counter

from gpttui.bench.report import Progress, Row, silently
from gpttui.bench.terminal import Terminal
from gpttui.errors import UserError
from gpttui.runs import rundir
from gpttui.runs.events import StepDone
from gpttui.tokenizers import Tokenizer
from gpttui.tui.views.table import VIEWS
from tests.benchmarks.goals.startup import FIRST_NUMBERS
from tests.benchmarks.timing import quantile

VIEW_TOKENS = 64
ROUNDS = 12
ANSWERED_S = 0.25
"""Silence of so long says that no answer is still to be painted: what comes after it is not the key's doing."""
WORDS = "One day Mia put the key in the drawer and went to the garden. Later she looked for the key there. " * 8
EARLIER, LATER, ESCAPE, LAST, UP, DOWN, RIGHT = ",", ".", "\x1b", "\x1b[F", "\x1b[A", "\x1b[B", "\x1b[C"
MOVES = {"compare": "n"}
"""What moves the selection, where it is not the token before: two contexts go to the next word that they share."""
TO_THE_STEPS, MORE_STEPS = DOWN * 12, RIGHT * 3
TURNS, TURN_S = 9, 3.0
KEYS_WHILE_TRAINING = 40
NOTCHES = 12
_COUNT = re.compile(r"\d+/\d+")
"""The header's tokens of the context: painted anew when there is one more."""


# ── Views ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def view_rows(model_path: str, *, rounds: int = ROUNDS, tell: Progress = silently) -> list[Row]:
    """Each view over 64 tokens in 120 x 40 cells: opened, and with the selection moving."""
    tokenizer = Tokenizer.from_json((Path(model_path) / "tokenizer.json").read_text(encoding="utf-8"))
    prompt = tokenizer.decode(tokenizer.encode(WORDS)[:VIEW_TOKENS])
    rows = []
    with _playground("--model", model_path, "--prompt", prompt) as terminal:
        for view in VIEWS:
            tell(f"the view {view.title}, opened and moved in {rounds} times")
            opened_ms: list[float] = []
            moved_ms: list[float] = []
            for _ in range(rounds):
                opened_ms.append(terminal.press(view.key, quiet_s=ANSWERED_S) * 1e3)
                move = MOVES.get(view.id, EARLIER)
                moved_ms += [*_moved_ms(terminal, move), *_moved_ms(terminal, move)]
                _drain(terminal, 0.2)
                terminal.send(LAST)
                _drain(terminal, 0.2)
                terminal.press(ESCAPE)
                _drain(terminal, 0.3)  # a key right behind an escape would make one key with it
            first = f"the first time, its code still to be loaded: {opened_ms[0]:.0f} ms"
            name = f"{view.title}: open → painted, p95"
            rows.append(Row(name, quantile(opened_ms, 0.95), "ms", at_least=150, aim=60, note=first))
            name = f"{view.title}: selection moved → painted, p95"
            if not moved_ms:
                raise UserError(f"nothing moved in the view {view.title}")
            rows.append(Row(name, quantile(moved_ms, 0.95), "ms", at_least=50, aim=25, note=f"{len(moved_ms)} moves"))
    return rows


def _moved_ms(terminal: Terminal, key: str) -> list[float]:
    """One move; empty where nothing is left to move to."""
    try:
        return [terminal.press(key, answer_s=1, quiet_s=ANSWERED_S) * 1e3]
    except UserError:
        return []


def scroll_row(model_path: str, prompt: str, size: str) -> Row:
    """Going through the attention view of a long text, row by row."""
    with _playground("--model", model_path, "--prompt", prompt) as terminal:
        terminal.press("a", answer_s=60)
        terminal.settle(1.0, limit_s=30)
        took_ms = [terminal.press(UP) * 1e3 for _ in range(40)]
    return Row(f"attention view, {size}: scroll → painted, p95", quantile(took_ms, 0.95), "ms", at_least=50, aim=25)


@contextmanager
def _playground(*argv: str) -> Iterator[Terminal]:
    """gpttui in a terminal with its first prediction painted; quit by its own key at the end."""
    with Terminal(_gpttui(*argv)) as terminal:
        terminal.wait_for(lambda text: bool(FIRST_NUMBERS.search(text)), "a prediction")
        terminal.settle()
        yield terminal
        terminal.send("q")
        _drain(terminal, 2.0)


def _gpttui(*argv: str) -> list[str]:
    return [sys.executable, "-m", "gpttui", *argv]


@contextmanager
def _home(folder: str) -> Iterator[None]:
    """Runs, settings and logs of what is started here go into `folder`."""
    before = os.environ.get("GPTTUI_HOME")
    os.environ["GPTTUI_HOME"] = folder
    try:
        yield
    finally:
        del os.environ["GPTTUI_HOME"]
        if before is not None:
            os.environ["GPTTUI_HOME"] = before


# ── Training ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def training_rows(data: str, *, tell: Progress = silently) -> list[Row]:
    """A run of the form's default shape on text file `data`, under the training screen and under the playground.

    What a screen costs is told by stopping its process for seconds at a time (SIGSTOP) while the engine trains on: one
    run, in turns.
    """
    with tempfile.TemporaryDirectory() as home, _home(home), Terminal(_gpttui("--train", data)) as terminal:
        tell("a run under the form's defaults")
        terminal.wait_for(lambda text: "a step" in text, "what a step takes")
        terminal.send(TO_THE_STEPS + MORE_STEPS)
        _drain(terminal, 4.0)
        terminal.send("\r")
        steps = _Steps(Path(home))
        steps.wait_for(10, terminal)
        tell(f"what the training screen costs it, {2 * TURNS * TURN_S:.0f} s")
        dashboard = _slowdown(terminal, steps)
        terminal.send("e")
        _drain(terminal, 2.0)
        tell(f"what the playground costs it, {2 * TURNS * TURN_S:.0f} s")
        playground = _slowdown(terminal, steps)
        tell(f"{KEYS_WHILE_TRAINING} tokens while it trains, then {NOTCHES} notches through its checkpoints")
        took_ms = [_key_ms(terminal) for _ in range(KEYS_WHILE_TRAINING)]
        notches_ms = _scrubbed_ms(terminal)
        terminal.send("q")
        _drain(terminal, 3.0)
    rows = [
        Row(f"training slowed by {what}", 100 * (1 - open_rate / rate), "%", at_least=10, aim=3,
            note=f"{open_rate:.1f} steps a second with it, {rate:.1f} while it stands still")
        for what, (open_rate, rate) in (("the training screen", dashboard), ("the playground, 4 panes", playground))
    ]  # fmt: skip
    name = "key → new token painted while training"
    note = f"median {quantile(took_ms, 0.5):.0f} ms of {len(took_ms)} presses"
    rows.append(Row(f"{name}, p95", quantile(took_ms, 0.95), "ms", at_least=80, aim=40, note=note))
    note = f"median {quantile(notches_ms, 0.5):.0f} ms of {len(notches_ms)} notches"
    return [*rows, Row("scrubbing, a notch → painted, p95", quantile(notches_ms, 0.95), "ms", at_least=150, note=note)]


def _scrubbed_ms(terminal: Terminal) -> list[float]:
    """Stop the run; then, in the playground, from checkpoint to checkpoint and back: there may be few of them."""
    for key, for_s in (("e", 1.0), ("x", 4.0), (EARLIER, 2.0)):
        terminal.send(key)
        _drain(terminal, for_s)
    keys = (EARLIER, EARLIER, LATER, LATER) * (NOTCHES // 4)
    return [terminal.press(key, quiet_s=ANSWERED_S) * 1e3 for key in keys]


class _Steps:
    """Counts the steps that the one run under a home has recorded."""

    def __init__(self, home: Path) -> None:
        self.home, self.count = home, 0
        self._tail: rundir.EventTail | None = None

    def now(self) -> int:
        if self._tail is None and (found := sorted(self.home.rglob("events.jsonl"))):
            self._tail = rundir.EventTail(found[0].parent)
        while self._tail is not None and (events := self._tail.read()):
            self.count += sum(isinstance(event, StepDone) for event in events)
        return self.count

    def wait_for(self, count: int, terminal: Terminal, limit_s: float = 120) -> None:
        end_s = monotonic() + limit_s
        while self.now() < count:
            _drain(terminal, 0.5)
            if monotonic() > end_s:
                raise UserError(
                    f"no training started within {limit_s:.0f} s: " + " ".join(terminal.text()[-300:].split())
                )


def _slowdown(terminal: Terminal, steps: _Steps) -> tuple[float, float]:
    """Steps a second with the screen at work and with its process stopped, in turns: medians, each turn by itself
    wanders by a tenth."""
    rates: tuple[list[float], list[float]] = [], []
    for turn in range(2 * TURNS):
        stopped = turn % 2
        if stopped:
            os.kill(terminal.child.pid, signal.SIGSTOP)
        began_s, first = perf_counter(), steps.now()
        _drain(terminal, TURN_S)
        rates[stopped].append((steps.now() - first) / (perf_counter() - began_s))
        if stopped:
            os.kill(terminal.child.pid, signal.SIGCONT)
            _drain(terminal, 1.0)
    return statistics.median(rates[0]), statistics.median(rates[1])


def _key_ms(terminal: Terminal) -> float:
    """From space to the header that counts one token more."""
    _drain(terminal, 0.37)
    before, pressed_s = terminal.written, perf_counter()
    terminal.send(" ")
    terminal.wait_for(lambda text: bool(_COUNT.search(text)), "another token", since=before, limit_s=10)
    return (perf_counter() - pressed_s) * 1e3


def _drain(terminal: Terminal, for_s: float) -> None:
    """Let the screen be painted for so long."""
    end_s = monotonic() + for_s
    while (left_s := end_s - monotonic()) > 0:
        terminal.read(left_s)
