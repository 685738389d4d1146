"""Whatever an engine sends and the border lets pass can be drawn: each kind of answer, changed here and there.

The suite looks at some of the changes, `tests/benchmarks/test_spoilt_answers.py` at all of them.
"""

from pathlib import Path

import pytest

from gpttui.tui.views.table import VIEWS, View
from tests.tui.spoiling import in_a_step, in_the_playground, in_training, in_view

SOME = 25
"""One of so many."""


@pytest.mark.parametrize("view", [view for view in VIEWS if view.id != "branches"], ids=lambda view: view.id)
async def test_views(view: View, tmp_path: Path) -> None:
    await in_view(view, tmp_path, SOME)


async def test_a_step_part_by_part(tmp_path: Path) -> None:
    await in_a_step(tmp_path, SOME)


async def test_the_playground(tmp_path: Path) -> None:
    await in_the_playground(tmp_path, SOME)


async def test_training(home: Path, text: Path) -> None:
    await in_training(home, text, SOME)
