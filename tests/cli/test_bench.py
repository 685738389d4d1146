"""The benchmark verb measures the real program; here it only has to measure, not to be fast."""

import json
from pathlib import Path

import pytest

from gpttui.bench import real
from gpttui.bench.report import Row, against, in_turns
from gpttui.bench.terminal import Terminal
from gpttui.errors import UserError
from gpttui.inference.opening import open_model
from gpttui.inference.session import Session
from tests.benchmarks.goals.curves import curve_rows
from tests.benchmarks.goals.startup import measure_startup
from tests.benchmarks.timing import quantile
from tests.cli.conftest import Cli

FIELDS = {"name", "value", "unit", "baseline", "baseline_value", "ratio", "at_least", "aim", "note", "verdict"}


def _rows(out: str) -> list[dict[str, object]]:
    report = json.loads(out)
    assert set(report) == {"bench", "machine", "rows"}
    assert all(set(row) == FIELDS for row in report["rows"])
    rows: list[dict[str, object]] = report["rows"]
    return rows


def test_startup_measures_the_real_program(bpe_model: Path) -> None:
    painted, ready, memory = measure_startup(str(bpe_model), rounds=1)
    assert painted.baseline_value is not None and painted.baseline_value > 50 and 50 < painted.value < ready.value
    assert painted.ratio == pytest.approx(painted.value / painted.baseline_value)
    assert 50 < memory.value < 2000


def test_a_curve_is_drawn_and_weighed() -> None:
    redraw, memory = curve_rows(5000)
    assert redraw.value > 0 and 0.01 < memory.value < 50


def test_train_compares_on_the_same_batches(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gpttui.bench.train.STEPS_OF_A_ROUND", 3)
    result = cli("bench", "train", "--rounds", "1", "--json")
    assert result.code == 0, result.err
    (step,) = _rows(result.out)
    assert 0 < step["ratio"] < 10  # type: ignore[operator]
    assert "gpttui data tinyshakespeare" in result.err
    assert "measuring a step, in turns with transformers, 1 x 3" in result.err


def test_a_step_is_compared_for_the_small_shape() -> None:
    from gpttui.bench import step

    (row,) = step.measure(repeats=1, shapes=("small",))
    assert row.ratio is not None and 0 < row.ratio < 10


def test_a_real_model_is_measured_with_and_without_a_yardstick(
    char_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model, tokenizer = open_model(char_model)
    row = real.step_row(model, Session(model, tokenizer, prompt="a"), None, 1)
    assert row.value > 0 and row.verdict == "" and "pip install transformers" in row.note
    monkeypatch.setattr(real, "LONG_TOKENS", 40)
    real.memory_over_weights(str(char_model), "fp32")
    over_mb, start_mb = map(float, capsys.readouterr().out.split())
    assert 0 < start_mb <= over_mb < 2000

    def elsewhere(call: str, *_: object, home: str = "") -> str:
        if call == "their_opening_s" and not there:
            raise UserError("no module named transformers")
        return "1.0" if home else "20.0"

    monkeypatch.setattr(real, "_elsewhere", elsewhere)
    there = True
    assert [(row.ratio, row.verdict) for row in real.opening_rows(char_model, "fp32")] == [(0.05, "aim")] * 2
    there = False
    assert [(row.ratio, row.verdict) for row in real.opening_rows(char_model, "fp32")] == [(None, "")] * 2


@pytest.mark.parametrize(("ratio", "verdict"), [(0.3, "aim"), (0.4, "aim"), (0.7, "at least"), (0.9, "missed")])
def test_the_verdict_is_about_the_ratio(ratio: float, verdict: str) -> None:
    assert against("x", [ratio * 10], "y", [10.0], at_least=0.8, aim=0.4).verdict == verdict


def test_the_verdict_without_a_ratio_is_about_the_value() -> None:
    assert Row("x", 500, "ms", at_least=600, aim=300).verdict == "at least"
    assert Row("x", 500, "ms").verdict == ""


@pytest.mark.parametrize(("share", "value"), [(0.5, 2), (0.95, 4), (0.0, 1), (1.0, 4), (0.75, 3)])
def test_quantiles(share: float, value: float) -> None:
    assert quantile([4, 2, 1, 3], share) == value


def test_turns_alternate() -> None:
    order: list[str] = []

    def work(name: str) -> float:
        order.append(name)
        return float(len(order))

    assert in_turns(2, lambda: work("a"), lambda: work("b")) == [[1, 3], [2, 4]]
    assert order == ["a", "b", "a", "b"]


def test_a_terminal_shows_text_without_its_escapes() -> None:
    with Terminal(
        ["sh", "-c", r"printf '\033[31mr\033[0med \033]0;title\007%s' $(stty size | tr ' ' x); read x"]
    ) as terminal:
        terminal.wait_for(lambda text: "40x120" in text, "its size", limit_s=20)
        assert terminal.text() == "red 40x120"


def test_a_program_that_ends_early_is_an_error_with_its_last_words() -> None:
    with (
        Terminal(["sh", "-c", "echo gone; exit 3"]) as terminal,
        pytest.raises(UserError, match=r"ended with status 3; it showed: gone"),
    ):
        terminal.wait_for(lambda text: False, "anything", limit_s=20)
