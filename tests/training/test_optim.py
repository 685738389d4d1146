"""Muon against `torch.optim.Muon` and against plain linear algebra; schedules by their corners."""

import warnings

import pytest
import torch

from gpttui.model.gpt import GPT
from gpttui.runs.config import TrainConfig
from gpttui.training.optim import COEFFICIENTS, Muon, lr_factor, make_optimisers, orthogonalise
from gpttui.training.shape import model_shape


def newton_schulz(x: torch.Tensor, steps: int = 5) -> torch.Tensor:
    """One matrix at a time, as written in the post, in x's precision."""
    a, b, c = COEFFICIENTS
    turned = x.size(0) > x.size(1)
    x = x.T if turned else x
    x = x / x.norm()
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if turned else x


@pytest.mark.parametrize("shape", [(16, 16), (16, 24), (8, 64), (64, 8), (24, 16)])
def test_batched_orthogonalisation_is_newton_schulz_matrix_by_matrix(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    x = torch.randn(5, *shape, dtype=torch.float64)
    expected = torch.stack([newton_schulz(matrix) for matrix in x])
    torch.testing.assert_close(orthogonalise(x), expected, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(orthogonalise(x.float()).double(), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_singular_values_come_out_near_one(dtype: torch.dtype) -> None:
    torch.manual_seed(1)
    values = torch.linalg.svdvals(orthogonalise(torch.randn(3, 32, 96).to(dtype)).float())
    assert float(values.min()) > 0.6 and float(values.max()) < 1.3


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_small_singular_values_do_not_blow_up(dtype: torch.dtype) -> None:
    """Real gradients' singular values fall over several orders of magnitude."""
    torch.manual_seed(2)
    left, right = torch.linalg.qr(torch.randn(32, 32))[0], torch.linalg.qr(torch.randn(128, 32))[0]
    x = (left * 10 ** torch.linspace(0, -4, 32)) @ right.T
    values = torch.linalg.svdvals(orthogonalise(x[None].to(dtype)).float())
    assert float(values.max()) < 1.3


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_muon_moves_weights_as_torch_optim_muon_does(weight_decay: float) -> None:
    torch.manual_seed(2)
    shapes = [(16, 16), (16, 16), (64, 16), (16, 64)]
    ours = [torch.nn.Parameter(torch.randn(shape)) for shape in shapes]
    theirs = [torch.nn.Parameter(p.detach().clone()) for p in ours]
    mine = Muon(ours, lr=0.02, momentum=0.95, weight_decay=weight_decay)
    reference = torch.optim.Muon(theirs, lr=0.02, momentum=0.95, weight_decay=weight_decay, nesterov=True)
    before = [p.detach().clone() for p in ours]
    for _ in range(4):
        for p, q in zip(ours, theirs, strict=True):
            p.grad = torch.randn_like(p)
            q.grad = p.grad.clone()
        mine.step()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reference.step()
    for p, q, start in zip(ours, theirs, before, strict=True):
        moved, apart = (q - start).detach().norm(), (p - q).detach().norm()
        assert float(apart / moved) < 0.02  # theirs iterates in bfloat16


def test_queries_keys_and_values_are_orthogonalised_apart() -> None:
    torch.manual_seed(3)
    fused = torch.nn.Parameter(torch.zeros(48, 16))
    fused.grad = torch.randn(48, 16)
    parts = [torch.nn.Parameter(torch.zeros(16, 16)) for _ in range(3)]
    for part, grad in zip(parts, fused.grad.chunk(3), strict=True):
        part.grad = grad.clone()
    Muon([fused], thirds=[fused]).step()
    Muon(parts).step()
    torch.testing.assert_close(fused.detach(), torch.cat([part.detach() for part in parts]))


@pytest.mark.parametrize("arch", ["gpt2", "modern"])
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_every_parameter_has_one_optimiser_and_only_matrices_decay(arch: str, optimizer: str) -> None:
    config = TrainConfig(data="x", arch=arch, optimizer=optimizer, layers=2, heads=2, width=16, context=8)  # type: ignore[arg-type]
    model = GPT(model_shape(config, 20))
    optimisers = make_optimisers(model, config, torch.device("cpu"))
    groups = [group for optimiser in optimisers for group in optimiser.param_groups]
    held = [id(p) for group in groups for p in group["params"]]
    assert sorted(held) == sorted(id(p) for p in model.parameters())
    for group in groups:
        for p in group["params"]:
            assert p.ndim == 2 or group["weight_decay"] == 0


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
def test_schedules_climb_peak_and_end_where_they_should(schedule: str) -> None:
    config = TrainConfig(data="x", steps=1000, warmup=50, schedule=schedule, min_lr_fraction=0.1)  # type: ignore[arg-type]
    factors = [lr_factor(config, step) for step in range(config.steps)]
    assert 0 < factors[0] < 0.05
    assert factors[:50] == sorted(factors[:50])
    assert max(factors) == pytest.approx(1.0)
    assert factors[-1] == pytest.approx(1.0 if schedule == "constant" else 0.1, abs=0.01)


def test_a_linear_schedule_can_hold_its_peak() -> None:
    config = TrainConfig(data="x", steps=100, warmup=0, schedule="linear", stable_fraction=0.5)
    assert lr_factor(config, 49) == 1.0
    assert lr_factor(config, 75) == pytest.approx(0.5)
