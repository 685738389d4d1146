"""A run has a name, which is printed, and every verb takes it; so has each of its checkpoints."""

from pathlib import Path

import pytest

from gpttui import locations
from gpttui.runs import rundir
from tests.cli.conftest import Cli

SMALL = (
    "--layers 1 --heads 2 --width 8 --context 16 --batch 2 --steps 4 --checkpoint-every 2 --sample-every 0 --threads 1"
).split()
GREEDY = ("--prompt", "the", "--temperature", "0", "-n", "5")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def text(tmp_path: Path) -> Path:
    file = tmp_path / "kings.txt"
    file.write_text("the king and the queen of ink sat down to think\n" * 60)
    return file


def test_a_run_without_a_folder_says_where_it_is_kept_and_every_verb_takes_its_name(cli: Cli, text: Path) -> None:
    done = cli("train", "--data", text, *SMALL)
    run = locations.runs_dir() / "kings"
    first, *_, last = done.err.splitlines()
    assert done.code == 0 and str(run) in first and "gpttui watch kings" in first
    assert str(run) in last and "gpttui --model kings" in last and "gpttui watch kings" in last
    plain = cli("generate", "--model", run, *GREEDY).out
    for name in ("kings", "runs/kings", "kings@4"):
        assert cli("generate", "--model", name, *GREEDY).out == plain
    by_path = cli("generate", "--model", run / "checkpoints" / "00000002", *GREEDY).out
    assert cli("generate", "--model", "kings@2", *GREEDY).out == by_path
    assert "loss" in cli("eval", "--model", "kings@2", "--data", text).out
    assert cli("tokens", "--model", "kings", "the").code == 0
    assert cli("trace", "--model", "kings", "--prompt", "the", "--out", "t.npz").code == 0
    assert cli("train", "--data", text, "--steps", "2", "--init", "kings", "--run-dir", "tuned").code == 0
    again = cli("train", "--run-dir", "kings", "--resume", "--steps", "6")
    assert again.code == 0 and rundir.checkpoints(run)[-1][0] == 6


def test_a_name_that_no_run_has_gets_the_nearest_one(cli: Cli, text: Path) -> None:
    assert cli("train", "--data", text, *SMALL).code == 0
    wrong = cli("generate", "--model", "kings@5", *GREEDY)
    assert wrong.code == 1 and "keeps no checkpoint of step 5" in wrong.err
    assert "no model is called 'kinks'; did you mean 'kings'?" in cli("generate", "--model", "kinks", *GREEDY).err
    for verb in (("train", "--run-dir", "kinks", "--resume"), ("eval-task", "names", "--over", "kinks")):
        assert "no run is called 'kinks'; did you mean 'kings'?" in cli(*verb).err


def test_a_run_is_not_called_like_a_model_and_where_it_is_both_can_be_named(cli: Cli, text: Path) -> None:
    names = text.rename(text.with_name("names.txt"))
    done = cli("train", "--data", names, *SMALL)
    assert done.code == 0 and (locations.runs_dir() / "my-names").is_dir() and "gpttui --model my-names" in done.err
    (locations.runs_dir() / "my-names").rename(locations.runs_dir() / "names")
    first, second = (cli("eval", "--model", ref, "--data", names).out for ref in ("names", "runs/names"))
    assert first and second and first != second
    assert "gpttui --model runs/names" in cli("train", "--run-dir", "names", "--resume", "--steps", "6").err


def test_export_takes_a_model_and_a_place_and_calls_a_checkpoint_by_its_name(cli: Cli, text: Path) -> None:
    assert cli("train", "--data", text, *SMALL).code == 0
    for target in ("kings", "runs/kings", locations.runs_dir() / "kings"):
        lone = cli("export", target)
        assert lone.code == 2 and f"{target} is a run; where to write it? gpttui export {target} DIRECTORY" in lone.err
    assert "is a model; where to write it?" in cli("export", "tales").err
    done = cli("export", "kings", "out")
    assert done.code == 0 and "kings@4 written to out" in done.err
    assert "kings@2 written to there" in cli("export", "kings@2", "there").err
    assert "name one model and one directory" in cli("export", "kings", "a", "b").err
    assert "name one model and one directory" in cli("export", "--model", "kings", "kings", "b").err
    assert not Path("a").exists() and not Path("b").exists()
    Path("file").write_text("mine")
    assert "is a file" in cli("export", "kings", "file").err and Path("file").read_text() == "mine"


def test_a_refused_export_says_what_to_train_instead(cli: Cli, text: Path) -> None:
    assert cli("train", "--data", text, *SMALL, "--arch", "modern", "--qk-gain").code == 0
    refused = cli("export", "kings", "out")
    assert refused.code == 1 and refused.err.startswith("gpttui: kings@4 has ") and "qk_gain True" in refused.err
    assert refused.err.endswith("trained with --arch gpt2 or llama can be exported\n") and not Path("out").exists()
