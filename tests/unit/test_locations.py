"""One variable moves everything; without it the platform's own folders hold."""

from pathlib import Path

import pytest

from gpttui import locations


def test_one_variable_moves_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path))
    for place in locations.all_locations().values():
        assert tmp_path in place.parents
    assert not any(tmp_path.iterdir())


def test_each_kind_has_its_own_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GPTTUI_HOME", raising=False)
    places = list(locations.all_locations().values())
    assert len(set(places)) == len(places)
    assert all("gpttui" in str(place) and place.is_absolute() for place in places)
