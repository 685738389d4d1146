"""The lens agrees with softmax over the whole vocabulary, at every stop; its last stop is the model itself."""

from unittest.mock import patch

import numpy as np
import pytest
import torch

from gpttui.inference import lens as module
from gpttui.inference.journey import journey, looked_at
from gpttui.inference.lens import lens
from gpttui.inference.trace import record, stop_sites, stops
from gpttui.model.gpt import GPT, GPTConfig
from tests.shapes import SHAPES, ids, model


@pytest.mark.parametrize("shape", SHAPES)
def test_the_grid_against_plain_softmax(shape: str) -> None:
    gpt, tokens = model(shape), ids(10)
    stream = record(gpt, tokens, stop_sites(gpt.config)).residual()
    with patch.object(module, "CHUNK_BYTES", 61 * 4 * 7):  # several chunks, the last one short
        grid = lens(gpt, stream, k=4, watched=(5, 60))
    assert grid.top_ids.shape == (len(stops(gpt.config)), 10, 4)
    plain = gpt.unembed(stream).softmax(dim=-1)
    probs, order = plain.sort(dim=-1, descending=True)
    assert np.allclose(grid.top_probs, probs[..., :4].numpy(), atol=1e-6)
    assert np.array_equal(grid.top_ids, order[..., :4].numpy())
    assert np.array_equal(grid.watched_ranks[..., 1], (order == 60).int().argmax(dim=-1).numpy())
    assert np.allclose(grid.watched_probs[..., 0], plain[..., 5].numpy(), atol=1e-6)
    assert np.allclose(plain[-1].numpy(), gpt(torch.tensor([tokens])).softmax(dim=-1)[0].numpy(), atol=1e-5)


def test_more_tokens_than_the_vocabulary_has() -> None:
    assert lens(model("gpt2"), torch.randn(2, 32), k=100).top_ids.shape == (2, 61)


def test_screening_in_bfloat16_keeps_tokens_and_probabilities() -> None:
    torch.manual_seed(1)
    gpt = GPT(GPTConfig(5000, 16, 1, 4, 128)).requires_grad_(False)
    gpt.transformer.wte.weight.add_(torch.randn(128))  # what all tokens share, as in GPT-2
    for sharpness in (0.5, 20.0, 60.0):
        gpt.transformer.ln_f.weight.fill_(sharpness)
        rows = torch.randn(64, 128)
        in_chunks_of_ten = patch.object(module, "CHUNK_BYTES", 2 * 5000 * 10)  # the last one is shorter
        with patch.object(module, "_worth_screening", return_value=True), in_chunks_of_ten:
            rough = lens(gpt, rows, k=3)
        exact = lens(gpt, rows, k=3, exact=True)
        assert np.array_equal(rough.top_ids, exact.top_ids)
        assert np.abs(rough.top_probs - exact.top_probs).max() < 5e-3
        assert not np.array_equal(rough.top_probs, exact.top_probs)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_journey_adds_up(shape: str) -> None:
    gpt, tokens = model(shape), ids(7)
    trace = record(gpt, tokens)
    way = journey(gpt, trace, 4, k=2, watched=[3])
    assert way.stops == tuple(stop.name for stop in stops(gpt.config)) and way.stops[0] == "embed"
    assert np.allclose(way.vectors[1], trace["blocks.0.resid_mid"][4])
    assert np.allclose(way.norms, np.linalg.norm(way.vectors, axis=1), rtol=1e-5)
    assert np.isclose(way.added_norms[1], np.linalg.norm(trace["blocks.0.attn.out"][4]), rtol=1e-3)
    assert way.top_ids[-1, 0] == trace["logits"][4].argmax()
    assert way.turned[0] == 1 and np.abs(way.turned).max() < 1.0001


def test_the_place_comes_in_as_a_stop_of_its_own() -> None:
    gpt, tokens = model("gpt2"), ids(7)
    trace = record(gpt, tokens)
    plain, apart = journey(gpt, trace, 4, k=2), journey(gpt, trace, 4, k=2, token_apart=True)
    assert apart.stops == ("token", *plain.stops) and np.array_equal(apart.vectors[1:], plain.vectors)
    assert gpt.transformer.wpe is not None
    assert np.allclose(apart.vectors[0], gpt.transformer.wte.weight[tokens[4]].numpy())
    assert np.allclose(apart.vectors[1] - apart.vectors[0], gpt.transformer.wpe.weight[4].numpy(), atol=1e-6)
    assert np.isclose(apart.added_norms[1], gpt.transformer.wpe.weight[4].norm().item(), rtol=1e-5)
    rotated = model("modern")
    assert journey(rotated, record(rotated, tokens), 4, token_apart=True).stops[0] == "embed"


@pytest.mark.parametrize("shape", SHAPES)
def test_whom_the_heads_look_at_is_their_mean(shape: str) -> None:
    gpt, tokens = model(shape), ids(7)
    trace = record(gpt, tokens)
    at, weights = looked_at(trace, 4, k=3)
    for layer in range(gpt.config.n_layer):
        mean = trace[f"blocks.{layer}.attn.pattern"][:, 4].mean(axis=0)
        assert at[layer].tolist() == np.argsort(-mean)[:3].tolist()
        assert np.allclose(weights[layer], np.sort(mean)[::-1][:3], atol=1e-6)
    at, weights = looked_at(trace, 0, k=3)
    assert at.tolist() == [[0, -1, -1]] * gpt.config.n_layer and np.allclose(weights[:, 0], 1)
