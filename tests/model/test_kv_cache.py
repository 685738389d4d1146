"""The cache forgets exactly what it is told to."""

import pytest
import torch

from gpttui.model import kv_cache
from gpttui.model.kv_cache import KVCache
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


@pytest.mark.parametrize("shape", shapes.SHAPES)
def test_storage_that_grows_computes_what_storage_that_is_there_does(
    shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, idx = shapes.model(shape), torch.tensor([shapes.ids(24)])
    monkeypatch.setattr(kv_cache, "BLOCK", 4)
    cache, held, parts = model.new_cache(), [], []
    for part in torch.split(idx, 5, dim=1):
        parts.append(model(part, cache=cache))
        held.append(cache.held)
    torch.testing.assert_close(torch.cat(parts, dim=1), model(idx), atol=1e-5, rtol=1e-5)
    assert held == [8, 12, 20, 20, 24]


def test_a_long_context_costs_what_its_text_needs() -> None:
    cache = KVCache(n_layer=30, kv_heads=8, d_head=64, capacity=1 << 20)
    assert cache.held == kv_cache.BLOCK
    with pytest.raises(ValueError, match="do not fit a context of"):
        cache.make_room((1 << 20) + 1)
