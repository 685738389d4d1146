"""Starting the engine: one child process that talks on its stdin and stdout. The standard library only.

Whatever the command is (this Python, another one, `ssh box gpttui engine`), only its pipes matter.
"""

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from gpttui.errors import UserError, one_line

NICENESS = 10
PACKAGE_PARENT = Path(__file__).resolve().parent.parent.parent


def default_command() -> list[str]:
    """This Python, this gpttui; `-P` so that a file in the current folder cannot stand in for a module."""
    return [sys.executable, "-P", "-m", "gpttui", "engine"]


def split_command(command: str) -> list[str]:
    """The words of `--engine "COMMAND"`. Raises UserError where it has none or its quotes do not close."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UserError(f"--engine: {one_line(error)} in: {command}") from error
    if not words:
        raise UserError('--engine wants a command, such as "ssh host gpttui engine"')
    return words


def must_exist(command: Sequence[str]) -> None:
    """Raises UserError if there is no such program, before a screen is opened for it."""
    if shutil.which(command[0]) is None:
        raise UserError(f"the engine cannot be started: there is no program {command[0]}")


def start(command: Sequence[str], log: Path | None) -> "subprocess.Popen[bytes]":
    """Start the engine in a session of its own, so that a ctrl+c meant for the screen does not reach it.

    Its stderr goes to the file `log` (dropped where that cannot be written). Raises UserError if there is no such
    program.
    """
    paths = [os.environ.get("PYTHONPATH", ""), str(PACKAGE_PARENT)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in paths if path)}
    errors = _open_log(log)
    try:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            bufsize=0,
            env=environment,
            start_new_session=True,
        )
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)  # loading torch must not hold up the first picture
        return process
    except OSError as error:
        raise UserError(f"the engine cannot be started: {command[0]}: {error.strerror}") from error
    finally:
        if errors != subprocess.DEVNULL:
            os.close(errors)


def _open_log(log: Path | None) -> int:
    if log is None:
        return subprocess.DEVNULL
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists() and log.stat().st_size:  # a traceback that someone was told of outlives one more start
            log.replace(log.with_name(f"{log.stem}-before{log.suffix}"))
        return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError:
        return subprocess.DEVNULL


def keep_log(log: Path | None) -> Path | None:
    """Put a dead engine's log aside, before the next engine begins its own. None where nothing is in it."""
    try:
        if log is None or not log.stat().st_size:
            return None
        kept = log.with_name(f"{log.stem}-{time.strftime('%Y%m%d-%H%M%S')}{log.suffix}")
        log.replace(kept)
    except OSError:
        return None
    return kept


def last_words(log: Path | None, limit_bytes: int = 4096) -> str:
    """The last line that a dead engine left in its log, as one short line; empty where there is none.

    Where Python itself broke down, the line that says so, which a list of modules follows.
    """
    if log is None:
        return ""
    try:
        with log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - limit_bytes))
            return last_line(file.read())
    except OSError:
        return ""


def last_line(said: bytes) -> str:
    """The same of what it printed."""
    lines = [" ".join(line.split()) for line in said.decode("utf-8", "replace").splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith("Fatal Python error")]
    return (fatal or lines)[-1][:300] if lines else ""
