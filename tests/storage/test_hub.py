"""The hub: what of a repository is a model, fetching it whole, and one line for everything that goes wrong."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpttui.errors import UserError
from gpttui.storage import gallery, hub, stores
from tests import fake_hub, fakes


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME", "HF_HUB_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path / "gpttui"))
    return tmp_path / "home"


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[fake_hub.Hub]:
    with fake_hub.running() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        yield running


@pytest.fixture
def model(tmp_path: Path) -> dict[str, bytes]:
    path = fakes.tiny_model_dir(tmp_path / "tiny")
    return {file.name: file.read_bytes() for file in path.iterdir()}


def test_a_repository_is_fetched_once_into_the_hubs_cache(
    there: fake_hub.Hub, model: dict[str, bytes], home: Path
) -> None:
    model.pop("README.md", None)
    rest = {"README.md": b"#", "pytorch_model.bin": b"\x80\x04", "onnx/model.onnx": b"1", "flax_model.msgpack": b"2"}
    there.repos["owner/name"] = fake_hub.Repo(model | rest)
    seen: list[tuple[int, int]] = []
    path = hub.into_cache("owner/name", lambda done, total: seen.append((done, total)))
    assert {file.name for file in path.iterdir()} == model.keys()
    assert all((path / name).read_bytes() == content for name, content in model.items())
    assert seen == sorted(seen) and seen[-1] == (total := sum(map(len, model.values())), total)
    assert path.is_relative_to(home / ".cache" / "huggingface" / "hub" / "models--owner--name")
    there.asked.clear()
    assert gallery.find("hub:owner/name") == path and not there.asked
    assert gallery.card(path).id == "hub:owner/name"


def test_transformers_finds_what_was_fetched(there: fake_hub.Hub, tmp_path: Path, home: Path) -> None:
    transformers = pytest.importorskip("transformers")
    theirs = transformers.GPT2LMHeadModel(transformers.GPT2Config(n_layer=1, n_head=2, n_embd=8, vocab_size=40))
    theirs.save_pretrained(tmp_path / "m")
    there.repos["a/b"] = fake_hub.Repo({file.name: file.read_bytes() for file in (tmp_path / "m").iterdir()})
    path = hub.into_cache("a/b")
    opened = transformers.GPT2LMHeadModel.from_pretrained("a/b", cache_dir=path.parents[2], local_files_only=True)
    assert opened.config.n_embd == 8


def test_a_download_that_broke_off_goes_on(there: fake_hub.Hub, model: dict[str, bytes]) -> None:
    there.repos["a/b"] = fake_hub.Repo(model)
    there.cut_after = len(model["model.safetensors"]) // 5
    with pytest.raises(UserError, match="bytes are kept, the next try goes on from there"):
        hub.into_cache("a/b")
    assert not stores.held()[0], "half a model is none"
    there.cut_after = None
    there.asked.clear()
    path = hub.into_cache("a/b")
    assert any((asked.range or "").startswith("bytes=") for asked in there.asked)
    assert (path / "model.safetensors").read_bytes() == model["model.safetensors"]


def test_one_that_a_person_stops_goes_on_too(there: fake_hub.Hub, model: dict[str, bytes]) -> None:
    there.repos["a/b"] = fake_hub.Repo(model)

    def stop(done: int, total: int) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hub.into_cache("a/b", stop)
    there.asked.clear()
    hub.into_cache("a/b")
    assert [asked.range for asked in there.asked if "safetensors" in asked.path] != [None]


def test_what_is_not_what_the_hub_says_is_not_kept(there: fake_hub.Hub, model: dict[str, bytes]) -> None:
    there.repos["a/b"] = fake_hub.Repo(model)
    there.spoil = True
    with pytest.raises(UserError, match="checksum differs"):
        hub.into_cache("a/b")
    assert not stores.held()[0]


def test_of_a_repository_with_only_a_pickle_the_converters_copy_is_taken(
    there: fake_hub.Hub, model: dict[str, bytes]
) -> None:
    pickled = {name: content for name, content in model.items() if name != "model.safetensors"}
    pickled["pytorch_model.bin"] = b"\x80\x04"
    there.repos["a/b"] = fake_hub.Repo(pickled, converted=fake_hub.Repo(model))
    assert (hub.into_cache("a/b") / "model.safetensors").exists()
    there.repos["a/c"] = fake_hub.Repo(pickled)
    with pytest.raises(UserError, match="holds neither safetensors nor a GGUF file; gpttui opens no pickles"):
        hub.into_cache("a/c")


def test_packed_files_are_named_one_by_one(there: fake_hub.Hub) -> None:
    there.repos["a/g"] = fake_hub.Repo({"x-Q4.gguf": b"GGUF4", "x-Q8.gguf": b"GGUF8", "README.md": b"#"})
    with pytest.raises(UserError, match="several files; name one: hub:a/g/x-Q4, hub:a/g/x-Q8"):
        hub.into_cache("a/g")
    assert hub.into_cache("a/g/x-Q8").read_bytes() == b"GGUF8"
    assert gallery.find("hub:a/g/x-Q8").name == "x-Q8.gguf"


def test_a_gate_says_how_to_pass_it_and_a_token_is_shown(
    there: fake_hub.Hub, model: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    there.repos["a/gated"] = fake_hub.Repo(model, gated=True)
    with pytest.raises(UserError, match=r"accept its terms at .*a/gated, and set HF_TOKEN"):
        hub.into_cache("a/gated")
    monkeypatch.setenv("HF_TOKEN", "let-me-in")
    assert hub.ask("a/gated").licence == "mit"
    hub.into_cache("a/gated")


@pytest.mark.parametrize(
    ("name", "line"),
    [("bad name", "OWNER/NAME"), ("../../etc", "has no model"), ("a/none", "the hub has no model a/none"),
     ("a/b@v9", "no such revision"), ("a/b/x.gguf", "no such file"), ("", "OWNER/NAME")],
)  # fmt: skip
def test_names_that_there_are_not(there: fake_hub.Hub, model: dict[str, bytes], name: str, line: str) -> None:
    there.repos["a/b"] = fake_hub.Repo(model)
    with pytest.raises(UserError, match=line) as caught:
        hub.into_cache(name)
    assert "\n" not in str(caught.value)


def test_without_a_network_it_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UserError, match="not here yet and the hub cannot be reached; try again online"):
        gallery.find("hub:nobody/none")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UserError, match="HF_HUB_OFFLINE is set"):
        gallery.find("hub:nobody/none")


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b'{"sha": 3}', b'{"sha": "a", "siblings": [{}]}'])
def test_another_answer_than_the_hubs_is_one_line(
    answer: bytes, there: fake_hub.Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "_get", lambda path, repository: answer)
    with pytest.raises(UserError, match="the hub's answer cannot be read"):
        hub.ask("a/b")


def test_a_file_that_would_lie_elsewhere_is_not_fetched(
    there: fake_hub.Hub, model: dict[str, bytes], tmp_path: Path
) -> None:
    there.repos["a/b"] = fake_hub.Repo({"../../x.gguf": b"GGUF"})
    with pytest.raises(UserError):
        hub.into_cache("a/b/../../x.gguf")
    assert not any("x.gguf" in files for _, _, files in os.walk(tmp_path))
