"""Two processes under torchrun are one process with twice the batch."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gpttui.runs import rundir
from gpttui.runs.events import RunStarted
from tests.training.kill import OPTIONS, curve, spawn
from tests.training.ranks import assert_all_stop

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


@pytest.mark.parametrize("layout", ["stream", "documents"])
def test_two_processes_equal_one_with_twice_the_batch(text_file: Path, tmp_path: Path, layout: str) -> None:
    options = ["--data", str(text_file), *OPTIONS, "--dropout", "0", "--steps", "40", "--accumulation", "2"]
    if layout == "documents":
        text_file.write_text("".join("ab" * (1 + n % 23 % 7) + "\n" for n in range(900)), encoding="utf-8")
        options += ["--documents"]
    one = spawn(*options, "--batch", "8", "--run-dir", str(tmp_path / "one"))
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    two = subprocess.run(
        [*TORCHRUN, "-m", "gpttui", "train", *options, "--batch", "4", "--run-dir", str(tmp_path / "two")],
        env=environment,
        capture_output=True,
        timeout=180,
    )
    assert two.returncode == 0, two.stderr.decode()
    assert one.wait(timeout=120) == 0
    expected, found = curve(tmp_path / "one"), curve(tmp_path / "two")
    assert found.keys() == expected.keys()
    assert max(abs(found[key] - expected[key]) for key in expected) < 1e-4
    started = next(rundir.read_events(tmp_path / "two"))
    assert isinstance(started, RunStarted) and started.processes == 2
    assert started.tokens_per_step == 2 * 4 * 2 * 16


def test_every_process_gives_up_when_the_data_is_no_good(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    done = subprocess.run(
        [*TORCHRUN, "-m", "gpttui", "train", "--data", str(tmp_path / "empty.txt"), "--run-dir", str(tmp_path / "run")],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        timeout=120,
    )
    assert done.returncode != 0
    assert "empty.txt is empty" in done.stderr.decode()
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("rank", [0, 1])
def test_ranks_take_disjoint_rows_of_the_same_batch(rank: int) -> None:
    import numpy as np
    import torch

    from gpttui.training.data import TokenFile

    stream = TokenFile(np.arange(2000, dtype=np.uint16), context=8)
    whole = stream.draw(seed=0, first=16, count=8).inputs
    assert torch.equal(stream.draw(seed=0, first=16 + 4 * rank, count=4).inputs, whole[4 * rank : 4 * rank + 4])


@pytest.mark.parametrize(("rank", "moment"), [(1, "within an evaluation"), (0, "within a checkpoint")])
def test_all_processes_stop_together_when_one_is_told_to(
    text_file: Path, tmp_path: Path, rank: int, moment: str
) -> None:
    assert_all_stop(text_file, tmp_path / "run", rank, moment)
