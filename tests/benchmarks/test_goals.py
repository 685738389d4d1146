"""What gpttui must reach, by its own benchmark verb: pytest tests/benchmarks/test_goals.py

Only ratios within one run are asserted: they hold on a busy machine too. Plain milliseconds are printed (-s shows).
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def bench(*args: str) -> list[dict[str, Any]]:
    done = subprocess.run([sys.executable, "-m", "gpttui", "bench", *args, "--json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, Any]] = json.loads(done.stdout)["rows"]
    for row in rows:
        ratio = "" if row["ratio"] is None else f" = {row['ratio']:.2f} of {row['baseline']}"
        print(f"{row['name']}: {row['value']:.4g} {row['unit']}{ratio} (least {row['at_least']}, aim {row['aim']})")
    return rows


def check(rows: list[dict[str, Any]]) -> None:
    missed = [row["name"] for row in rows if row["ratio"] is not None and row["verdict"] == "missed"]
    assert not missed


@pytest.mark.parametrize("what", ["startup", "step", "inside"])
def test_the_playground_reaches_its_ratios(what: str) -> None:
    check(bench(what))


def test_memory_stays_small() -> None:
    (memory,) = [row for row in bench("startup", "--rounds", "1") if row["unit"] == "MB"]
    assert memory["value"] <= memory["at_least"]


def test_training_reaches_its_ratios(data_dir: Path) -> None:
    check(bench("train", "--data", str(data_dir / "tinyshakespeare.txt")))
