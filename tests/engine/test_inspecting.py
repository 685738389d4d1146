"""Every view over every shape of model: answers travel, agree with the plain computation, and refuse in one line."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gpttui.engine.server import Engine
from gpttui.errors import UserError
from gpttui.inference.contributions import contributions
from gpttui.inference.trace import record, stops
from gpttui.interventions import AblateHead, AblateNeuron, AblatePart, ForbidEdge, PatchResidual
from gpttui.model import checkpoint
from gpttui.protocol import parts
from gpttui.protocol import stream as views
from gpttui.protocol.frames import Call, Reply, decode_call, decode_reply, frame
from gpttui.protocol.play import Choose, Intervene, Jump, Opened, OpenModel, Restore, SetPrompt, Shown, Step
from gpttui.records import Sampling
from gpttui.tokenizers import train_characters
from tests.shapes import SHAPES, model

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ .,:;!\n"
TEXT = "a fashion model"


class Desk:
    """An engine spoken to in this process; requests and answers go through their frames all the same."""

    def __init__(self) -> None:
        self.read_fd, self.write_fd = os.pipe()
        self.engine = Engine(self.write_fd)

    def ask(self, request: Any) -> Any:
        call = decode_call(frame(Call(1, request))[4:])
        return decode_reply(frame(Reply(1, self.engine.handle(call.request)))[4:]).answer

    def refused(self, request: Any) -> str:
        with pytest.raises(UserError) as caught:
            self.ask(request)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    def close(self) -> None:
        os.close(self.read_fd)
        os.close(self.write_fd)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shelf")
    for shape in SHAPES:
        checkpoint.save(model(shape), folder / shape)
        (folder / shape / "tokenizer.json").write_text(train_characters([LETTERS]).to_json())
    return folder


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Desk]:
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path))
    made = Desk()
    yield made
    made.close()


def opened(desk: Desk, shelf: Path, shape: str, text: str = TEXT) -> Any:
    desk.ask(OpenModel(str(shelf / shape), prompt=text))
    return desk.engine.need_session()


def every_request(attention_only: bool = False) -> list[Any]:
    found = [
        views.AskJourney(watched=(3,)),
        views.AskLens(watched=(3, 4)),
        views.AskContributions((1, 2)),
        views.AskNeighbours(token_id=5),
        views.AskNeighbours(stop=1, table="unembedding"),
        views.AskArithmetic(1, 2, 3, 4),
        views.AskMap(stop=1),
        views.AskMap("vocabulary", limit=20),
        views.AskMap("vocabulary", token_ids=(1, 5, 9)),
        views.AskCompare("a model", "one model"),
        views.AskUnaltered((1, 2)),
        parts.AskStages(0, 1, cell=(0, 0)),
        parts.AskHeads(),
        parts.AskCost(points=2),
    ]
    if not attention_only:
        found += [parts.AskMLP(0, token_id=3), parts.AskNeuron(0, 7)]
    return found


@pytest.mark.parametrize("shape", SHAPES)
def test_every_view_works_on_every_shape_of_model(shape: str, desk: Desk, shelf: Path) -> None:
    opened(desk, shelf, shape)
    for request in every_request(shape == "attention-only"):
        answer = desk.ask(request)
        for name in answer.__struct_fields__:
            value = getattr(answer, name)
            if isinstance(value, np.ndarray) and value.dtype.kind == "f" and name not in ("masked", "text_scores"):
                assert np.isfinite(value).all() or name == "probe_scores", (type(answer).__name__, name)


@pytest.mark.parametrize("shape", SHAPES)
def test_views_agree_with_one_plain_pass(shape: str, desk: Desk, shelf: Path) -> None:
    session = opened(desk, shelf, shape)
    for _ in range(3):
        desk.ask(Step())  # rows that came one by one
    ids = session.ids.tolist()
    gpt, trace = session.model, record(session.model, ids)
    position, last = 9, len(ids) - 1
    way = desk.ask(views.AskJourney(position))
    assert way.position == 9 and way.token_id == ids[9] and len(way.stops) == len(stops(gpt.config))
    assert np.allclose(way.vectors, trace.residual()[:, 9].numpy(), atol=1e-4)
    grid = desk.ask(views.AskLens(first=4, count=100, top_k=2, between=True))
    assert grid.first == 4 and grid.top_ids.shape == (len(way.stops), last - 3, 2)
    assert np.array_equal(grid.top_ids[-1, :, 0], trace["logits"][4:].argmax(axis=1))
    assert np.array_equal(grid.top_ids[:, 5, 0], way.top_ids[:, 0])
    layers = desk.ask(views.AskLens(first=4, top_k=2))
    assert len(layers.stops) == gpt.config.n_layer + 1 and layers.stops[-1] == way.stops[-1]
    assert np.array_equal(layers.top_ids, grid.top_ids[layers.numbers])
    shares = desk.ask(views.AskContributions((3, 8), position))
    assert np.abs(shares.totals - trace["logits"][9, [3, 8]]).max() < 1e-4
    assert np.allclose(shares.heads, contributions(gpt, trace, 9, [3, 8]).heads, atol=1e-4)
    pane = desk.ask(parts.AskStages(0, 2, first_query=5, queries=4, first_key=2, keys=6, cell=(7, 3)))
    assert (pane.first_query, pane.first_key) == (5, 2)
    assert np.allclose(pane.pattern, trace["blocks.0.attn.pattern"][2, 5:9, 2:8], atol=1e-5)
    assert pane.cell == (7, 3) and np.isclose(pane.products.sum(), pane.raw[2, 1], atol=1e-3)
    assert np.allclose(pane.met, [x[2, 1] for x in (pane.raw, pane.scaled, pane.masked, pane.pattern)], atol=1e-5)
    assert (pane.qk_norm, pane.rope) == (gpt.config.qk_norm, gpt.config.positions == "rope")
    most = desk.ask(parts.AskStages(0, 2, queries=1, keys=1, cell=(9, -1)))
    assert most.cell == (9, int(trace["blocks.0.attn.pattern"][2, 9].argmax()))
    rest = trace["blocks.0.attn.pattern"][2].copy()
    rest[:, 0] = 0
    rest[1:] /= rest[1:].sum(axis=1, keepdims=True)
    hidden = desk.ask(parts.AskStages(0, 2, queries=12, keys=12, cell=(9, -1), hide_first=True))
    assert np.allclose(hidden.pattern, rest[:12, :12], atol=1e-5) and hidden.cell == (9, int(rest[9].argmax()))
    assert np.isclose(hidden.met[-1], trace["blocks.0.attn.pattern"][2][hidden.cell], atol=1e-5)  # the model's own
    last_layer = gpt.config.n_layer - 1
    assert not desk.ask(parts.AskHeads(layers=1, draws=0)).probe_scores.size
    every = desk.ask(parts.AskHeads(side=6))
    one = desk.ask(parts.AskHeads(side=6, first_layer=last_layer, layers=1, draws=0))
    assert every.maps.shape == (gpt.config.n_layer, 4, 6, 6) and every.probe_scores.shape == (gpt.config.n_layer, 4, 4)
    assert np.array_equal(one.maps, every.maps[-1:]) and one.first_layer == last_layer
    assert np.allclose(one.text_scores, every.text_scores[-1:], equal_nan=True)
    assert np.array_equal(one.probe_scores, every.probe_scores) and one.draws == every.draws  # drawn before
    without = desk.ask(parts.AskHeads(side=64, layers=1, draws=0, hide_first=True))
    assert np.allclose(without.maps[0, 2], rest, atol=1e-3) and not without.maps[..., 0].any()
    assert np.array_equal(without.text_scores, every.text_scores[:1], equal_nan=True)
    probe = desk.ask(parts.AskHeads(layers=0, draws=99))
    assert not probe.maps.size and probe.draws == probe.of_draws
    assert np.array_equal(probe.probe_scores, every.probe_scores)
    if gpt.config.mlp_width:
        mlp = desk.ask(parts.AskMLP(0, position))
        assert np.allclose(mlp.post, trace["blocks.0.mlp.post"][9], atol=1e-4)
        assert np.allclose(mlp.out, trace["blocks.0.mlp.out"][9], atol=1e-4)
        assert np.allclose(mlp.read, trace["blocks.0.ln2.normalized"][9], atol=1e-4)


def test_a_slid_window_and_the_newest_token(desk: Desk, shelf: Path) -> None:
    session = opened(desk, shelf, "gpt2", TEXT + " in a long, long dress")
    assert session.n_slid > 0
    assert desk.ask(views.AskJourney(0)).position == session.n_slid
    for request in every_request():
        desk.ask(request)
    assert desk.ask(parts.AskStages(0, 0, cell=(0, 99))).cell == (session.n_slid, len(session) - 1)
    before = desk.ask(views.AskJourney())
    desk.ask(Step())
    after = desk.ask(views.AskJourney())
    assert after.position == before.position + 1
    desk.ask(Choose(before.position, (after.token_id + 1) % 61))  # another token in the same place
    assert desk.ask(views.AskContributions((3,))).logits != pytest.approx(
        desk.ask(views.AskContributions((3,), 5)).logits
    )
    other = desk.ask(views.AskJourney())
    assert other.position == after.position and not np.allclose(other.vectors, after.vectors)
    assert np.allclose(desk.ask(views.AskContributions((3,))).totals, desk.engine.session.logits()[3], atol=1e-4)


def test_one_token_and_none(desk: Desk, shelf: Path) -> None:
    assert "choose one" in desk.refused(views.AskJourney())
    opened(desk, shelf, "gpt2", "a")
    for request in every_request():
        desk.ask(request)
    session = desk.engine.need_session()
    session._begin([])
    for request in (views.AskJourney(), views.AskLens(), parts.AskStages(0, 0), parts.AskHeads(), parts.AskCost()):
        assert "type a prompt" in desk.refused(request)
    assert len(desk.ask(views.AskNeighbours(token_id=3)).ids) == 12


def test_what_is_not_there_is_said(desk: Desk, shelf: Path) -> None:
    opened(desk, shelf, "attention-only")
    for request, words in (
        (views.AskJourney(watched=(61,)), "outside this model's vocabulary"),
        (views.AskContributions((-1,)), "outside this model's vocabulary"),
        (views.AskNeighbours(token_id=99), "outside"),
        (views.AskNeighbours(stop=9), "no stop 10"),
        (views.AskArithmetic(0, 1, 99), "outside"),
        (views.AskCompare("abc", "xyz"), "share no word"),
        (views.AskCompare("abc abc abc abc abc abc abc", "abc"), "context of 24"),
        (views.AskCompare("abc", "abc", position_a=0, position_b=9), "no token 10 in view"),
        (parts.AskStages(7, 0), "no layer 8"),
        (parts.AskStages(0, 7), "no head 8"),
        (parts.AskMLP(0), "attention only"),
        (parts.AskNeuron(0, 0), "attention only"),
        (parts.SearchPassages(0, 0), "attention only"),
        (parts.CancelSearch(), "no search"),
        (Intervene((AblateHead(9, 9),)), "no layer 10"),
    ):
        assert words in desk.refused(request)


def test_the_same_word_in_two_texts(desk: Desk, shelf: Path) -> None:
    opened(desk, shelf, "gpt2")
    found = desk.ask(views.AskCompare("red model", "a fashion model"))
    assert found.word == "model" and found.same_tokens and (found.position_a, found.position_b) == (8, 14)
    total = found.share_embed + found.share_heads.sum() + found.share_mlps.sum() + found.share_altered
    assert total == pytest.approx(1, abs=1e-4)
    logits = desk.engine.need_session().model(torch.tensor([found.ids_b.tolist()]))[0, 14]
    probs = logits.softmax(dim=-1).numpy()
    assert np.allclose(found.top_probs[1], np.sort(probs)[::-1][:8], atol=1e-5)
    assert np.allclose(found.other_probs[0], probs[found.top_ids[0]], atol=1e-5)
    by_hand = desk.ask(views.AskCompare("red model", "a fashion model", position_a=0, position_b=0))
    assert by_hand.word == "" and not by_hand.same_tokens


def test_before_and_after(desk: Desk, shelf: Path) -> None:
    session = opened(desk, shelf, "modern")
    plain = session.logits().copy()
    same = desk.ask(views.AskUnaltered((2, 3)))
    assert same.divergence_bits == 0
    made = (AblateHead(0, 1), AblateHead(1, 2, "mean"), ForbidEdge(2, 0, 9, 3), PatchResidual(0, "mlp", 4, "xyz", 1))
    snapshot = desk.ask(Intervene(made)).snapshot
    assert snapshot.interventions == tuple(change.words for change in made)
    changed = session.logits().copy()
    assert not np.allclose(changed, plain, atol=1e-3)
    before = desk.ask(views.AskUnaltered((2, 3)))
    exact = np.exp(plain - plain.max())
    assert np.allclose(before.probs, (exact / exact.sum())[[2, 3]], atol=1e-5) and before.divergence_bits > 0
    for request in every_request():
        desk.ask(request)
    for _ in range(3):
        desk.ask(Step())
        ids = session.ids.tolist()
        whole = session.model(torch.tensor([ids]), tap=session.tap.at(0))[0, -1]
        assert np.allclose(session.logits(), whole.numpy(), atol=1e-4)
        bare = session.model(torch.tensor([ids]))[0, -1].softmax(dim=-1)
        assert np.allclose(desk.ask(views.AskUnaltered((5,))).probs, bare[5].numpy(), atol=1e-5)
    shares = desk.ask(views.AskContributions((3,)))
    assert np.allclose(shares.totals, session.logits()[3], atol=1e-4)
    again = desk.ask(SetPrompt(TEXT)).snapshot  # what was said of places in the text goes with the text
    assert again.interventions == tuple(change.words for change in made[:2])
    assert np.allclose(desk.ask(Intervene(made)) and session.logits(), changed, atol=1e-5)
    assert desk.ask(Intervene(())).snapshot.interventions == ()
    assert np.allclose(session.logits(), plain, atol=1e-5)


@pytest.mark.parametrize("shape", ["gpt2", "modern"])
def test_neurons_of_a_silenced_mlp_share_nothing(shape: str, desk: Desk, shelf: Path) -> None:
    """The list agrees with the vector that is added, and with the MLP's share of the logit."""
    session = opened(desk, shelf, shape)
    width = session.model.config.mlp_width
    plain = desk.ask(parts.AskMLP(1, 9, width, 3))
    loudest = int(plain.top[0])
    bias = session.model.transformer.h[1].mlp.c_proj.bias
    for change in (None, AblatePart(1, "mlp"), AblatePart(1, "mlp", "mean"), AblateNeuron(1, loudest)):
        desk.ask(Intervene(() if change is None else (change,)))
        found, shares = desk.ask(parts.AskMLP(1, 9, width, 3)), desk.ask(views.AskContributions((3,), 9))
        assert len(found.top) == len(found.top_written) == len(found.top_shares) == width
        if isinstance(change, AblatePart):
            assert found.held == change.mode and not found.top_written.any() and not found.top_shares.any()
            assert np.allclose(found.post, plain.post, atol=1e-4)
            whole = float(shares.mlps[0, 1] + shares.mlp_biases[0, 1])
            assert found.out.any() == (change.mode == "mean") and (abs(whole) > 1e-6) == (change.mode == "mean")
        else:
            assert found.held is None and np.isclose(found.top_shares.sum(), shares.mlps[0, 1], atol=1e-3)
            columns = session.model.transformer.h[1].mlp.c_proj.weight.numpy()
            added = columns @ found.post + (0 if bias is None else bias.numpy())
            assert np.allclose(found.out, added, atol=1e-4)
    short = desk.ask(parts.AskMLP(1, 9, 3, 3))  # the silenced one is behind the three loudest
    assert short.top[-1] == loudest and len(short.top) == 4
    assert short.top_written[-1] == short.top_shares[-1] == short.post[loudest] == 0
    other = desk.ask(parts.AskMLP(0, 9, 3, 3))
    assert len(other.top) == 3


def test_jumping_between_branches_and_coming_back_altered(desk: Desk, shelf: Path) -> None:
    session = opened(desk, shelf, "gpt2", "abc")
    desk.ask(Intervene((AblatePart(1, "mlp"),)))
    first = [desk.ask(Step()).snapshot.ids[-1] for _ in range(4)]
    probs = session.logits().copy()
    jumped = desk.ask(Jump([1, 2], [True, False])).snapshot
    assert jumped.ids[-2:].tolist() == [1, 2] and jumped.n_prompt == 3
    desk.ask(Jump([int(i) for i in first], [False] * 4))
    assert np.allclose(session.logits(), probs, atol=1e-5)
    assert "damaged" in desk.refused(Jump([1], []))
    changes = (AblatePart(1, "mlp"),)
    ids = [int(i) for i in first]
    request = Restore(str(shelf / "gpt2"), "abc", ids, [False] * 4, Sampling(), 0, changes=changes)
    back = desk.ask(request)
    assert isinstance(back, Opened) and back.snapshot.interventions == (changes[0].words,)
    assert np.allclose(desk.engine.need_session().logits(), probs, atol=1e-5)


def test_a_search_goes_on_between_requests_and_is_kept(desk: Desk, shelf: Path, tmp_path: Path) -> None:
    session = opened(desk, shelf, "modern")
    text = tmp_path / "text.txt"
    text.write_text("a model of a dress, a dress of a model. " * 200)
    ask = parts.SearchPassages(1, 7, text_file=str(text), tokens=6000)
    first = desk.ask(ask)
    assert first.running and not first.done and not first.found and desk.engine.has_idle_work
    desk.engine.work_a_little()
    assert isinstance(desk.ask(Step()), Shown)
    assert not desk.ask(parts.CancelSearch()).running and not desk.engine.has_idle_work
    assert desk.ask(ask).running
    while desk.engine.has_idle_work:
        desk.engine.work_a_little()
    done = desk.ask(ask)
    assert done.done and not done.running and done.source == "text.txt"
    best = done.found[0]
    assert [p.activation for p in done.found] == sorted((p.activation for p in done.found), reverse=True)
    known = desk.ask(parts.AskNeuron(1, 7)).passages
    assert known is not None and known.found[0].activation == best.activation
    assert desk.ask(parts.AskNeuron(0, 7)).passages is None
    ids = session.tokenizer.encode(text.read_text())[:6000]
    where = [n for n in range(len(ids)) if ids[n - best.at : n - best.at + len(best.ids)] == best.ids.tolist()]
    assert where
    assert "no neuron" in desk.refused(parts.SearchPassages(1, 999))


def test_the_training_text_is_found_by_the_recipe_and_read_once(desk: Desk, shelf: Path) -> None:
    opened(desk, shelf, "one-layer")
    (shelf / "one-layer" / "card.json").write_text('{"recipe": "induction"}')
    first = desk.ask(parts.SearchPassages(0, 3, tokens=3000))
    assert "its training text" in first.source
    while desk.engine.has_idle_work:
        desk.engine.work_a_little()
    done = desk.ask(parts.AskNeuron(0, 3)).passages
    again = Desk()
    again.ask(OpenModel(str(shelf / "one-layer"), prompt="a"))
    kept = again.ask(parts.SearchPassages(0, 3, tokens=3000))
    again.close()
    assert kept.done and not kept.running
    assert kept.found[0].ids.tolist() == done.found[0].ids.tolist()
    (shelf / "one-layer" / "card.json").write_text("{}")
    assert "not what it learned from" in desk.ask(parts.SearchPassages(0, 3, tokens=2000)).source


def test_cost_is_measured_and_counted(desk: Desk, shelf: Path) -> None:
    session = opened(desk, shelf, "grouped")
    found = desk.ask(parts.AskCost(points=3))
    assert found.parts[0] == "embed" and found.parts[-1] == "unembed" and found.layers.tolist()[0] == -1
    assert (found.ms > 0).all() and found.contexts.tolist() == [5, 10, 15] and (found.context_ms > 0).all()
    assert found.kv_bytes == session.window.cache.size_bytes
    assert found.curve[-1] == 24 and found.kv_bytes_full == found.curve_kv_bytes[-1]
