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


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("../my model@12", "my-model@12"),
        ("", "run"),
        ("...", "run"),
        ("-", "run"),
        (".hidden", "hidden"),
        ("a/b\\c\0d\x1b[2J", "a-b-c-d-2J"),
        ("caf\udce9", "caf"),
        ("é" * 127, "é" * 40),
        ("x中" * 80, "x中" * 20),
        ("x" * 79 + "é", "x" * 79),
    ],
)
def test_any_text_becomes_a_short_and_safe_name(text: str, name: str, tmp_path: Path) -> None:
    assert locations.file_name(text, "run") == name == locations.file_name(name, "run")
    (tmp_path / f".{name}-20261231-235959-candidates.npz.tmp").touch()


def test_a_path_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    for expected in ("x.svg", "x-2.svg", "x-3.svg"):
        path = locations.free_path(tmp_path, "x", ".svg")
        assert path.name == expected
        path.touch()
