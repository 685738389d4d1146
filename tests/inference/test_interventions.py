"""An intervention is the edit it says it is, and holds in one pass, in steps and in a slid window alike."""

import copy

import numpy as np
import pytest
import torch

from gpttui.errors import UserError
from gpttui.inference.contributions import contributions
from gpttui.inference.interventions import Changes, compile_changes
from gpttui.inference.trace import record
from gpttui.interventions import (
    AblateHead,
    AblateNeuron,
    AblatePart,
    ForbidEdge,
    Intervention,
    PatchResidual,
    Steer,
    as_arguments,
    parse,
)
from gpttui.model.gpt import GPT
from gpttui.tokenizers import Tokenizer, train_characters
from tests.shapes import ids, model

LETTERS = "".join(chr(ord("0") + n) for n in range(60))
WORDS = ["gpt2", "modern", "grouped"]


def tokenizer() -> Tokenizer:
    return train_characters([LETTERS])


def text(tokens: list[int]) -> str:
    return tokenizer().decode(tokens)


def compiled(gpt: GPT, *made: Intervention, prompt: list[int] | None = None) -> Changes:
    return compile_changes(gpt, tokenizer(), made, prompt or ids(6))


def logits(gpt: GPT, tokens: list[int], changes: Changes | None = None) -> torch.Tensor:
    return gpt(torch.tensor([tokens]), tap=changes)[0]


def test_silencing_a_head_equals_zeroing_its_output_weights() -> None:
    for shape in (*WORDS, "attention-only"):
        gpt, tokens = model(shape), ids(10)
        edited = copy.deepcopy(gpt)
        edited.transformer.h[1].attn.c_proj.weight[:, 16:24] = 0
        changed = logits(gpt, tokens, compiled(gpt, AblateHead(1, 2)))
        assert torch.allclose(changed, logits(edited, tokens), atol=1e-4)
        assert not torch.allclose(changed, logits(gpt, tokens), atol=1e-3)


def test_silencing_parts_and_neurons_equals_zeroing_their_weights() -> None:
    for shape in WORDS:
        gpt, tokens = model(shape), ids(10)
        for made, weights in (
            (AblatePart(1, "attn"), "attn.c_proj"),
            (AblatePart(2, "mlp"), "mlp.c_proj"),
        ):
            edited = copy.deepcopy(gpt)
            linear = edited.transformer.h[made.layer].get_submodule(weights)
            for parameter in linear.parameters():
                parameter.zero_()
            assert torch.allclose(logits(gpt, tokens, compiled(gpt, made)), logits(edited, tokens), atol=1e-4)
        edited = copy.deepcopy(gpt)
        edited.transformer.h[0].mlp.c_proj.weight[:, 5] = 0
        changed = logits(gpt, tokens, compiled(gpt, AblateNeuron(0, 5)))
        assert torch.allclose(changed, logits(edited, tokens), atol=1e-4)


def test_silencing_every_head_leaves_a_model_without_attention() -> None:
    gpt, tokens = model("gpt2"), ids(8)
    all_heads = [AblateHead(layer, head) for layer in range(3) for head in range(4)]
    edited = copy.deepcopy(gpt)
    for block in edited.transformer.h:
        block.attn.c_proj.weight.zero_()
    assert torch.allclose(logits(gpt, tokens, compiled(gpt, *all_heads)), logits(edited, tokens), atol=1e-4)


def test_the_mean_is_taken_over_the_text_named_or_the_prompt() -> None:
    gpt, tokens = model("gpt2"), ids(9)
    z = record(gpt, ids(6)).tensors["blocks.1.attn.z"][3].mean(dim=0)
    for made in (AblateHead(1, 3, "mean"), AblateHead(1, 3, "mean", over=text(ids(6)))):
        trace = record(gpt, tokens, tap=compiled(gpt, made).at(0))
        assert np.allclose(trace["blocks.1.attn.z"][3], z.expand(9, -1), atol=1e-6)


def test_a_forbidden_edge_gives_its_weight_to_the_others() -> None:
    gpt, tokens = model("modern"), ids(8)
    plain = record(gpt, tokens)["blocks.2.attn.pattern"]
    changed = record(gpt, tokens, tap=compiled(gpt, ForbidEdge(2, 1, 6, 3)).at(0))["blocks.2.attn.pattern"]
    row = plain[1, 6].copy()
    row[3] = 0
    assert np.allclose(changed[1, 6], row / row.sum(), atol=1e-6)
    assert np.array_equal(np.delete(changed[1], 6, axis=0), np.delete(plain[1], 6, axis=0))


def test_a_row_without_edges_reads_nothing_and_stays_finite() -> None:
    gpt = model("gpt2")
    trace = record(gpt, ids(4), tap=compiled(gpt, ForbidEdge(0, 0, 0, 0)).at(0))
    assert not trace["blocks.0.attn.pattern"][0, 0].any() and np.isfinite(trace["logits"]).all()


def test_patching_with_itself_changes_nothing_and_with_another_everything_after() -> None:
    for shape in WORDS:
        gpt, tokens, other = model(shape), ids(8), ids(8, seed=5)
        for layer, part in ((-1, "embed"), (0, "attn"), (2, "mlp")):
            same = compiled(gpt, PatchResidual(layer, part, 4, text(tokens), 4))  # type: ignore[arg-type]
            assert torch.allclose(logits(gpt, tokens, same), logits(gpt, tokens), atol=1e-5)
        last = compiled(gpt, PatchResidual(2, "mlp", 7, text(other), -1))
        assert torch.allclose(logits(gpt, tokens, last)[7], logits(gpt, other)[7], atol=1e-4)
        assert torch.allclose(logits(gpt, tokens, last)[:7], logits(gpt, tokens)[:7], atol=1e-5)


def test_steering_adds_the_difference_of_two_prompts() -> None:
    gpt, tokens, a, b = model("grouped"), ids(5), ids(4, 1), ids(6, 2)
    site = "blocks.1.resid_post"
    push = record(gpt, a)[site][-1] - record(gpt, b)[site][-1]
    changed = record(gpt, tokens, tap=compiled(gpt, Steer(1, text(a), text(b), 2.5)).at(0))
    assert np.allclose(changed[site], record(gpt, tokens)[site] + 2.5 * push, atol=1e-5)
    nothing = compiled(gpt, Steer(1, text(a), text(a), 9.0))
    assert torch.allclose(logits(gpt, tokens, nothing), logits(gpt, tokens), atol=1e-5)


@pytest.mark.parametrize("shape", WORDS)
def test_stepping_with_a_cache_equals_one_pass(shape: str) -> None:
    gpt, tokens = model(shape), ids(14)
    changes = compiled(
        gpt,
        AblateHead(0, 1, "mean"),
        ForbidEdge(1, 0, 9, 4),
        ForbidEdge(1, 2, 3, 1),
        PatchResidual(0, "mlp", 11, text(ids(3, 9)), 2),
        AblateNeuron(1, 7),
        Steer(1, text(ids(2, 4)), text(ids(2, 5)), 0.5),
    )
    whole = gpt(torch.tensor([tokens]), tap=changes.at(0))[0]
    cache, parts = gpt.new_cache(), []
    for first, end in ((0, 5), (5, 6), (6, 11), *((n, n + 1) for n in range(11, 14))):
        parts.append(gpt(torch.tensor([tokens[first:end]]), cache=cache, tap=changes.at(first))[0])
    assert torch.allclose(torch.cat(parts), whole, atol=1e-4)
    slid = gpt(torch.tensor([tokens]), tap=changes.at(2))[0]  # the same window, two positions later in the text
    edge = record(gpt, tokens, tap=changes.at(2), start=2)["blocks.1.attn.pattern"]
    assert edge[0, 7, 2] == 0 and edge[0, 9, 4] > 0 and not torch.allclose(slid, whole, atol=1e-3)


def test_contributions_still_sum_and_say_what_was_altered() -> None:
    gpt, tokens = model("gpt2"), ids(8)
    for made in (AblatePart(1, "mlp", "mean"), AblatePart(0, "attn"), PatchResidual(1, "attn", 7, text(ids(3, 8)), 0)):
        changes = compiled(gpt, made)
        found = contributions(gpt, record(gpt, tokens, tap=changes.at(0)), -1, [4, 40])
        assert np.abs(found.totals - logits(gpt, tokens, changes)[-1, [4, 40]].numpy()).max() < 1e-4
    assert found.altered.any()
    untouched = contributions(gpt, record(gpt, tokens, tap=changes.at(0)), 3, [4])
    assert not untouched.altered.any()


def test_words_and_arguments() -> None:
    made: tuple[Intervention, ...] = (
        AblateHead(2, 1),
        AblateHead(0, 0, "mean"),
        AblatePart(1, "attn"),
        AblatePart(1, "mlp", "mean"),
        AblateNeuron(2, 37),
        ForbidEdge(2, 1, 5, 3),
    )
    arguments = ("3.2", "1.1:mean", "2.attn", "2.mlp:mean", "3.mlp.38", "3.2:6>4")
    assert as_arguments(made) == arguments
    assert tuple(map(parse, arguments)) == made
    every = (*made, Steer(1, "a", "b", 2), PatchResidual(-1, "embed", 3, "x", -1))
    assert len({change.words for change in every}) == len(every)


@pytest.mark.parametrize(
    ("source", "words"), [(2, "token 3"), (0, "token 1"), (-1, "the last token"), (-2, "token 2 from the end")]
)
def test_a_patch_says_whence_in_plain_words(source: int, words: str) -> None:
    patch = PatchResidual(0, "mlp", 3, "x", source)
    assert patch.words == f"token 4 replaced after layer 1 MLP by {words} of “x”"
    for wrong in ("", "2", "2.x", "2.1:median", "2.mlp:5>3", "a.b", "2.1:5>", "-1.0"):
        with pytest.raises(UserError, match="names nothing to ablate"):
            parse(wrong)
    for wrong in ("0.1", "1.0", "1.mlp.0", "1.1:0>1", "0.mlp"):
        with pytest.raises(UserError, match="count from 1"):
            parse(wrong)


def test_what_is_not_there_says_so() -> None:
    gpt = model("gpt2")
    for made, words in (
        (AblateHead(3, 0), "no layer 4"),
        (AblateHead(0, 4), "no head 5"),
        (AblateNeuron(0, 128), "no neuron 129"),
        (ForbidEdge(0, 0, 2, 5), "goes back"),
        (PatchResidual(0, "mlp", 1, "", 0), "type a prompt"),
        (PatchResidual(0, "mlp", 1, "ab", 2), "no token 3 in view"),
        (PatchResidual(0, "embed", 1, "ab", 0), "no stop"),
        (Steer(7, "a", "b"), "no layer 8"),
        (Steer(0, "a", "b", float("nan")), "too much"),
    ):
        with pytest.raises(UserError, match=words):
            compiled(gpt, made)
    with pytest.raises(UserError, match="attention only"):
        compiled(model("attention-only"), AblateNeuron(0, 0))
