"""Two processes under torchrun are one process with twice the batch."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.training.ranks import assert_all_stop, assert_two_are_one, together

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "gpttui"]


def test_two_processes_equal_one_with_twice_the_batch(text_file: Path, tmp_path: Path) -> None:
    def torchrun(*options: str) -> None:
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        done = subprocess.run([*TORCHRUN, "train", *options], env=environment, capture_output=True, timeout=180)
        assert done.returncode == 0, done.stderr.decode()

    assert_two_are_one(text_file, tmp_path, launch=torchrun)


def test_every_process_gives_up_when_the_data_is_no_good(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    for code, words in together("--data", str(tmp_path / "empty.txt"), "--run-dir", str(tmp_path / "run")):
        assert code == 1 and "Traceback" not in words
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("rank", [0, 1])
def test_ranks_take_disjoint_rows_of_the_same_batch(rank: int) -> None:
    import numpy as np
    import torch

    from gpttui.training.data import TokenFile

    stream = TokenFile(np.arange(2000, dtype=np.uint16), context=8)
    whole = stream.draw(seed=0, first=16, count=8).inputs
    assert torch.equal(stream.draw(seed=0, first=16 + 4 * rank, count=4).inputs, whole[4 * rank : 4 * rank + 4])


def test_all_processes_stop_together_when_one_is_told_to(text_file: Path, tmp_path: Path) -> None:
    assert_all_stop(text_file, tmp_path / "run", 1, "within an evaluation")
