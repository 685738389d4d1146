"""Start-up and keys: the real program in a terminal, timed from outside.

What is painted is what a person would see: the clock starts at exec and stops when the words are on the screen. Nothing
inside gpttui is instrumented. Not for: the model's own speed (`gpttui.bench.step`).
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from gpttui.bench.report import Row, against, in_turns
from gpttui.bench.terminal import Terminal
from tests.benchmarks.timing import quantile, timed_ms

ROUNDS = 5
MINIMAL = """
from textual.app import App
from textual.widgets import Footer, Header, Static

class Minimal(App):
    BINDINGS = [("q", "quit", "Quit")]

    def compose(self):
        yield Header()
        yield Static("a minimal app")
        yield Footer()

Minimal().run()
"""
KEYS = 60
FIRST_PICTURE = "Next token"
"""The title of a pane: there from the first paint on."""
HOME = "\x1b[H"
_FRACTION = re.compile(r"(\d+)/(\d+)")
"""The header's, painted anew when they change: tokens of the context, and fewer of others."""
FIRST_NUMBERS = re.compile(r"\d bits")
"""The model's entropy: the engine has answered, the next token can be drawn."""


def measure_startup(model: str, *, rounds: int = ROUNDS) -> list[Row]:
    """Start to first picture, start to first step, and the memory of screen and engine together."""
    painted_ms: list[float] = []
    resident_mb: list[float] = []

    def start() -> float:
        with playground(model) as terminal:
            painted_ms.append(terminal.wait_for(lambda text: FIRST_PICTURE in text, "its first picture") * 1e3)
            ready_ms = terminal.wait_for(lambda text: bool(FIRST_NUMBERS.search(text)), "a prediction") * 1e3
            terminal.settle()
            resident_mb.append(resident_bytes(terminal.child.pid) / 1e6)
            return ready_ms

    start()
    minimal()
    del painted_ms[:], resident_mb[:]
    ready_ms, torch_ms, minimal_ms = in_turns(rounds, start, lambda: _python("torch"), minimal)
    return [
        against(
            "exec → first painted screen",
            painted_ms,
            "a minimal Textual app (header, a text, footer)",
            minimal_ms,
            at_least=1.6,
            aim=1.3,
        ),
        against(
            "exec → first token can be stepped",
            ready_ms,
            'python -c "import torch"',
            torch_ms,
            at_least=1.6,
            aim=1.2,
        ),
        Row("resident memory, screen + engine", quantile(resident_mb, 0.5), "MB", at_least=600, aim=450),
    ]


def minimal() -> float:
    """Milliseconds from exec to the first picture of the smallest Textual app that a person would call one."""
    with Terminal([sys.executable, "-c", MINIMAL]) as terminal:
        return terminal.wait_for(lambda text: "a minimal app" in text, "its first picture") * 1e3


def _python(module: str) -> float:
    """Milliseconds of a bare Python that imports `module` and ends."""
    return timed_ms(lambda: subprocess.run([sys.executable, "-c", f"import {module}"], check=True))


def measure_keys(model: str, *, keys: int = KEYS) -> list[Row]:
    """From space to the last byte painted, over `keys` presses, one after the other."""
    with playground(model) as terminal:
        terminal.wait_for(lambda text: bool(FIRST_NUMBERS.search(text)), "a prediction")
        terminal.settle()
        took_ms = [terminal.press(" ") * 1e3 for _ in range(keys)]
        drawn, after = _hold(terminal)
    note = f"{keys} presses, 120x40"
    return [
        Row("key → new token painted in all panes, p50", quantile(took_ms, 0.5), "ms", at_least=40, aim=20, note=note),
        Row("key → new token painted in all panes, p95", quantile(took_ms, 0.95), "ms", at_least=80, aim=40, note=note),
        Row("key held at 30 Hz for 2 s: steps after release", after, "steps", at_least=1, note=f"{drawn} drawn in all"),
    ]


def _hold(terminal: Terminal) -> tuple[int, int]:
    """Tokens drawn by a key held at 30 Hz for 2 s, and how many of them were painted after its release."""
    terminal.send(HOME)
    terminal.settle(0.5)

    def length() -> int:
        found = [(int(used), int(of)) for used, of in _FRACTION.findall(terminal.text())]
        context = max(of for _, of in found)
        return [used for used, of in found if of == context][-1]

    before = length()
    for _ in range(60):
        terminal.send(" ")
        end_s = perf_counter() + 1 / 30
        while (left_s := end_s - perf_counter()) > 0:
            terminal.read(left_s)
    released = length()
    terminal.settle(0.5)
    return length() - before, length() - released


@contextmanager
def playground(model: str) -> Iterator[Terminal]:
    """`gpttui` on `model` in a terminal of 120 x 40 cells; quit by its own key at the end."""
    with Terminal([sys.executable, "-m", "gpttui", "--model", model]) as terminal:
        yield terminal
        terminal.send("q")
        while terminal.read(2):
            pass


def resident_bytes(pid: int) -> int:
    """Resident memory of a process and all its descendants, as the system tells it; 0 where it does not."""
    table = _proc_table() if Path("/proc/self/stat").exists() else _ps_table()
    family = {pid}
    while more := {child for child, (parent, _) in table.items() if parent in family} - family:
        family |= more
    return sum(table[member][1] for member in family if member in table)


def _proc_table() -> dict[int, tuple[int, int]]:
    """pid → (parent, resident bytes) from Linux's /proc."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:  # it ended while we looked
            continue
        found[int(folder.name)] = int(fields[1]), int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    return found


def _ps_table() -> dict[int, tuple[int, int]]:
    if shutil.which("ps") is None:
        return {}
    listed = subprocess.run(["ps", "-axo", "pid=,ppid=,rss="], capture_output=True, text=True, check=True).stdout
    rows = (map(int, line.split()) for line in listed.splitlines())
    return {pid: (parent, kib * 1024) for pid, parent, kib in rows}
