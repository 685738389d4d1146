"""Every change to every answer that passes the border, shown to the screen that asked for it.

The suite shows a sample (`tests/tui/test_spoilt_answers.py`). Run with `-s` to see how many were shown of each kind.
"""

from pathlib import Path

import pytest

from gpttui.tui.views.table import VIEWS, View
from tests.tui.conftest import home, text  # noqa: F401
from tests.tui.spoiling import in_a_step, in_the_playground, in_training, in_view

pytestmark = pytest.mark.timeout(1800)


@pytest.mark.parametrize("view", [view for view in VIEWS if view.id != "branches"], ids=lambda view: view.id)
async def test_views(view: View, tmp_path: Path) -> None:
    print(await in_view(view, tmp_path, 1))


async def test_a_step_part_by_part(tmp_path: Path) -> None:
    print(await in_a_step(tmp_path, 1))


async def test_the_playground(tmp_path: Path) -> None:
    print(await in_the_playground(tmp_path, 1))


async def test_training(home: Path, text: Path) -> None:  # noqa: F811
    print(await in_training(home, text, 1))
