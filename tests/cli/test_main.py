"""One lazy command line: help loads nothing, every error is one line with an exit code that means something."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from gpttui import __version__
from gpttui.cli import main
from gpttui.errors import UserError
from tests.cli.conftest import Cli

GPTTUI = [sys.executable, "-m", "gpttui"]


def test_help_names_every_verb_without_importing_one(cli: Cli) -> None:
    before = set(sys.modules)
    result = cli("--help")
    assert result.code == 0
    for name, verb in main.VERBS.items():
        assert f"  {name} " in result.out and verb.help in result.out
    assert not {name for name in set(sys.modules) - before if name.startswith("gpttui.cli.")}


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_help_and_version_load_neither_torch_nor_textual(flag: str) -> None:
    code = (
        "import sys\nfrom gpttui.cli.main import run\n"
        f"code = run([{flag!r}])\n"
        "heavy = {'torch', 'textual', 'rich', 'numpy', 'tokenizers'} & set(sys.modules)\n"
        "print(code, sorted(heavy), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "0 []"


def test_version(cli: Cli) -> None:
    assert cli("--version").out == f"gpttui, version {__version__}\n"


@pytest.mark.parametrize(
    "args", [["modls"], ["models", "--jsn"], ["tokens"], ["--model"], ["corpus", "sort", "--n", "x"]]
)
def test_a_wrong_command_line_is_one_line_and_exit_2(cli: Cli, args: list[str]) -> None:
    result = cli(*args)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("gpttui: ") and result.err.count("\n") == 1


def test_a_mistyped_verb_is_guessed(cli: Cli) -> None:
    assert "did you mean 'models'?" in cli("modles").err


def test_an_option_before_a_verb_is_not_silently_dropped(cli: Cli) -> None:
    result = cli("--model", "x", "models")
    assert result.code == 2 and "belongs behind the verb" in result.err


def test_a_known_error_is_one_safe_line_and_exit_1(cli: Cli) -> None:
    result = cli("tokens", "--model", "no\x1b[2Jsuch", "x")
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("gpttui: no model is called")
    assert result.err.count("\n") == 1 and "\x1b" not in result.err


def _failing(error: BaseException) -> click.Command:
    def fail() -> None:
        raise error

    return click.Command("models", callback=fail)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UserError("do this"), 1, "gpttui: do this\n"),
        (PermissionError(13, "Permission denied", "/x/y"), 1, "gpttui: /x/y: Permission denied\n"),
        (MemoryError(), 1, "more memory"),
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(), 0, ""),
        (RuntimeError("two\nlines"), 70, "unexpected RuntimeError: two lines (the traceback is in "),
    ],
)
def test_how_errors_end(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, home: Path, error: BaseException, code: int, said: str
) -> None:
    monkeypatch.setattr(main, "load", lambda target: _failing(error))
    result = cli("models")
    assert result.code == code and said in result.err
    assert "Traceback" not in result.err and result.err.count("\n") <= 1
    kept = list(home.rglob("traceback-*.txt"))
    assert len(kept) == (code == 70)
    assert all("RuntimeError: two" in file.read_text() for file in kept)


def test_a_traceback_that_cannot_be_kept_is_no_second_error(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blocker = tmp_path / "blocker"
    blocker.write_text("")
    monkeypatch.setenv("GPTTUI_HOME", str(blocker))
    monkeypatch.setattr(main, "load", lambda target: _failing(RuntimeError("x")))
    result = cli("models")
    assert result.code == 70 and "could not be kept" in result.err and result.err.count("\n") == 1


def test_a_reader_that_leaves_early_is_no_error() -> None:
    done = subprocess.run(
        [f'"{sys.executable}" -m gpttui corpus sort --n 0 | head -1; echo "${{PIPESTATUS[0]}}"'],
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        text=True,
        timeout=60,
    )
    document, code = done.stdout.splitlines()
    assert ">" in document and code == "0" and done.stderr == ""


def test_ctrl_c_ends_without_a_word() -> None:
    child = subprocess.Popen(
        [*GPTTUI, "corpus", "sort", "--n", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a suite in the background ignores it
    )
    assert child.stdout is not None and child.stderr is not None
    child.stdout.readline()
    child.send_signal(signal.SIGINT)
    while child.stdout.read(1 << 16):
        pass
    assert child.wait(timeout=30) == 130
    assert child.stderr.read().strip() == ""
    child.stdout.close()
    child.stderr.close()


def test_output_that_the_locale_cannot_print_is_no_crash() -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [*GPTTUI, "modèles\udcff"], env=environment, capture_output=True, text=True, encoding="utf-8", timeout=60
    )
    assert done.returncode == 2 and done.stderr.startswith("gpttui: ")


def test_every_verb_can_be_loaded_and_explains_itself() -> None:
    for name, verb in main.VERBS.items():
        command = main.load(verb.target)
        assert command.help, name


def test_without_a_terminal_the_playground_names_generate() -> None:
    done = subprocess.run(GPTTUI, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert "gpttui generate" in done.stderr and done.stderr.count("\n") == 1
