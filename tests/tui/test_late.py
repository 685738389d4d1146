"""A module that is loaded late: imported as often as one likes, loaded by the first look at it, and then like any."""

import sys
from importlib import import_module
from pathlib import Path

import pytest

from gpttui.tui.late import load_late, load_now


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = "loaded_for_this_test_only"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text(f"from {name} import inside\nANSWER = inside.ANSWER\n")
    (tmp_path / name / "inside.py").write_text(f"import {name} as whole\nANSWER = 42\nlacks = hasattr(whole, 'no')")
    monkeypatch.syspath_prepend(str(tmp_path))
    for module in (name, f"{name}.inside"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    return name


def test_it_is_loaded_by_the_first_look_and_not_by_imports(package: str) -> None:
    load_late(package)
    late = import_module(package)
    assert import_module(package) is late and f"{package}.inside" not in sys.modules
    assert late.ANSWER == 42 and f"{package}.inside" in sys.modules
    assert sys.modules[package] is late and not hasattr(late, "nothing")


def test_what_is_loaded_already_or_is_not_there_stays_so(package: str) -> None:
    loaded = import_module(package)
    load_late(package)
    load_late("no_such_module_anywhere")
    assert sys.modules[package] is loaded and "no_such_module_anywhere" not in sys.modules


def test_it_can_be_loaded_before_anything_of_it_is_wanted(package: str) -> None:
    load_late(package)
    load_now(package)
    load_now(package)
    assert f"{package}.inside" in sys.modules
