"""A handful of the ways to leave, on the real engine; all of them are in tests/benchmarks/test_leaving.py."""

import os
import re
import signal
from pathlib import Path

import pytest

from tests.terminal.closing import OPEN, STATES, close_terminal, family, in_state, left, reached, steps_lost, unread
from tests.terminal.pty_app import ENTER_ALTERNATE, LEAVE_ALTERNATE, Terminal, terminal

SAVED = re.compile(r"gpttui: the training was stopped at step ([\d,]+) and saved; ")
SAVING = re.compile(r"gpttui: the engine is still saving step ([\d,]+), and ends by itself; then ")
GO_ON = re.compile(r"go on with: gpttui train --run-dir (\S+)\s+--resume")
SLOW = 20.0
"""On a machine that does other things besides."""


@pytest.mark.parametrize("name", ["going on", "n and esc", "half a paste", "suspended", "training"])
def test_a_closed_terminal_ends_it(tmp_path: Path, name: str) -> None:
    with in_state(STATES[name], tmp_path / "home") as page:
        processes = family(page)
        close_terminal(page)
        assert not left(processes, SLOW)
    assert steps_lost(tmp_path / "home") == 0


@pytest.mark.parametrize("way", ["q", "SIGTERM", "SIGKILL"])
def test_no_step_is_lost(tmp_path: Path, way: str) -> None:
    with in_state(STATES["training"], tmp_path / "home") as page:
        processes = family(page)
        if way == "q":
            page.press("q")
        else:
            os.kill(page.child.pid, signal.Signals[way])
        assert page.end() == {"q": 0, "SIGTERM": 143, "SIGKILL": -9}[way]
        assert not left(processes, SLOW)
        if way != "SIGKILL":
            done, saved = told(page)
            assert done == reached(page.home) if saved else way == "SIGTERM" and done <= reached(page.home)
            assert way == "SIGTERM" or "gpttui: saving step" in page.raw.decode()
    assert steps_lost(tmp_path / "home") == 0 < reached(tmp_path / "home")


def told(page: Terminal) -> tuple[int, bool]:
    """What a person is told at the end, in the terminal as it was: which step, and whether it is saved or still being.

    After a signal nobody waits for long: the step of the last news is told then, and one may come after it."""
    said = page.raw[page.raw.rindex(LEAVE_ALTERNATE) :].decode().replace("\r\n", " ")
    found = SAVED.search(said) or SAVING.search(said)
    assert found is not None and GO_ON.search(said) and page.restored, said
    return int(found[1].replace(",", "")), found.re is SAVED


def test_a_terminal_that_does_not_read_any_more_holds_up_nothing(tmp_path: Path) -> None:
    with in_state(STATES["going on, unread"], tmp_path / "home") as page:
        processes = family(page)
        os.kill(page.child.pid, signal.SIGTERM)
        assert not left(processes, SLOW)


def settled(page: Terminal) -> str:
    """The screen after the offer of the first start is refused, once nothing more comes."""
    page.until_text("New here?")
    page.press("\x1b")
    page.until_text("Press space")
    page.until_text("ready")
    seen = -1
    while seen < len(page.raw):
        seen = len(page.raw)
        page.read(0.5)
    return page.text


def test_what_a_terminal_has_missed_is_painted_anew(tmp_path: Path) -> None:
    with terminal(home=tmp_path) as page:
        before = settled(page)
        unread(lambda _: None)(page)
        page.press("t")
        page.until_text("T 0.7")
        page.press("T")
        page.until(lambda: page.text == before)
        page.press("q")
        assert page.end() == 0 and page.restored


def test_a_screen_that_hangs_is_ended_by_a_signal_and_gives_the_terminal_back(tmp_path: Path) -> None:
    with terminal(home=tmp_path, module="tests.terminal.stuck") as page:
        page.until_text(OPEN)
        processes = family(page)
        page.press("H")
        page.until(lambda: (tmp_path / "hangs").exists())
        os.kill(page.child.pid, signal.SIGTERM)
        assert page.end() == 143 and page.restored
        assert not left(processes, SLOW)


def test_a_screen_that_hangs_while_a_run_is_in_training_says_how_to_go_on(tmp_path: Path) -> None:
    with in_state(STATES["training"], tmp_path, module="tests.terminal.stuck") as page:
        processes = family(page)
        page.press("e")
        page.until_text("H hang")
        page.press("H")
        page.until(lambda: (tmp_path / "hangs").exists())
        os.kill(page.child.pid, signal.SIGTERM)
        assert page.end() == 143
        done, saved = told(page)
        assert 0 < done <= reached(tmp_path) and not saved
        assert not left(processes, SLOW)
    assert steps_lost(tmp_path) == 0


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=str)
def test_ctrl_z_suspends_and_fg_brings_it_back(tmp_path: Path, size: tuple[int, int]) -> None:
    with terminal(home=tmp_path, shell=True, size=size) as page:
        page.until_text("$")
        page.press(page.command + "\r")
        before = settled(page)
        for _ in range(2):
            page.press("\x1a")
            page.until_text("Stopped")
            assert page.raw.rindex(LEAVE_ALTERNATE) > page.raw.rindex(ENTER_ALTERNATE)
            page.press("clear; echo $((40 + 2))\r")
            page.until_text("42")
            page.press("fg\r")
            page.until(lambda: page.text == before)
        page.press("/")
        page.until_text("use it")
        page.press("abc")
        page.until_text("notabc")
        page.press("\x1a")
        page.until(lambda: "notabc" not in page.text)
        page.press("\x11")
        page.until(lambda: page.raw.rindex(LEAVE_ALTERNATE) > page.raw.rindex(ENTER_ALTERNATE))


def test_where_no_shell_waits_ctrl_z_says_so(tmp_path: Path) -> None:
    with terminal(home=tmp_path) as page:
        page.until_text(OPEN)
        page.press("\x1a")
        page.until_text("no shell here to come back from")
        page.press("q")
        assert page.end() == 0
