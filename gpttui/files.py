"""The one place that reads a file a person has: its kind and size are judged before a byte of it is taken.

For: models, runs, sessions, settings. A pipe, a device or a file of terabytes in the place of any of them is one clear
line at once, and what is read is converted by its declared type. Not for: training texts, which are streamed, and
tensors, which safetensors maps. No torch.
"""

import json
import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, TypeVar

import msgspec

from gpttui.errors import UserError, one_line

T = TypeVar("T")

SMALL, LARGE = 32_000_000, 200_000_000
"""Bytes: cards, configs and sessions stay below the first, vocabularies below the second."""
DEEPEST, MOST = 100, (1 << 63) - 1
"""No file of ours nests deeper, and none holds a larger number."""


def open_regular(file: Path) -> IO[bytes]:
    """`file`, open for reading. Raises UserError where it is a directory, a pipe, a device; OSError as `open` does."""
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe without a writer would wait
    except ValueError as error:  # a name with a NUL
        raise UserError(f"no file can be called {str(file)[:60]!r}") from error
    return _regular(handle, file, "rb")


def _regular(handle: int, file: Path, mode: str) -> IO[bytes]:
    kind = os.fstat(handle).st_mode
    if not stat.S_ISREG(kind):
        os.close(handle)
        what = "a directory" if stat.S_ISDIR(kind) else "no regular file"
        raise UserError(f"{file} cannot be read: it is {what}; a file belongs there")
    return os.fdopen(handle, mode, buffering=1 << 16)


def append_regular(file: Path) -> IO[bytes]:
    """`file`, made if it is not there, open for appending. Raises as `open_regular`, and OSError where it may not."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC
    return _regular(os.open(file, flags, 0o666), file, "ab")


def read_bytes(file: Path, limit_bytes: int = SMALL) -> bytes:
    """All of a file. Raises FileNotFoundError, and UserError for all else that is in the way, its size included."""
    try:
        with open_regular(file) as handle:
            data = handle.read(limit_bytes + 1) if os.fstat(handle.fileno()).st_size <= limit_bytes else None
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UserError(f"{file} cannot be read: {reason(error)}") from error
    if data is None or len(data) > limit_bytes:
        raise UserError(f"{file} cannot be read: it is larger than {limit_bytes // 10**6} MB, which no such file is")
    return data


def read_text(file: Path, limit_bytes: int = SMALL) -> str:
    """A file in UTF-8. Raises as `read_bytes` does, and UserError where it is not UTF-8."""
    try:
        return read_bytes(file, limit_bytes).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{file} cannot be read: it is not UTF-8 (byte {error.start:,})") from error


def write_whole(file: Path, data: str | bytes) -> None:
    """Write a file whole or not at all: it is on disk (fsync) before it takes its name. Raises OSError."""
    beside = file.with_name(f".{file.name}.tmp")
    try:
        with beside.open("wb") as handle:
            handle.write(data.encode() if isinstance(data, str) else data)
            handle.flush()
            os.fsync(handle.fileno())
        beside.replace(file)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def read_json(file: Path, kind: type[T], limit_bytes: int = SMALL) -> T:
    """A JSON file, each value converted by the type that `kind` declares. Raises as `read_bytes`, and UserError."""
    return from_json(read_bytes(file, limit_bytes), kind, str(file))


def from_json(data: bytes | str, kind: type[T], name: str) -> T:
    """JSON as `kind`; `name` is what it is called where it is not. Raises UserError, naming the value at fault."""
    try:
        value = msgspec.json.decode(data, type=kind)
    except RecursionError as error:
        raise UserError(f"{name} cannot be read: it is nested too deeply") from error
    except msgspec.ValidationError as error:
        raise UserError(f"{name} cannot be read: {': '.join(filter(None, in_words(error)))}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{name} cannot be read: {one_line(error)[:200]}") from error
    need_modest(value, name, MOST)
    return value


def json_object(file: Path) -> dict[str, Any]:
    """The object in a JSON file that other programs wrote, NaN and all. Raises UserError for anything else."""
    try:
        raw = json.loads(read_text(file))
        json.dumps(raw, ensure_ascii=False).encode()  # half a character, which no text of ours can carry
    except FileNotFoundError as error:
        raise UserError(f"{file.parent} holds no {file.name}; is it a model directory?") from error
    except RecursionError as error:
        raise UserError(f"{file} cannot be read: it is nested too deeply") from error
    except ValueError as error:
        raise UserError(f"{file} cannot be read: {one_line(error)}") from error
    if not isinstance(raw, dict):
        raise UserError(f"{file} is not a JSON object")
    need_modest(raw, str(file))
    return raw


def need_modest(value: object, name: str, most: float = float("inf")) -> None:
    """Raises UserError for lists and objects nested so deep, or numbers so large, that whoever takes them fails."""
    layer: list[Any] = [value]
    for _ in range(DEEPEST):
        inside = [part for outer in layer for part in _inside(outer)]
        if any(isinstance(part, int | float) and abs(part) > most for part in inside):
            raise UserError(f"{name} cannot be read: a number in it is too large")
        layer = [part for part in inside if isinstance(part, _CONTAINERS)]
        if not layer:
            return
    raise UserError(f"{name} cannot be read: it is nested too deeply")


_CONTAINERS = (dict, list, tuple, msgspec.Struct)


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return msgspec.structs.astuple(value) if isinstance(value, msgspec.Struct) else value


_TYPES = {
    "int": "a whole number", "float": "a number", "bool": "true or false", "str": "a text", "null": "null",
    "array": "a list", "object": "an object",
}  # fmt: skip
_LIMITS = {" >= ": " of at least ", " <= ": " of at most ", " > ": " above ", " < ": " below "}


def in_words(error: msgspec.ValidationError) -> tuple[str, str]:
    """Where in a file msgspec found a value that cannot be (empty: in no field of its own), and what it expected."""
    text, _, place = str(error).partition(" - at `$")
    text = text.replace("Object missing required field", "lacks")
    text = re.sub(r"`([^`]*)`", lambda found: " or ".join(_TYPES.get(t, repr(t)) for t in found[1].split(" | ")), text)
    for sign, word in _LIMITS.items():
        text = text.replace(sign, word)
    return place.rstrip("`").lstrip("."), text[:1].lower() + text[1:200]


def reason(error: BaseException) -> str:
    """Why something failed; of the operating system's errors the words alone, without number and path."""
    return (error.strerror if isinstance(error, OSError) else None) or one_line(error)[:200]
