"""The stages and the survey computed from queries and keys are what the pass itself computed."""

import numpy as np
import pytest

from gpttui.errors import UserError
from gpttui.inference.attention import stages
from gpttui.inference.interventions import compile_changes
from gpttui.inference.trace import record
from gpttui.interventions import ForbidEdge
from gpttui.tokenizers import train_characters
from tests.shapes import SHAPES, ids, model


@pytest.mark.parametrize("shape", SHAPES)
def test_stages_are_the_passes_own(shape: str) -> None:
    gpt = model(shape)
    trace, layer = record(gpt, ids(11)), gpt.config.n_layer - 1
    whole = stages(trace, layer, 3)
    assert np.allclose(whole.masked, trace[f"blocks.{layer}.attn.scores"][3], atol=1e-5)
    assert np.allclose(whole.pattern, trace[f"blocks.{layer}.attn.pattern"][3], atol=1e-6)
    assert np.allclose(whole.scaled, whole.raw / np.sqrt(gpt.config.d_head), atol=1e-6)
    assert np.isfinite(whole.raw).all() and np.isneginf(whole.masked[0, 1:]).all()
    part = stages(trace, layer, 3, queries=slice(4, 7), keys=slice(2, 9))
    assert (part.first_query, part.first_key) == (4, 2)
    for name in ("raw", "scaled", "masked", "pattern"):
        assert np.allclose(getattr(part, name), getattr(whole, name)[4:7, 2:9], atol=1e-5)
    one = stages(trace, layer, 3, cell=(6, 2))
    assert np.isclose(one.products.sum(), whole.raw[6, 2], atol=1e-4) and one.query.shape == (gpt.config.d_head,)


def test_stages_show_forbidden_edges() -> None:
    gpt = model("gpt2")
    changes = compile_changes(gpt, train_characters(["ab"]), [ForbidEdge(1, 0, 7, 5)], [0])
    trace = record(gpt, ids(6), tap=changes.at(4), start=4)
    seen = stages(trace, 1, 0, changes=changes)
    assert seen.first_query == 4 and seen.pattern[3, 1] == 0 and np.isneginf(seen.masked[3, 1])
    assert np.allclose(seen.pattern, trace["blocks.1.attn.pattern"][0], atol=1e-6)
    with pytest.raises(UserError, match="no head 5"):
        stages(trace, 0, 4)
