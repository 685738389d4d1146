"""The screen's end of the pipe to the engine."""

import sys
from pathlib import Path

import pytest

from gpttui.engine.client import EngineClient, EngineFailure
from gpttui.protocol.play import SetPrompt


async def test_a_text_that_no_frame_can_carry_is_refused_and_the_engine_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = EngineClient([sys.executable, "-c", "import sys; sys.stdin.read()"], tmp_path / "engine.log")
    await client.connect()
    monkeypatch.setattr(EngineClient, "alive", True)  # it has not said who it is
    with pytest.raises(EngineFailure, match="not UTF-8"):
        await client.request(SetPrompt("a\ud800b"))
    assert not client._waiting and client.process is not None and client.process.poll() is None
    await client.close()
    await client.ended()
