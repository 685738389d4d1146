"""Models that other programs keep on this machine, by the names that their owners know them by. No torch.

Ollama's store (a manifest names a blob, which is a GGUF file), LM Studio's folders, the Hugging Face hub's cache. They
are only looked into: of a model no more is read than its header begins with, or its config.json. Whatever does not look
as it should is passed over; a store that cannot be read is one line.
"""

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec

from gpttui.errors import UserError, no_such
from gpttui.files import read_json, read_text, reason
from gpttui.storage import gguf, gguf_models, model_config
from gpttui.storage.model_files import CONFIG, INDEX, WEIGHTS
from gpttui.text import is_utf8

OLLAMA, LM_STUDIO, HUB = "ollama:", "lmstudio:", "hub:"
GGUF = ".gguf"
MOST_MODELS, MOST_FILES = 2000, 20_000
"""Of a store: what is listed, and what is looked at in search of it."""
NO_MODEL = re.compile(r"(^|[-_.])mmproj|imatrix|-of-\d{5}\.gguf$", re.IGNORECASE)
"""Files beside a model: what it sees pictures with, statistics, the later parts of one that is split."""


class Held(NamedTuple):
    """A model in a store, as far as a glimpse tells."""

    id: str
    path: Path
    size_bytes: int
    arch: str
    n_layer: int
    n_head: int
    d_model: int
    context: int


def held() -> tuple[list[Held], list[str]]:
    """What the stores have that gpttui opens, sorted by name; and a line for each that has something else, too."""
    found: list[Held] = []
    lines: list[str] = []
    for owner, look in STORES.items():
        refused: list[tuple[str, str]] = []
        try:
            for name, path in sorted(look().items()):
                try:
                    found.append(_glimpse(name, path))
                except (UserError, OSError) as error:
                    refused.append((name, _without_path(str(error))))
        except OSError as error:
            lines.append(_unreadable(owner, error))
        if refused:
            rest = f", and {len(refused) - 1:,} more" if refused[1:] else ""
            lines.append(f"not opened: {refused[0][0]} ({refused[0][1]}){rest}")
    return found, lines


def _unreadable(owner: str, error: OSError) -> str:
    return f"models of {owner.rstrip(':')} cannot be looked for: {error.filename or ''}: {reason(error)}"


def _without_path(line: str) -> str:
    """A refusal, less the path that it begins with: the name has been told."""
    return re.sub(r"^/\S+( is of an? |: | )", "", line)


def _glimpse(name: str, path: Path) -> Held:
    """Raises UserError for what gpttui does not open, as far as the beginning tells."""
    if path.is_dir():
        config = model_config.read(path / CONFIG)
        size_bytes = sum(file.stat().st_size for file in path.glob("*.safetensors"))
        arch, shape = config.arch, (config.n_layer, config.n_head, config.d_model, config.context)
    else:
        file = gguf.glimpse(path)
        arch, size_bytes = gguf_models.architecture(file), path.stat().st_size
        if f"{arch}.block_count" not in file.values:
            file = gguf.read(path)
        keys = ("block_count", "attention.head_count", "embedding_length", "context_length")
        n_layer, n_head, d_model, context = (file.whole(f"{arch}.{key}") for key in keys)
        shape = n_layer, n_head, d_model, context
    return Held(name, path, size_bytes, arch, *shape)


def is_a_name(ref: str) -> bool:
    return ref.startswith(tuple(STORES))


def find(ref: str) -> Path | None:
    """The model that a store keeps under this name; None: the hub's cache has no such, but the hub may.

    Raises UserError for a name that is in no store.
    """
    owner = next(owner for owner in STORES if ref.startswith(owner))
    try:
        known = STORES[owner]()
    except OSError as error:
        raise UserError(_unreadable(owner, error)) from error
    if ref in known:
        return known[ref]
    if owner == OLLAMA and (path := known.get(ref.removesuffix(":latest"))) is not None:
        return path
    alone, _, file = ref.rpartition("/")
    if (path := known.get(alone)) is not None and path.name in (file, file + GGUF):
        return path
    if several := [name for name in known if name.startswith(f"{ref}/")]:
        if len(several) == 1:
            return known[several[0]]
        raise UserError(f"{ref} has several files; name one: {', '.join(several[:8])}{' …' * (len(several) > 8)}")
    if owner == HUB:
        return None
    raise UserError(
        no_such("model", ref, known, f"`gpttui models` lists those that are here ({len(known):,} of {owner})")
    )


def name_of(path: Path) -> str | None:
    """What the store that the model lies in calls it; None where it lies in none."""
    with contextlib.suppress(OSError):
        place = path.parent.resolve() / path.name
        for owner, roots in ROOTS.items():
            if any(place.is_relative_to(root.resolve()) for root in roots()):
                there = (name for name, other in STORES[owner]().items() if _same(other, place))
                return next(there, None)
    return None


def _same(path: Path, place: Path) -> bool:
    return path.name == place.name and path.parent.resolve() == place.parent


def _ollama_roots() -> Iterator[Path]:
    """Where Ollama keeps its models: as set, a person's own, those of the service on Linux."""
    if named := os.environ.get("OLLAMA_MODELS"):
        yield Path(named).expanduser()
        return
    yield Path("~/.ollama/models").expanduser()
    yield Path("/usr/share/ollama/.ollama/models")
    yield Path("/var/lib/ollama/models")


def _lm_studio_roots() -> Iterator[Path]:
    home = Path("~/.lmstudio").expanduser()
    with contextlib.suppress(UserError, OSError):
        home = Path(read_text(Path("~/.lmstudio-home-pointer").expanduser(), 4096).strip())
    with contextlib.suppress(UserError, OSError):
        if folder := read_json(home / "settings.json", _LMStudio).downloads_folder:
            yield Path(folder)
    yield home / "models"
    yield Path("~/.cache/lm-studio/models").expanduser()


def _hub_roots() -> Iterator[Path]:
    named = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = Path(os.environ.get("HF_HOME") or Path(cache) / "huggingface")
    yield (Path(named) if named else home / "hub").expanduser()


ROOTS: dict[str, Callable[[], Iterable[Path]]] = {
    OLLAMA: _ollama_roots,
    LM_STUDIO: _lm_studio_roots,
    HUB: _hub_roots,
}


class _LMStudio(msgspec.Struct, frozen=True):
    downloads_folder: str = msgspec.field(default="", name="downloadsFolder")


class _Layer(msgspec.Struct, frozen=True):
    kind: str = msgspec.field(default="", name="mediaType")
    digest: str = ""


class _Manifest(msgspec.Struct, frozen=True):
    layers: list[_Layer] = []


MODEL_LAYER = "application/vnd.ollama.image.model"
ADAPTER_LAYER = "application/vnd.ollama.image.adapter"
DIGEST = re.compile(r"sha256[:-]([0-9a-f]{64})")
USUAL = "registry.ollama.ai/"


def _ollama() -> dict[str, Path]:
    found: dict[str, Path] = {}
    for root in _there(_ollama_roots()):
        for path, parts in _files(root / "manifests", depth=5):
            with contextlib.suppress(UserError, OSError):
                blob = _blob(root, read_json(path, _Manifest))
                if blob is not None and len(parts) >= 3:
                    found.setdefault(_ollama_name(parts), blob)
    return found


def _ollama_name(parts: tuple[str, ...]) -> str:
    """`registry.ollama.ai/library/llama3.2/latest` is `ollama:llama3.2`, as `ollama run` takes it."""
    *path, tag = parts
    name = "/".join(path).removeprefix(USUAL).removeprefix("library/")
    return f"{OLLAMA}{name}" if tag == "latest" else f"{OLLAMA}{name}:{tag}"


def _blob(root: Path, manifest: _Manifest) -> Path | None:
    """The model's file; None where it is not there, or an adapter goes on top of it."""
    layers = {layer.kind: layer.digest for layer in manifest.layers}
    digest = DIGEST.fullmatch(layers.get(MODEL_LAYER, ""))
    if digest is None or ADAPTER_LAYER in layers:
        return None
    names = (root / "blobs" / f"sha256{between}{digest[1]}" for between in "-:")
    return next((path for path in names if path.is_file()), None)


def _lm_studio() -> dict[str, Path]:
    """`publisher/model` where that holds one file, else with the file's name behind it."""
    found: dict[str, Path] = {}
    for root in _there(_lm_studio_roots()):
        files: dict[str, list[Path]] = {}
        for path, parts in _files(root, depth=3):
            if len(parts) == 3 and (parts[2] == CONFIG or _is_model_file(parts[2])):
                files.setdefault(f"{LM_STUDIO}{parts[0]}/{parts[1]}", []).append(path)
        for name, paths in files.items():
            found = _named(name, paths) | found
    return found


def _hub() -> dict[str, Path]:
    """`owner/name` at the revision that it was fetched as last, `owner/name@revision` where there are others."""
    found: dict[str, Path] = {}
    for root in _there(_hub_roots()):
        for repository in islice(sorted(root.glob("models--*")), MOST_MODELS):
            with contextlib.suppress(UserError, OSError):
                name = HUB + repository.name.removeprefix("models--").replace("--", "/", 1)
                for revision, snapshot in _snapshots(repository).items():
                    files = [path for path in islice(sorted(snapshot.iterdir()), MOST_FILES) if _is_hub_model(path)]
                    found |= _named(name if revision == "main" else f"{name}@{revision}", files)
    return found


def _snapshots(repository: Path) -> dict[str, Path]:
    """Revision → directory, of those that a name stands for."""
    found = {}
    for path, parts in _files(repository / "refs", depth=3):
        commit = read_text(path, 4096).strip()
        if re.fullmatch(r"[0-9a-f]{7,64}", commit) and (repository / "snapshots" / commit).is_dir():
            found["/".join(parts)] = repository / "snapshots" / commit
    return found


def _is_hub_model(path: Path) -> bool:
    if path.name != CONFIG:
        return _is_model_file(path.name) and path.is_file()
    weights = ("pytorch_model.safetensors", WEIGHTS, INDEX)
    return any((path.parent / name).exists() for name in weights)


def _is_model_file(name: str) -> bool:
    return name.lower().endswith(GGUF) and not NO_MODEL.search(name)


def _named(name: str, paths: list[Path]) -> dict[str, Path]:
    """A directory's models by their names: the directory itself (its config.json stands for it), its GGUF files."""
    models = [path.parent if path.name == CONFIG else path for path in paths]
    if len(models) == 1:
        return {name: models[0]}
    return {name if path.is_dir() else f"{name}/{path.name[: -len(GGUF)]}": path for path in models}


def _there(roots: Iterable[Path]) -> Iterator[Path]:
    """Those that there are. Raises OSError where all of them may not be looked at."""
    seen, refused = 0, None
    for root in roots:
        try:
            os.scandir(root).close()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            refused = error
            continue
        seen += 1
        yield root
    if refused is not None and not seen:
        raise refused


def _files(root: Path, depth: int) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Files under `root`, down to `depth` folders, with the names on the way; no more than `MOST_FILES`."""
    left = MOST_FILES

    def below(folder: Path, on_the_way: tuple[str, ...]) -> Iterator[tuple[Path, tuple[str, ...]]]:
        nonlocal left
        with contextlib.suppress(OSError):
            for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
                left -= 1
                if left < 0:
                    return
                parts = (*on_the_way, entry.name)
                if not entry.name.startswith(".") and is_utf8(entry.name):
                    if entry.is_dir():
                        if len(parts) < depth:
                            yield from below(folder / entry.name, parts)
                    elif entry.is_file():
                        yield folder / entry.name, parts

    return below(root, ())


STORES: dict[str, Callable[[], dict[str, Path]]] = {OLLAMA: _ollama, LM_STUDIO: _lm_studio, HUB: _hub}
