"""A flat map of vectors: their two principal components, honest about how little of the spread those may keep.

For the map of a vocabulary or of a prompt's tokens at a layer. Distances on the map are shadows: `explained` says how
much of the variance each axis holds. Signs are fixed (the component's largest entry is positive), so that the map does
not flip from one token to the next.
"""

import torch
from torch import Tensor

from gpttui.inference.arrays import array
from gpttui.records import Array


@torch.inference_mode()
def project(vectors: Tensor) -> tuple[Array, Array]:
    """The first two principal components of `vectors` `[rows, d_model]`, by an exact decomposition in float64.

    Points `[rows, 2]`, centred, and the share of all variance along each axis, `[2]`; 0 where the rows do not differ.
    """
    x = vectors.double()
    x = x - x.mean(dim=0)
    if len(x) <= x.size(1):
        _, spread, axes = torch.linalg.svd(x, full_matrices=False)
        variances = spread.square()
    else:  # many rows: the eigenvectors of the small square matrix are the same axes
        variances, columns = torch.linalg.eigh(x.T @ x)
        variances, axes = variances.flip(0).clamp_min(0), columns.flip(1).T
    axes, kept = axes[:2], variances[:2]
    largest = axes.gather(1, axes.abs().argmax(dim=1, keepdim=True))
    points = x @ (axes * largest.sign()).T
    total = variances.sum()
    explained = (
        kept / total if total > 1e-12 * max(1.0, float(vectors.double().square().sum())) else torch.zeros_like(kept)
    )
    short = 2 - points.size(1)
    pad = torch.nn.functional.pad
    return array(pad(points, (0, short))), array(pad(explained, (0, short)))
