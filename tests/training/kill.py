"""Run `gpttui train` in a child, kill it at a chosen moment, and see what a resumed run makes of what is left."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from gpttui.runs import rundir
from gpttui.runs.events import EvalDone, StepDone

PATIENCE_S = 120.0
OPTIONS = [
    "--layers", "2", "--heads", "2", "--width", "16", "--context", "16", "--batch", "4", "--steps", "120",
    "--arch", "modern",
    "--optimizer", "muon", "--dropout", "0.1", "--eval-every", "30", "--eval-tokens", "512", "--sample-every", "0",
    "--checkpoint-every", "10", "--threads", "1", "--device", "cpu",
]  # fmt: skip


def spawn(*options: str) -> subprocess.Popen[bytes]:
    """`gpttui train OPTIONS`, one thread."""
    command = [sys.executable, "-m", "gpttui", "train", *options]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def wait_for_step(path: Path, step: int, child: subprocess.Popen[bytes]) -> None:
    """Until run `path` has recorded `step`, or the child has ended."""
    tail, deadline = rundir.EventTail(path), time.monotonic() + PATIENCE_S
    while child.poll() is None:
        if any(isinstance(event, StepDone) and event.step >= step for event in tail.read()):
            return
        assert time.monotonic() < deadline, f"step {step} did not come"
        time.sleep(0.002)


def curve(path: Path) -> dict[tuple[str, int], float]:
    """The last word on every step and evaluation of run `path`."""
    found: dict[tuple[str, int], float] = {}
    for event in rundir.read_events(path):
        if isinstance(event, StepDone):
            found["train", event.step] = event.loss_nats
        elif isinstance(event, EvalDone):
            found["val", event.step] = event.val_loss_nats
    return found


def kill_at_random_moments(text: Path, path: Path, kills: int, seed: int) -> None:
    """Start a run, kill -9 and resume it `kills` times at random steps, then let it end."""
    rng = random.Random(seed)
    steps = sorted(rng.sample(range(1, 110), kills))
    options = ["--data", str(text), *OPTIONS, "--run-dir", str(path)]
    for step in steps:
        child = spawn(*options)
        wait_for_step(path, step, child)
        time.sleep(rng.random() * 0.01)  # anywhere within a step, not at its end
        child.send_signal(signal.SIGKILL)
        child.communicate()
        options = ["--run-dir", str(path), "--resume"] if rundir.is_run(path) else options
    child = spawn(*options)
    _, errors = child.communicate(timeout=PATIENCE_S)
    assert child.returncode == 0, errors.decode()
