"""The engine as a real process: it answers, it survives what is sent to it, and it ends when it should."""

import os
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from gpttui.engine.launch import default_command
from gpttui.protocol import frames
from gpttui.protocol.frames import Call, Reply, decode_reply, frame, read_frame
from gpttui.protocol.message import Answer, EngineInfo, Failure, Look, Request
from gpttui.protocol.play import (
    Back,
    Choose,
    Jump,
    Left,
    Loading,
    Opened,
    OpenModel,
    Restore,
    SetPrompt,
    SetSampling,
    SetSeed,
    Show,
    Shown,
    Step,
    StopOpening,
)
from gpttui.records import Sampling, Snapshot
from tests import fakes

PATIENCE_S = 60


class Child:
    """An engine process, spoken to synchronously."""

    def __init__(self, log: Path, *options: str) -> None:
        self.log = log
        self.process = subprocess.Popen(
            [*default_command(), "--log", str(log), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"GPTTUI_HOME": str(log.parent)},
        )
        self.number = 0
        ready = self.receive()
        assert ready.number == 0 and isinstance(ready.answer, EngineInfo)
        self.info = ready.answer

    def send(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def receive(self) -> Reply:
        assert self.process.stdout is not None
        body = read_frame(self.process.stdout)  # type: ignore[arg-type]
        assert body is not None, self.log.read_text()
        return decode_reply(body)

    def ask(self, request: Request) -> Answer:
        self.number += 1
        self.send(frame(Call(self.number, request)))
        while isinstance((reply := self.receive()).answer, Loading):  # how far a model is, unasked
            pass
        assert reply.number == self.number
        return reply.answer

    def see(self, request: Request) -> Snapshot:
        answer = self.ask(request)
        assert isinstance(answer, Shown | Opened), answer
        return answer.snapshot

    def refused(self, request: Request) -> str:
        answer = self.ask(request)
        assert isinstance(answer, Failure), answer
        assert "\n" not in answer.message
        return answer.message

    def end(self) -> int:
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(PATIENCE_S)


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fakes.tiny_model_dir(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def child(tmp_path_factory: pytest.TempPathFactory, model_dir: Path) -> Iterator[Child]:
    """One engine for all tests that leave it alive; each opens the model anew."""
    child = Child(tmp_path_factory.mktemp("home") / "engine.log")
    yield child
    assert child.end() == 0, child.log.read_text()


def test_it_says_who_it_is(child: Child) -> None:
    info = child.info
    assert (info.protocol, info.pid) == (frames.VERSION, child.process.pid)
    assert info.threads >= 1 and info.started_ms > 0 and info.device == "cpu"
    if hasattr(os, "getpriority"):
        assert os.getpriority(os.PRIO_PROCESS, info.pid) >= 10


def test_a_model_opens_with_card_tokenizer_and_history(child: Child, model_dir: Path) -> None:
    answer = child.ask(OpenModel(str(model_dir)))
    assert isinstance(answer, Opened)
    assert (answer.card.id, answer.card.n_layer) == ("tiny", 2)
    assert answer.history is not None
    np.testing.assert_array_equal(answer.history.steps, [0, 10, 20, 30])
    assert fakes.tiny_tokenizer().to_json() == answer.tokenizer_json
    assert len(answer.snapshot.ids) == len("the cat")
    assert answer.snapshot.elapsed_ms > 0


def test_a_model_that_is_left_on_its_way_leaves_the_one_before(child: Child, model_dir: Path, tmp_path: Path) -> None:
    before = child.see(OpenModel(str(model_dir), "the cat"))
    other = fakes.tiny_model_dir(tmp_path, "modern")
    n = child.number
    child.send(frame(Call(n + 1, OpenModel(str(other)))) + frame(Call(n + 2, StopOpening())))
    child.number += 2
    left, confirmed = (reply for _ in range(2) if not isinstance((reply := child.receive()).answer, Loading))
    assert (left.number, confirmed.number) == (n + 1, n + 2)
    assert isinstance(left.answer, Failure) and "the model before is still here" in left.answer.message
    assert isinstance(confirmed.answer, Left)
    np.testing.assert_array_equal(child.see(Show()).ids, before.ids)
    assert isinstance(child.ask(OpenModel(str(other))), Opened), "it opens when it is wanted again"


def test_it_tells_how_far_a_model_is(child: Child, tmp_path: Path) -> None:
    path = fakes.tiny_model_dir(tmp_path, n_layer=3)
    child.number += 1
    child.send(frame(Call(child.number, OpenModel(str(path)))))
    told = []
    while isinstance(answer := child.receive().answer, Loading):
        told.append(answer)
    assert isinstance(answer, Opened)
    assert [each.part for each in told][:3] == ["header", "tokenizer", "tensors"]
    assert all(each.total > 30 and each.done < each.total for each in told[2:])


def test_a_history_that_cannot_be_read_is_no_reason_not_to_open(child: Child, tmp_path: Path) -> None:
    path = fakes.tiny_model_dir(tmp_path)
    (path / "history.json").write_text("{")
    answer = child.ask(OpenModel(str(path)))
    assert isinstance(answer, Opened) and answer.history is not None
    assert "cannot be read" in answer.history.title and answer.history.steps.size == 0


def test_a_walk(child: Child, model_dir: Path) -> None:
    first = child.see(OpenModel(str(model_dir), prompt="the dog", seed=3, sampling=Sampling(1.5)))
    forth = [child.see(Step()) for _ in range(5)]
    assert [len(told.ids) for told in forth] == [8, 9, 10, 11, 12]
    for told in forth[:-1][::-1]:
        np.testing.assert_array_equal(child.see(Back()).ids, told.ids)
    np.testing.assert_array_equal(child.see(Back()).ids, first.ids)
    assert "no step to take back" in child.refused(Back())
    assert [child.see(Step()).ids.tolist() for _ in range(5)] == [told.ids.tolist() for told in forth]
    chosen = child.see(Choose(position=8, token_id=2))
    assert chosen.ids.tolist() == [*forth[1].ids.tolist(), 2]
    assert child.see(Back(to_prompt=True)).ids.tolist() == first.ids.tolist()
    assert child.see(SetSampling(Sampling(0))).sampling == Sampling(0)
    assert child.see(SetSeed(99)).seed == 99
    told = child.see(Show(look=Look(position=2, layer=1, head=1, top_k=3)))
    assert told.prediction is not None and told.attention is not None
    assert (told.prediction.position, len(told.prediction.candidate_ids)) == (2, 3)
    assert (told.attention.layer, told.attention.head) == (1, 1)
    assert child.see(SetPrompt("the mat")).n_prompt == 7


def test_a_session_is_restored_token_for_token(child: Child, model_dir: Path) -> None:
    child.see(OpenModel(str(model_dir), prompt="the dog", seed=3, sampling=Sampling(1.5)))
    for _ in range(40):
        child.see(Step())
    before = child.see(Choose(position=46, token_id=5))
    after = child.see(
        Restore(str(model_dir), "the dog", before.ids[7:].tolist(), [False] * 40 + [True], Sampling(1.5), seed=3)
    )
    np.testing.assert_array_equal(after.ids, before.ids)
    assert (after.n_prompt, after.n_slid, after.seed) == (7, before.n_slid, 3)
    np.testing.assert_allclose(after.prediction.probs, before.prediction.probs, atol=1e-4)  # type: ignore[union-attr]
    assert child.see(Back()).prediction.draw is None  # type: ignore[union-attr]
    drawn = child.see(Show(look=Look(position=-2))).prediction
    assert drawn is not None and drawn.draw is not None and drawn.draw.low <= drawn.draw.uniform < drawn.draw.high


def test_what_cannot_be_done_is_said_and_changes_nothing(child: Child, model_dir: Path, tmp_path: Path) -> None:
    before = child.see(OpenModel(str(model_dir), prompt="the dog"))
    assert "no model" in child.refused(OpenModel(str(tmp_path / "nowhere")))
    (tmp_path / "empty").mkdir()
    assert "config.json" in child.refused(OpenModel(str(tmp_path / "empty")))
    assert "temperature" in child.refused(SetSampling(Sampling(-1)))
    assert "outside the model's" in child.refused(Choose(position=6, token_id=10**6))
    assert "damaged" in child.refused(Restore(str(model_dir), "a", [1, 2], [True], Sampling(), 0))
    np.testing.assert_array_equal(child.see(Show()).ids, before.ids)


GARBAGE = {
    "text": b"hello",
    "empty": b"",
    "not a call": msgspec.msgpack.encode({"a": 1}),
    "unknown request": msgspec.msgpack.encode([7, {"type": "Reboot"}]),
    "wrong type": msgspec.msgpack.encode([7, {"type": "SetPrompt", "text": 5}]),
    "missing field": msgspec.msgpack.encode([7, {"type": "SetPrompt"}]),
    "cut short": frame(Call(7, Step()))[4:-1],
    "deep": b"\x91" * 5000,
    "random": bytes(range(256)),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_gets_an_answer_and_does_no_harm(name: str, child: Child, model_dir: Path) -> None:
    body = GARBAGE[name]
    child.send(struct.pack("<I", len(body)) + body)
    reply = child.receive()
    assert isinstance(reply.answer, Failure), name
    assert "does not understand" in reply.answer.message
    assert reply.number in ((7,) if name in ("unknown request", "wrong type", "missing field") else (0,))
    assert len(child.see(OpenModel(str(model_dir))).ids) == 7


def test_frames_may_come_in_any_pieces(child: Child, model_dir: Path) -> None:
    child.see(OpenModel(str(model_dir)))
    data = frame(Call(1, Step())) + frame(Call(2, Back())) + frame(Call(3, Show()))
    for n in range(len(data)):
        child.send(data[n : n + 1])
    assert [child.receive().number for _ in range(3)] == [1, 2, 3]


def test_a_megabyte_of_prompt_travels(child: Child, model_dir: Path) -> None:
    child.see(OpenModel(str(model_dir)))
    told = child.see(SetPrompt("the cat sat on the mat.\n" * 43_700))
    assert len(told.ids) == 24 * 43_700 and told.n_slid > 10**6
    assert len(child.see(Step()).ids) == 24 * 43_700 + 1


def test_hostile_prompts_travel(child: Child, model_dir: Path) -> None:
    child.see(OpenModel(str(model_dir)))
    for text in ("", "[/]", "\x1b]0;x\x07\x00", "👨‍👩‍👧‍👦", "שלום\u202e"):
        assert child.see(SetPrompt(text)).prediction is not None


def test_ctrl_c_is_the_screens_business(child: Child, model_dir: Path) -> None:
    child.process.send_signal(signal.SIGINT)
    assert len(child.see(OpenModel(str(model_dir))).ids) == 7


def test_no_model_is_no_crash_and_it_ends_with_the_screen_even_in_the_middle_of_a_frame(tmp_path: Path) -> None:
    child = Child(tmp_path / "engine.log")
    for request in (Step(), Back(), SetPrompt("a"), Show(), SetSampling(Sampling()), SetSeed(1), Choose(0, 0)):
        assert "no model is open" in child.refused(request)
    child.send(b"\xff\x00\x00\x00half")
    assert child.end() == 0


def test_it_ends_when_nobody_reads(tmp_path: Path, model_dir: Path) -> None:
    child = Child(tmp_path / "engine.log")
    assert child.process.stdout is not None
    child.process.stdout.close()
    child.send(frame(Call(1, OpenModel(str(model_dir)))) * 3)
    assert child.process.wait(PATIENCE_S) == 0


def test_what_is_no_protocol_at_all_ends_it_with_a_word(tmp_path: Path) -> None:
    child = Child(tmp_path / "engine.log")
    child.send(b"GET / HTTP/1.1\r\n\r\n")
    assert child.process.wait(PATIENCE_S) == 1
    assert "not gpttui's protocol" in child.log.read_text()


def test_it_ends_on_sigterm(tmp_path: Path) -> None:
    child = Child(tmp_path / "engine.log")
    child.process.terminate()
    assert child.process.wait(PATIENCE_S) == 143


SCRIPT = """
import os, sys
from gpttui.engine import registry, server
from gpttui.protocol.message import Failure
from gpttui.protocol.play import Back, Jump, Show, Step

ran = 0

def noisy(engine, request):
    print("from python", flush=True)
    os.write(1, b"from C\\n")
    os.system("echo from a child")
    return engine.info()

def broken(engine, request):
    raise ZeroDivisionError("a bug")

def start(engine, request):
    def work():
        global ran
        ran += 1
        if ran == 3:
            engine.send(Failure("three"))
            raise KeyError("a bug at work")
    engine.idle_work = work
    engine.closers.append(lambda: print("closed", ran >= 3, file=sys.stderr))
    return Failure(str(ran))

registry.HANDLERS |= {Jump: noisy, Step: broken, Show: start, Back: lambda engine, request: Failure(str(ran))}
sys.exit(server.main())
"""


BACKGROUND = "work in the background failed: KeyError: 'a bug at work'"


def test_prints_bugs_and_idle_work(tmp_path: Path) -> None:
    """Prints stay out of the frames, a bug in a handler is an answer, idle work waits for every request at hand."""
    log = tmp_path / "stderr"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
        )
    assert process.stdin is not None and process.stdout is not None
    calls = [Jump([], []), Step(), Jump([], []), Show(), Back()]
    process.stdin.write(b"".join(frame(Call(number, request)) for number, request in enumerate(calls, start=1)))
    process.stdin.flush()
    answers = [decode_reply(read_frame(process.stdout) or b"") for _ in range(8)]  # type: ignore[arg-type]
    assert [reply.number for reply in answers] == [0, 1, 2, 3, 4, 5, 0, 0]
    words = [reply.answer.message for reply in answers if isinstance(reply.answer, Failure)]
    assert words == ["the engine failed unexpectedly: ZeroDivisionError: a bug", "0", "0", "three", BACKGROUND]
    process.stdin.close()
    assert process.stdout.read() == b""
    process.stdout.close()
    assert process.wait(PATIENCE_S) == 0
    told = log.read_text()
    assert told.count("from python") == told.count("from C") == told.count("from a child") == 2
    assert "Traceback" in told and "closed True" in told


def test_a_person_who_starts_it_by_hand_is_told(tmp_path: Path) -> None:
    import pty

    ours, theirs = pty.openpty()
    done = subprocess.run(default_command(), stdin=theirs, capture_output=True, timeout=PATIENCE_S, check=False)
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 2
    assert b"speaks in frames" in done.stderr
    assert b"torch" not in done.stderr


def test_its_memory_is_torchs_and_little_more(child: Child, model_dir: Path) -> None:
    child.see(OpenModel(str(model_dir)))
    status = Path(f"/proc/{child.process.pid}/status")
    if not status.exists():
        pytest.skip("only Linux tells")
    resident = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    assert int(resident.split()[1]) < 600_000
