"""Shared words are found whatever the tokens; shares of a difference sum to one."""

import numpy as np
import pytest

from gpttui.errors import UserError
from gpttui.inference.compare import SharedWord, choose_pair, compare, shared_words
from gpttui.inference.contributions import contribution_sites
from gpttui.inference.trace import record
from gpttui.tokenizers import train_bpe, train_characters, train_words
from tests.shapes import SHAPES, ids, model

A, B = "a machine learning model", "a fashion Model walks"


def test_the_latest_shared_word_whatever_the_tokenizer() -> None:
    for tokenizer in (train_bpe([A, B] * 9, 300), train_words([A, B]), train_characters([A, B])):
        pair = choose_pair(tokenizer, A, B)
        assert pair.word == "model"
        for text, position in ((A, pair.position_a), (B, pair.position_b)):
            pieces = tokenizer.pieces(text)
            said = text.encode()[: pieces[position].end].decode()
            assert said.lower().endswith("model")
        assert not pair.same_tokens
        assert [found.word for found in shared_words(tokenizer, A, B)] == ["model", "a"]
        assert choose_pair(tokenizer, A, B, " A").position_a == 0
    same = choose_pair(train_words([A]), "red model", "big red model")
    assert same.same_tokens and (same.position_a, same.position_b) == (1, 2)


def test_no_shared_word_says_so() -> None:
    tokenizer = train_characters(["abc xyz"])
    with pytest.raises(UserError, match="share no word"):
        choose_pair(tokenizer, "abc", "xyz")
    with pytest.raises(UserError, match="share no word"):
        choose_pair(tokenizer, "", "")
    with pytest.raises(UserError, match="they share abc"):
        choose_pair(tokenizer, "abc", "abc", "xyz")


@pytest.mark.parametrize("shape", SHAPES)
def test_shares_sum_to_one(shape: str) -> None:
    gpt = model(shape)
    sites = contribution_sites(gpt.config) | {"logits"}
    a, b = record(gpt, [*ids(6), 5], sites), record(gpt, [*ids(9, 1), 5], sites)
    found = compare(gpt, a, b, SharedWord("", -1, -1, True))
    total = found.share_embed + found.share_heads.sum() + found.share_mlps.sum() + found.share_altered
    assert np.isclose(total, 1, atol=1e-4) and found.share_altered == 0
    assert len(found.stops) == len(found.distances) == len(found.cosines) == found.norms.shape[1]
    vectors = [trace.residual()[:, -1].numpy() for trace in (a, b)]
    assert np.allclose(found.distances, np.linalg.norm(vectors[0] - vectors[1], axis=1), rtol=1e-4, atol=1e-6)
    if gpt.config.positions != "learned":
        assert found.distances[0] == 0 and np.isclose(found.cosines[0], 1)


def test_a_text_compared_with_itself() -> None:
    gpt = model("gpt2")
    trace = record(gpt, ids(5))
    found = compare(gpt, trace, trace, SharedWord("", 2, 2, True))
    assert not found.distances.any() and np.isnan(found.share_heads).all()
