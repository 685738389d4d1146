"""Shifts and cuts against transformers' own processors, presence and frequency against their definition in numpy."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import (
    GenerationConfig,
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    SequenceBiasLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from gpttui.errors import UserError
from gpttui.inference.generate import complete_ids, generate
from gpttui.inference.sampling import check, distribution, predict
from gpttui.inference.session import Session
from gpttui.records import STAGES, Array, Sampling
from tests import fakes

V = 60
WORDS = fakes.tiny_tokenizer("characters")
ALL = Sampling(0.9, 30, 0.97, 0.02, 1.3, 0.4, 0.2, ((2, 3.0), (5, -4.0)))


def logits_of(seed: int, size: int = V) -> Array:
    return np.random.default_rng(seed).normal(scale=3, size=size).astype(np.float32)


def by_transformers(logits: Array, sampling: Sampling, text: list[int]) -> Array:
    """The probabilities after transformers' processors in its order; OpenAI's two penalties behind its repetition."""
    stages = LogitsProcessorList()
    if sampling.logit_bias:
        stages.append(SequenceBiasLogitsProcessor({(i,): amount for i, amount in sampling.logit_bias}))
    if sampling.repetition_penalty != 1:
        stages.append(RepetitionPenaltyLogitsProcessor(sampling.repetition_penalty))
    scores = stages(torch.tensor([text]), torch.tensor(logits[None])).numpy()[0]
    counts = np.bincount(text, minlength=len(logits))
    scores = scores - counts * sampling.frequency_penalty - (counts > 0) * sampling.presence_penalty
    warpers = LogitsProcessorList([TemperatureLogitsWarper(sampling.temperature)])
    if sampling.top_k:
        warpers.append(TopKLogitsWarper(sampling.top_k))
    if sampling.top_p < 1:
        warpers.append(TopPLogitsWarper(sampling.top_p))
    if sampling.min_p:
        warpers.append(MinPLogitsWarper(sampling.min_p))
    scores = warpers(torch.tensor([text]), torch.tensor(scores[None], dtype=torch.float64))[0]
    return scores.softmax(-1).numpy()


samplings = st.builds(
    Sampling,
    temperature=st.floats(0.2, 3),
    top_k=st.sampled_from([0, 1, 7, 30]),
    top_p=st.sampled_from([1.0, 0.35, 0.8, 0.97]),
    min_p=st.sampled_from([0.0, 0.01, 0.1, 0.5]),
    repetition_penalty=st.sampled_from([1.0, 1.2, 2.0, 0.7]),
    presence_penalty=st.sampled_from([0.0, 0.6, -1.0]),
    frequency_penalty=st.sampled_from([0.0, 0.3, -0.2]),
    logit_bias=st.dictionaries(st.integers(0, V - 1), st.floats(-8, 8).filter(bool), max_size=4).map(
        lambda bias: tuple(sorted(bias.items()))
    ),
)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10_000), samplings, st.lists(st.integers(0, V - 1), min_size=1, max_size=40))
def test_every_stage_is_what_transformers_makes_of_it(seed: int, sampling: Sampling, text: list[int]) -> None:
    logits = logits_of(seed)
    found = distribution(logits, sampling, np.array(text))
    final = np.zeros(V)
    final[found.ranking.first(V)] = found.final_probs(V)
    np.testing.assert_allclose(final, by_transformers(logits, sampling, text), atol=2e-6)
    assert [shift.name for shift in found.shifts] == [stage.name for stage in STAGES[:4] if sampling.is_on(stage.field)]
    assert [cut.name for cut in found.cuts] == [stage.name for stage in STAGES[5:] if sampling.is_on(stage.field)]


def test_the_order_is_the_one_of_transformers() -> None:
    """Its own list for the same settings, and the fields in the order in which they are explained."""
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GenerationConfig(
        do_sample=True,
        temperature=0.9,
        top_k=30,
        top_p=0.9,
        min_p=0.1,
        repetition_penalty=1.3,
        sequence_bias={(2,): 1.0},
    )
    model = GPT2LMHeadModel(GPT2Config(n_layer=1, n_head=1, n_embd=8, vocab_size=V))
    theirs = [type(one) for one in model._get_logits_processor(config, input_ids_seq_length=3, device="cpu")]
    named = {
        "logit_bias": SequenceBiasLogitsProcessor,
        "repetition_penalty": RepetitionPenaltyLogitsProcessor,
        "temperature": TemperatureLogitsWarper,
        "top_k": TopKLogitsWarper,
        "top_p": TopPLogitsWarper,
        "min_p": MinPLogitsWarper,
    }
    assert [kind for kind in theirs if kind in named.values()] == [
        named[stage.field] for stage in STAGES if stage.field in named
    ]
    assert {stage.field for stage in STAGES} == {field.name for field in fields(Sampling)}


def test_what_each_shift_did_is_told() -> None:
    logits = logits_of(3)
    told = predict(logits, ALL, V, position=0, text=np.array([1, 2, 2, 7]))
    assert [(shift.name, shift.tokens) for shift in told.shifts] == [
        ("logit bias", 2), ("repetition", 3), ("presence", 3), ("frequency", 3),
    ]  # fmt: skip
    assert told.shifted_by.shape == (4, V)
    at = {int(i): n for n, i in enumerate(told.candidate_ids)}
    assert told.shifted_by[0, [at[2], at[5], at[7]]] == pytest.approx([3, -4, 0])
    assert pytest.approx(np.array([[-0.4, -0.2], [-0.4, -0.4], [0, 0]])) == told.shifted_by[2:, [at[1], at[2], at[9]]].T
    biased = logits + np.isin(np.arange(V), [2]) * 3.0 - np.isin(np.arange(V), [5]) * 4.0
    before, after = (np.exp(x - x.max()) / np.exp(x - x.max()).sum() for x in (logits.astype(float), biased))
    assert told.shifts[0].moved_mass == pytest.approx(np.abs(after - before).sum() / 2, abs=1e-6)
    np.testing.assert_allclose(told.model_probs, before[told.candidate_ids], rtol=1e-5)  # the model's own stay


def test_greedy_is_shifted_and_a_ban_holds() -> None:
    logits = logits_of(1)
    best = int(logits.argmax())
    banned = Sampling(0.0, logit_bias=((best, -100.0),))
    assert distribution(logits, banned).draw(0.5).token_id == int(np.argsort(-logits)[1])


def test_sessions_generate_and_batches_count_the_same_tokens() -> None:
    model = fakes.tiny_model(vocab_size=WORDS.vocab_size)
    for sampling in (replace(ALL, temperature=0.0), ALL):
        stepped = Session(model, WORDS, prompt="the cat", seed=4, sampling=sampling)
        for _ in range(12):
            stepped.step()
        told = list(generate(Session(model, WORDS, prompt="the cat", seed=4, sampling=sampling), 12))
        assert [token.id for token in told] == stepped.ids[7:].tolist()
        assert complete_ids(model, [WORDS.encode("the cat")], 12, sampling=sampling, seed=4)[0] == [
            token.id for token in told
        ]
        assert all([shift.name for shift in token.shifts] == [s.name for s in STAGES[:4]] for token in told)


def test_a_draw_keeps_the_settings_it_was_made_with() -> None:
    model = fakes.tiny_model(vocab_size=WORDS.vocab_size)
    of = Session(model, WORDS, prompt="the cat", sampling=ALL)
    of.step()
    of.set_sampling(Sampling(1.0))
    of.choose(-1, 3)
    assert [draw and draw.sampling for draw in of.draws] == [ALL, Sampling(1.0)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_p": 1.1}, {"min_p": float("nan")}, {"repetition_penalty": 0.0}, {"repetition_penalty": float("inf")},
        {"presence_penalty": 101.0}, {"frequency_penalty": float("nan")}, {"logit_bias": ((1, 101.0),)},
        {"logit_bias": ((1, float("nan")),)}, {"logit_bias": ((V, 1.0),)}, {"logit_bias": ((-1, 1.0),)},
        {"logit_bias": ((2, 1.0), (1, 1.0))}, {"logit_bias": ((1, 1.0), (1, 2.0))},
    ],
)  # fmt: skip
def test_settings_that_nothing_can_be_drawn_with_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UserError) as said:
        check(replace(Sampling(), **wrong), V)  # type: ignore[arg-type]
    assert "\n" not in str(said.value)
