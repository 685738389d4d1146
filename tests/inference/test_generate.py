"""Generated text is the session's text; batched completion and scoring equal one-at-a-time."""

import math

import numpy as np
import pytest
import torch

from gpttui.errors import UserError
from gpttui.inference.generate import complete_batch, complete_ids, generate, token_nlls
from gpttui.inference.session import Session
from gpttui.records import Sampling
from tests import fakes, shapes

WORDS = fakes.tiny_tokenizer("characters")
PROMPTS = ["the cat", "the dog", "a", "A quick brown fox", "the", "s"]


def session(prompt: str = "the cat", seed: int = 0, **options: object) -> Session:
    model = fakes.tiny_model(vocab_size=WORDS.vocab_size)
    return Session(model, WORDS, prompt=prompt, seed=seed, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("sampling", [Sampling(0.8), Sampling(0), Sampling(1.2, 5, 0.9)])
def test_the_same_seed_gives_the_sessions_text(sampling: Sampling) -> None:
    stepped = session(seed=4, sampling=sampling)
    for _ in range(50):
        stepped.step()
    told = list(generate(session(seed=4, sampling=sampling), 50))
    assert [token.id for token in told] == stepped.ids[7:].tolist()
    assert "the cat" + "".join(token.text for token in told) == stepped.text
    assert [token.position for token in told] == list(range(8, 58))  # from 1


def test_each_token_tells_its_odds() -> None:
    told = list(generate(session(seed=2, sampling=Sampling(1.1, 6, 0.9)), 20, top_k=100))
    for token in told:
        assert sum(row["prob"] for row in token.topk) == pytest.approx(1)
        assert {row["id"]: row["prob"] for row in token.topk}[token.id] == pytest.approx(token.prob)
        assert token.draw is not None and 0 <= token.draw < 1
        assert [cut.name for cut in token.cuts] == ["top-k", "top-p"]
        assert token.entropy_bits > 0 and token.elapsed_ms > 0
    greedy = next(generate(session(sampling=Sampling(0)), 1))
    assert greedy.draw is None and greedy.prob == 1


def test_a_character_is_never_split() -> None:
    words = fakes.tiny_tokenizer("bpe")
    model = fakes.tiny_model(vocab_size=words.vocab_size)
    for seed in range(5):
        of = Session(model, words, prompt="日本", seed=seed, sampling=Sampling(3.0))
        told = list(generate(of, 60))
        text = words.decode([token.id for token in told])
        assert "".join(token.text for token in told) == text
        kept = b"".join(words.token_bytes(token.id) for token in told)
        spoken = 0
        for token in told:
            spoken += len(token.text)
            assert text.startswith("".join(t.text for t in told)[:spoken])
        assert kept.decode("utf-8", "replace") == text


def test_it_stops_where_it_is_told() -> None:
    free = list(generate(session(seed=1), 30))
    stop = free[6].id
    first = next(n for n, token in enumerate(free) if token.id == stop)
    assert [t.id for t in generate(session(seed=1), 30, stop_ids=[stop])] == [t.id for t in free[: first + 1]]
    assert list(generate(session(), 0)) == []


@pytest.mark.parametrize("temperature", [0.0, 0.9])
def test_a_batch_is_its_prompts_one_by_one(temperature: float) -> None:
    model = session().model
    together = complete_batch(model, WORDS, PROMPTS, 12, sampling=Sampling(temperature), seed=100, batch_size=3)
    for n, prompt in enumerate(PROMPTS):
        alone = session(prompt, seed=100 + n, sampling=Sampling(temperature))
        assert together[n] == WORDS.decode([token.id for token in generate(alone, 12)]), prompt


@pytest.mark.parametrize("shape", shapes.SHAPES)
def test_stops_end_each_row_by_itself(shape: str) -> None:
    model = shapes.model(shape)
    prompts = [shapes.ids(length, seed) for seed in range(12) for length in (3, 6)]
    free = complete_ids(model, prompts, 15)
    stops = [free[0][4], free[3][9]]
    for ids, whole in zip(complete_ids(model, prompts, 15, stop_ids=stops), free, strict=True):
        ends = [n for n, i in enumerate(whole) if i in stops]
        assert ids == whole[: ends[0]] if ends else ids == whole


def test_completions_end_where_the_context_does() -> None:
    assert len(complete_ids(session().model, [[1] * 30, [1] * 32], 50)[0]) == 3
    assert complete_ids(session().model, [], 5) == []
    assert complete_ids(session().model, [[1]], 0) == [[]]


@pytest.mark.parametrize("prompt", [[], [1] * 33])
def test_prompts_that_do_not_fit_are_refused(prompt: list[int]) -> None:
    with pytest.raises(UserError, match="does not fit"):
        complete_ids(session().model, [[1, 2], prompt], 3)


def test_a_stop_text_is_one_token() -> None:
    with pytest.raises(UserError, match="not a single token"):
        complete_batch(session().model, WORDS, ["a"], 3, stop="the")


def test_nll_is_the_cross_entropy() -> None:
    model = shapes.model("modern")
    rows = [shapes.ids(length, length) for length in (2, 24, 1, 0, 9, 24)]
    found = token_nlls(model, rows, batch_size=2)
    for row, nats in zip(rows, found, strict=True):
        assert len(nats) == max(0, len(row) - 1)
        if len(row) > 1:
            log_probs = model(torch.tensor([row]))[0].log_softmax(-1)
            expected = -log_probs[torch.arange(len(row) - 1), torch.tensor(row[1:])]
            np.testing.assert_allclose(nats, expected, atol=1e-5)
    np.testing.assert_allclose(token_nlls(model, [rows[1]])[0], found[1], atol=1e-5)
    assert token_nlls(model, [[3]])[0].size == 0
    with pytest.raises(UserError, match="does not fit"):
        token_nlls(model, [shapes.ids(25)])


def test_nll_is_the_surprisal_on_screen() -> None:
    of = session("the cat sat")
    bits = of.snapshot().surprisal_bits[1:]
    np.testing.assert_allclose(token_nlls(of.model, [of.ids.tolist()])[0] / math.log(2), bits, atol=1e-4)
