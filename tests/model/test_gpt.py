"""One model file, two architectures: cached is full, tapped is fused, and shapes that cannot be are refused."""

import dataclasses
import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from gpttui.model.dialects import config_of
from gpttui.model.families import to_shape
from gpttui.model.gpt import GPT, Attention, GPTConfig, Norm, Unembedding, causal_mask
from gpttui.model.taps import Recorder
from gpttui.storage import model_config
from tests import shapes


@pytest.mark.parametrize("shape", shapes.SHAPES)
@pytest.mark.parametrize("chunks", [[1] * 20, [7, 1, 5, 1, 1, 5], [19, 1], [1, 19]])
def test_cached_steps_equal_full_recompute(shape: str, chunks: list[int]) -> None:
    model = shapes.model(shape)
    idx = torch.tensor([shapes.ids(20), shapes.ids(20, seed=1)])
    full, cache = model(idx), model.new_cache(2)
    parts = [model(part, cache=cache) for part in idx.split(chunks, dim=1)]
    torch.testing.assert_close(torch.cat(parts, dim=1), full, atol=1e-5, rtol=1e-5)
    assert cache.length == 20


@pytest.mark.parametrize("shape", shapes.SHAPES)
def test_tapped_equals_fused(shape: str) -> None:
    model = shapes.model(shape)
    idx = torch.tensor([shapes.ids(24)])
    torch.testing.assert_close(model(idx, tap=Recorder()), model(idx), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("tokens", [1, 7])
def test_a_large_vocabulary_in_parts_is_the_whole(tokens: int) -> None:
    head = Unembedding(GPTConfig(5 * Unembedding.PART + 3, 8, 1, 1, d_model=16))
    x = torch.randn(2, tokens, 16)
    whole = F.linear(x, head.weight)
    with torch.no_grad():
        torch.testing.assert_close(head(x), whole)
    (gradient,), (mine,) = (torch.autograd.grad(logits.sum(), head.weight) for logits in (whole, head(x)))
    torch.testing.assert_close(mine, gradient)


@pytest.mark.parametrize("shape", shapes.SHAPES)
def test_double_precision_agrees(shape: str) -> None:
    idx = torch.tensor([shapes.ids(24)])
    double = shapes.model(shape, dtype=torch.float64)(idx)
    torch.testing.assert_close(shapes.model(shape)(idx).double(), double, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("shape", shapes.SHAPES)
def test_no_position_sees_what_follows(shape: str) -> None:
    model = shapes.model(shape)
    first = torch.tensor([shapes.ids(12)])
    second = first.clone()
    second[0, 8:] = (second[0, 8:] + 1) % 61
    a, b = model(first), model(second)
    torch.testing.assert_close(a[:, :8], b[:, :8], atol=1e-6, rtol=1e-6)
    assert not torch.allclose(a[:, 8:], b[:, 8:], atol=1e-3)


def test_patterns_are_distributions_over_the_past() -> None:
    taps = Recorder()
    shapes.model("modern")(torch.tensor([shapes.ids(10)]), tap=taps)
    pattern = taps.sites["blocks.1.attn.pattern"][0]
    torch.testing.assert_close(pattern.sum(-1), torch.ones(4, 10))
    assert (pattern.triu(1) == 0).all()
    assert torch.isneginf(taps.sites["blocks.1.attn.scores"][0, :, 0, 1:]).all()


def test_the_mask_aligns_queries_with_the_last_keys() -> None:
    expected = torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1]], dtype=torch.bool)
    assert torch.equal(causal_mask(2, 4, torch.device("cpu")), expected)


def test_a_context_that_is_full_is_an_error() -> None:
    model = shapes.model("gpt2")
    with pytest.raises(ValueError, match="do not fit a context of 24"):
        model(torch.zeros(1, 25, dtype=torch.int64))


def test_fresh_weights_start_near_the_uniform_loss() -> None:
    torch.manual_seed(0)
    model = GPT(GPTConfig(vocab_size=64, context=32, n_layer=2, n_head=2, d_model=32))
    logits = model(torch.randint(0, 64, (4, 32)))
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), torch.randint(0, 64, (128,)))
    assert abs(loss.item() - 4.16) < 0.2


def test_parameters_are_counted_once() -> None:
    config = GPTConfig(vocab_size=50257, context=1024, n_layer=12, n_head=12, d_model=768)
    with torch.device("meta"):
        assert GPT(config).n_params == 124_439_808


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"n_head": 3}, "does not divide into 3 heads"),
        ({"n_kv_head": 3}, "do not divide into 3 key/value heads"),
        ({"vocab_size": 0}, "vocab_size must be at least 1"),
        ({"n_layer": -1}, "n_layer must be at least 1"),
        ({"dropout": 1.0}, "dropout"),
        ({"n_head": 16, "positions": "rope"}, "rotary positions need an even head size"),
        ({"n_kv_head": 0, "n_head": 4}, None),
    ],
)
def test_shapes_that_cannot_be(change: dict[str, Any], says: str | None) -> None:
    base = GPTConfig(vocab_size=10, context=8, n_layer=1, n_head=2, d_model=16)
    if says is None:
        assert dataclasses.replace(base, **change).kv_heads == 4
        return
    with pytest.raises(ValueError, match=says):
        dataclasses.replace(base, **change)


@pytest.mark.parametrize("shape", shapes.SHAPES)
def test_our_own_dialect_keeps_every_field(shape: str) -> None:
    config = shapes.model(shape).config
    assert to_shape(model_config.convert(config_of(config).written())) == config
    assert (config_of(config).MODEL_TYPE == "gpt2") == (shape in {"gpt2", "one-layer"})


def test_a_gain_lets_a_head_look_at_one_key_among_many() -> None:
    """Without it QK-norm bounds a score by sqrt(D): of a context of 256 one key cannot have even 60 %."""
    config = GPTConfig(64, 256, 1, 2, 64, norm="rmsnorm", positions="none", bias=False, qk_norm=True)
    bounded, free = Attention(config, 0), Attention(dataclasses.replace(config, qk_gain=True), 0)
    q = F.rms_norm(torch.ones(1, 2, 1, 32), (32,))
    k = F.rms_norm(torch.randn(1, 2, 256, 32), (32,))
    k[:, :, 100] = q[:, :, 0]
    k[:, :, :100] -= k[:, :, :100].mean(-1, keepdim=True)  # the others have nothing in common with the query
    k[:, :, 101:] -= k[:, :, 101:].mean(-1, keepdim=True)
    assert bounded.qk_gain is None and free.qk_gain is not None
    assert free.qk_gain.flatten().tolist() == pytest.approx([math.log2(256 * 255) / math.sqrt(32)] * 2)

    def share(query: Tensor) -> float:
        return float((query.detach() @ k.transpose(-2, -1) / math.sqrt(32)).softmax(-1)[0, 0, 0, 100])

    assert share(q) < 0.6
    assert share(q * free.qk_gain) > 0.99


def test_what_autocast_halves_is_normed_in_the_precision_of_the_weights() -> None:
    """PyTorch has no fused kernel for vectors and weights of two kinds, and warns of it in every run."""
    norm = Norm(GPTConfig(8, 8, 1, 1, 16, norm="rmsnorm", bias=False))
    x = torch.randn(3, norm.shape[0]).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = norm(x)
    assert found.dtype == torch.float32
    assert torch.equal(found, F.rms_norm(x.float(), norm.shape, norm.weight, norm.eps))
