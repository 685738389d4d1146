"""However an engine ends, the run that it trains is saved at the step it has reached; the rest is not waited for."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from gpttui.engine import client as clients
from gpttui.engine.client import EngineClient, EngineDied
from gpttui.engine.launch import default_command
from gpttui.protocol.play import Opened
from gpttui.protocol.train import OneBatch, PauseRun, StartRun, TrainNews
from gpttui.runs import rundir
from gpttui.runs.config import TrainConfig
from gpttui.runs.events import EvalDone, RunEnded, SampleDrawn, StepDone
from gpttui.training import run as runs

PATIENCE_S = 60.0
TINY = {
    "layers": 2, "heads": 2, "width": 16, "context": 16, "batch": 4, "steps": 100_000, "warmup": 2, "eval_every": 0,
    "eval_tokens": 256, "sample_every": 0, "checkpoint_every": 0, "device": "cpu", "threads": 1,
}  # fmt: skip
MOMENTS = {
    "between steps": {},
    "in a step of many passes": {"batch": 1, "accumulation": 3000},
    "in an evaluation": {"eval_every": 3, "eval_tokens": 10**9},
    "in a sample": {"sample_every": 3, "sample_tokens": 10**6},
}


@pytest.fixture
def text(tmp_path: Path) -> Path:
    file = tmp_path / "words.txt"
    file.write_text("".join(f"the king and queen number {n} sat down.\n" for n in range(60_000)), encoding="utf-8")
    return file


@pytest.fixture
async def client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[EngineClient]:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    made = EngineClient(default_command(), tmp_path / "engine.log")
    await made.connect()
    yield made
    await made.close()
    if made.pid is not None and made.process is not None:
        made.process.kill()
    await made.ended()


async def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "never came true"
        await asyncio.sleep(0.005)


async def train(client: EngineClient, text: Path, path: Path, **fields: object) -> None:
    """Until the run is at work."""
    config = TrainConfig(**({"data": str(text)} | TINY | fields))  # type: ignore[arg-type]
    assert isinstance(await client.request(StartRun(config, str(path))), Opened)
    await until(lambda: client.news is not None)


def reached(path: Path) -> int:
    """The last step that the run has recorded."""
    return max((event.step for event in rundir.read_events(path) if isinstance(event, StepDone)), default=0)


def saved(path: Path) -> int:
    checkpoint = rundir.latest_checkpoint(path)
    return -1 if checkpoint is None else int(checkpoint.name)


async def closed(client: EngineClient) -> None:
    await client.close()


async def terminated(client: EngineClient) -> None:
    assert client.pid is not None
    os.kill(client.pid, signal.SIGTERM)


async def hung_up(client: EngineClient) -> None:
    assert client.pid is not None
    os.kill(client.pid, signal.SIGHUP)


async def deserted(client: EngineClient) -> None:
    """As by a screen that was killed: both pipes have nobody at the other end."""
    assert client.process is not None
    assert client.process.stdin is not None and client.process.stdout is not None
    nowhere = os.open(os.devnull, os.O_RDWR)
    for pipe in (client.process.stdin, client.process.stdout):
        os.dup2(nowhere, pipe.fileno())
    os.close(nowhere)


@pytest.mark.parametrize(
    ("moment", "end"),
    [("between steps", end) for end in (closed, terminated, hung_up, deserted)]
    + [(moment, terminated) for moment in MOMENTS if moment.startswith("in ")],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
async def test_the_step_reached_is_saved(
    client: EngineClient, text: Path, tmp_path: Path, moment: str, end: Callable[[EngineClient], Awaitable[None]]
) -> None:
    path = tmp_path / "run"
    await train(client, text, path, **MOMENTS[moment])
    await until(lambda: reached(path) >= (3 if moment in ("between steps", "in an evaluation") else 0))
    process = client.process
    assert process is not None
    await end(client)
    await until(lambda: process.poll() is not None)
    assert saved(path) == reached(path) and not rundir.is_locked(path)
    events = list(rundir.read_events(path))
    assert isinstance(events[-1], RunEnded)
    assert not [event for event in events if isinstance(event, EvalDone | SampleDrawn)]


async def test_a_held_run_is_saved_in_the_middle_of_its_step(client: EngineClient, text: Path, tmp_path: Path) -> None:
    await train(client, text, tmp_path / "run", batch=1, accumulation=50)
    await client.request(PauseRun(True))
    await client.request(OneBatch())
    await until(lambda: client.news is not None and client.news.state == "paused" and client.news.last is not None)
    await client.close()
    await client.ended()
    assert saved(tmp_path / "run") == reached(tmp_path / "run") >= 1


async def test_news_of_the_save_are_heard_after_closing(client: EngineClient, text: Path, tmp_path: Path) -> None:
    await train(client, text, tmp_path / "run")
    heard: list[TrainNews] = []
    client.on_event = lambda answer: heard.append(answer) if isinstance(answer, TrainNews) else None
    await until(lambda: reached(tmp_path / "run") > 3)
    assert client.trains
    await client.close()
    await client.ended()
    saving, over = [news for news in heard if news.state in ("saving", "ended")]
    step = saved(tmp_path / "run")
    assert saving.state == "saving" and saving.last is not None and saving.last.step == step
    assert over.state == "ended" and isinstance(over.events[-1], RunEnded) and over.events[-1].step == step
    assert not client.trains


async def test_an_evaluation_that_was_dropped_is_made_up_for(client: EngineClient, text: Path, tmp_path: Path) -> None:
    path = tmp_path / "run"
    await train(client, text, path, steps=6, eval_every=3, eval_tokens=400_000)
    await until(lambda: reached(path) == 3)
    await client.close()
    await client.ended()
    assert saved(path) == 3 and not [event for event in rundir.read_events(path) if isinstance(event, EvalDone)]
    with runs.resume(path) as run:
        list(run.trainer.events())
    assert [event.step for event in rundir.read_events(path) if isinstance(event, EvalDone)] == [3, 6]


BUSY = """
import sys, time
from gpttui.engine import registry, server
from gpttui.protocol.play import Show

def long(engine, request):
    print("at work", file=sys.stderr, flush=True)
    time.sleep(1000)

registry.HANDLERS |= {Show: long}
sys.exit(server.main())
"""


@pytest.mark.parametrize("way", ["nobody reads", "SIGTERM"])
def test_one_that_is_busy_ends_too(tmp_path: Path, way: str) -> None:
    from gpttui.protocol.frames import Call, frame
    from gpttui.protocol.play import Show

    log = tmp_path / "log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
        )
    assert process.stdin is not None and process.stdout is not None
    with process.stdin, process.stdout:
        process.stdin.write(frame(Call(1, Show())))
        process.stdin.flush()
        deadline = time.monotonic() + PATIENCE_S
        while b"at work" not in log.read_bytes():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        if way == "SIGTERM":
            process.terminate()
        else:
            process.stdout.close()
        assert process.wait(PATIENCE_S) == (143 if way == "SIGTERM" else 0)


STUBBORN = """
import os, signal, sys, time
import numpy as np
from gpttui.protocol.frames import Reply, VERSION, frame
from gpttui.protocol.message import EngineInfo
from gpttui.protocol.train import TrainNews

signal.signal(signal.SIGTERM, signal.SIG_IGN if "deaf" in sys.argv else signal.SIG_DFL)
if "trains" in sys.argv:
    news = TrainNews("run", "running", np.array([1]), np.array([2.0], dtype=np.float32))
    os.write(1, frame(Reply(0, EngineInfo(VERSION, "0", "none", "cpu", 1, 1, 1.0))) + frame(Reply(0, news)))
print("ready", file=sys.stderr, flush=True)
time.sleep(1000)
"""


@pytest.mark.parametrize("kind", ["idle", "idle deaf", "trains"])
async def test_one_that_does_not_obey_is_not_waited_for(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last is a connection that is dead: the engine behind it saves by itself."""
    monkeypatch.setattr(clients, "SAVES_S", 0.2)
    log = tmp_path / "log"
    client = EngineClient([sys.executable, "-c", STUBBORN, *kind.split()], log)
    await client.connect()
    await until(lambda: b"ready" in log.read_bytes() and (kind != "trains" or client.trains))
    process = client.process
    await client.close()
    await client.ended()
    assert process is not None and process.poll() is not None


async def test_one_that_saves_for_long_is_not_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "SAVES_S", 0.05)
    monkeypatch.setattr(clients, "OBEYS_S", 0.05)
    log = tmp_path / "log"
    client = EngineClient([sys.executable, "-c", STUBBORN, "trains", "deaf"], log)
    await client.connect()
    await until(lambda: b"ready" in log.read_bytes() and client.trains)
    process = client.process
    assert process is not None
    await client.close()
    waiting = asyncio.create_task(client.ended())
    done, _ = await asyncio.wait([waiting], timeout=1.0)
    assert not done and process.poll() is None
    process.kill()
    await waiting


async def test_an_engine_that_was_closed_before_it_was_connected_ends(tmp_path: Path) -> None:
    from gpttui.engine import launch

    process = launch.start([sys.executable, "-c", "import sys; sys.stdin.read()"], None)
    client = EngineClient([], None, process=process)
    await client.close()
    await client.ended()
    assert process.poll() == 0
    with pytest.raises(EngineDied):
        await client.request(PauseRun(True))
    with pytest.raises(EngineDied):  # a key that comes late must not start another
        await client.restart()
