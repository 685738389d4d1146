"""`gpttui get`: the list, terms that a person agrees to, size and licence before, the path after."""

import json
from pathlib import Path

import msgspec
import pytest

from gpttui.storage import getting
from tests.cli.conftest import Cli


@pytest.fixture(autouse=True)
def offered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Models without a network; the names that were fetched."""
    fetched: list[str] = []

    def offers(name: str, problems: list[str]) -> list[getting.Offer]:
        def fetch(progress: getting.Progress) -> Path:
            fetched.append(name)
            progress(5, 10)
            target = getting.place(name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(b"GGUF")
            return target

        return [getting.Offer("here", 92_871_040, "Apache-2.0", fetch)]

    monkeypatch.setattr(getting, "offers", offers)
    return fetched


def test_alone_it_lists_what_there_is(cli: Cli, offered: list[str]) -> None:
    result = cli("get")
    assert result.code == 0 and all(name in result.out for name in getting.table())
    assert "98.4 MB" in result.out and "Apache-2.0" in result.out and not offered
    listed = json.loads(cli("get", "--list", "--json").out)
    assert {entry["name"] for entry in listed} == getting.table().keys()
    assert all(entry["path"] is None for entry in listed)


def test_size_licence_and_source_are_told_before_and_the_path_after(cli: Cli, offered: list[str]) -> None:
    result = cli("get", "smollm2")
    assert "smollm2: 92.9 MB, licence Apache-2.0, from here" in result.err
    assert result.out.strip() == str(getting.place("smollm2")) and offered == ["smollm2"]
    again = cli("get", "smollm2")
    assert "is here already" in again.err and again.out == result.out and offered == ["smollm2"]
    assert json.loads(cli("get", "smollm2", "--json").out)["path"] == result.out.strip()


def test_terms_are_shown_and_have_to_be_agreed_to(
    cli: Cli, offered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bound = msgspec.structs.replace(getting.table()["smollm2"], terms="https://example.org/terms")
    monkeypatch.setattr(getting, "table", lambda: {"bound": bound})
    result = cli("get", "bound")
    assert result.code == 1 and not offered
    assert "https://example.org/terms" in result.err and "--yes" in result.err
    assert cli("get", "bound", "--yes").code == 0 and offered == ["bound"]


def test_a_name_that_is_not_known_is_one_line(cli: Cli) -> None:
    result = cli("get", "gtp2")
    assert result.code == 1 and result.err == "gpttui: no known model is called 'gtp2'; did you mean 'gpt2'?\n"
