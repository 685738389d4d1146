"""The map's axes are the principal ones, whichever way they were found, and its variance is honest."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from gpttui.inference.projection import project


@pytest.mark.parametrize("rows", [5, 200])
def test_against_sklearn(rows: int) -> None:
    vectors = torch.randn(rows, 16, generator=torch.Generator().manual_seed(rows)) @ torch.diag(torch.arange(16.0))
    (points, explained), oracle = project(vectors), PCA(2, svd_solver="full").fit(vectors.double().numpy())
    theirs = oracle.transform(vectors.double().numpy())
    assert np.allclose(np.abs(points), np.abs(theirs), atol=1e-4)
    assert np.allclose(explained, oracle.explained_variance_ratio_, atol=1e-5)


def test_one_point_equal_points_and_a_line() -> None:
    for vectors in (torch.ones(1, 8), torch.ones(4, 8) * 3, torch.ones(40, 8)):
        points, explained = project(vectors)
        assert points.shape == (len(vectors), 2) and np.allclose(points, 0) and not explained.any()
    _, along = project(torch.arange(4.0)[:, None] * torch.ones(4, 8))
    assert np.allclose(along, [1, 0], atol=1e-6)
