"""What gpttui must reach, by its own measurements: pytest tests/benchmarks/test_goals.py

Only ratios within one run are asserted: they hold on a busy machine too. Plain milliseconds are printed (-s shows).
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY


def bench(*args: str) -> list[dict[str, Any]]:
    done = subprocess.run([sys.executable, "-m", *args, "--json"], capture_output=True, text=True, cwd=REPOSITORY)
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, Any]] = json.loads(done.stdout)["rows"]
    for row in rows:
        ratio = "" if row["ratio"] is None else f" = {row['ratio']:.2f} of {row['baseline']}"
        print(f"{row['name']}: {row['value']:.4g} {row['unit']}{ratio} (least {row['at_least']}, aim {row['aim']})")
    return rows


def check(rows: list[dict[str, Any]]) -> None:
    missed = [row["name"] for row in rows if row["ratio"] is not None and row["verdict"] == "missed"]
    assert not missed


GOALS = "tests.benchmarks.goals"


@pytest.mark.parametrize("what", ["startup", "keys", "views"])
def test_the_screen_reaches_its_ratios(what: str) -> None:
    check(bench(GOALS, what))


def test_a_step_reaches_its_ratio() -> None:
    check(bench("gpttui", "bench", "step"))


def test_memory_stays_small() -> None:
    (memory,) = [row for row in bench(GOALS, "startup", "--rounds", "1") if row["unit"] == "MB"]
    assert memory["value"] <= memory["at_least"]


def test_training_reaches_its_ratios(data_dir: Path) -> None:
    text = str(data_dir / "tinyshakespeare.txt")
    check([*bench("gpttui", "bench", "train", "--data", text), *bench(GOALS, "training", "--data", text)])
