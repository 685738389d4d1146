"""One of two processes is told to stop, at ten moments. The tests proper do two of them."""

from pathlib import Path

import pytest

from tests.training.conftest import text_file  # noqa: F401
from tests.training.ranks import MOMENTS, assert_all_stop


@pytest.mark.parametrize("moment", MOMENTS)
def test_all_processes_stop_together_when_one_is_told_to(text_file: Path, tmp_path: Path, moment: str) -> None:  # noqa: F811
    assert_all_stop(text_file, tmp_path / "run", list(MOMENTS).index(moment) % 2, moment)
