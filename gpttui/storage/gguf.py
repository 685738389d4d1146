"""A GGUF file by its header: what it says of its model, and where each tensor lies. No torch, and no `gguf` library.

The format of llama.cpp and Ollama (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md): "GGUF", a version, two
counts, values by key, tensors by name, then the tensors' bytes. Every size and count is judged before anything of that
size is made. Lists (a vocabulary of 260,000 texts, say) are stepped over, and read when they are asked for. Not for:
what the keys mean (`gguf_models`, `gguf_tokenizer`), and numbers out of packed bits, for which there is the library.
"""

import math
import mmap
import os
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gpttui.errors import UserError
from gpttui.files import LARGE, open_regular, reason
from gpttui.records import Array
from gpttui.text import safe_text

MAGIC = b"GGUF"
VERSIONS = (2, 3)
MOST_ENTRIES, MOST_LISTED, MOST_NUMBERS = 100_000, 10_000_000, 1 << 53
"""Keys or tensors of a file, values of a list, numbers of a tensor."""


class Packing(NamedTuple):
    """How a tensor's numbers are stored: `values` of them at a time, in `size_bytes`."""

    name: str
    values: int
    size_bytes: int


PACKINGS = {
    0: Packing("F32", 1, 4), 1: Packing("F16", 1, 2), 30: Packing("BF16", 1, 2),
    2: Packing("Q4_0", 32, 18), 3: Packing("Q4_1", 32, 20), 6: Packing("Q5_0", 32, 22), 7: Packing("Q5_1", 32, 24),
    8: Packing("Q8_0", 32, 34), 10: Packing("Q2_K", 256, 84), 11: Packing("Q3_K", 256, 110),
    12: Packing("Q4_K", 256, 144), 13: Packing("Q5_K", 256, 176), 14: Packing("Q6_K", 256, 210),
    16: Packing("IQ2_XXS", 256, 66), 17: Packing("IQ2_XS", 256, 74), 22: Packing("IQ2_S", 256, 82),
    18: Packing("IQ3_XXS", 256, 98), 21: Packing("IQ3_S", 256, 110), 19: Packing("IQ1_S", 256, 50),
    29: Packing("IQ1_M", 256, 56), 20: Packing("IQ4_NL", 32, 18), 23: Packing("IQ4_XS", 256, 136),
    34: Packing("TQ1_0", 256, 54), 35: Packing("TQ2_0", 256, 66), 39: Packing("MXFP4", 32, 17),
    40: Packing("NVFP4", 64, 36),
}  # fmt: skip
"""By the number that a file gives: what the `gguf` library makes numbers of."""

_NUMBERS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_TEXT, _LIST = 8, 9
_LENGTH = struct.Struct("<Q")


@dataclass(frozen=True, slots=True)
class Listed:
    """Where a list lies that was stepped over."""

    kind: int
    count: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Stored:
    """One tensor in the file."""

    packing: Packing
    shape: tuple[int, ...]
    """Rows first, as numpy has it; the file says it the other way round."""
    start: int
    size_bytes: int


Value = int | float | bool | str | Listed


@dataclass(frozen=True, slots=True, eq=False)
class GGUF:
    """A file's header. What it says is asked for by type, and every answer is of it, or a UserError."""

    path: Path
    values: dict[str, Value]
    tensors: dict[str, Stored]

    def text(self, key: str, default: str = "") -> str:
        return str(self._of(key, str, "a text", default))

    def whole(self, key: str, default: int | None = None) -> int:
        """A whole number; where the file has a list of one for each layer, and all are the same, that one."""
        found = self.values.get(key, default)
        if isinstance(found, Listed) and found.kind in _NUMBERS:
            each = set(self.numbers(key).tolist())
            if len(each) > 1:
                raise UserError(f"{self.path} has a {_named(key)} that differs between layers; that is not computed")
            found = next(iter(each), None)
        if isinstance(found, bool) or not isinstance(found, int):
            raise self._lacks(key, "a whole number")
        return found

    def number(self, key: str, default: float | None = None) -> float:
        """Of a number in 32 bits the shortest decimal that is meant: 1e-5, not 9.99999974e-6."""
        found = self.values.get(key, default)
        if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
            raise self._lacks(key, "a number")
        return float(str(np.float32(found)))

    def flag(self, key: str, default: bool) -> bool:
        return bool(self._of(key, bool, "true or false", default))

    def _of(self, key: str, kind: type, words: str, default: Value) -> Value:
        found = self.values.get(key, default)
        if not isinstance(found, kind):
            raise self._lacks(key, words)
        return found

    def _lacks(self, key: str, words: str) -> UserError:
        if key not in self.values:
            return UserError(f"{self.path} lacks {_named(key)}; is it a language model, and the file complete?")
        return UserError(f"{self.path}: its {_named(key)} is not {words}; copy or download the file again")

    def texts(self, key: str) -> list[str]:
        """A list of texts; empty where the file has none. Raises UserError for another list, or what is not UTF-8."""
        data, listed = self._list(key)
        if listed is not None and listed.kind != _TEXT:
            raise self._lacks(key, "a list of texts")
        found, at = [], 0
        try:
            for _ in range(listed.count if listed is not None else 0):
                start = at + 8
                at = start + _LENGTH.unpack_from(data, at)[0]
                found.append(data[start:at].decode())
        except UnicodeDecodeError as error:
            raise UserError(f"{self.path}: a text of its {_named(key)} is not UTF-8") from error
        return found

    def numbers(self, key: str) -> Array:
        """A list of numbers; empty where the file has none."""
        data, listed = self._list(key)
        if listed is None:
            return np.empty(0, np.int64)
        if listed.kind not in _NUMBERS:
            raise self._lacks(key, "a list of numbers")
        return np.frombuffer(data, _NUMBERS[listed.kind])

    def _list(self, key: str) -> tuple[bytes, Listed | None]:
        listed = self.values.get(key)
        if listed is None:
            return b"", None
        if not isinstance(listed, Listed):
            raise self._lacks(key, "a list")
        return bytes(self.bytes_at(listed.start, listed.end - listed.start)), listed

    def bytes_at(self, start: int, size_bytes: int) -> bytearray:
        """A stretch of the file. Raises UserError where it is not there any more."""
        data = bytearray(size_bytes)
        try:
            with open_regular(self.path) as handle:
                handle.seek(start)
                there = handle.readinto(data)  # type: ignore[attr-defined]
        except OSError as error:
            raise UserError(f"{self.path} cannot be read: {reason(error)}") from error
        if there != size_bytes:
            raise damaged(self.path, "it became shorter")
        return data


def is_gguf(path: Path) -> bool:
    """By how the file begins, whatever it is called."""
    try:
        with open_regular(path) as handle:
            return handle.read(4) == MAGIC
    except (OSError, UserError):  # whoever opens it will say why
        return False


def read(path: Path) -> GGUF:
    """The header of the file. Raises UserError, one line, for whatever is not whole; the weights are not read."""
    try:
        with open_regular(path) as handle:
            stat = os.fstat(handle.fileno())
    except OSError as error:
        raise UserError(f"{path} cannot be read: {reason(error)}") from error
    return _read(path, (stat.st_dev, stat.st_ino, stat.st_mtime_ns, stat.st_size))


def glimpse(path: Path) -> GGUF:
    """How the header begins, as far as the vocabulary: of a kind and a shape, not of tensors. Raises as `read`."""
    try:
        with open_regular(path) as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _Header(path, data).read(before="tokenizer.")
    except (OSError, ValueError) as error:  # an empty file cannot be mapped
        raise UserError(f"{path} cannot be read: {reason(error)}") from error


@lru_cache(maxsize=2)  # card, config, tokenizer and weights each ask for it
def _read(path: Path, version: tuple[int, ...]) -> GGUF:
    if version[-1] < 24:
        raise damaged(path, "it has no whole header")
    with open_regular(path) as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return _Header(path, data).read()


def damaged(path: Path, what: str) -> UserError:
    return UserError(f"{path} is damaged or cut short ({what}); copy or download it again")


def _named(name: str) -> str:
    """A key or a tensor's name, safe to print."""
    return safe_text(name[:80])


class _Header:
    """Values one behind the other; whatever would reach past the end is damage."""

    def __init__(self, path: Path, data: mmap.mmap) -> None:
        self.path, self.data, self.at, self.end = path, data, 4, min(len(data), LARGE)

    def read(self, before: str = "") -> GGUF:
        """All of it, or what stands before a key that begins so."""
        if self.data[:4] != MAGIC:
            raise UserError(f"{self.path} is no GGUF file: it does not begin with GGUF")
        if (version := self.number("<I")) not in VERSIONS:
            kind = "a big-endian file" if version and version % 65536 == 0 else f"version {version}"
            raise UserError(f"{self.path} is {kind} of GGUF; gpttui reads versions 2 and 3, little-endian")
        n_tensors, n_values = self.number("<Q"), self.number("<Q")
        if max(n_tensors, n_values) > MOST_ENTRIES:
            raise damaged(self.path, f"it claims {n_tensors:,} tensors and {n_values:,} keys")
        values: dict[str, Value] = {}
        for _ in range(n_values):
            key = self.text("key")
            if before and key.startswith(before):
                return GGUF(self.path, values, {})
            if key in values:
                raise damaged(self.path, f"the key {_named(key)} comes twice")
            values[key] = self.value(self.number("<I"), key)
        if (parts := values.get("split.count", 0)) not in (0, 1):
            raise UserError(f"{self.path} is one of {parts} parts; join them first (llama-gguf-split --merge)")
        return GGUF(self.path, values, self.tensors(n_tensors, values.get("general.alignment", 32)))

    def tensors(self, count: int, alignment: Value) -> dict[str, Stored]:
        if not isinstance(alignment, int) or not 1 <= alignment <= 1 << 20:
            raise damaged(self.path, "its alignment is no such number")
        told: dict[str, tuple[Packing, tuple[int, ...], int]] = {}
        for _ in range(count):
            name = self.text("tensor's name")
            if name in told:
                raise damaged(self.path, f"the tensor {_named(name)} comes twice")
            told[name] = self.tensor(name)
        start = -(-self.at // alignment) * alignment
        left_bytes = there_bytes = max(0, len(self.data) - start)
        found = {}
        for name, (packing, shape, offset) in told.items():
            size_bytes = math.prod(shape) // packing.values * packing.size_bytes
            left_bytes -= size_bytes
            if offset % alignment or offset + size_bytes > there_bytes or left_bytes < 0:
                raise damaged(self.path, f"the tensor {_named(name)} does not lie within it")
            found[name] = Stored(packing, shape, start + offset, size_bytes)
        return found

    def tensor(self, name: str) -> tuple[Packing, tuple[int, ...], int]:
        n_dims = self.number("<I")
        if not 1 <= n_dims <= 4:
            raise damaged(self.path, f"the tensor {_named(name)} has {n_dims:,} dimensions")
        sizes = [self.number("<Q") for _ in range(n_dims)]
        kind, offset = self.number("<I"), self.number("<Q")
        packing = PACKINGS.get(kind)
        if packing is None:
            raise UserError(f"{self.path} stores {_named(name)} in a way (type {kind}) that gpttui does not read")
        if not all(1 <= size <= MOST_NUMBERS for size in sizes) or math.prod(sizes) > MOST_NUMBERS:
            raise damaged(self.path, f"the tensor {_named(name)} has no possible size")
        if sizes[0] % packing.values:
            raise damaged(self.path, f"rows of {_named(name)} are no multiple of {packing.values} numbers")
        return packing, tuple(reversed(sizes)), offset

    def value(self, kind: int, key: str) -> Value:
        if kind in _NUMBERS:
            number: int | float | bool = self.number(_NUMBERS[kind])
            return number
        if kind == _TEXT:
            return self.text(f"value of {_named(key)}")
        if kind != _LIST:
            raise damaged(self.path, f"the value of {_named(key)} is of a kind {kind} that there is not")
        of, count = self.number("<I"), self.number("<Q")
        if count > MOST_LISTED or (of not in _NUMBERS and of != _TEXT):
            raise damaged(self.path, f"{_named(key)} is a list of {count:,} values of kind {of}")
        start = self.at
        if of == _TEXT:
            self.skip_texts(count)
        else:
            self.skip(count * struct.calcsize(_NUMBERS[of]))
        return Listed(of, count, start, self.at)

    def number(self, code: str) -> Any:
        start = self.at
        self.skip(struct.calcsize(code))
        return struct.unpack_from(code, self.data, start)[0]

    def text(self, what: str) -> str:
        length = self.number("<Q")
        start = self.at
        self.skip(length)
        try:
            return self.data[start : self.at].decode()
        except UnicodeDecodeError as error:
            raise damaged(self.path, f"a {what} is not UTF-8") from error

    def skip(self, size_bytes: int) -> None:
        self.at += size_bytes
        if self.at > self.end:
            raise damaged(self.path, "its header ends too soon" if self.end < LARGE else "its header has no end")

    def skip_texts(self, count: int) -> None:
        at, end, data, length = self.at, self.end - 8, self.data, _LENGTH.unpack_from
        for _ in range(count):
            if at > end:
                break
            at += 8 + length(data, at)[0]
        else:
            self.at = at
            self.skip(0)
            return
        self.skip(self.end)
