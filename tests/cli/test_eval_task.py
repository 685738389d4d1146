"""Every bundled model can be examined again; here on a handful of problems, the full claim is the benchmark suite's."""

import json
import math
import shutil
from pathlib import Path

import pytest

from gpttui.evaluation.tasks import TASKS
from gpttui.storage import gallery, model_card
from gpttui.tokenizers import Tokenizer, train_characters
from tests.cli.conftest import Cli, make_model

BUNDLED = sorted(path.name for path in gallery.bundled_dir().iterdir() if (path / "config.json").exists())


ENOUGH = {"shakespeare": "4000", "names": "60", "addition": "60", "sort": "60", "translate": "60", "induction": "20"}
"""Where a handful is not: problems, or bytes of text."""

AT_LEAST = {
    "tales": {"pronoun": 0.8, "recall": 0.8},
    "names": {"better_by": 0.05, "new": 0.5},
    "addition": {"exact": 0.95},
    "sort": {"exact": 0.95},
    "translate": {"exact": 0.9},
    "induction": {"repeated_half": 0.9, "best_head_induction": 0.5},
    "digits": {"recognised": 0.6},
    "say": {"heard": 0.6, "recognised": 0.6},
}
AT_MOST = {"shakespeare": {"loss_nats": 1.85}, "tales": {"gap_nats": 0.2}}
"""What a small sample of a sound model does not miss, and a broken one does."""


@pytest.mark.parametrize("model", [name for name in BUNDLED if name in TASKS])
@pytest.mark.usefixtures("public_texts")
def test_a_bundled_model_is_examined(cli: Cli, model: str) -> None:
    result = cli("eval-task", model, "--n", ENOUGH.get(model, "8"), "--json")
    assert result.code == 0, result.err
    report = json.loads(result.out)
    assert list(report) == ["id", "metrics", "n", "seed"]
    assert report["id"] == model and report["seed"] >= 1_000_000
    metrics = report["metrics"]
    assert metrics and all(math.isfinite(value) for value in metrics.values())
    assert all(metrics[name] >= least for name, least in AT_LEAST.get(model, {}).items()), metrics
    assert all(metrics[name] <= most for name, most in AT_MOST.get(model, {}).items()), metrics


def test_every_task_model_claims_a_score_on_its_card() -> None:
    for model in BUNDLED:
        card = gallery.card(gallery.bundled_dir() / model)
        assert card.metric_name and card.metric_value is not None and card.data and card.summary, model
        assert 3 <= len(card.prompts) <= 4, model
        assert card.look_inside, model
        assert card.title not in ("", card.id) and card.cannot.endswith(".") and card.score.endswith("."), model
        assert card.metric_value in dict(card.measured).values(), model


def test_every_card_says_how_its_model_ends_and_how_long_its_vectors_are() -> None:
    for model in BUNDLED:
        path = gallery.bundled_dir() / model
        told, words = model_card.told(path), (path / "README.md").read_text(encoding="utf-8")
        assert told.ends_with is not None
        assert [Tokenizer.open(path).decode([n]) for n in told.ends_with] == [told.ends] * bool(told.ends), model
        assert (told.ends == "") == (model == "shakespeare") == ("draws a new line" not in words), model
        assert told.measured is not None and told.measured.metrics["whole_growth"] > 1
        assert told.vectors in words and told.cannot in words and told.score in words, model
        assert words == model_card.in_words(model, model_card.read(path))


def test_between_norms_vectors_grow_by_a_little() -> None:
    level = {"names"}
    for model in BUNDLED:
        path = gallery.bundled_dir() / model
        told = model_card.told(path).measured
        assert told is not None
        if json.loads((path / "config.json").read_text()).get("norm_place") == "both":
            grown = told.metrics
            assert grown["first_growth"] <= 30 and grown["later_growth"] <= 3 and grown["whole_growth"] <= 400, model
            level.discard(model)
    assert not level


def test_measured_scores_are_put_on_the_card_and_into_its_words(cli: Cli, tmp_path: Path) -> None:
    model = tmp_path / "sort"
    shutil.copytree(gallery.bundled_dir() / "sort", model)
    assert cli("eval-task", "sort", "--model", str(model), "--n", "4", "--seed", "1000007", "--write").code == 0
    measured = model_card.read(model)["measured"]
    assert (measured["n"], measured["seed"]) == (4, 1_000_007)
    assert f"| exact | {measured['metrics']['exact']} |" in (model / "README.md").read_text()
    words = (model / "README.md").read_text()
    assert "n 4" in words and f"{measured['metrics']['exact']:.2%} of 4 words put in order" in words
    grown = measured["metrics"]
    assert grown["whole_growth"] == pytest.approx(grown["length_2"] / grown["length_0"], rel=1e-3)
    assert f"{grown['later_growth']:.2f} times, all 2 together" in words


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


def test_a_metric_is_followed_over_the_checkpoints_of_a_run(cli: Cli, tmp_path: Path) -> None:
    model, run = tmp_path / "induction", tmp_path / "run"
    shutil.copytree(gallery.bundled_dir() / "induction", model)
    for step in ("00000000", "00000050"):
        shutil.copytree(model, run / "checkpoints" / step)
    for name in ("config.json", "events.jsonl"):
        (run / name).touch()
    result = cli("eval-task", "induction", "--model", model, "--n", "4", "--over", run, "--write")
    assert result.code == 0 and "step 50" in result.out
    course = model_card.read(model)["course"]
    assert course["metric"] == "best_head_induction" and course["steps"] == [0, 50]
    assert course["values"][0] == course["values"][1] > 0.9
    assert "Measured over checkpoints" in (model / "README.md").read_text()
