"""gpttui on its real engine in any of the states below, so that it can be closed there, and what is left of it then."""

import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from gpttui.runs import rundir
from gpttui.runs.events import StepDone
from tests.terminal.pty_app import Terminal, terminal

LIMIT_S = 3.0
OPEN = "Next token · after"
WORDS = "the king and queen of ink sat down to think while rain fell on the town".split()
Enter = Callable[[Terminal], object]


class State(NamedTuple):
    enter: Enter
    trains: bool = False
    """It begins at the form of a run."""


def then(*keys: str) -> Enter:
    """The playground, and these keys at once."""

    def enter(page: Terminal) -> None:
        page.until_text(OPEN)
        for key in keys:
            page.press(key)

    return enter


def shows(keys: str, text: str) -> Enter:
    """The playground, these keys, and `text` on the screen."""

    def enter(page: Terminal) -> None:
        then(keys)(page)
        page.until_text(text)

    return enter


def order(page: Terminal) -> None:
    """A run is ordered from the form."""
    page.until_text("timed on this machine")
    page.press("\r")


def trains(*keys: str) -> Enter:
    """A run that has done a step, and these keys at once."""

    def enter(page: Terminal) -> None:
        order(page)
        page.until(lambda: reached(page.home) > 0, "a step of training")
        page.until_text("running")
        for key in keys:
            page.press(key)

    return enter


def unread(enter: Enter) -> Enter:
    """And then so much to draw, with nobody reading, that the terminal takes no more."""

    def go(page: Terminal) -> None:
        enter(page)
        for _ in range(90):
            page.press("z")
            time.sleep(0.02)

    return go


def suspended(page: Terminal) -> None:
    page.until_text(OPEN)
    os.kill(page.child.pid, signal.SIGTSTP)
    page.until(lambda: psutil.Process(page.child.pid).status() == psutil.STATUS_STOPPED)


STATES = {
    "starting": State(lambda page: page.until(lambda: b"?1049h" in page.raw)),
    "idle": State(then()),
    "going on": State(then("g")),
    "going on, unread": State(unread(then("g"))),
    "n and esc": State(then(*["n", "\x1b"] * 40)),
    "switching views": State(then(*"iLCEMV123" * 5)),
    "in the journey": State(shows("i", "Journey of")),
    "in the layers, going on": State(then("L", "g")),
    "help": State(shows("?", "escape closes")),
    "palette": State(then("\x10", "a", "b")),
    "models": State(then("m")),
    "saving a session": State(then("\x0f")),
    "in the editor": State(then("/", *"once upon")),
    "a paste": State(then("/", "\x1b[200~" + "pasted text\r" * 500 + "\x1b[201~")),
    "half a paste": State(then("/", "\x1b[200~" + "pasted text\r" * 50)),
    "the form of training": State(shows("e", "enter starts")),
    "suspended": State(suspended),
    "a run being prepared": State(order, trains=True),
    "training": State(trains(), trains=True),
    "training, in the playground": State(trains("e", "g"), trains=True),
    "training, held": State(trains("p"), trains=True),
    "training, unread": State(unread(trains()), trains=True),
    "saving": State(trains("x"), trains=True),
    "leaving": State(trains("q"), trains=True),
}


@contextmanager
def in_state(state: State, home: Path, module: str = "gpttui") -> Iterator[Terminal]:
    """In a home of its own, which is emptied first."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    rng, text = random.Random(0), home / "words.txt"
    text.write_text("".join(" ".join(rng.choices(WORDS, k=8)) + ".\n" for _ in range(3000)), encoding="utf-8")
    with terminal(*(("--train", str(text)) if state.trains else ()), home=home, engine=None, module=module) as page:
        state.enter(page)
        yield page


def close_terminal(page: Terminal) -> None:
    """As by the window's cross: the kernel sends SIGHUP, and there is nobody at the other side."""
    page.child.ptyproc.fileobj.close()
    page.child.ptyproc.closed = True


def family(page: Terminal) -> list[psutil.Process]:
    """The program, and all that it has started."""
    program = psutil.Process(page.child.pid)
    return [program, *program.children(recursive=True)]


def left(processes: list[psutil.Process], limit_s: float = LIMIT_S) -> list[psutil.Process]:
    """Those that have not ended within `limit_s`."""
    deadline = time.monotonic() + limit_s
    while alive := [process for process in processes if _runs(process)]:
        if time.monotonic() > deadline:
            return alive
        time.sleep(0.01)
    return []


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def run_in(home: Path) -> Path | None:
    """The run that was begun in this home."""
    return next((file.parent for file in (home / "data" / "runs").glob("*/config.json")), None)


def reached(home: Path) -> int:
    """The last step that the run there has done."""
    run = run_in(home)
    events = [] if run is None else rundir.read_events(run)
    return max((event.step for event in events if isinstance(event, StepDone)), default=0)


def steps_lost(home: Path) -> int:
    """Steps that were done and are in no checkpoint."""
    run = run_in(home)
    newest = None if run is None else rundir.latest_checkpoint(run)
    return reached(home) - (0 if newest is None else int(newest.name))
