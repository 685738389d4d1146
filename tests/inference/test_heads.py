"""Head scores on patterns made by hand, on models, and against a plain loop over the recorded patterns."""

import numpy as np
import torch

from gpttui.inference import heads as module
from gpttui.inference.heads import key_sites, mean_scores, probe_draw, probe_ids, survey
from gpttui.inference.trace import Trace, record
from tests.shapes import SHAPES, ids, model


def by_hand(pattern: np.ndarray, tokens: list[int]) -> list[float]:
    found: list[list[float]] = [[], [], [], []]
    for q in range(1, len(tokens)):
        found[0].append(pattern[q, q - 1])
        found[1].append(pattern[q, 0])
        same = [k for k in range(q) if tokens[k] == tokens[q]]
        if same:
            found[2].append(sum(pattern[q, k] for k in same))
        after = [k + 1 for k in same if k + 1 < q]
        if after:
            found[3].append(sum(pattern[q, k] for k in after))
    return [float(np.mean(x)) if x else float("nan") for x in found]


def test_scores_against_a_loop(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(module, "CHUNK_ROWS", 5)
    for shape in SHAPES:
        gpt, tokens = model(shape), ids(18, vocab_size=5)
        trace = record(gpt, tokens)
        found = survey(trace, side=6)
        for layer in range(gpt.config.n_layer):
            for head in range(4):
                expected = by_hand(trace[f"blocks.{layer}.attn.pattern"][head], tokens)
                assert np.allclose(found.scores[layer, head], expected, atol=1e-5)
        first = trace["blocks.0.attn.pattern"][1].reshape(6, 3, 6, 3).max(axis=(1, 3))
        assert np.allclose(found.maps[0, 1], first, atol=1e-6)


def test_a_short_text_is_shown_whole_and_has_no_places() -> None:
    gpt = model("gpt2")
    trace = record(gpt, [1, 2, 3])
    found = survey(trace, side=24)
    assert np.allclose(found.maps[2], trace["blocks.2.attn.pattern"], atol=1e-6)
    assert np.isnan(found.scores[..., 2:]).all() and np.isfinite(found.scores[..., :2]).all()
    assert np.isnan(survey(record(gpt, [1])).scores).all()


def test_a_head_that_copies_scores_one() -> None:
    """Queries and keys made so that every query finds exactly the token after its earlier twin."""
    gpt = model("gpt2")
    half = list(range(10))
    tokens = half + half
    before = torch.roll(torch.eye(61)[tokens], 1, dims=0)  # each key carries the token before it
    before[0] = 0
    pair = {"q": torch.eye(61)[tokens] * 200, "k": before}
    sites = {f"blocks.{i}.attn.{x}": pair[x].expand(4, -1, -1) for i in range(3) for x in "qk"}
    scores = survey(Trace(gpt.config, tuple(tokens), 0, sites)).scores[0, 0]
    assert scores[3] > 0.99 and scores[2] < 0.01


def test_the_probe_is_the_same_every_time_and_repeats() -> None:
    gpt = model("modern")
    tokens = probe_ids(gpt.config, 3)
    assert tokens == probe_ids(gpt.config, 3) and len(tokens) == 24 and tokens[:12] == tokens[12:]
    scores = mean_scores([probe_draw(gpt, seed) for seed in range(4)])
    assert np.array_equal(probe_draw(gpt, 3), probe_draw(gpt, 3))
    assert scores.shape == (3, 4, 4) and np.isfinite(scores).all()
    assert key_sites(gpt.config) == {f"blocks.{i}.attn.{x}" for i in range(3) for x in "qk"}
