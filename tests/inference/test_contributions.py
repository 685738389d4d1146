"""Every part's share of a logit; together they are the logit."""

import numpy as np
import pytest
import torch

from gpttui.inference.contributions import contribution_sites, contributions, neuron_contributions
from gpttui.inference.trace import record
from tests.shapes import SHAPES, ids, model


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", [0, 1])
def test_shares_sum_to_the_logit(shape: str, seed: int) -> None:
    gpt, tokens = model(shape, seed), ids(11, seed)
    trace = record(gpt, tokens, contribution_sites(gpt.config))
    targets = [0, 17, 60]
    for position in (0, 5, 10):
        found = contributions(gpt, trace, position, targets)
        expected = gpt(torch.tensor([tokens]))[0, position, targets].numpy()
        assert np.abs(found.totals - expected).max() < 1e-4
        assert np.abs(found.logits - expected).max() < 1e-4
        assert found.heads.shape == (3, gpt.config.n_layer, 4)
        assert not found.altered.any()


def test_in_float64_nothing_is_left_over() -> None:
    gpt, tokens = model("gpt2", 3, torch.float64), ids(8, 3)
    found = contributions(gpt, record(gpt, tokens), -1, [9])
    assert abs(float(found.totals[0] - found.logits[0])) < 1e-5


def test_a_heads_share_is_what_removing_it_from_the_last_vector_takes() -> None:
    gpt, tokens = model("gpt2"), ids(8)
    trace = record(gpt, tokens)
    share = contributions(gpt, trace, 7, [3]).heads[0, 2, 1]
    z = trace.tensors["blocks.2.attn.z"][1, 7]
    written = gpt.transformer.h[2].attn.c_proj.weight[:, 8:16] @ z
    last = trace.tensors["blocks.2.resid_post"][7]
    scale = (last.var(unbiased=False) + 1e-5).sqrt()
    normed = (written - written.mean()) / scale * gpt.transformer.ln_f.weight
    assert np.isclose(share, float(gpt.lm_head.weight[3] @ normed), atol=1e-5)


@pytest.mark.parametrize("shape", ["gpt2", "modern", "grouped"])
def test_neurons_sum_to_their_mlp(shape: str) -> None:
    gpt, trace = model(shape), record(model(shape), ids(6))
    neurons = neuron_contributions(gpt, trace, 3, 21, layer=1)
    assert len(neurons) == gpt.config.mlp_width
    assert np.isclose(neurons.sum(), contributions(gpt, trace, 3, [21]).mlps[0, 1], atol=1e-4)
