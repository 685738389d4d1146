"""Every bundled model can be examined again; here on a handful of problems, the full claim is the benchmark suite's."""

import json
import math
import shutil
from pathlib import Path

import pytest

from gpttui import datasets, gallery
from gpttui.evaluation.tasks import TASKS
from gpttui.tokenizers import train_characters
from tests.cli.conftest import Cli, make_model

BUNDLED = sorted(path.name for path in gallery.bundled_dir().iterdir() if (path / "config.json").exists())


ENOUGH = {"shakespeare": "4000"}
"""Where a handful is not: bytes of text."""


@pytest.fixture
def texts(data_dir: Path) -> None:
    """The public texts, as if they had been fetched."""
    for text in datasets.PUBLIC_TEXTS.values():
        datasets.file_of(text).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(data_dir / f"{text.name}.txt", datasets.file_of(text))


@pytest.mark.parametrize("model", [name for name in BUNDLED if name in TASKS])
@pytest.mark.usefixtures("texts")
def test_a_bundled_model_is_examined(cli: Cli, model: str) -> None:
    result = cli("eval-task", model, "--n", ENOUGH.get(model, "8"), "--json")
    assert result.code == 0, result.err
    report = json.loads(result.out)
    assert list(report) == ["id", "metrics", "n", "seed"]
    assert report["id"] == model and report["seed"] >= 1_000_000
    assert report["metrics"] and all(math.isfinite(value) for value in report["metrics"].values())


def test_every_task_model_claims_a_score_on_its_card() -> None:
    for model in BUNDLED:
        card = gallery.card(gallery.bundled_dir() / model)
        assert card.metric_name and card.metric_value is not None and card.data and card.summary, model
        assert len(card.prompts) >= 1, model


def test_a_random_model_adds_badly(cli: Cli, tmp_path: Path) -> None:
    model = make_model(tmp_path / "m", train_characters(["0123456789+=\n"]), context=20)
    report = json.loads(cli("eval-task", "addition", "--model", model, "--n", "20", "--json").out)
    assert report["metrics"]["exact"] == 0 and report["n"] == 20
    assert "exact" in cli("eval-task", "addition", "--model", model, "--n", "20").out


def test_what_cannot_be_examined_is_one_line(cli: Cli, char_model: Path) -> None:
    for args in (("additon",), ("addition", "--model", char_model, "--seed", "5"), ("chess", "--model", char_model)):
        result = cli("eval-task", *args)
        assert result.code == 1 and result.err.count("\n") == 1


def test_without_a_name_it_lists_the_tasks(cli: Cli) -> None:
    out = cli("eval-task").out
    assert all(name in out for name in TASKS)
