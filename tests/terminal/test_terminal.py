"""What a person's terminal goes through: start, keys, sizes, signals, few colours, a dead engine, the end."""

import os
import pty
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gpttui.sessions.tree import load_session
from tests.terminal.pty_app import FAKE_ENGINE, LEAVE_ALTERNATE, LIMIT_S, REPOSITORY, Terminal, terminal

OPEN = "Next token · after"


def tokens_of(page: Terminal) -> int:
    """Tokens used, as the header says it."""
    found = re.search(r"(\d+)/64", page.text)
    return int(found.group(1)) if found else -1


def engine_pid(page: Terminal) -> int:
    """The child of the program that is the engine."""
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(page.child.pid)], capture_output=True, text=True, check=False
    )
    pids = [int(word) for word in listed.stdout.split()]
    assert len(pids) == 1
    return pids[0]


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_start_step_back_and_quit(tmp_path: Path) -> None:
    with terminal(home=tmp_path) as page:
        page.until_text(OPEN)
        page.until_text("Press space")
        before = tokens_of(page)
        page.press(" ")
        page.until(lambda: tokens_of(page) == before + 1)
        page.press("\x1b[D")
        page.until(lambda: tokens_of(page) == before)
        engine = engine_pid(page)
        page.press("q")
        assert page.end() == 0
        assert page.restored
        page.until(lambda: gone(engine))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_restores_the_terminal(tmp_path: Path, number: signal.Signals) -> None:
    with terminal(home=tmp_path) as page:
        page.until_text(OPEN)
        engine = engine_pid(page)
        os.kill(page.child.pid, number)
        assert page.end() == 128 + number
        assert page.restored
        page.until(lambda: gone(engine))


def test_it_ends_when_its_terminal_is_gone_without_a_signal(tmp_path: Path) -> None:
    """Whoever held the other side was killed, and this is no controlling terminal: nobody sends SIGHUP."""
    outside, inside = pty.openpty()
    command = [sys.executable, "-m", "gpttui", "--engine", FAKE_ENGINE, "--model", "x"]
    environment = os.environ | {"GPTTUI_HOME": str(tmp_path), "TERM": "xterm-256color"}
    child = subprocess.Popen(
        command, stdin=inside, stdout=inside, stderr=inside, env=environment, cwd=REPOSITORY, start_new_session=True
    )
    os.close(inside)
    seen = b""
    while b"Next token" not in seen:
        seen += os.read(outside, 1 << 16)
    os.close(outside)
    assert child.wait(timeout=LIMIT_S) == 128 + signal.SIGHUP


def test_ctrl_c_does_not_end_it_but_says_how_and_ctrl_q_does(tmp_path: Path) -> None:
    with terminal(home=tmp_path) as page:
        page.until_text(OPEN)
        page.press("\x03")
        page.until_text("to quit the app")
        page.press("\x11")
        assert page.end() == 0
        assert page.restored


def test_it_can_be_left_before_the_engine_is_ready(tmp_path: Path) -> None:
    with terminal(home=tmp_path, engine="sleep 1000") as page:
        page.until_text("waiting for the engine")
        page.press("q")
        assert page.end() == 0
        assert page.restored


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (1, 1)], ids=str)
def test_small_terminals_work(tmp_path: Path, size: tuple[int, int]) -> None:
    with terminal(home=tmp_path, size=size) as page:
        if size == (1, 1):
            page.until(lambda: b"?1049h" in page.raw)
        else:
            page.until_text("fake" if size == (80, 24) else "Tokens")
        page.press(" 2 3 4z[]z1 ")
        page.resize(120, 40)
        page.until_text(OPEN)
        page.press(" ")
        page.until(lambda: tokens_of(page) > 5)
        page.press("q")
        assert page.end() == 0 and page.restored


def test_a_storm_of_sizes(tmp_path: Path) -> None:
    with terminal(home=tmp_path) as page:
        page.until_text(OPEN)
        for columns, lines in [(30, 10), (200, 60), (1, 1), (80, 24), (5, 90), (250, 3), (119, 27), (100, 28)] * 6:
            page.resize(columns, lines)
            page.read(0.001)
        page.resize(120, 40)
        page.press(" ")
        page.until_text(OPEN)
        page.until(lambda: tokens_of(page) > 5)


@pytest.mark.parametrize(
    "environment",
    [{"NO_COLOR": "1"}, {"TERM": "linux", "COLORTERM": ""}, {"TERM": "xterm", "COLORTERM": ""}, {"TERM": "vt100"}],
    ids=lambda environment: "-".join(environment.values()),
)
def test_with_few_colours_or_none_all_panes_work(tmp_path: Path, environment: dict[str, str]) -> None:
    with terminal(home=tmp_path, environment=environment) as page:
        page.until_text(OPEN)
        page.until_text("1,990 steps")
        for key in (" ", "c", "c", "]", "2", "3", "4", "?"):
            page.press(key)
        page.until_text("escape closes")
        page.press("\x1b")
        page.until(lambda: tokens_of(page) > 5)
        if "NO_COLOR" in environment:
            colours = re.findall(rb"\x1b\[[0-9;]*?(?:[34]8;[25];|(?<![0-9])[34][0-7]m)", page.raw)
            assert not colours


def test_a_dumb_terminal_is_refused_in_one_line(tmp_path: Path) -> None:
    with terminal(home=tmp_path, environment={"TERM": "dumb"}) as page:
        assert page.end() != 0
        assert "gpttui generate" in page.text and b"?1049h" not in page.raw


def test_a_key_held_at_30_hz_leaves_nothing_running(tmp_path: Path) -> None:
    log = tmp_path / "requests.log"
    engine = f"{FAKE_ENGINE} --slow-ms 100 --log {shlex.quote(str(log))}"
    with terminal(home=tmp_path, engine=engine) as page:
        page.until_text(OPEN)
        pressed = 0
        while steps(log) < 5:
            page.press(" ")
            page.read(1 / 30)
            pressed += 1
        page.press("]")
        page.until_text("head 2/4")
        answered = steps(log)
        page.until(lambda: log.read_text().count("Show") >= 1)
        assert steps(log) <= answered + 1 and steps(log) < pressed


def steps(log: Path) -> int:
    """Steps that the engine has been asked for."""
    return sum(line.endswith(" Step") for line in log.read_text().splitlines())


def test_when_the_engine_is_killed_everything_comes_back(tmp_path: Path) -> None:
    with terminal(home=tmp_path) as page:
        page.until_text(OPEN)
        before = tokens_of(page)
        for key in (" ", " ", "t"):
            page.press(key)
            page.read()
        page.until(lambda: tokens_of(page) >= before + 1)
        page.until_text("T 0.7")
        used = tokens_of(page)
        first = engine_pid(page)
        os.kill(first, signal.SIGKILL)
        page.until_text("started again")
        assert tokens_of(page) == used and "T 0.7" in page.text
        assert engine_pid(page) != first
        page.press(" ")
        page.until(lambda: tokens_of(page) == used + 1)


def test_what_breaks_in_the_screen_is_one_line_below_a_restored_terminal(tmp_path: Path) -> None:
    with terminal(home=tmp_path, module="tests.terminal.breaking", size=(80, 24)) as page:
        page.until_text(OPEN)
        page.press(" ")
        page.until_text("takes the token back")
        engine = engine_pid(page)
        page.press("B")
        assert page.end() == 70 and page.restored
        page.until(lambda: gone(engine))
        last = page.raw[page.raw.rindex(LEAVE_ALTERNATE) :].decode()
        plain = re.sub(r"\x1b\[[0-9;?<>=]*[a-zA-Z]", "", last)
        said = [line for line in plain.splitlines() if line.strip()]
        assert len(said) == 1 and said[0].startswith(
            "gpttui: unexpected ZeroDivisionError: deliberate and [red]hostile"
        )
        session = re.search(r"--session (\S+\.json)", said[0])
        assert session is not None and len(load_session(Path(session.group(1))).appended) == 1
        kept = re.search(r"the traceback is in (\S+)", said[0])
        assert kept is not None and "in render" in Path(kept.group(1)).read_text()
        assert b"Traceback" not in page.raw


def test_a_dead_engine_leaves_its_log_where_the_screen_says(tmp_path: Path) -> None:
    with terminal(home=tmp_path, engine=f"{FAKE_ENGINE} --die-at-start", size=(200, 24)) as page:
        page.until_text("its log: ")
        page.press("q")
        assert page.end() == 0
    kept = list((tmp_path / "log").glob("engine-*.log"))
    assert len(kept) == 1 and "no such luck" in kept[0].read_text()
    assert kept[0].name.encode() in page.raw


@pytest.mark.parametrize(
    ("engine", "line"),
    [
        (f"{FAKE_ENGINE} --die-at-start", "no such luck"),
        ("sh -c 'echo This account is closed.; exit 3'", "exit code 3: This account is closed."),
        ("yes", "prints other text instead of gpttui's protocol"),
        (f"{FAKE_ENGINE} --other-version", "install the same version"),
        ("sh -c 'exit 3'", "exit code 3"),
    ],
    ids=["dies", "said", "garbage", "version", "exit"],
)
def test_an_engine_that_does_not_work_says_why_on_one_line(tmp_path: Path, engine: str, line: str) -> None:
    with terminal(home=tmp_path, engine=engine) as page:
        page.until_text(line)
        page.until_text("press space to start it again")
        page.press("q")
        assert page.end() == 0 and page.restored


def test_a_greeting_before_the_engine_speaks_is_passed_over(tmp_path: Path) -> None:
    with terminal(home=tmp_path, engine=f"{FAKE_ENGINE} --garbage") as page:
        page.until_text("● ready")
        page.press("q")
        assert page.end() == 0 and page.restored


def test_an_answer_that_cannot_be_is_a_lost_engine_in_one_line(tmp_path: Path) -> None:
    with terminal(home=tmp_path, engine=f"{FAKE_ENGINE} --spoil") as page:
        page.until_text("● ready")
        page.press(" ")
        page.until_text("the engine's answer cannot be used (Shown.snapshot.ids holds")
        page.until_text("The engine was started again")
        page.press("q")
        assert page.end() == 0 and page.restored


def test_no_string_of_a_hostile_engine_reaches_the_terminal_as_it_came(tmp_path: Path) -> None:
    with terminal(home=tmp_path, engine=f"{FAKE_ENGINE} --hostile") as page:
        page.until_text("● ready")
        for key in (" ", "T", "m", "\x1b", "?", "\x1b", "i", "\x1b", "b", "\x1b", "/"):
            before = len(page.raw)
            page.press(key)
            page.until(lambda before=before: len(page.raw) > before)  # type: ignore[misc]
            page.settle()  # an escape with a key right behind it would be another key
        page.press("\x03\x1b")
        page.until_text("● ready")
        assert "PWNED" in page.text, "nothing of what the engine says was seen"
        raw = re.sub(rb"\x1b\]22;[a-z]*\x07", b"", page.raw)  # the mouse pointer's shape, Textual's own
        page.press("\x11")
        assert page.end() == 0
        for sequence in (b"\x1b]0;", b"\x1b]52;", b"\x1bP", b"\x1b[2J\xc2", b"\x07", b"\b", b"\x7f", b"\x00"):
            assert sequence not in raw, sequence
        for char in "\x9b\u202e\u200b":
            assert char.encode() not in raw, hex(ord(char))


def test_an_engine_that_never_answers_says_so_and_can_be_left(tmp_path: Path) -> None:
    with terminal(home=tmp_path, engine="sleep 1000") as page:
        page.until_text("No answer from the engine for 10 s")
        page.press("q")
        assert page.end() == 0 and page.restored


def run(*arguments: str, home: Path) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"GPTTUI_HOME": str(home), "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-m", "gpttui", *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=environment,
        cwd=home,
        timeout=LIMIT_S,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_without_a_terminal_it_names_the_verb_that_needs_none(tmp_path: Path) -> None:
    done = run(home=tmp_path)
    assert done.returncode == 2
    assert done.stdout == "" and "gpttui generate" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--model", "no-such-model"), "no model is called"),
        (("--engine", "'unclosed"), "No closing quotation"),
        (("--engine", "no-such-program-anywhere"), "cannot be started"),
    ],
    ids=["model", "quotes", "program"],
)
def test_bad_options_are_one_line_and_leave_the_terminal_alone(
    tmp_path: Path, arguments: tuple[str, ...], line: str
) -> None:
    with terminal(*arguments, home=tmp_path, engine=None) as page:
        assert page.end() == 1
        assert line in page.raw.decode() and b"?1049h" not in page.raw
        assert page.raw.count(b"\n") == 1
