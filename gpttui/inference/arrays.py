"""A tensor as an array that travels."""

from torch import Tensor

from gpttui.records import Array, frozen


def array(x: Tensor) -> Array:
    """`x` as float32 or int32, read-only; without a copy where it is that already, and on the CPU."""
    return frozen((x.float() if x.is_floating_point() else x.int()).cpu().contiguous().numpy())
