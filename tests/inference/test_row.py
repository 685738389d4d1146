"""The fast row is the plain forward, for every architecture."""

import pytest
import torch

from gpttui.inference.row import RowStep
from gpttui.model.taps import Recorder
from tests import shapes


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", shapes.SHAPES)
def test_a_row_is_what_forward_computes(shape: str, dtype: torch.dtype) -> None:
    model = shapes.model(shape, dtype=dtype)
    tolerance = 1e-5 if dtype == torch.float32 else 1e-10
    cache, plain = (model.new_cache() for _ in range(2))
    step, ids = RowStep(model, cache), shapes.ids(24)
    model(torch.tensor([ids[:9]]), cache=cache)
    model(torch.tensor([ids[:9]]), cache=plain)
    for token_id in ids[9:]:
        row, taps = step(token_id), Recorder()
        logits = model(torch.tensor([[token_id]]), cache=plain, tap=taps)
        s, layers = taps.sites, range(model.config.n_layer)
        start = s["embed"] + s["pos_embed"] if "pos_embed" in s else s["embed"]
        stream = [start, *(s[f"blocks.{n}.resid_{part}"] for n in layers for part in ("mid", "post"))]
        expected = {
            "logits": logits[0],
            "final": s["ln_final.normalized"][0],
            "residual": torch.cat(stream)[:, 0],
            "pattern": torch.cat([s[f"blocks.{n}.attn.pattern"] for n in layers])[:, :, 0],
        }
        for name, x in expected.items():
            torch.testing.assert_close(getattr(row, name), x, atol=tolerance, rtol=tolerance, msg=name)
    assert cache.length == plain.length == 24
    torch.testing.assert_close(cache.keys, plain.keys, atol=tolerance, rtol=tolerance)
    torch.testing.assert_close(cache.values, plain.values, atol=tolerance, rtol=tolerance)
    with pytest.raises(ValueError, match="do not fit"):
        step(0)
