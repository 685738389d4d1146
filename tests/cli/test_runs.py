"""`gpttui runs show` and `export`, and a run trained again from its config."""

import csv
import io
from pathlib import Path

import pytest

from gpttui import locations
from gpttui.model import checkpoint
from gpttui.runs import rundir
from tests.cli.conftest import Cli

SMALL = "--layers 1 --heads 2 --width 8 --context 16 --batch 2 --steps 4 --sample-every 0 --device cpu".split()


@pytest.fixture
def run(cli: Cli, tmp_path: Path) -> Path:
    text = tmp_path / "kings.txt"
    text.write_text("the king of the north and the queen of the south met in the middle of the land\n" * 20)
    assert cli("train", "--data", text, *SMALL, "--run-dir", locations.runs_dir() / "kings").code == 0
    return locations.runs_dir() / "kings"


def test_a_config_trains_the_very_same_run_again(cli: Cli, run: Path, tmp_path: Path) -> None:
    told = cli("runs", "show", "kings", "--config")
    file = tmp_path / "run.toml"
    file.write_text(told.out, encoding="utf-8")
    assert told.code == 0 and "steps = 4" in told.out
    assert cli("train", "--config", file, "--run-dir", tmp_path / "again").code == 0
    one, other = (checkpoint.load(rundir.checkpoints(path)[-1][1]) for path in (run, tmp_path / "again"))
    assert all((p == q).all() for p, q in zip(one.parameters(), other.parameters(), strict=True))
    assert cli("train", "--config", file, "--steps", "2", "--run-dir", tmp_path / "two").code == 0
    assert rundir.read_config(tmp_path / "two").steps == 2
    for wrong in (("--recipe", "names"), ("--layers", "0")):
        assert cli("train", "--config", file, *wrong).code != 0


def test_every_step_as_csv(cli: Cli, run: Path, tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(cli("runs", "export", "kings", "--to", "csv").out)))
    assert [row["step"] for row in rows] == ["1", "2", "3", "4"] and float(rows[-1]["val_loss_nats"]) > 0
    assert cli("runs", "export", "kings", "--to", "csv", "--out", tmp_path / "steps.csv").code == 0
    assert len((tmp_path / "steps.csv").read_text().splitlines()) == 5


def test_one_run_is_told_with_what_simple_guesses_cost(cli: Cli, run: Path) -> None:
    told = cli("runs", "show", "kings").out
    assert "blind guess" in told and "bigrams" in told and "kings" in cli("runs").out


@pytest.mark.parametrize(
    "words",
    [("show",), ("export", "kings"), ("show", "nothing"), ("show", "kings", "more"), ("--config",), ("--to", "csv"),
     ("export", "kings", "--to", "xml"), ("one", "two")],
)  # fmt: skip
def test_what_cannot_be_is_one_line(cli: Cli, run: Path, words: tuple[str, ...]) -> None:
    done = cli("runs", *words)
    assert done.code != 0 and not done.out and "Traceback" not in done.err
