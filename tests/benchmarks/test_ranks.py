"""One of two processes is told to stop, at ten moments, and two are one on documents. The tests proper do one each."""

from pathlib import Path

import pytest

from tests.training.conftest import text_file  # noqa: F401
from tests.training.ranks import MOMENTS, assert_all_stop, assert_two_are_one, together


@pytest.mark.parametrize("moment", MOMENTS)
def test_all_processes_stop_together_when_one_is_told_to(text_file: Path, tmp_path: Path, moment: str) -> None:  # noqa: F811
    assert_all_stop(text_file, tmp_path / "run", list(MOMENTS).index(moment) % 2, moment)


def test_two_processes_equal_one_with_twice_the_batch_of_documents(text_file: Path, tmp_path: Path) -> None:  # noqa: F811
    text_file.write_text("".join("ab" * (1 + n % 23 % 7) + "\n" for n in range(900)), encoding="utf-8")

    def two(*options: str) -> None:
        assert [code for code, _ in together(*options)] == [0, 0]

    assert_two_are_one(text_file, tmp_path, "--documents", launch=two)
