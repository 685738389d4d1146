"""A GGUF file's weights: unpacked tensor by tensor into a file in the cache folder, and that file mapped, not read.

So the first opening needs no more memory than the second: one tensor at a time, and then what the steps touch. The file
is a safetensors file of our own names in the dtype that is computed with, laid out as a step reads it fastest, with a
sum of all its bytes. One that is damaged is made again; where none can be kept, the weights are made in memory.
"""

import contextlib
import json
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from gpttui.errors import UserError
from gpttui.model.families import load_each, load_sizes
from gpttui.storage import gguf_models, unpacked
from gpttui.storage.families.family import Family
from gpttui.storage.families.ops import Sizes
from gpttui.storage.gguf import GGUF
from gpttui.storage.model_files import header

Progress = Callable[[str, int, int], None]
"""Called with what is at work, how much of it is done, and of how much (0: not known); may raise to end it."""


def untold(_part: str, _done: int, _of: int) -> None:
    """Nobody wants to know."""


NAMES = {torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}
"""What safetensors calls a dtype."""
LARGE_HEAD = 1 << 24
"""From so many numbers on, the head lies in memory as `[C, V]`: a step, bound by memory, reads it a third faster so."""


def is_large_head(name: str, size: Sizes, *, tied: bool) -> bool:
    """Whether a tensor is the head (the embedding, where they are tied), and a large one."""
    return name == ("transformer.wte.weight" if tied else "lm_head.weight") and math.prod(size) >= LARGE_HEAD


def laid_out(name: str, x: Tensor, *, tied: bool) -> Tensor:
    """As a step reads it fastest."""
    return x.t().contiguous().t() if is_large_head(name, tuple(x.shape), tied=tied) else x.contiguous()


def need_finite(name: str, x: Tensor, path: Path) -> None:
    """Raises UserError where a tensor of the model at `path` holds numbers that are none."""
    if not torch.isfinite(x.float()).all():
        raise UserError(f"{path}: {name} holds numbers that are not finite; the file is damaged")


def state(
    file: GGUF, packed: Mapping[str, gguf_models.Tensor], config: Family, dtype: torch.dtype, progress: Progress
) -> dict[str, Tensor]:
    """Our parameters in `dtype`, checked and laid out; `packed` are the file's tensors, which fit `config`."""
    sizes = load_sizes({name: x.shape for name, x in packed.items()}, config)
    at = unpacked.place(file, f".{NAMES[dtype]}")
    if (found := _kept(at, sizes, dtype)) is not None:
        return found
    made = _made(file, packed, config, dtype, progress)
    size_bytes = sum(map(math.prod, sizes.values())) * dtype.itemsize
    with contextlib.suppress(OSError), unpacked.being_made(at, size_bytes) as beside:
        if beside is not None:
            _write(beside, config, sizes, dtype, made)
    found = _kept(at, sizes, dtype)
    return dict(_made(file, packed, config, dtype, progress)) if found is None else found


def _made(
    file: GGUF, packed: Mapping[str, gguf_models.Tensor], config: Family, dtype: torch.dtype, progress: Progress
) -> Iterator[tuple[str, Tensor]]:
    """One tensor after the other, in the order of their names, none of them held on to."""

    def unpack(x: gguf_models.Tensor) -> Callable[[], Tensor]:
        return lambda: torch.from_numpy(x.array())

    each = sorted(load_each({name: unpack(x) for name, x in packed.items()}, config).items())
    for n, (name, make) in enumerate(each):
        progress("tensors", n, len(each))
        x = make()
        need_finite(name, x, file.path)
        yield name, laid_out(name, x.to(dtype), tied=config.tied)
    progress("tensors", len(each), len(each))


TURNED = ".T"
"""Behind the name of a tensor that is stored `[columns, rows]`."""
NO_SUM = "0" * 16
PIECE_BYTES = 1 << 22


def _write(
    beside: Path,
    config: Family,
    sizes: Mapping[str, Sizes],
    dtype: torch.dtype,
    made: Iterator[tuple[str, Tensor]],
) -> None:
    """A safetensors file, a tensor at a time, and the sum of its bytes when they are all there."""
    entries, end = {}, 0
    for name, size in sorted(sizes.items()):
        begin, end = end, end + math.prod(size) * dtype.itemsize
        turned = is_large_head(name, size, tied=config.tied)
        told = {"dtype": NAMES[dtype], "shape": size[::-1] if turned else size, "data_offsets": (begin, end)}
        entries[name + TURNED * turned] = told
    head = json.dumps({"__metadata__": {"sum": NO_SUM}} | entries).encode()
    head += b" " * (-(8 + len(head)) % 64)
    with beside.open("wb") as handle:
        handle.write(len(head).to_bytes(8, "little") + head)
        for name, x in made:
            rows = x.t() if is_large_head(name, tuple(x.shape), tied=config.tied) else x
            handle.write(rows.reshape(-1).view(torch.uint8).numpy().data)
        handle.flush()
        total = _sum(beside, 8 + len(head))
        handle.seek(8)
        handle.write(head.replace(NO_SUM.encode(), total.encode(), 1))


def _kept(at: Path, sizes: Mapping[str, Sizes], dtype: torch.dtype) -> dict[str, Tensor] | None:
    """The file's tensors, mapped; None where there is none. One that is not whole is let go of."""
    found = {}
    try:
        start = header(at).start
        with safe_open(at, framework="pt") as handle:
            total = (handle.metadata() or {}).get("sum")
            for name in handle.keys():  # noqa: SIM118
                x = handle.get_tensor(name)
                found[name.removesuffix(TURNED)] = x.t() if name.endswith(TURNED) else x
        whole = total == _sum(at, start)
    except (OSError, SafetensorError, ValueError, UserError):
        whole = False
    if not whole or {name: (tuple(x.shape), x.dtype) for name, x in found.items()} != {
        name: (size, dtype) for name, size in sizes.items()
    }:
        unpacked.drop(at)
        return None
    unpacked.touch(at)
    return found


def _sum(file: Path, start: int) -> str:
    """Of all its bytes from `start` on, by eight, in 64 bits: as quick as memory, and any one that changed shows."""
    total = 0
    with file.open("rb", buffering=0) as handle:
        handle.seek(start)
        piece = np.zeros(PIECE_BYTES, np.uint8)
        while there := handle.readinto(piece.data):
            piece[there : -(-there // 8) * 8] = 0
            total += int(piece[: -(-there // 8) * 8].view(np.uint64).sum(dtype=np.uint64))
    return f"{total % (1 << 64):016x}"
