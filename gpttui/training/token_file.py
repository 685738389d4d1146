"""A run's encoded text on disk: one `.npy` of token ids a side, and what is kept beside them. No batches, no torch."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from gpttui.files import open_regular
from gpttui.records import Array


class Encoded(msgspec.Struct, frozen=True):
    """What is kept beside the tokens."""

    marker: int
    val_bytes: int
    notes: list[str]


def open_tokens(file: Path) -> Array:
    """One side's tokens, memory-mapped. Raises OSError, ValueError or UserError where the file is damaged."""
    open_regular(file).close()
    try:
        array = np.load(file, mmap_mode="r")
    except Exception as error:  # numpy takes the header for Python
        raise ValueError(str(error)) from error
    if not isinstance(array, np.ndarray) or array.ndim not in (1, 2) or array.dtype.kind != "u":
        raise ValueError("no tokens")
    return array


def token_dtype(vocab_size: int) -> np.dtype[Any]:
    """uint16 where every id fits with one to spare for padding, else uint32."""
    return np.dtype(np.uint16) if vocab_size < 65_535 else np.dtype(np.uint32)


class TokenWriter:
    """Appends ids to a `.npy` file of unknown length; the header is written last."""

    HEADER_BYTES = 128

    def __init__(self, file: Path, vocab_size: int) -> None:
        self.dtype, self.count = token_dtype(vocab_size), 0
        self._handle = file.open("wb")
        self._handle.write(b"\0" * self.HEADER_BYTES)

    def append(self, ids: Array) -> None:
        self._handle.write(ids.astype(self.dtype).tobytes())
        self.count += len(ids)

    def close(self) -> int:
        """Finish the file; the number of tokens in it."""
        text = f"{{'descr': '{self.dtype.str}', 'fortran_order': False, 'shape': ({self.count},), }}"
        header = b"\x93NUMPY\x01\x00" + (self.HEADER_BYTES - 10).to_bytes(2, "little")
        self._handle.seek(0)
        self._handle.write(header + text.ljust(self.HEADER_BYTES - 11).encode() + b"\n")
        self._handle.close()
        return self.count
