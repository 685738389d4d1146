"""60,000 random keys in bursts, in four sizes: no crash, and how much the screen's memory grows.

Half of them on the app in this process, which tells where it broke; half through a terminal, as a person's keys come.
"""

from pathlib import Path

import pytest

from tests import fakes
from tests.flood import SIZES, bursts, flood, flood_through
from tests.terminal.pty_app import terminal

KEYS = 7_500
"""For each size and each way."""
MOST_GROWN_MB = 60
SETTLED = 2
"""Readings, of 500 keys each, until every view has been opened once."""


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_in_this_process(size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path / "home"))
    crashes = await flood(fakes.tiny_model_dir(tmp_path), SIZES.index(size), KEYS, size)
    assert not [str(crash) for crash in crashes]


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_through_a_terminal(size: tuple[int, int], tmp_path: Path) -> None:
    statm = "/proc/{}/statm"
    if not Path(statm.format("self")).exists():
        pytest.skip("only Linux tells")
    model, coming, left = fakes.tiny_model_dir(tmp_path), bursts(100 + SIZES.index(size), KEYS, (size, (100, 30))), KEYS
    grown = [0.0]
    while left > 0:
        environment = {"HOME": str(tmp_path)}
        with terminal("--model", str(model), home=tmp_path, size=size, engine=None, environment=environment) as page:
            page.until(lambda: b"?1049h" in page.raw)
            table = Path(statm.format(page.child.pid))
            pressed, memory_mb = flood_through(
                page,
                coming,
                lambda table=table: int(table.read_text().split()[1]) * 4096 / 2**20,  # type: ignore[misc]
            )
            left -= max(1, pressed)
            grown += [memory_mb[-1] - memory_mb[SETTLED]] if len(memory_mb) > SETTLED else []
            if left > 0:  # the palette may lead to the way out
                assert page.end() == 0, page.raw[-3000:].decode("utf-8", "replace")
    print(f"{size[0]}×{size[1]}: memory grown by {max(grown):.1f} MB in {KEYS:,} keys")
    assert max(grown) < MOST_GROWN_MB
