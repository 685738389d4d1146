"""A run of a million steps in the loss pane, drawn anew as points come in.

In a process of its own, as the screen is, on a terminal that is not there: what is counted is the processor time of a
redraw, everything included, and the memory that the recorded steps take.
"""

import asyncio
import gc
import json
import subprocess
import sys
import tracemalloc
from time import thread_time

import numpy as np
from textual.app import App, ComposeResult

from gpttui.bench.report import Row
from gpttui.tui.widgets.loss import LossPane
from tests.benchmarks.timing import quantile

STEPS = 1_000_000
AT_A_TIME = 1000
REDRAWS = 12
DRAWN_S = 0.3
"""By then new points have been drawn."""


class _Curve(App[None]):
    def compose(self) -> ComposeResult:
        yield LossPane()


def curve_rows(steps: int = STEPS) -> list[Row]:
    """Redraw and memory of a curve of so many steps."""
    command = [sys.executable, "-m", "tests.benchmarks.goals.curves", str(steps)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    redraws_ms, held_mb = json.loads(done.stdout)
    size = f"loss pane, {steps:,} recorded steps"
    return [
        Row(
            f"{size}: redraw, p95",
            quantile(redraws_ms, 0.95),
            "ms",
            at_least=40,
            aim=20,
            note="processor time of the screen's thread",
        ),
        Row(f"{size}: memory", held_mb, "MB", at_least=50, aim=20),
    ]


async def _drawn(steps: int) -> tuple[list[float], float]:
    rng = np.random.default_rng(0)
    app = _Curve()
    async with app.run_test(size=(120, 40)) as pilot:
        pane = app.query_one(LossPane)
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        for first in range(0, steps, AT_A_TIME):
            _record(pane, first, rng)
        held_mb = (tracemalloc.get_traced_memory()[0] - before) / 1e6
        tracemalloc.stop()
        await pilot.pause(DRAWN_S)
        took_ms = []
        for n in range(REDRAWS):
            began_s = thread_time()
            _record(pane, steps + n * AT_A_TIME, rng)
            await asyncio.sleep(DRAWN_S)
            took_ms.append((thread_time() - began_s) * 1e3)
    return took_ms, held_mb


def _record(pane: LossPane, first: int, rng: np.random.Generator) -> None:
    at = np.arange(first + 1, first + AT_A_TIME + 1, dtype=np.float64)
    losses = 4 * at**-0.1 + 0.05 * rng.standard_normal(AT_A_TIME)
    pane.train.extend(at, losses)
    pane.grown()


if __name__ == "__main__":
    from gpttui.cli.play import COLLECT_EVERY

    gc.set_threshold(*COLLECT_EVERY)
    print(json.dumps(asyncio.run(_drawn(int(sys.argv[1])))))
