"""Renders chat templates in a child process that is ended when it takes too long. No torch, no screen."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from gpttui.errors import UserError, one_line
from gpttui.text import safe_text

PROGRAM = Path(__file__).with_name("sandbox.py")
PATIENCE_S = 10.0
"""Of the clock, the child's start included; its own processor time is bounded far below (`sandbox.CPU_S`)."""
MOST_BYTES = 1 << 26


class Renderer:
    """The child, started when it is first needed and again after it was ended. Close it, or use it with `with`."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Renderer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def texts(self, template: str, runs: Sequence[dict[str, Any]]) -> list[str | UserError]:
        """What the template makes of each set of variables, or the line that says why it makes nothing.

        Raises UserError where it could not be run, or not to its end.
        """
        request = {"template": template, "now": datetime.now().isoformat(), "runs": runs}
        try:
            answers = json.loads(self._ask(json.dumps(request).encode() + b"\n"))
        except (OSError, ValueError) as error:
            self.close()
            raise UserError(f"the chat template cannot be rendered: {one_line(error)}") from error
        found: list[str | UserError] = [
            answer["text"] if "text" in answer else UserError(f"the chat template refuses: {_said(answer['error'])}")
            for answer in answers
        ]
        return found * len(runs) if len(found) < len(runs) else found

    def _ask(self, line: bytes) -> bytes:
        child = self._child = self._child if self._child and self._child.poll() is None else _start()
        assert child.stdin is not None and child.stdout is not None
        deadline_s = time.monotonic() + PATIENCE_S
        with contextlib.suppress(BrokenPipeError):  # it has died: there will be no answer
            child.stdin.write(line)
            child.stdin.flush()
        answer = bytearray()
        while not answer.endswith(b"\n"):
            left_s = deadline_s - time.monotonic()
            ready = left_s > 0 and select.select([child.stdout], [], [], left_s)[0]
            part = os.read(child.stdout.fileno(), 1 << 16) if ready else b""
            answer += part
            if not part or len(answer) > MOST_BYTES:
                code = child.poll() if not ready else child.wait()
                self.close()
                raise UserError(f"the chat template was stopped: {_end(code)}; the text can be written without it")
        return bytes(answer)

    def close(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.communicate()


def _start() -> "subprocess.Popen[bytes]":
    """`-P`, so that a file beside the program cannot stand in for a module."""
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-P", str(PROGRAM)], stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)


def _end(code: int | None) -> str:
    if code in (None, -signal.SIGXCPU):
        return "it takes too long"
    return "it needs jinja2: pip install jinja2" if code == 1 else f"it ends its process ({code})"


def _said(error: str) -> str:
    return safe_text(one_line(Exception(error)))[:200]
