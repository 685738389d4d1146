"""500 random sequences of keys, answers delayed and reordered: no pane ever shows what its label does not say."""

from pathlib import Path

import pytest

from tests.late_keys import sequences

SITTINGS, EACH = 50, 10


@pytest.mark.timeout(3600)
async def test_500_sequences_of_keys(tmp_path: Path) -> None:
    wrong = [found for seed in range(SITTINGS) for found in await sequences(tmp_path, seed, EACH)]
    print(f"{SITTINGS * EACH} sequences, {len(wrong)} panes at odds with their labels")
    assert not wrong
