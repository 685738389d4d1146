"""Files from the network, whole or not at all: what arrives is checked by its hash before it takes its name. No torch.

A download that broke off, or that a person broke off, goes on where it stopped. Not for: what there is to fetch, and
where (`hub`, `getting`, `gpttui.corpora.datasets`).
"""

import fcntl
import hashlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gpttui import __version__
from gpttui.errors import UserError, one_line

Progress = Callable[[int, int], None]
"""Called with (bytes so far, bytes in all); may raise to end it."""

TIMEOUT_S = 15
CHUNK_BYTES = 1 << 16
ATTEMPTS = 3
"""Connections tried for one download before giving up; each goes on where the last one broke off."""
PART = ".part"


@dataclass(frozen=True, slots=True)
class Remote:
    """A file on the network of which size and hash are known."""

    name: str
    url: str
    size_bytes: int
    sha256: str = ""
    git_sha1: str = ""
    """What git calls the content; where there is no `sha256`."""
    token: str = ""
    """Shown to the server that is asked, and to none that it sends one on to."""

    def is_in(self, file: Path) -> bool:
        """Whether a file is this one, to the byte."""
        return file.stat().st_size == self.size_bytes and self._hash(file) == (self.sha256 or self.git_sha1)

    def _hash(self, file: Path) -> str:
        with file.open("rb") as handle:
            if self.sha256:
                return hashlib.file_digest(handle, "sha256").hexdigest()
            told = hashlib.sha1(f"blob {self.size_bytes}\0".encode(), usedforsecurity=False)
            for chunk in iter(lambda: handle.read(CHUNK_BYTES), b""):
                told.update(chunk)
            return told.hexdigest()


def untold(_done: int, _total: int) -> None:
    """Nobody wants to know."""


def fetch(remote: Remote, target: Path, progress: Progress = untold) -> Path:
    """`target`, fetched if it is not here yet.

    Bytes collect in `NAME.part` beside it, which the next call goes on with. Raises UserError, one line, where the
    network or the disk fails, or what arrives is not what is known.
    """
    part = target.with_name(f"{target.name}{PART}")
    try:
        if target.exists() and remote.is_in(target):
            return target
        part.parent.mkdir(parents=True, exist_ok=True)
        with part.open("ab") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UserError(f"{remote.name} is being fetched by another gpttui already") from error
            _collect(remote, part, progress)
            if not remote.is_in(part):
                part.unlink()
                raise UserError(
                    f"what {remote.url} sends is not the {remote.name} known here (its checksum differs); not kept"
                )
            os.fsync(held.fileno())
            part.replace(target)
    except OSError as error:
        raise UserError(f"{target} cannot be written: {error.strerror or one_line(error)}") from error
    return target


def _collect(remote: Remote, part: Path, progress: Progress) -> None:
    """Fills `part` to the file's full size."""
    problem: Exception | None = None
    for _ in range(ATTEMPTS):
        if (have := part.stat().st_size) > remote.size_bytes:
            os.truncate(part, have := 0)
        if have == remote.size_bytes:
            return
        try:
            _one_connection(remote, part, have, progress)
            problem = None
        except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
            problem = error
            if isinstance(error, urllib.error.HTTPError) and error.code < 500:
                break
    have = part.stat().st_size
    if problem is None and have == remote.size_bytes:
        return
    kept = f"; {have:,} of {remote.size_bytes:,} bytes are kept, the next try goes on from there" if have else ""
    raise UserError(f"{remote.name} cannot be fetched from {remote.url}: {why(problem)}{kept}")


def _one_connection(remote: Remote, part: Path, have: int, progress: Progress) -> None:
    with opened(remote.url, remote.token, start=have) as answer:
        goes_on = have > 0 and answer.status == 206
        done = have if goes_on else 0
        with part.open("rb+") as file:
            file.truncate(done)
            file.seek(done)
            progress(done, remote.size_bytes)
            while done <= remote.size_bytes and (chunk := answer.read(CHUNK_BYTES)):
                file.write(chunk)
                done += len(chunk)
                progress(done, remote.size_bytes)


def opened(url: str, token: str = "", *, start: int = 0) -> "http.client.HTTPResponse":
    """The answer to a GET, from byte `start` on where the server can. Raises as urllib does."""
    headers = {"User-Agent": f"gpttui/{__version__}", "Accept-Encoding": "identity"}
    request = urllib.request.Request(url, headers=headers | ({"Range": f"bytes={start}-"} if start else {}))
    if token:
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT_S)
    return answer


def why(problem: Exception | None) -> str:
    """A failed connection in a few words."""
    if isinstance(problem, urllib.error.HTTPError):
        return f"the server answers {problem.code} {problem.reason}"
    if isinstance(problem, urllib.error.URLError):
        inner = problem.reason if isinstance(problem.reason, BaseException) else problem
        return f"no network, or the server is away ({one_line(inner)})"
    return "the connection broke off" + (f" ({one_line(problem)})" if problem else "")
