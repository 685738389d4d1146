"""Two processes that train one run without torchrun; one is sent a signal at a chosen moment of its own work."""

import itertools
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from gpttui.runs import rundir, summary
from gpttui.runs.events import StepDone
from tests.training.kill import OPTIONS

PATIENCE_S = 120.0
MOMENTS = {
    "the first save": ("_save", 1, 0),
    "the first pass of a step": ("_pass", 5, 0),
    "an evaluation's first pass": ("_evaluate", 1, 0),
    "within an evaluation": ("_evaluate", 1, 2),
    "the end of an evaluation": ("_evaluate", 1, 4),
    "before a checkpoint": ("_save", 2, 0),
    "within a checkpoint": ("_save", 2, 1),
    "after a checkpoint": ("_save", 2, 2),
    "the last evaluation": ("_evaluate", 3, 1),
    "the last checkpoint": ("_save", 4, 1),
}
"""Name → (method of the trainer, which call of it, before which of its items)."""
SMALL = [*OPTIONS, "--steps", "30", "--eval-every", "10", "--dropout", "0"]


def signalled(text: Path, path: Path, rank: int, moment: str) -> list[tuple[int, str]]:
    """Exit code and stderr of both ranks, of which `rank` gets SIGTERM at `moment`; raises TimeoutExpired on a hang."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = os.environ | {
        "OMP_NUM_THREADS": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
    }  # fmt: skip
    options = ["train", "--data", str(text), *SMALL, "--run-dir", str(path)]
    children = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.training.ranks", moment if n == rank else "", *options],
            env=shared | {"RANK": str(n), "LOCAL_RANK": str(n)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for n in range(2)
    ]
    try:
        told = [child.communicate(timeout=PATIENCE_S)[1] for child in children]
        return [(child.returncode, words) for child, words in zip(children, told, strict=True)]
    finally:
        for child in children:
            with child:
                child.kill()


def assert_all_stop(text: Path, path: Path, rank: int, moment: str) -> None:
    """Both ranks end alike: stopped and saved, or finished where the last step was done already."""
    codes = [code for code, _ in signalled(text, path, rank, moment)]
    last = max((event.step for event in rundir.read_events(path) if isinstance(event, StepDone)), default=0)
    saved, finished = rundir.latest_checkpoint(path), last == 30
    assert codes == ([0, 0] if finished else [143, 143])
    assert saved is not None and int(saved.name) == last
    assert summary.describe(path).status == ("finished" if finished else "stopped")


def _arm(name: str, call: int, item: int) -> None:
    """Have the trainer send SIGTERM to this process before the `item`-th item of the `call`-th `name`."""
    from gpttui.training.loop import Trainer

    plain, calls = getattr(Trainer, name), [0]

    def armed(self, *given):  # type: ignore[no-untyped-def]
        calls[0] += 1
        if calls[0] != call:
            return plain(self, *given)
        if name == "_pass":
            os.kill(os.getpid(), signal.SIGTERM)
            return plain(self, *given)
        return _between(plain(self, *given), item)

    setattr(Trainer, name, armed)


def _between(items, at):  # type: ignore[no-untyped-def]
    """`items`, with a signal before the one numbered `at`, or behind the last where there are fewer."""
    items = iter(items)
    yield from itertools.islice(items, at)
    os.kill(os.getpid(), signal.SIGTERM)
    yield from items


if __name__ == "__main__":
    from gpttui.cli.main import main

    moment, *arguments = sys.argv[1:]
    if moment:
        _arm(*MOMENTS[moment])
    main(arguments)
