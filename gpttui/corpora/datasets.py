"""What can be trained on: generated worlds, texts that this machine has anyway, public texts fetched by name.

A fetched text is checked against its SHA-256 before it takes its name; a broken-off download goes on where it stopped.
Not for: a person's own files, which need no list, and reading or splitting texts (`gpttui.training`). No torch.
"""

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from gpttui import __version__, locations
from gpttui.corpora.registry import CORPORA
from gpttui.errors import UserError, no_such, one_line

Progress = Callable[[int, int], None]
"""Called with (bytes so far, bytes in all)."""

TIMEOUT_S = 30
CHUNK_BYTES = 1 << 16
ATTEMPTS = 3
"""Connections tried for one download before giving up; each goes on where the last one broke off."""


@dataclass(frozen=True, slots=True)
class PublicText:
    """A text on the network whose every byte is known."""

    name: str
    description: str
    url: str
    size_bytes: int
    sha256: str
    licence: str
    tokenizer: str
    """What suits it, as `gpttui train --tokenizer` takes it."""


PUBLIC_TEXTS = {
    text.name: text
    for text in (
        PublicText(
            name="tinyshakespeare",
            description="40,000 lines of Shakespeare's plays; the common yardstick for small GPTs.",
            url="https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
            size_bytes=1_115_394,
            sha256="86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
            licence="public domain",
            tokenizer="char",
        ),
        PublicText(
            name="names",
            description="32,033 first names, one a line.",
            url="https://raw.githubusercontent.com/karpathy/makemore/master/names.txt",
            size_bytes=228_145,
            sha256="0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d",
            licence="MIT",
            tokenizer="char",
        ),
    )
}

FOUND_HERE = ("python-docs", "python-code")
NEEDS = {"digits": "sklearn"}
"""Corpora that come with an optional package."""


READS = {"names": "names"}
"""Corpora that are made of a public text."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """One line of `gpttui data`."""

    name: str
    kind: Literal["generated", "on this machine", "public"]
    description: str
    tokenizer: str
    here: bool
    """Ready, with no network and nothing to install."""
    path: str | None = None
    """Where the file is, or will be; None for what is generated."""
    size_bytes: int | None = None
    """None where there is no end."""
    url: str | None = None
    licence: str | None = None


def listing() -> list[Dataset]:
    """Everything that has a name, generated worlds first. Nothing is opened or fetched."""
    found = [
        Dataset(
            name=spec.name,
            kind="on this machine" if spec.name in FOUND_HERE else "generated",
            description=spec.description,
            tokenizer=spec.tokenizer,
            here=is_ready(spec.name),
        )
        for spec in CORPORA.values()
    ]
    for text in PUBLIC_TEXTS.values():
        file = file_of(text)
        found.append(
            Dataset(
                name=text.name,
                kind="public",
                description=text.description,
                tokenizer=text.tokenizer,
                here=file.exists(),
                path=str(file),
                size_bytes=text.size_bytes,
                url=text.url,
                licence=text.licence,
            )
        )
    return found


def is_ready(corpus: str) -> bool:
    """Whether a corpus can be read with no network and nothing to install."""
    if corpus in READS:
        return file_of(PUBLIC_TEXTS[READS[corpus]]).exists()
    return corpus not in NEEDS or find_spec(NEEDS[corpus]) is not None


def public_text(name: str) -> PublicText:
    """The entry called `name`. Raises UserError, naming those there are, if there is none."""
    if name in PUBLIC_TEXTS:
        return PUBLIC_TEXTS[name]
    if name in CORPORA:
        raise UserError(f"{name} is generated, there is nothing to fetch: `gpttui corpus {name}` prints it")
    raise UserError(no_such("public text", name, PUBLIC_TEXTS))


def file_of(text: PublicText) -> Path:
    """Where a public text is kept once it is here."""
    return locations.texts_dir() / f"{text.name}.txt"


def by_name(data: str) -> Path | None:
    """The file of the public text that `data` names (`names` or `names.txt`); None where it names none.

    Raises UserError, saying how to get it, if that text is not here yet.
    """
    name = data.removesuffix(".txt")
    return here(name) if name in PUBLIC_TEXTS else None


def here(name: str) -> Path:
    """The file of the public text `name`. Raises UserError, saying how to get it: nothing is fetched unasked."""
    file = file_of(public_text(name))
    if not file.exists():
        raise UserError(f"{name} is not on this machine yet; `gpttui data {name}` fetches it")
    return file


def fetch(text: PublicText, target: Path | None = None, progress: Progress | None = None) -> Path:
    """The file of a public text, fetched if it is not here yet.

    Bytes collect in `NAME.part` beside the target, which the next call goes on with. Raises UserError, one line, where
    the network or the disk fails, or what arrives is not the text.
    """
    target = target or file_of(text)
    if target.exists() and _sha256(target) == text.sha256:
        return target
    part = target.with_name(f"{target.name}.part")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        _collect(text, part, progress or (lambda done, total: None))
        if _sha256(part) != text.sha256:
            part.unlink()
            raise UserError(f"what {text.url} sends is not the {text.name} known here (its checksum differs); not kept")
        part.replace(target)
    except OSError as error:
        raise UserError(f"{target} cannot be written: {error.strerror or one_line(error)}") from error
    return target


def _collect(text: PublicText, part: Path, progress: Progress) -> None:
    """Fills `part` to the text's full size."""
    problem: Exception | None = None
    for _ in range(ATTEMPTS):
        have = part.stat().st_size if part.exists() else 0
        if have > text.size_bytes:
            part.unlink()
            have = 0
        if have == text.size_bytes:
            return
        try:
            _one_connection(text, part, have, progress)
            problem = None
        except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
            problem = error
    have = part.stat().st_size if part.exists() else 0
    if problem is None and have == text.size_bytes:
        return
    kept = f"; {have:,} of {text.size_bytes:,} bytes are kept, the next try goes on from there" if have else ""
    raise UserError(f"{text.name} cannot be fetched from {text.url}: {_reason(problem)}{kept}")


def _one_connection(text: PublicText, part: Path, have: int, progress: Progress) -> None:
    headers = {"User-Agent": f"gpttui/{__version__}", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    request = urllib.request.Request(text.url, headers=headers)
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        goes_on = have > 0 and answer.status == 206
        done = have if goes_on else 0
        with part.open("ab" if goes_on else "wb") as file:
            progress(done, text.size_bytes)
            while done <= text.size_bytes and (chunk := answer.read(CHUNK_BYTES)):
                file.write(chunk)
                done += len(chunk)
                progress(done, text.size_bytes)
            file.flush()
            os.fsync(file.fileno())


def _reason(problem: Exception | None) -> str:
    if isinstance(problem, urllib.error.HTTPError):
        return f"the server answers {problem.code} {problem.reason}"
    if isinstance(problem, urllib.error.URLError):
        return f"no network, or the server is away ({one_line(_inner(problem))})"
    return "the connection broke off" + (f" ({one_line(problem)})" if problem else "")


def _inner(problem: urllib.error.URLError) -> BaseException:
    return problem.reason if isinstance(problem.reason, BaseException) else problem


def _sha256(file: Path) -> str:
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
