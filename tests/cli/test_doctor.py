"""The doctor finds what is broken, says it in a line, and exits accordingly."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpttui.cli import doctor
from gpttui.storage import gallery
from tests.cli.conftest import Cli


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bpe_model: Path) -> Path:
    """One good bundled model, and no engine started."""
    shutil.copytree(bpe_model, tmp_path / "bundled" / "good")
    monkeypatch.setattr(gallery, "bundled_dir", lambda: tmp_path / "bundled")
    monkeypatch.setattr(doctor, "_engine", lambda: iter(()))
    return tmp_path / "bundled"


def test_all_well_with_a_real_engine(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bpe_model: Path
) -> None:
    monkeypatch.setattr(gallery, "bundled_dir", lambda: bpe_model.parent)
    result = cli("doctor")
    assert result.code == 0, result.out
    assert "engine: ready after" in result.out and result.out.endswith("all well\n")
    assert "model bpe:" in result.out and "checksum ok" in result.out


def test_json_has_one_entry_a_line(cli: Cli, shelf: Path) -> None:
    report = json.loads(cli("doctor", "--json").out)
    assert report["ok"] is True
    assert {"packages", "torch", "devices", "terminal", "settings", "place for runs", "model good"} <= {
        check["name"] for check in report["checks"]
    }
    assert all(set(check) == {"name", "state", "detail"} for check in report["checks"])


def test_a_damaged_model_is_found(cli: Cli, shelf: Path) -> None:
    data = bytearray((shelf / "good" / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (shelf / "good" / "model.safetensors").write_bytes(data)
    result = cli("doctor")
    assert result.code == 1 and "✗ model good: " in result.out and "checksum" in result.out
    assert result.out.endswith("1 broken\n")


def test_no_model_at_all_is_broken(cli: Cli, shelf: Path) -> None:
    shutil.rmtree(shelf)
    assert cli("doctor").code == 1


def test_bad_settings_are_a_note(cli: Cli, shelf: Path, home: Path) -> None:
    (home / "config").mkdir(parents=True)
    (home / "config" / "settings.toml").write_text("theme = ")
    result = cli("doctor")
    assert result.code == 0 and "· settings: " in result.out


def test_a_check_that_fails_unforeseen_is_a_finding(cli: Cli, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing() -> Iterator[doctor.Check]:
        raise RuntimeError("odd\nthing")
        yield

    monkeypatch.setattr(doctor, "_models", failing)
    result = cli("doctor")
    assert result.code == 1 and "✗ failing: RuntimeError: odd thing" in result.out


def test_unpacked_weights_are_told_and_cleared(cli: Cli, shelf: Path, home: Path) -> None:
    folder = home / "cache" / "unpacked"
    folder.mkdir(parents=True)
    (folder / "a.F32").write_bytes(bytes(2_500_000))
    assert "unpacked weights: 2.5 MB of at most 10 GB" in cli("doctor").out
    assert "2.5 MB of unpacked weights cleared" in cli("doctor", "--clear-cache").err
    assert not any(folder.iterdir())
