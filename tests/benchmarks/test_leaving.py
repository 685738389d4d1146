"""Every way to leave: terminals closed in all states, and no step lost: `pytest -n0 tests/benchmarks/test_leaving.py`.

About twenty minutes on two cores. A handful of it is in tests/terminal/test_leaving.py.
"""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.terminal.closing import STATES, close_terminal, family, in_state, left, reached, steps_lost

BUSY = float(os.environ.get("GPTTUI_BUSY", "1"))
"""How many times longer than three seconds a busy machine may take."""
ENGINE_S = 30.0
MOMENTS = 20


@pytest.mark.parametrize("way", ["closed", "SIGTERM"])
@pytest.mark.parametrize("name", STATES)
def test_three_seconds_later_nothing_runs(tmp_path: Path, name: str, way: str) -> None:
    with in_state(STATES[name], tmp_path / "home") as page:
        processes = family(page)
        if way == "closed":
            close_terminal(page)
        else:
            os.kill(page.child.pid, signal.SIGTERM)
            os.kill(page.child.pid, signal.SIGCONT)
        began = time.monotonic()
        assert not left(processes, 3.0 * BUSY), name
        print(f"{name}, {way}: {time.monotonic() - began:.2f} s")
    assert steps_lost(tmp_path / "home") == 0


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_no_step_that_was_done_is_lost(tmp_path: Path, moment: int) -> None:
    rng, way = random.Random(moment), ("q", "SIGTERM", "SIGKILL")[moment % 3]
    with in_state(STATES["training"], tmp_path / "home") as page:
        processes = family(page)
        wanted = rng.randint(1, 25)
        page.until(lambda: reached(page.home) >= wanted)
        time.sleep(rng.random() * 0.5)  # anywhere within a step, an evaluation, a save
        if way == "q":
            page.press("q")
        else:
            os.kill(page.child.pid, signal.Signals[way])
        page.end()
        assert not left(processes, ENGINE_S)
    print(f"{way} at step {reached(tmp_path / 'home')}")
    assert steps_lost(tmp_path / "home") == 0 < reached(tmp_path / "home")
