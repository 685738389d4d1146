"""A repository of the Hugging Face hub: which files of it are a model, how large they are, and fetching them. No torch.

By the hub's own words a file's size and hash are known before a byte of it comes; what comes is held to them. Files go
where the hub's other programs look for them. Safetensors, JSON and GGUF, never a pickle: where a repository has only
one, the copy that the hub's own converter made of it is taken. (`huggingface_hub` does not go on with a download that
another process began, and cannot be told to stop; so it is not used.)
"""

import contextlib
import fnmatch
import http.client
import os
import re
import urllib.error
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

import msgspec

from gpttui.errors import UserError
from gpttui.files import SMALL, from_json, read_text
from gpttui.storage import download, stores
from gpttui.storage.download import Progress, Remote, untold
from gpttui.storage.model_files import CONFIG, INDEX, WEIGHTS
from gpttui.storage.stores import GGUF, HUB

NAME = re.compile(r"((?:[\w.-]+/)?[\w.-]+)(?:/([\w./ -]+?))?(?:@([\w./-]+))?")
"""`owner/name`, a GGUF file behind it, `@` a revision."""
BESIDE = (
    CONFIG, "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "vocab.json", "vocab.txt", "merges.txt", "tokenizer.model", "chat_template.*", "card.json",
    "history.json", "LICENSE*",
)  # fmt: skip
"""What of a repository is fetched with the weights."""
SHARDS = "model-*-of-*.safetensors"
CONVERTER = "SFconvertbot"
"""Opens a pull request with safetensors on repositories that have only a pickle; `transformers` takes them, too."""


class _Blob(msgspec.Struct, frozen=True):
    sha256: str = ""


class _File(msgspec.Struct, frozen=True):
    rfilename: str
    size: int | None = None
    blobId: str | None = None
    lfs: _Blob | None = None


class _Card(msgspec.Struct, frozen=True):
    license: str | list[str] | None = None
    license_name: str | None = None


class _Told(msgspec.Struct, frozen=True):
    sha: str
    siblings: list[_File] = []
    cardData: _Card | None = None


class _Request(msgspec.Struct, frozen=True):
    num: int


class _Requests(msgspec.Struct, frozen=True):
    discussions: list[_Request] = []


@dataclass(frozen=True, slots=True)
class Repository:
    """A model on the hub as it is now."""

    name: str
    revision: str
    commit: str
    files: tuple[Remote, ...]
    licence: str

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


def endpoint() -> str:
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")


def ask(name: str) -> Repository:
    """What the hub has under `owner/name[/file][@revision]`. Raises UserError, one line, where it has no such model."""
    parts = NAME.fullmatch(name)
    if parts is None:
        raise UserError(f"{HUB}{name[:80]} is no name on the hub; write hub:OWNER/NAME")
    repository, file, revision = parts[1], parts[2] or "", parts[3] or "main"
    told = _told(repository, revision)
    files = _wanted(told.siblings, file, name)
    if files is None and (converted := _converted(repository)) is not None:
        revision, told = converted, _told(repository, converted)
        files = _wanted(told.siblings, file, name)
    if files is None:
        raise UserError(f"{HUB}{name} holds neither safetensors nor a GGUF file; gpttui opens no pickles")
    return Repository(
        repository, revision, told.sha, tuple(_remote(repository, told.sha, f) for f in files), _licence(told)
    )


def _wanted(there: list[_File], file: str, name: str) -> list[_File] | None:
    """The files of a model, small ones first; None where there are no weights."""
    known = {each.rfilename: each for each in there}
    if file:
        if (found := known.get(file) or known.get(f"{file}{GGUF}")) is None:
            raise UserError(f"{HUB}{name}: the hub has no such file there")
        return [found]
    weights = next(([known[one]] for one in (WEIGHTS, "pytorch_model.safetensors") if one in known), [])
    if not weights and INDEX in known:
        weights = [known[INDEX], *(each for each in there if fnmatch.fnmatch(each.rfilename, SHARDS))]
    if weights:
        beside = [each for each in there if any(fnmatch.fnmatch(each.rfilename, pattern) for pattern in BESIDE)]
        return beside + weights
    packed = [each for each in there if each.rfilename.lower().endswith(GGUF) and "/" not in each.rfilename]
    if len(packed) > 1:
        names = ", ".join(f"{HUB}{name}/{each.rfilename[: -len(GGUF)]}" for each in packed[:8])
        raise UserError(f"{HUB}{name} has several files; name one: {names}{' …' * (len(packed) > 8)}")
    return packed or None


def _remote(repository: str, commit: str, file: _File) -> Remote:
    sha256, git_sha1 = (file.lfs.sha256 if file.lfs is not None else ""), file.blobId or ""
    if not re.fullmatch("[0-9a-f]{64}", sha256) and not re.fullmatch("[0-9a-f]{40}", git_sha1):
        raise UserError(f"the hub does not tell the checksum of {repository}'s {file.rfilename[:80]}; not fetched")
    path = urllib.parse.quote(file.rfilename)
    url = f"{endpoint()}/{repository}/resolve/{commit}/{path}"
    return Remote(file.rfilename, url, file.size or 0, sha256, "" if sha256 else git_sha1, _token())


def _licence(told: _Told) -> str:
    card = told.cardData or _Card()
    named = ", ".join(card.license) if isinstance(card.license, list) else card.license
    return (card.license_name if named == "other" else named) or "not named"


def _told(repository: str, revision: str) -> _Told:
    at = urllib.parse.quote(revision, safe="")
    return from_json(_get(f"/api/models/{repository}/revision/{at}?blobs=true", repository), _Told, "the hub's answer")


def _converted(repository: str) -> str | None:
    """The revision with the safetensors that the hub's converter proposes."""
    query = f"?type=pull_request&status=open&author={CONVERTER}"
    found = from_json(_get(f"/api/models/{repository}/discussions{query}", repository), _Requests, "the hub's answer")
    return f"refs/pr/{found.discussions[0].num}" if found.discussions else None


def _get(path: str, repository: str) -> bytes:
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "TRUE", "YES", "ON"):
        raise UserError(f"{HUB}{repository} is not here yet and the hub cannot be reached: HF_HUB_OFFLINE is set")
    try:
        with download.opened(endpoint() + path, _token()) as answer:
            return answer.read(SMALL)
    except urllib.error.HTTPError as error:
        if error.code in (401, 403):
            how = f"accept its terms at {endpoint()}/{repository}, and set HF_TOKEN"
            raise UserError(f"the hub has no public {repository}; if it is a gated one, {how}") from error
        if error.code == 404:
            raise UserError(f"the hub has no model {repository}, or no such revision of it") from error
        raise UserError(f"the hub does not tell of {repository}: {download.why(error)}") from error
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        raise UserError(
            f"{HUB}{repository} is not here yet and the hub cannot be reached; try again online ({download.why(error)})"
        ) from error


def _token() -> str:
    """What a person logged in with."""
    if token := os.environ.get("HF_TOKEN", ""):
        return token.strip()
    home = Path(os.environ.get("HF_HOME") or "~/.cache/huggingface").expanduser()
    with contextlib.suppress(OSError, UserError):
        return read_text(home / "token", 4096).strip()
    return ""


def fetch(repository: Repository, folder: Path, progress: Progress = untold) -> Path:
    """All files of a model into `folder`, each whole before it has its name. Raises UserError as `download.fetch`."""
    before = 0
    for file in repository.files:
        if Path(file.name).is_absolute() or ".." in Path(file.name).parts:
            raise UserError(f"{HUB}{repository.name} has a file {file.name[:80]!r}; not fetched")
        download.fetch(file, folder / file.name, _on_top_of(before, repository.size_bytes, progress))
        before += file.size_bytes
        progress(before, repository.size_bytes)
    return folder


def _on_top_of(before: int, total: int, progress: Progress) -> Progress:
    return lambda done, _: progress(before + done, total)


def into_cache(name: str, progress: Progress = untold) -> Path:
    """`owner/name[/file][@revision]` in the hub's cache, fetched if it is not there as it is now on the hub."""
    repository = ask(name)
    root = next(iter(stores.ROOTS[HUB]())) / f"models--{repository.name.replace('/', '--')}"
    snapshot = root / "snapshots" / repository.commit
    fetch(repository, snapshot, progress)
    revision = NAME.fullmatch(name)
    ref = root / "refs" / ((revision[3] if revision is not None else None) or "main")
    ref.parent.mkdir(parents=True, exist_ok=True)
    ref.write_text(repository.commit, encoding="utf-8")
    found = stores.find(HUB + name)
    if found is None:
        raise UserError(f"{HUB}{name} was fetched to {snapshot}, but is no model that gpttui finds there")
    return found
