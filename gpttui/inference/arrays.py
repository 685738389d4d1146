"""A tensor as an array that travels, and as one that is reckoned with."""

import torch
from torch import Tensor

from gpttui.records import Array, frozen


def array(x: Tensor) -> Array:
    """`x` as float32 or int32, read-only; without a copy where it is that already, and on the CPU."""
    return frozen((x.float() if x.is_floating_point() else x.int()).cpu().contiguous().numpy())


def wide(x: Tensor) -> Tensor:
    """`x`, in float32 where it is of half precision: what is added up behind the model is not rounded once more."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
