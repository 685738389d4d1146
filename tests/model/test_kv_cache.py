"""The cache forgets exactly what it is told to."""

import pytest
import torch

from tests import shapes


@pytest.mark.parametrize("shape", shapes.SHAPES)
def test_truncation_is_exact(shape: str) -> None:
    model = shapes.model(shape)
    idx = torch.tensor([shapes.ids(16)])
    cache = model.new_cache()
    model(idx[:, :10], cache=cache)
    first = model(idx[:, 10:11], cache=cache)
    model(idx[:, 11:], cache=cache)
    cache.truncate(10)
    assert torch.equal(model(idx[:, 10:11], cache=cache), first)


@pytest.mark.parametrize("length", [-1, 4])
def test_it_cannot_be_cut_to_what_it_does_not_hold(length: int) -> None:
    cache = shapes.model("gpt2").new_cache()
    cache.advance(3)
    with pytest.raises(ValueError, match="cannot cut a cache of 3 positions"):
        cache.truncate(length)


def test_size_counts_the_filled_part() -> None:
    cache = shapes.model("gpt2").new_cache(2)
    assert cache.size_bytes == 0
    cache.advance(5)
    assert cache.size_bytes == 2 * 3 * 2 * 5 * 32 * 4  # keys and values, layers, batch, positions, width, float32
