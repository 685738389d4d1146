"""A trace holds what the model computed: all sites, whichever way attention ran, on disk as in memory."""

from pathlib import Path

import numpy as np
import pytest
import torch

from gpttui.errors import UserError
from gpttui.inference.trace import all_sites, norm_sites, record, record_row, stop_sites, stops
from gpttui.model.gpt import GPT, GPTConfig
from gpttui.model.taps import Recorder
from tests.shapes import SHAPES, ids, model


@pytest.mark.parametrize("shape", SHAPES)
def test_every_site_is_what_the_pass_computed(shape: str) -> None:
    gpt, tokens = model(shape), ids(9)
    trace = record(gpt, tokens)
    everything = Recorder()
    logits = gpt(torch.tensor([tokens]), tap=everything)
    assert trace.sites == all_sites(gpt.config) and set(trace.sites) == set(everything.sites)
    for site in trace.sites:
        assert np.allclose(trace[site], everything.sites[site][0].numpy(), atol=1e-5), site
        assert not trace[site].flags.writeable
    assert np.allclose(trace["logits"], gpt(torch.tensor([tokens]))[0].numpy(), atol=1e-5)
    assert np.allclose(trace["logits"], logits[0].numpy())


@pytest.mark.parametrize("shape", SHAPES)
def test_fused_attention_gives_the_same_stops(shape: str) -> None:
    gpt, tokens = model(shape), ids(12)
    spelled, fused = record(gpt, tokens), record(gpt, tokens, stop_sites(gpt.config))
    assert len(stops(gpt.config)) == len(fused.residual())
    assert torch.allclose(spelled.residual(), fused.residual(), atol=1e-5)
    last = fused.residual()[-1]
    assert np.allclose(gpt.unembed(last).numpy(), spelled["logits"], atol=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_one_row_against_the_cache_is_that_row_of_the_whole(shape: str) -> None:
    gpt, tokens = model(shape), ids(9)
    cache = gpt.new_cache()
    gpt(torch.tensor([tokens]), cache=cache)
    before = cache.keys[..., :9, :].clone()
    whole = record(gpt, tokens)
    for row in (0, 4, 8):
        one = record_row(gpt, cache, tokens[row], row)
        assert one.sites == whole.sites and one.row(row) == 0
        for site in whole.sites:
            here = whole[site][..., row : row + 1, :]
            here = here[..., : row + 1] if site.endswith(("scores", "pattern")) else here
            assert np.allclose(one[site], here, atol=1e-5), site
    assert torch.equal(cache.keys[..., :9, :], before) and cache.length == 9


def test_npz_holds_what_memory_holds(tmp_path: Path) -> None:
    trace = record(model("gpt2"), ids(5))
    trace.save(tmp_path / "t.npz")
    with np.load(tmp_path / "t.npz") as archive:
        assert set(archive) == {"tokens", *trace.sites}
        assert archive["tokens"].tolist() == list(trace.ids)
        assert archive["blocks.0.attn.scores"].shape == (4, 5, 5)
        assert np.array_equal(archive["blocks.2.mlp.post"], trace["blocks.2.mlp.post"])


def test_a_model_in_training_is_shown_without_dropout_and_goes_on_training() -> None:
    made = GPT(GPTConfig(61, 24, 2, 4, 32, dropout=0.5))
    made.eval()
    still = record(made, ids(6))
    made.train()
    assert np.array_equal(record(made, ids(6))["logits"], still["logits"]) and made.training


def test_what_cannot_be_traced_says_so() -> None:
    gpt = model("attention-only")
    for tokens, words in (([], "type a prompt"), (ids(25), "context of 24"), ([61], "outside"), ([-1], "outside")):
        with pytest.raises(UserError, match=words):
            record(gpt, tokens)
    with pytest.raises(UserError, match=r"no site is called 'blocks\.0\.mlp\.post'"):
        record(gpt, [1], ["blocks.0.mlp.post"])
    trace = record(gpt, ids(4), start=3)
    assert trace.row(-1) == 3 and trace.row(3) == 0
    with pytest.raises(UserError, match="4 to 7"):
        trace.row(2)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_norm_s_vector_before_weight_and_bias_is_what_a_person_computes(shape: str) -> None:
    gpt, tokens = model(shape), ids(7)
    for norm, _ in norm_sites(gpt).values():
        torch.nn.init.normal_(norm.weight)
        if norm.bias is not None:
            torch.nn.init.normal_(norm.bias)
    whole = record(gpt, tokens)
    trace = record(gpt, tokens, [*norm_sites(gpt), "ln_final.normalized"])
    assert set(trace.sites) == {*norm_sites(gpt), "ln_final.normalized"}
    for site, (norm, stop) in norm_sites(gpt).items():
        x = whole.stop(stop).double().numpy()  # what the norm reads, worked out in twice the digits
        if not norm.rms:
            x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x * x).mean(-1, keepdims=True) + norm.eps)
        np.testing.assert_allclose(trace[site], x, atol=1e-5, err_msg=site)
        bias = 0.0 if norm.bias is None else norm.bias.double().numpy()
        after = whole[site.replace("standardized", "normalized")]
        np.testing.assert_allclose(after, x * norm.weight.double().numpy() + bias, atol=1e-4, err_msg=site)


def test_places_in_a_trace_are_told_from_1() -> None:
    trace = record(model("gpt2"), ids(4), start=10)
    with pytest.raises(UserError, match="no token 15 in view; the model sees tokens 11 to 14 of the text"):
        trace.row(14)
    assert trace.row(13) == 3
