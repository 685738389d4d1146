"""What Ollama, LM Studio and the hub's cache hold has their owners' names, in lists and in every verb."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gguf")
transformers: Any = pytest.importorskip("transformers")

from gpttui.errors import UserError  # noqa: E402
from gpttui.storage import gallery, gguf, stores  # noqa: E402
from gpttui.tokenizers import train_bpe  # noqa: E402
from tests import fakes, gguf_files  # noqa: E402

SMALL: dict[str, Any] = {
    "vocab_size": 300, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 32, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip


@pytest.fixture(scope="module")
def a_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A whole little Llama."""
    tokenizer = train_bpe([fakes.TEXT], 300)
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**SMALL))
    file = tmp_path_factory.mktemp("gguf") / "a.gguf"
    return gguf_files.write(model, file, tokenizer=tokenizer).read_bytes()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's home, and no store but those in it."""
    for name in ("OLLAMA_MODELS", "HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path / "gpttui"))
    return tmp_path / "home"


def put(path: Path, content: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def ollama(root: Path, name: str, content: bytes, **layers: str) -> Path:
    """A model under `registry/namespace/name/tag`, and its blob."""
    digest = f"{abs(hash(name)):064x}"[-64:]
    told = [{"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}", "size": len(content)}]
    told += [{"mediaType": f"application/vnd.ollama.image.{kind}", "digest": at} for kind, at in layers.items()]
    put(root / "manifests" / name, json.dumps({"schemaVersion": 2, "layers": told}))
    return put(root / "blobs" / f"sha256-{digest}", content)


def hub(root: Path, name: str, files: dict[str, bytes | str], commit: str = "a" * 40, ref: str = "main") -> Path:
    """A repository at a commit, its files linked to blobs as the library does it."""
    at = root / f"models--{name.replace('/', '--')}"
    for n, (file, content) in enumerate(files.items()):
        blob = put(at / "blobs" / f"{commit[:10]}{n}", content)
        link = at / "snapshots" / commit / file
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(blob, link.parent))
    put(at / "refs" / ref, commit)
    return at / "snapshots" / commit


def directory(tmp_path: Path) -> dict[str, bytes | str]:
    path = fakes.tiny_model_dir(tmp_path / "tiny")
    return {file.name: file.read_bytes() for file in path.iterdir()}


LIBRARY = "registry.ollama.ai/library"


def test_ollamas_models_have_the_names_that_ollama_gives_them(home: Path, a_file: bytes) -> None:
    root = home / ".ollama" / "models"
    for name in (f"{LIBRARY}/llama3.2/latest", f"{LIBRARY}/llama3.2/1b", "registry.ollama.ai/me/mine/latest",
                 "hf.co/owner/some-GGUF/Q4_K_M"):  # fmt: skip
        ollama(root, name, a_file)
    found, lines = stores.held()
    names = ["ollama:hf.co/owner/some-GGUF:Q4_K_M", "ollama:llama3.2", "ollama:llama3.2:1b", "ollama:me/mine"]
    assert [model.id for model in found] == names and not lines
    for model in found:
        assert gallery.find(model.id) == model.path
        assert gallery.card(model.path).id == model.id
        assert (model.arch, model.n_layer, model.n_head, model.d_model, model.context) == ("llama", 2, 4, 32, 32)
        assert model.size_bytes == len(a_file)
    assert gallery.find("ollama:llama3.2:latest") == gallery.find("ollama:llama3.2")
    with pytest.raises(UserError, match="did you mean 'ollama:llama3"):
        gallery.find("ollama:lama3.2")


def test_ollamas_folder_is_the_one_that_is_set(tmp_path: Path, a_file: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "elsewhere"))
    ollama(tmp_path / "elsewhere", f"{LIBRARY}/there/latest", a_file)
    assert gallery.find("ollama:there").name.startswith("sha256-")


def test_a_model_with_an_adapter_on_top_is_another_model_and_left_out(home: Path, a_file: bytes) -> None:
    ollama(home / ".ollama/models", f"{LIBRARY}/tuned/latest", a_file, adapter="sha256:" + "0" * 64)
    assert stores.held() == ([], [])


def test_lm_studios_models_are_named_by_publisher_and_model(home: Path, a_file: bytes) -> None:
    at = home / ".lmstudio" / "models"
    put(at / "one" / "alone-GGUF" / "alone-Q4.gguf", a_file)
    put(at / "one" / "alone-GGUF" / "mmproj-alone.gguf", b"GGUF pictures")
    for packing in ("Q4_0", "Q8_0"):
        put(at / "two" / "both-GGUF" / f"both-{packing}.gguf", a_file)
    put(at / "two" / "split" / "a-00001-of-00002.gguf", a_file)
    names = ["lmstudio:one/alone-GGUF", "lmstudio:two/both-GGUF/both-Q4_0", "lmstudio:two/both-GGUF/both-Q8_0"]
    assert [model.id for model in stores.held()[0]] == names
    assert gallery.card(gallery.find("lmstudio:one/alone-GGUF")).id == "lmstudio:one/alone-GGUF"
    with pytest.raises(UserError, match="several files; name one: lmstudio:two/both-GGUF/both-Q4_0"):
        gallery.find("lmstudio:two/both-GGUF")


def test_lm_studios_folder_may_be_elsewhere(home: Path, tmp_path: Path, a_file: bytes) -> None:
    put(home / ".lmstudio-home-pointer", str(tmp_path / "studio"))
    put(tmp_path / "studio" / "settings.json", json.dumps({"downloadsFolder": str(tmp_path / "large disk")}))
    put(tmp_path / "large disk" / "one" / "model" / "a.gguf", a_file)
    assert gallery.find("lmstudio:one/model") == tmp_path / "large disk" / "one" / "model" / "a.gguf"


@pytest.mark.parametrize("how", ["home", "HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME"])
def test_the_hubs_cache_is_used_without_a_network(
    how: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = {"home": home / ".cache/huggingface/hub", "HF_HOME": tmp_path / "hf" / "hub",
             "HF_HUB_CACHE": tmp_path / "hf", "XDG_CACHE_HOME": tmp_path / "hf" / "huggingface" / "hub"}  # fmt: skip
    if how != "home":
        monkeypatch.setenv(how, str(tmp_path / "hf"))
    at = hub(roots[how], "owner/name", directory(tmp_path))
    assert gallery.find("hub:owner/name") == at
    assert [model.id for model in stores.held()[0]] == ["hub:owner/name"]
    assert gallery.card(at).id == "hub:owner/name"


def test_of_a_repository_revisions_and_files_have_names(home: Path, tmp_path: Path, a_file: bytes) -> None:
    root = home / ".cache/huggingface/hub"
    hub(root, "o/n", directory(tmp_path), "a" * 40)
    hub(root, "o/n", directory(tmp_path), "b" * 40, "v1")
    hub(root, "gpt2", directory(tmp_path), "c" * 40)
    hub(root, "o/packed", {"x-Q4.gguf": a_file, "x-Q8.gguf": a_file, "README.md": "…"}, "d" * 40)
    hub(root, "o/no-weights", {"config.json": "{}", "tokenizer.json": "{}"}, "e" * 40)
    names = ["hub:gpt2", "hub:o/n", "hub:o/n@v1", "hub:o/packed/x-Q4", "hub:o/packed/x-Q8"]
    assert [model.id for model in stores.held()[0]] == names
    for name in names:
        assert gallery.card(gallery.find(name)).id == name


def test_the_same_text_by_a_name_and_by_the_path(home: Path, a_file: bytes) -> None:
    from gpttui.inference.opening import open_model

    blob = ollama(home / ".ollama/models", f"{LIBRARY}/tiny/latest", a_file)
    model, tokenizer = open_model(gallery.find("ollama:tiny"))
    assert tokenizer.encode("the king") and model.config.n_layer == 2
    assert gallery.find("ollama:tiny") == blob


DAMAGES: dict[str, Callable[[Path, bytes], object]] = {
    "no JSON": lambda home, _: put(home / ".ollama/models/manifests" / LIBRARY / "bad/latest", "{"),
    "another JSON": lambda home, _: put(home / ".ollama/models/manifests" / LIBRARY / "bad/latest", '{"layers": 3}'),
    "a path for a digest": lambda home, _: put(
        home / ".ollama/models/manifests" / LIBRARY / "bad/latest",
        json.dumps({"layers": [{"mediaType": stores.MODEL_LAYER, "digest": "sha256:../../../../etc/passwd"}]}),
    ),
    "no blob": lambda home, a_file: ollama(home / ".ollama/models", f"{LIBRARY}/bad/latest", a_file).unlink(),
    "a file for a folder": lambda home, _: put(home / ".lmstudio", "…"),
    "a reference to nowhere": lambda home, _: put(home / ".cache/huggingface/hub/models--a--b/refs/main", "../../x"),
    "a loop": lambda home, _: (put(home / ".lmstudio/models/a/b/c.gguf", b"GGUF").parent / "d").symlink_to(
        home / ".lmstudio/models"
    ),
    "pointer to a device": lambda home, _: (home / ".lmstudio-home-pointer").symlink_to("/dev/zero"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_is_passed_over(damage: str, home: Path, a_file: bytes) -> None:
    ollama(home / ".ollama/models", f"{LIBRARY}/good/latest", a_file)
    DAMAGES[damage](home, a_file)
    found, lines = stores.held()
    assert [model.id for model in found] == ["ollama:good"]
    assert len(lines) <= 1 and all("\n" not in line for line in lines)


def test_what_is_not_opened_is_one_line_for_a_store(home: Path, a_file: bytes) -> None:
    root = home / ".ollama/models"
    for name in ("one", "two", "three"):
        ollama(root, f"{LIBRARY}/{name}/latest", a_file.replace(b"llama", b"rwkv6"))
    ollama(root, f"{LIBRARY}/good/latest", a_file)
    found, (line,) = stores.held()
    assert [model.id for model in found] == ["ollama:good"]
    assert line.startswith("not opened: ollama:one (") and line.endswith("), and 2 more") and "rwkv6" in line


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look everywhere")
def test_a_store_that_may_not_be_looked_at_is_one_line(home: Path, a_file: bytes) -> None:
    root = home / ".ollama/models"
    ollama(root, f"{LIBRARY}/good/latest", a_file)
    root.chmod(0)
    try:
        found, (line,) = stores.held()
        assert not found and "ollama" in line and "Permission denied" in line
    finally:
        root.chmod(0o755)


def test_hundreds_of_models_are_listed_without_their_weights(
    home: Path, a_file: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read of each is how its header begins: no list of tokens, no tensor."""
    for n in range(300):
        ollama(home / ".ollama/models", f"{LIBRARY}/m{n}/latest", a_file)
    whole: list[Path] = []
    monkeypatch.setattr(gguf, "read", lambda path: whole.append(path))
    began = time.process_time()
    assert len(stores.held()[0]) == 300 and not whole
    assert time.process_time() - began < 3


def test_a_store_without_end_ends(home: Path, monkeypatch: pytest.MonkeyPatch, a_file: bytes) -> None:
    monkeypatch.setattr(stores, "MOST_FILES", 50)
    for n in range(100):
        put(home / ".lmstudio/models" / f"p{n:03}" / "m" / "a.gguf", a_file)
    assert 0 < len(stores.held()[0]) < 50
