"""Top neurons, what they promote, and the passages that fire them, against plain loops."""

import numpy as np
import pytest
import torch

from gpttui.errors import UserError
from gpttui.inference import neurons as module
from gpttui.inference.neurons import PASSAGES_KEPT, promotes, search, token_neurons
from gpttui.inference.trace import record
from tests.shapes import ids, model


@pytest.mark.parametrize("shape", ["gpt2", "modern", "grouped"])
def test_what_neurons_wrote_adds_up_to_the_mlp(shape: str) -> None:
    gpt = model(shape)
    trace = record(gpt, ids(7))
    found = token_neurons(gpt, trace, 5, 1, k=6)
    linear = gpt.transformer.h[1].mlp.c_proj
    out = torch.from_numpy(found.post.copy()) @ linear.weight.T
    out = out if linear.bias is None else out + linear.bias
    assert np.allclose(out.numpy(), trace["blocks.1.mlp.out"][5], atol=1e-4)
    written = np.linalg.norm(found.post * linear.weight.numpy(), axis=0)
    assert found.top.tolist() == np.argsort(-written)[:6].tolist()
    assert np.allclose(found.top_written, written[found.top], rtol=1e-4)


def test_promoted_tokens_rise_when_the_neuron_fires() -> None:
    for shape in ("gpt2", "modern"):
        gpt = model(shape)
        found = promotes(gpt, 2, 9, k=61)
        assert found.up_ids.tolist() == found.down_ids.tolist()[::-1]
        last = record(gpt, ids(4)).tensors["blocks.2.resid_post"][3]
        column = gpt.transformer.h[2].mlp.c_proj.weight[:, 9]
        step = 1e-3
        change = (gpt.unembed(last + step * column) - gpt.unembed(last - step * column)) / (2 * step)
        norm = gpt.transformer.ln_f
        centred = last if norm.rms else last - last.mean()
        scale = 1 / (centred.square().mean() + norm.eps).sqrt()
        moved = centred * float(centred @ (column if norm.rms else column - column.mean())) / len(last) * scale**3
        direct = change + gpt.lm_head.weight @ (norm.weight * moved)  # the scale's own movement taken out
        assert np.allclose(found.up, (direct / scale)[found.up_ids.tolist()].numpy(), atol=2e-2)
        with pytest.raises(UserError, match="no neuron"):
            promotes(gpt, 2, 10_000)


def test_search_finds_the_highest_of_every_window(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(module, "BATCH_TOKENS", 24)
    gpt, text = model("modern"), ids(8 * 31 + 3)
    progress = list(search(gpt, text, 1, window=8))
    assert [found.tokens_read for found in progress] == [min(24 * n, 248) for n in range(1, 12)]
    assert progress[-1].done and not progress[0].done
    last = progress[-1]
    windows = np.asarray(text[:248]).reshape(-1, 8)
    post = np.stack([record(gpt, row.tolist())["blocks.1.mlp.post"] for row in windows])  # [window, 8, d_mlp]
    highest = post.max(axis=1)
    for neuron in range(0, gpt.config.mlp_width, 7):
        order = np.argsort(-highest[:, neuron])[:PASSAGES_KEPT]
        assert np.allclose(last.activations[neuron], highest[order, neuron], atol=1e-5)
        found = last.positions[neuron]  # of windows that are as high but for rounding, either may come first
        assert len({position // 8 for position in found.tolist()}) == len(order)
        assert np.allclose(post.reshape(-1, post.shape[-1])[found, neuron], highest[order, neuron], atol=1e-5)


def test_little_text_and_none() -> None:
    gpt = model("gpt2")
    (found,) = search(gpt, [1, 2, 3], 0)
    assert found.positions[0].tolist()[1:] == [-1] * (PASSAGES_KEPT - 1) and found.done
    with pytest.raises(UserError, match="no text"):
        search(gpt, [], 0)
    with pytest.raises(UserError, match="attention only"):
        search(model("attention-only"), [1, 2], 0)
