"""The full claim of every bundled model: what its card says, measured again over as much as the card took. Minutes."""

import pytest

from gpttui.errors import UserError
from gpttui.evaluation.tasks import TASKS, evaluate
from gpttui.storage import gallery, model_card

BUNDLED = sorted(path.name for path in gallery.bundled_dir().iterdir() if (path / "config.json").exists())
EXACT_ENOUGH = 0.005
"""Rounding differs between machines: a greedy answer or a sample may fall the other way."""


@pytest.mark.parametrize("model", [name for name in BUNDLED if name in TASKS])
def test_a_card_keeps_its_word(model: str) -> None:
    path = gallery.bundled_dir() / model
    claimed = model_card.read(path)["measured"]
    try:
        found = evaluate(model, path, n=claimed["n"] or None, seed=claimed["seed"])
    except UserError as error:
        pytest.skip(str(error))
    assert found.metrics == pytest.approx(claimed["metrics"], abs=EXACT_ENOUGH, rel=1e-3)


def test_all_models_together_fit_the_wheel() -> None:
    files = [file for file in gallery.bundled_dir().rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) <= 30e6
