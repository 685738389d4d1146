"""What lies in a model's directory, judged before anything is done with it: kinds of files, JSON, sizes, headers.

For: the gallery, the tokenizers and `gpttui.model.checkpoint`, so that all of them refuse the same things in the same
words, whoever wrote the files. Not for: tensors. No torch.
"""

import json
import math
import struct
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from gpttui.errors import UserError, one_line
from gpttui.text import is_utf8, safe_text

WEIGHTS, INDEX, CONFIG = "model.safetensors", "model.safetensors.index.json", "config.json"
PICKLES = frozenset({".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle"})
FORMAT = 1
"""Version of our own config dialect; a larger one in a file means: written by a newer gpttui."""
LARGEST = 10_000_000
"""No width, depth or vocabulary is larger than this."""
_MAX_HEADER_BYTES = 100_000_000


# ── Files ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def need_directory(path: Path) -> Path:
    """`path`, if a model may lie in it. Raises UserError for pickles, alone or in a directory, and for other files."""
    need_utf8(path, "model")
    if path.is_dir():
        if not any((path / name).exists() for name in (WEIGHTS, INDEX)) and _pickles(path):
            raise UserError(_no_weights(path))
    elif is_pickle(path):
        raise UserError(f"{path.name} is a pickle, which can run any code when opened; convert it to safetensors first")
    elif path.suffix == ".safetensors":
        raise UserError(f"{path} is a model's weights alone; give the directory, with config.json and tokenizer.json")
    elif path.exists():
        raise UserError(f"{path} is a file; give the directory that holds config.json and model.safetensors")
    else:
        raise UserError(f"no model at {path}; `gpttui models` lists those that are here")
    return path


def need_utf8(path: Path, what: str) -> None:
    """Raises UserError where the path has bytes that are not UTF-8: nothing that would carry its name could."""
    if not is_utf8(str(path)):
        raise UserError(f"the path of this {what} is not UTF-8: {safe_text(str(path))}; rename it, or move the {what}")


def need_file(file: Path) -> None:
    """Raises UserError where something lies at `file` that is none."""
    if file.exists() and not file.is_file():
        raise UserError(f"{file} is {'a directory' if file.is_dir() else 'no regular file'}; a file belongs there")


def is_pickle(file: Path) -> bool:
    """By its suffix, or by how it begins: as Python's pickle does, or as the archive that torch.save writes."""
    if file.suffix.lower() in PICKLES:
        return True
    if not file.is_file():
        return False
    try:
        with file.open("rb") as handle:
            head = handle.read(400)
    except OSError:  # whoever opens it will say why
        return False
    length_of_a_header = head[2:8] == bytes(6)  # so safetensors begin: eight bytes, the first of any value
    pickled = head[:1] == b"\x80" and head[1:2] in (b"\x01", b"\x02", b"\x03", b"\x04", b"\x05")
    return (pickled and not length_of_a_header) or (head.startswith(b"PK\x03\x04") and b"data.pkl" in head)


def weight_files(path: Path) -> list[Path]:
    """The safetensors files of directory `path`, or its shards. Raises UserError where one is missing."""
    if (path / WEIGHTS).exists():
        return [path / WEIGHTS]
    if not (path / INDEX).exists():
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


def _pickles(path: Path) -> list[str]:
    return sorted(file.name for file in path.iterdir() if file.suffix.lower() in PICKLES)


def _no_weights(path: Path) -> str:
    if pickles := _pickles(path):
        return f"{path} has only {pickles[0]}, a pickle, which can run code; convert it to safetensors"
    return f"{path} holds no {WEIGHTS}; was the download or the training finished?"


def json_object(file: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises UserError for anything else."""
    try:
        need_file(file)
        raw = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{file.parent} holds no {file.name}; is it a model directory?") from error
    except RecursionError as error:
        raise UserError(f"{file} cannot be read: it is nested too deeply") from error
    except (OSError, ValueError) as error:
        raise UserError(f"{file} cannot be read: {reason(error)}") from error
    if not isinstance(raw, dict):
        raise UserError(f"{file} is not a JSON object")
    return raw


def reason(error: BaseException) -> str:
    """Why something failed; of the operating system's errors the words alone, without number and path."""
    return (error.strerror if isinstance(error, OSError) else None) or one_line(error)


def header(file: Path) -> dict[str, Any]:
    """The header of a safetensors file: tensor name → dtype, shape, offsets. Raises UserError where it is none.

    Format: https://huggingface.co/docs/safetensors (eight bytes of length, JSON, then the tensors' bytes).
    """
    need_weights(file)
    size_bytes = file.stat().st_size
    with file.open("rb") as handle:
        head = handle.read(8)
        length = struct.unpack("<Q", head)[0] if len(head) == 8 else 0
        if not 2 <= length <= min(_MAX_HEADER_BYTES, size_bytes - 8):
            raise UserError(f"{file} is damaged or cut short; copy or download it again")
        try:
            entries: dict[str, Any] = json.loads(handle.read(length))
            ends = [_end(entry) for name, entry in entries.items() if name != "__metadata__"]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise UserError(f"{file} is no safetensors file: {one_line(error)}") from error
    if max(ends, default=0) + 8 + length != size_bytes:
        raise UserError(f"{file} is damaged or cut short; copy or download it again")
    return entries


def checksum(contents: Iterable[bytes | memoryview]) -> str:
    """CRC-32 over the bytes of all tensors of a file, given in the order of their names; as its metadata keeps it."""
    crc = 0
    for content in contents:
        crc = zlib.crc32(content, crc)
    return str(crc)


def _end(entry: dict[str, Any]) -> int:
    """Where a tensor's bytes end. Raises ValueError where its place and its shape are not possible."""
    begin, end = entry["data_offsets"]
    shape = entry["shape"]
    if not all(type(n) is int and n >= 0 for n in (begin, end, *shape)) or math.prod(shape) > 8 * (end - begin):
        raise ValueError(f"a tensor of shape {shape} does not fit in bytes {begin} to {end}"[:200])
    return int(end)


def need_weights(file: Path) -> None:
    """Raises UserError where `file` is there and is a directory, or a pickle under another name."""
    need_file(file)
    if is_pickle(file):
        raise UserError(f"{file} is a pickle, which can run any code when opened; convert it to safetensors")


# ── config.json ───────────────────────────────────────────────────────────────────────────────────────────────────


class _Rule(NamedTuple):
    fits: Callable[[Any], bool]
    words: str


def _whole(low: int) -> _Rule:
    words = f"a whole number from {low} to {LARGEST:,}"
    return _Rule(lambda value: type(value) is int and low <= value <= LARGEST, words)


def _number(fits: Callable[[float], bool], words: str) -> _Rule:
    return _Rule(lambda value: type(value) in (int, float) and math.isfinite(value) and fits(value), words)


def _one_of(*names: str) -> _Rule:
    return _Rule(lambda value: isinstance(value, str) and value in names, f"one of {', '.join(names)}")


def _or_null(rule: _Rule) -> _Rule:
    return _Rule(lambda value: value is None or rule.fits(value), f"{rule.words}, or null")


_SIZE = _whole(1)
_SHARE = _number(lambda value: 0 <= value < 1, "a number from 0 to below 1")
_FLAG = _Rule(lambda value: isinstance(value, bool), "true or false")

_REQUIRED: dict[str, dict[str, _Rule]] = {
    "gpt2": dict.fromkeys(("vocab_size", "n_positions", "n_embd", "n_layer", "n_head"), _SIZE),
    "gpttui": dict.fromkeys(("vocab_size", "context", "n_layer", "n_head", "d_model"), _SIZE),
}
_OPTIONAL: dict[str, dict[str, _Rule]] = {
    "gpt2": {
        "n_inner": _or_null(_SIZE),
        "layer_norm_epsilon": _SHARE,
        "activation_function": _Rule(lambda value: isinstance(value, str), "a name"),
        "tie_word_embeddings": _FLAG,
    },
    "gpttui": {
        "n_kv_head": _or_null(_SIZE),
        "d_mlp": _or_null(_whole(0)),
        "norm": _one_of("layernorm", "rmsnorm"),
        "norm_eps": _SHARE,
        "positions": _one_of("learned", "rope", "none"),
        "rope_base": _number(lambda value: 0 < value < 1e30, "a number above 0"),
        "activation": _one_of("gelu", "gelu_tanh", "relu", "relu2", "swiglu"),
        "qk_norm": _FLAG,
        "qk_gain": _FLAG,
        "bias": _FLAG,
        "tied": _FLAG,
        "zero_init_outputs": _FLAG,
        "dropout": _SHARE,
        "pattern_dropout": _or_null(_number(lambda value: 0 <= value <= 1, "a number from 0 to 1")),
    },
}


def check_config(raw: dict[str, Any], where: str = CONFIG) -> None:
    """Each value by itself. Raises UserError, naming the field, for unknown families and impossible values."""
    kind = raw.get("model_type")
    if not isinstance(kind, str) or kind not in _REQUIRED:
        raise UserError(f"{where} names the model type {_shown(kind)}; gpttui opens 'gpt2' and its own 'gpttui'")
    if kind == "gpttui":
        _check(raw.get("format", 0), "format", _whole(0), where)
        if raw.get("format", 0) > FORMAT:
            raise UserError(f"{where} was written by a newer gpttui; upgrade gpttui to open this model")
    for name, rule in _REQUIRED[kind].items():
        if name not in raw:
            raise UserError(f"{where} lacks {name!r}; is the file complete?")
        _check(raw[name], name, rule, where)
    for name, rule in _OPTIONAL[kind].items():
        if name in raw:
            _check(raw[name], name, rule, where)


def _check(value: Any, name: str, rule: _Rule, where: str) -> None:
    if not rule.fits(value):
        raise UserError(f"{where} describes an impossible model: {name} is {_shown(value)}, not {rule.words}")


def _shown(value: Any) -> str:
    """A value of a JSON file as the file has it, a long one cut."""
    text = repr(value) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
