"""Nearest tokens against a loop; arithmetic's ranks without flattery."""

import numpy as np
import pytest
import torch

from gpttui.errors import UserError
from gpttui.inference.neighbours import arithmetic, nearest
from tests.shapes import model


def test_nearest_against_a_loop() -> None:
    gpt = model("modern")
    vector = torch.randn(32, generator=torch.Generator().manual_seed(2))
    for table, weight in (("embedding", gpt.transformer.wte.weight), ("unembedding", gpt.lm_head.weight)):
        by_hand = [float(torch.cosine_similarity(row, vector, dim=0)) for row in weight]
        found = nearest(gpt, vector, 5, table)
        assert found.ids.tolist() == np.argsort(by_hand)[::-1][:5].tolist()
        assert np.allclose(found.cosines, sorted(by_hand, reverse=True)[:5], atol=1e-6)


def test_a_token_is_its_own_nearest_unless_left_out() -> None:
    gpt = model("gpt2")
    own = gpt.transformer.wte.weight[7]
    assert nearest(gpt, own).ids[0] == 7 and np.isclose(nearest(gpt, own).cosines[0], 1)
    assert 7 not in nearest(gpt, own, 100, leave_out=[7]).ids
    assert not nearest(gpt, own * 0, 3).cosines.any()


def test_arithmetic_ranks_with_and_without_inputs() -> None:
    gpt = model("gpt2")
    plain = arithmetic(gpt, 3, 5, 5)
    assert plain.ids[0] == 3 and plain.expected_rank == -1
    found = arithmetic(gpt, 1, 2, 4, expected=9, k=61)
    place = found.ids.tolist().index(9)
    assert found.expected_rank == place
    before = set(found.ids[:place].tolist())
    assert found.expected_rank_without_inputs == place - len(before & {1, 2, 4})
    with pytest.raises(UserError, match="outside"):
        arithmetic(gpt, 1, 2, 61)
