"""Taps see every site under its documented name and shape, and what they return is what the pass goes on with."""

import pytest
import torch
from torch import Tensor

from gpttui.inference.trace import all_sites
from gpttui.model.taps import Recorder, chain
from tests import shapes


@pytest.mark.parametrize("shape", shapes.SHAPES)
def test_every_site_has_its_shape(shape: str) -> None:
    model, taps = shapes.model(shape), Recorder()
    c = model.config
    model(torch.tensor([shapes.ids(7)]), tap=taps)
    wanted = {"q": (c.n_head, 7, c.d_head), "z": (c.n_head, 7, c.d_head)}
    wanted |= dict.fromkeys(("k", "v"), (c.kv_heads, 7, c.d_head)) | dict.fromkeys(
        ("scores", "pattern"), (c.n_head, 7, 7)
    )
    wanted |= dict.fromkeys(("pre", "post"), (7, c.mlp_width)) | {"logits": (7, c.vocab_size)}
    assert set(taps.sites) == set(all_sites(c))
    for site, x in taps.sites.items():
        assert tuple(x.shape) == (1, *wanted.get(site.rsplit(".", 1)[-1], (7, c.d_model))), site


def test_a_recorder_keeps_only_what_it_was_asked_for() -> None:
    taps = Recorder(["blocks.0.resid_post"])
    shapes.model("gpt2")(torch.tensor([shapes.ids(5)]), tap=taps)
    assert list(taps.sites) == ["blocks.0.resid_post"]


def test_the_residual_stream_is_the_sum_of_what_was_added() -> None:
    taps = Recorder()
    shapes.model("gpt2")(torch.tensor([shapes.ids(9)]), tap=taps)
    s = taps.sites
    total = s["embed"] + s["pos_embed"]
    for layer in range(3):
        total = total + s[f"blocks.{layer}.attn.out"] + s[f"blocks.{layer}.mlp.out"]
    torch.testing.assert_close(total, s["blocks.2.resid_post"], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("site", all_sites(shapes.model("gpt2").config))
def test_what_a_tap_returns_is_used(site: str) -> None:
    model, idx = shapes.model("gpt2"), torch.tensor([shapes.ids(9)])

    def change(at: str, x: Tensor) -> Tensor:
        return x * 1.5 + torch.randn_like(x) if at == site else x

    assert not torch.equal(model(idx, tap=change), model(idx, tap=lambda _, x: x))


def test_a_chain_applies_in_order() -> None:
    tap = chain(None, lambda _, x: x + 1, lambda _, x: x * 2)
    assert tap is not None
    assert tap("any", torch.tensor(3)).item() == 8
    assert chain(None, None) is None
