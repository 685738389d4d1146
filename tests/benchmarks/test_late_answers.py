"""500 random sequences of keys, answers delayed and reordered: no pane ever shows what its label does not say.

Ten sequences a sitting, some twenty seconds each.
"""

from pathlib import Path

import pytest

from tests.late_keys import sequences

SITTINGS, EACH = 50, 10


@pytest.mark.parametrize("seed", range(SITTINGS))
async def test_sequences_of_keys(tmp_path: Path, seed: int) -> None:
    assert not await sequences(tmp_path, seed, EACH)
