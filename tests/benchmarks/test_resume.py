"""Twenty kills at random moments, four seeds: `pytest tests/benchmarks/test_resume.py`. The tests proper do two."""

from pathlib import Path

import pytest

from tests.training.conftest import text_file  # noqa: F401
from tests.training.kill import OPTIONS, curve, kill_at_random_moments, spawn


@pytest.mark.parametrize("seed", range(4))
def test_losses_after_kills_are_those_of_a_run_never_killed(text_file: Path, tmp_path: Path, seed: int) -> None:  # noqa: F811
    child = spawn("--data", str(text_file), *OPTIONS, "--run-dir", str(tmp_path / "whole"))
    assert child.wait(timeout=300) == 0
    kill_at_random_moments(text_file, tmp_path / "killed", kills=5, seed=seed)
    assert curve(tmp_path / "killed") == curve(tmp_path / "whole")
