"""Computed in bfloat16 every view works, and what is shown of a distribution is not rounded once more."""

from pathlib import Path

import numpy as np
import pytest
import torch

from gpttui.engine.server import Engine
from gpttui.errors import UserError
from gpttui.inference import precision
from gpttui.inference.precision import Precision
from gpttui.inference.session import Session
from gpttui.interventions import AblateHead, AblateNeuron, Steer
from gpttui.model import checkpoint
from gpttui.protocol import parts
from gpttui.protocol import stream as views
from gpttui.protocol.play import Intervene, OpenModel, Step
from gpttui.tokenizers import train_characters
from tests.shapes import SHAPES, model

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ .,:;!\n"


def opened(path: Path, shape: str) -> Engine:
    checkpoint.save(model(shape), path)
    (path / "tokenizer.json").write_text(train_characters([LETTERS]).to_json())
    engine = Engine(2, precision="bf16")
    assert engine.handle(OpenModel(str(path), prompt="a fashion model")).card.numbers == "computed in bf16"
    return engine


@pytest.mark.parametrize("shape", SHAPES)
def test_every_view_works(shape: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path))
    engine = opened(tmp_path / shape, shape)
    requests = [
        Step(),
        views.AskJourney(watched=(3,)),
        views.AskLens(watched=(3, 4)),
        views.AskLens(),
        views.AskNeighbours(token_id=5),
        views.AskNeighbours(stop=1, table="unembedding"),
        views.AskArithmetic(1, 2, 3, 4),
        views.AskMap(stop=1),
        views.AskMap("vocabulary", limit=20),
        views.AskCompare("a model", "one model"),
        views.AskUnaltered((1, 2)),
        views.AskEffects(0),
        parts.AskStages(0, 1, cell=(0, 0)),
        parts.AskHeads(),
        parts.AskCost(points=2),
        *([parts.AskMLP(0, token_id=3), parts.AskNeuron(0, 7)] if shape != "attention-only" else []),
    ]
    silenced = (AblateHead(0, 1), *([AblateNeuron(0, 3)] if shape != "attention-only" else []))
    for request in [*requests, Intervene((*silenced, Steer(0, "a", "b", 2.0))), *requests]:
        engine.handle(request)


@pytest.mark.parametrize("shape", SHAPES)
def test_probabilities_and_ranks_are_of_logits_in_float32(shape: str, tmp_path: Path) -> None:
    engine = opened(tmp_path / shape, shape)
    session: Session = engine.need_session()
    session.step()
    window = session.window
    assert window.final.dtype == torch.bfloat16
    expected = window.final[: window.length].double() @ session.model.lm_head.weight.double().T
    for row in range(window.length):
        np.testing.assert_allclose(window.row_logits(row), expected[row], atol=1e-4)
    probs = expected.softmax(dim=-1)
    grid = engine.handle(views.AskLens(first=0, count=window.length, top_k=3, watched=(2, 9)))
    np.testing.assert_allclose(grid.top_probs[-1], probs.topk(3).values, atol=1e-5)
    np.testing.assert_allclose(grid.watched_probs[-1], probs[:, [2, 9]], atol=1e-5)
    ranks = (probs[:, None] > probs[:, [2, 9], None]).sum(-1)
    assert np.array_equal(grid.watched_ranks[-1], ranks)


@pytest.mark.parametrize("shape", SHAPES)
def test_shares_add_up_to_the_logit_but_for_the_rounding_of_the_stream(shape: str, tmp_path: Path) -> None:
    engine = opened(tmp_path / shape, shape)
    found = engine.handle(views.AskContributions((1, 2)))
    assert not found.altered.any()
    size = max(1.0, *(float(np.abs(x).max()) for x in (found.heads, found.mlps, found.logits)))
    np.testing.assert_allclose(found.totals, found.logits, atol=0.05 * size)


@pytest.mark.parametrize(
    ("asked", "free", "gain", "chosen"),
    [
        ("fp32", 10**12, 9.0, "fp32"),
        ("bf16", 10**12, 0.1, "bf16"),
        ("auto", 10**12, 1.2, "fp32"),
        ("auto", 10**12, 1.3, "bf16"),
        ("auto", 300_000_000 + precision.WORKING_BYTES, 0.1, "bf16"),
        ("auto", 0, 0.1, "fp32"),
    ],
)
def test_the_dtype_goes_by_what_was_asked_then_by_memory_then_by_speed(
    asked: Precision, free: int, gain: float, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "free_memory_bytes", lambda _: free)
    monkeypatch.setattr(precision, "bf16_gain", lambda _: gain)
    assert precision.choose(asked, "cpu", 0, 100_000_000) == precision.DTYPES[chosen]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("fp32", r"needs about 40\.\d GB to be opened in fp32, 1\.0 GB are free; try --dtype bf16"),
        ("auto", r"needs about 20\.\d GB to be opened in bf16, 1\.0 GB are free; close other"),
    ],
)
def test_what_does_not_fit_is_one_line(asked: Precision, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "free_memory_bytes", lambda _: 1_000_000_000)
    with pytest.raises(UserError, match=says):
        precision.choose(asked, "cpu", 0, 10_000_000_000)


def test_the_speed_is_measured_once_for_a_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path))
    measured: list[str] = []

    def measure(device: str) -> float:
        measured.append(device)
        return 1.5

    monkeypatch.setattr(precision, "measure_gain", measure)
    assert [precision.bf16_gain("cpu") for _ in range(3)] == [1.5, 1.5, 1.5]
    assert measured == ["cpu"]
    next(tmp_path.rglob("bf16.json")).write_text('{"nonsense": []')
    assert precision.bf16_gain("cpu") == 1.5
    assert measured == ["cpu", "cpu"]
