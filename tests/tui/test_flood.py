"""A minute of random keys, in bursts, on the app with the real engine; an hour of them lies in tests/benchmarks."""

from pathlib import Path

import pytest

from tests import fakes
from tests.flood import flood

KEYS = 700


@pytest.mark.parametrize(("seed", "size"), [(2, (120, 40)), (11, (60, 18))])
async def test_random_keys_end_nothing(
    seed: int, size: tuple[int, int], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(home))
    assert not [str(crash) for crash in await flood(fakes.tiny_model_dir(home), seed, KEYS, size)]
