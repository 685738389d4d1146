"""What is made of GGUF files, kept in the cache folder: weights unpacked, tokenizers. The oldest go. No torch.

A file is known by its content: size, time of change, header, and the ends of every tensor. (All of it would take as
long to read as the weights to unpack; a file that was changed in place has another time.) The code that unpacks is part
of the name, so that what an older gpttui made is not taken for what this one would make.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from gpttui import __version__, locations, settings
from gpttui.errors import UserError
from gpttui.files import LARGE, open_regular, read_text
from gpttui.storage.gguf import GGUF

SAMPLE_BYTES = 1024
SPARE_BYTES = 1 << 30
"""What stays free on the disk."""
ABANDONED_S = 24 * 3600
"""A file that was not finished for so long belongs to a process that died."""
UNFINISHED = ".tmp"


def place(file: GGUF, suffix: str) -> Path:
    """Where what is made of a file is kept. Raises UserError where the file cannot be read."""
    told = hashlib.sha256(f"{__version__} {_code()} {suffix}".encode())
    tensors = sorted(file.tensors.values(), key=lambda tensor: tensor.start)
    try:
        with open_regular(file.path) as handle:
            stat = os.fstat(handle.fileno())
            told.update(f"{stat.st_size} {stat.st_mtime_ns}".encode())
            told.update(handle.read(min(tensors[0].start if tensors else stat.st_size, LARGE)))
            for tensor in tensors:
                for start in (tensor.start, tensor.start + max(0, tensor.size_bytes - SAMPLE_BYTES)):
                    handle.seek(start)
                    told.update(handle.read(min(SAMPLE_BYTES, tensor.size_bytes)))
    except OSError as error:
        raise UserError(f"{file.path} cannot be read: {error.strerror}") from error
    return locations.unpacked_dir() / f"{told.hexdigest()[:32]}{suffix}"


@cache
def _code() -> str:
    """Of everything that has a part in unpacking."""
    told = hashlib.sha256()
    package = Path(__file__).parent.parent
    for source in sorted([*package.glob("storage/**/*.py"), *package.glob("model/*.py")]):
        told.update(source.read_bytes())
    return told.hexdigest()


def text(file: GGUF, suffix: str, make: Callable[[], str]) -> str:
    """A text made of a file: the one that is kept, or made now, and kept if that is possible."""
    at = place(file, suffix)
    with contextlib.suppress(UserError, OSError):
        found = read_text(at, LARGE)
        touch(at)
        return found
    made = make()
    with contextlib.suppress(OSError), being_made(at, len(made)) as beside:
        if beside is not None:
            beside.write_text(made, encoding="utf-8")
    return made


@contextlib.contextmanager
def being_made(at: Path, size_bytes: int) -> Iterator[Path | None]:
    """A file to write to, which takes the name `at` when it is whole; None where there is no room for it.

    Two processes may make the same: each has a file of its own, and the last one stays.
    """
    if not make_room(size_bytes):
        yield None
        return
    handle, name = tempfile.mkstemp(suffix=UNFINISHED, prefix=f".{at.stem}.", dir=locations.unpacked_dir())
    os.close(handle)
    beside = Path(name)
    try:
        yield beside
        if beside.stat().st_size:
            beside.replace(at)
    finally:
        beside.unlink(missing_ok=True)


def touch(at: Path) -> None:
    """It was used just now."""
    with contextlib.suppress(OSError):
        os.utime(at)


def drop(at: Path) -> None:
    with contextlib.suppress(OSError):
        at.unlink()


def limit_bytes() -> int:
    return int(settings.load()[0].unpacked_gb * 1e9)


def make_room(size_bytes: int) -> bool:
    """Lets go of the oldest until so many bytes fit under the limit and on the disk. False where they never will."""
    try:
        locations.unpacked_dir().mkdir(parents=True, exist_ok=True)
        free_bytes = shutil.disk_usage(locations.unpacked_dir()).free
    except OSError:
        return False
    left = min(limit_bytes(), kept_bytes() + free_bytes - SPARE_BYTES) - size_bytes
    if left < 0:
        return False
    kept = sorted(_kept(), reverse=True)
    for used_s, held_bytes, at in kept:
        left -= held_bytes
        if left < 0 or (at.name.endswith(UNFINISHED) and time.time() - used_s > ABANDONED_S):
            drop(at)
    return True


def kept_bytes() -> int:
    return sum(size_bytes for _, size_bytes, _ in _kept())


def clear() -> int:
    """Lets go of everything; how many bytes that were."""
    held_bytes = kept_bytes()
    for _, _, at in _kept():
        drop(at)
    return held_bytes - kept_bytes()


def _kept() -> list[tuple[float, int, Path]]:
    """When each was used last, and how large it is."""
    found = []
    with contextlib.suppress(OSError):
        for entry in os.scandir(locations.unpacked_dir()):
            with contextlib.suppress(OSError):
                stat = entry.stat(follow_symlinks=False)
                found.append((stat.st_mtime, stat.st_size, Path(entry.path)))
    return found
