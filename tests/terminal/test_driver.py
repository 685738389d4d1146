"""Writing to a terminal never waits for it: what is too much is left out, modes are not, and the end comes anyway."""

import os
import threading
import time
from collections.abc import Iterator

import pytest

from gpttui.tui.driver import FRAME, MOST_PENDING, Outlet

LIMIT_S = 30.0


class Heard:
    """A pipe in place of the terminal, and what the writer says of it."""

    def __init__(self) -> None:
        self.reading, writing = os.pipe()
        self.gone, self.caught_up = threading.Event(), threading.Event()
        self.outlet = Outlet(writing, self.gone.set, self.caught_up.set)
        self.writing = writing

    def read(self, end: bytes) -> bytes:
        seen = b""
        while not seen.endswith(end):
            seen += os.read(self.reading, 1 << 16)
        return seen


@pytest.fixture
def pipe() -> Iterator[Heard]:
    made = Heard()
    yield made
    made.outlet.close(0.1)


def test_what_fits_arrives_in_order(pipe: Heard) -> None:
    for n in range(100):
        pipe.outlet.put(f"{n} ⠿ ")
    pipe.outlet.close()
    assert pipe.read("99 ⠿ ".encode()).decode() == "".join(f"{n} ⠿ " for n in range(100))
    assert not pipe.caught_up.is_set() and not pipe.gone.is_set()


def test_nobody_reads_for_long(pipe: Heard) -> None:
    frame = "x" * 20_000
    for n in range(500):
        pipe.outlet.put(f"[{n}]" + frame)
        pipe.outlet.put(f"<mode {n}>")
        assert pipe.outlet.waiting <= MOST_PENDING + len(frame) + FRAME
    seen = pipe.read(b"<mode 499>").decode()
    assert [f"<mode {n}>" in seen for n in range(500)] == [True] * 500
    assert len(seen) < 20 * len(frame) + 500 * FRAME
    assert pipe.caught_up.wait(LIMIT_S)
    pipe.outlet.put(frame + "!")
    assert pipe.read(b"!").decode() == frame + "!"


def test_it_is_closed_where_nobody_reads(pipe: Heard) -> None:
    for _ in range(100):
        pipe.outlet.put("x" * 20_000)
    began = time.monotonic()
    pipe.outlet.close(0.1)
    pipe.outlet.put("later")
    assert time.monotonic() - began < LIMIT_S


def test_a_reader_that_goes_is_noticed_once_and_nothing_waits_for_it(pipe: Heard) -> None:
    os.close(pipe.reading)
    for _ in range(1000):
        pipe.outlet.put("x" * 20_000)
    pipe.outlet.put("x")
    assert pipe.gone.wait(LIMIT_S)
    pipe.outlet.close()
