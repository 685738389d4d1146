"""What lies in a model's directory, judged before anything is done with it: pickles, shards, headers.

For: the gallery, the tokenizers and `gpttui.model.checkpoint`, so that all of them refuse the same things in the same
words, whoever wrote the files. Not for: tensors. No torch.
"""

import math
import shlex
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gpttui.errors import UserError
from gpttui.files import SMALL, from_json, json_object, open_regular, reason
from gpttui.storage.gguf import MAGIC
from gpttui.text import is_utf8, safe_text

WEIGHTS, INDEX, CONFIG = "model.safetensors", "model.safetensors.index.json", "config.json"
_Count = Annotated[int, Meta(ge=0, lt=1 << 53)]
OTHER_NAMES = ("pytorch_model.safetensors", "pytorch_model.bin")
"""What weights in safetensors are called, too, by programs that keep to older names."""
PICKLES = frozenset({".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle"})


def need_model(path: Path) -> Path:
    """`path`, if a model may lie in it: a directory, or a GGUF file.

    Raises UserError for pickles, alone or in a directory, and for other files.
    """
    need_utf8(path, "model")
    if path.is_dir():
        there = any((path / name).exists() for name in (WEIGHTS, INDEX))
        if not there and pickles(path) and not any(kind_of(path / name) == "safetensors" for name in OTHER_NAMES):
            raise UserError(_no_weights(path))
    elif (kind := kind_of(path)) == "gguf":
        return path
    elif kind == "pickle":
        raise UserError(f"{path.name} is a pickle, which can run any code when opened; {convert(path)}")
    elif kind == "safetensors":
        raise UserError(f"{path} is a model's weights alone; give the directory, with config.json and tokenizer.json")
    elif path.suffix.lower() == ".gguf" and path.exists():
        raise UserError(f"{path} is no GGUF file, for it does not begin with GGUF; copy or download it again")
    elif path.exists():
        holds = "config.json and model.safetensors"
        raise UserError(f"{path} is a file; give the directory that holds {holds}, or a GGUF file")
    else:
        raise UserError(f"no model at {path}; `gpttui models` lists those that are here")
    return path


def need_utf8(path: Path, what: str) -> None:
    """Raises UserError where the path has bytes that are not UTF-8: nothing that would carry its name could."""
    if not is_utf8(str(path)):
        raise UserError(f"the path of this {what} is not UTF-8: {safe_text(str(path))}; rename it, or move the {what}")


def kind_of(file: Path) -> Literal["safetensors", "gguf", "pickle", ""]:
    """What a file of weights is by how it begins, whatever it is called; by its name where that tells nothing."""
    try:
        with open_regular(file) as handle:
            head = handle.read(400)
    except (OSError, UserError):  # whoever opens it will say why
        head = b""
    if head.startswith(MAGIC):
        return "gguf"
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= SMALL:
        return "safetensors"
    pickled = head[:1] == b"\x80" and head[1:2] in (b"\x01", b"\x02", b"\x03", b"\x04", b"\x05")
    archive = head.startswith(b"PK\x03\x04") and b"data.pkl" in head  # what torch.save writes
    return "pickle" if pickled or archive or file.suffix.lower() in PICKLES else ""


def weight_files(path: Path) -> list[Path]:
    """The safetensors files of directory `path`, or its shards. Raises UserError where one is missing."""
    if (path / WEIGHTS).exists():
        return [path / WEIGHTS]
    if not (path / INDEX).exists():
        if other := [path / name for name in OTHER_NAMES if kind_of(path / name) == "safetensors"]:
            return other[:1]
        raise UserError(_no_weights(path))
    names = json_object(path / INDEX).get("weight_map")
    if not isinstance(names, dict) or not names or not all(isinstance(name, str) for name in names.values()):
        raise UserError(f"{path / INDEX} cannot be read: its weight_map names no files; copy or download it again")
    files = []
    for name in sorted(set(names.values())):
        file = path / Path(name).name
        if not _is_there(file):
            raise UserError(f"{path / INDEX} names {name[:80]!r}, which is not here; was the download finished?")
        files.append(file)
    return files


def _is_there(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError:  # a name too long for the file system, say
        return False


def pickles(path: Path) -> list[Path]:
    """Files in directory `path` that torch.save may have written."""
    return sorted(file for file in path.iterdir() if file.suffix.lower() in PICKLES and kind_of(file) == "pickle")


def _no_weights(path: Path) -> str:
    if found := pickles(path):
        return f"{path} has only {found[0].name}, a pickle, which can run code; {convert(path)}"
    return f"{path} holds no {WEIGHTS}; was the download or the training finished?"


def convert(path: Path) -> str:
    """What to do with a pickle."""
    return f"`gpttui convert {shlex.quote(str(path))} DIRECTORY` takes its numbers, and nothing else, into a model"


MOST_NUMBERS = (1 << 63) - 1


class Stored(msgspec.Struct, frozen=True):
    """One tensor in a safetensors file."""

    dtype: str
    shape: tuple[_Count, ...]
    data_offsets: tuple[_Count, _Count]


class Header(msgspec.Struct, frozen=True):
    """What a safetensors file says of itself before its tensors."""

    tensors: dict[str, Stored]
    crc32: str | None
    """Of the tensors' bytes in the order of their names, where gpttui wrote the file."""
    start: int
    """Where in the file the tensors' bytes begin."""


def header(file: Path) -> Header:
    """The header of a safetensors file. Raises UserError where it is none, or its tensors do not fill the file.

    Format: https://huggingface.co/docs/safetensors (eight bytes of length, JSON, then the tensors' bytes).
    """
    need_weights(file)
    damaged = UserError(f"{file} is damaged or cut short; copy or download it again")
    size_bytes = file.stat().st_size
    try:
        with open_regular(file) as handle:
            head = handle.read(8)
            length = struct.unpack("<Q", head)[0] if len(head) == 8 else 0
            if not 2 <= length <= min(SMALL, size_bytes - 8):
                raise damaged
            entries = handle.read(length)
    except OSError as error:
        raise UserError(f"{file} cannot be read: {reason(error)}") from error
    raw = from_json(entries, dict[str, msgspec.Raw], str(file))
    notes = from_json(raw.pop("__metadata__", msgspec.Raw(b"{}")), dict[str, str], str(file))
    tensors = {name: from_json(entry, Stored, str(file)) for name, entry in raw.items()}
    for name, tensor in tensors.items():
        begin, end = tensor.data_offsets
        axes = [max(1, axis) for axis in tensor.shape]  # strides count an empty axis as one, and must fit into 64 bits
        if math.prod(tensor.shape) > 8 * (end - begin) or math.prod(axes) > MOST_NUMBERS:
            raise UserError(f"{file} is damaged: {name[:80]} does not fit into its bytes {begin} to {end}")
    if max((tensor.data_offsets[1] for tensor in tensors.values()), default=0) + 8 + length != size_bytes:
        raise damaged
    return Header(tensors, notes.get("crc32"), 8 + length)


def checksum(contents: Iterable[bytes | memoryview]) -> str:
    """CRC-32 over the bytes of all tensors of a file, given in the order of their names; as its metadata keeps it."""
    crc = 0
    for content in contents:
        crc = zlib.crc32(content, crc)
    return str(crc)


def need_weights(file: Path) -> None:
    """Raises UserError where `file` is no regular file, or a pickle under another name."""
    try:
        open_regular(file).close()
    except OSError as error:
        raise UserError(f"{file} cannot be read: {reason(error)}") from error
    if (kind := kind_of(file)) == "pickle":
        raise UserError(f"{file} is a pickle, which can run any code when opened; {convert(file.parent)}")
    if kind == "gguf":
        raise UserError(f"{file} is a GGUF file, which is a model by itself; give it alone, not its directory")
