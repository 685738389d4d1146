"""In which numbers a model is computed: float32, or bfloat16 where that is asked for, quicker here, or all that fits.

Stored weights are turned into these as the model is opened. Half the bytes are read for each token, but few processors
multiply a single row of bfloat16 as quickly as they read it: that is measured, once for a machine, and remembered, so
that the same command gives the same text every time.
"""

import contextlib
import json
import platform
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Literal

import torch
import torch.nn.functional as F

from gpttui import locations
from gpttui.errors import UserError
from gpttui.files import read_text
from gpttui.model.memory import free_memory_bytes

Precision = Literal["auto", "fp32", "bf16"]
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
SMALL_PARAMS = 50_000_000
"""Up to so many weights a token takes milliseconds either way, and float32 is exact."""
WORTH_IT = 1.25
"""bfloat16 rounds to three digits; it has to be so many times as quick for that."""
WORKING_BYTES = 256 << 20
"""What steps and views take beside the weights, about."""
MEASURED_BYTES = 64 << 20


def name_of(dtype: torch.dtype) -> str:
    """`fp32` or `bf16`; of others, torch's own word."""
    return next((name for name, known in DTYPES.items() if known == dtype), str(dtype).removeprefix("torch."))


def choose(precision: Precision, device: str, beside_bytes: int, n_params: int) -> torch.dtype:
    """The dtype to open a model of `n_params` weights in; `beside_bytes` are held too while it opens.

    Raises UserError, one line, where it does not fit into the memory that is free.
    """
    free = free_memory_bytes(device)
    wanted = [precision] if precision != "auto" else ["fp32", "bf16"]
    needed = {name: n_params * DTYPES[name].itemsize + beside_bytes + WORKING_BYTES for name in wanted}
    fitting = [name for name in wanted if not free or needed[name] <= free]
    if not fitting:
        least = wanted[-1]
        instead = "; try --dtype bf16, close other programs" if least == "fp32" else "; close other programs"
        raise UserError(
            f"the model needs about {needed[least] / 1e9:.1f} GB to be opened in {least}, {free / 1e9:.1f} GB are free"
            f"{instead}, or open a smaller model"
        )
    if len(fitting) == 1 or n_params <= SMALL_PARAMS:
        return DTYPES[fitting[0]]
    return DTYPES["bf16" if bf16_gain(device) >= WORTH_IT else "fp32"]


def bf16_gain(device: str) -> float:
    """How many times as fast one row goes through large matrices in bfloat16: measured once for a machine and kept."""
    file = locations.cache_dir() / "bf16.json"
    key = f"{_processor(device)}, {torch.get_num_threads()} threads, torch {torch.__version__}"
    known: dict[str, float] = {}
    with contextlib.suppress(UserError, OSError, ValueError):
        read = json.loads(read_text(file, 1 << 20))
        known = {str(name): float(gain) for name, gain in read.items()} if isinstance(read, dict) else {}
    if key not in known:
        known[key] = round(measure_gain(device), 2)
        with contextlib.suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            beside = file.with_suffix(".tmp")
            beside.write_text(json.dumps(known, indent=2), encoding="utf-8")
            beside.replace(file)
    return known[key]


@torch.inference_mode()
def measure_gain(device: str) -> float:
    """Time in float32 over time in bfloat16 of one row through matrices too large for a processor's cache."""
    matrices = [torch.ones(2048, 1024, device=device) for _ in range(MEASURED_BYTES // (2048 * 1024 * 4))]
    best: dict[torch.dtype, float] = {}
    held = {dtype: [x.to(dtype) for x in matrices] for dtype in DTYPES.values()}
    for _ in range(4):
        for dtype, these in held.items():
            row = torch.ones(1, 1024, dtype=dtype, device=device)
            began_s = perf_counter()
            for matrix in these:
                F.linear(row, matrix)
            if device.startswith("cuda"):
                torch.cuda.synchronize(device)
            best[dtype] = min(best.get(dtype, 1e9), perf_counter() - began_s)
    return best[torch.float32] / best[torch.bfloat16]


def _processor(device: str) -> str:
    if device.startswith("cuda"):
        return str(torch.cuda.get_device_name(device))
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def chosen(precision: Precision, device: str, beside_bytes: int = 0) -> "partial[torch.dtype]":
    """`choose`, still to be told how many weights there are."""
    return partial(choose, precision, device, beside_bytes)
