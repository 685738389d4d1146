"""`gpttui train`, `runs` and `eval` from the shell's side: what is printed, and where."""

import io
import itertools
import json
import math
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import torch
import torch.nn.functional as F

from gpttui.cli import train_output
from gpttui.cli.main import run as gpttui
from gpttui.errors import UserError
from gpttui.model import checkpoint
from gpttui.runs import rundir
from gpttui.runs.config import TrainConfig
from gpttui.runs.events import RunEnded, StepDone, decode_event
from gpttui.runs.history import curve, joined, loss_history
from gpttui.sessions.tree import OfRun, SessionFile, load_session, save_session
from gpttui.storage import gallery, model_card
from gpttui.tokenizers import Tokenizer
from gpttui.training import publish as publishing
from gpttui.training.evaluate import text_loss
from gpttui.training.publish import publish
from gpttui.training.recipes import TINY_SHAKESPEARE, Recipe
from tests.training.conftest import train

Tiny = Callable[..., TrainConfig]
SMALL = "--layers 1 --heads 2 --width 8 --context 16 --batch 2 --steps 4 --checkpoint-every 0 --sample-every 0".split()


@pytest.fixture
def trained(tiny: Tiny, tmp_path: Path) -> Path:
    train(tiny(), tmp_path / "run")
    return tmp_path / "run"


def test_json_lines_are_the_recorded_events(
    text_file: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert gpttui(["train", "--data", str(text_file), *SMALL, "--run-dir", str(tmp_path / "run"), "--json"]) == 0
    printed = capfdbinary.readouterr()
    assert printed.out == (tmp_path / "run" / "events.jsonl").read_bytes()
    events = [decode_event(line) for line in printed.out.splitlines()]
    assert sum(isinstance(event, StepDone) for event in events) == 4 and isinstance(events[-1], RunEnded)


def test_the_same_command_resumes_and_one_that_differs_is_told_in_what(
    text_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["train", "--data", text_file.name, "--documents", *SMALL, "--run-dir", "run"]
    assert gpttui(command) == 0
    monkeypatch.chdir(tmp_path.parent)
    command[2], command[-1] = str(text_file), str(tmp_path / "run")
    assert gpttui([*command, "--resume"]) == 0
    capsys.readouterr()
    for more, said in (
        (["--data", "other.txt"], "--data words.txt, not other.txt; leave out --data"),
        (["--layers", "6"], "--layers 1, not 6; leave out --layers"),
        (["--from-starts"], "was begun without --from-starts"),
        (["--optimizer", "muon"], "--optimizer adamw, not muon"),
        (["--recipe", "sort"], "was begun without --recipe"),
        (["--minutes", "1"], "give --steps or --minutes"),
    ):
        assert gpttui([*command, *more, "--resume"]) == 2
        error = capsys.readouterr().err
        assert said in error and error.count("\n") == 1
    assert len([e for e in rundir.read_events(tmp_path / "run") if isinstance(e, RunEnded)]) == 2


def test_a_run_goes_on_to_another_end_or_at_another_rate(text_file: Path, tmp_path: Path) -> None:
    def trained_with(*options: str) -> TrainConfig:
        assert gpttui(["train", "--run-dir", str(tmp_path / "run"), *options]) == 0
        return rundir.read_config(tmp_path / "run")

    plain = [option for option in SMALL if option not in ("--steps", "4")]
    timed = trained_with("--data", str(text_file), *plain, "--minutes", "0.0001")
    assert timed.minutes == 0.0001
    assert trained_with("--resume", "--minutes", "0.0001").minutes == 0.0001
    longer = trained_with("--resume", "--steps", str(timed.steps + 3))
    assert (longer.minutes, longer.steps) == (0, timed.steps + 3)
    turned = tmp_path / "run" / rundir.CONFIG
    turned.write_text(turned.read_text().replace('"lr_scale": 1.0', '"lr_scale": 0.5'))
    assert trained_with("--resume", "--lr", "0.001").lr_scale == 0.5  # its own
    assert trained_with("--resume", "--lr", "0.002").lr_scale == 1.0


def test_progress_comes_every_few_seconds_on_stdout(
    text_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(train_output, "monotonic", itertools.count().__next__)  # a second a step
    command = ["train", "--data", str(text_file), *SMALL, "--steps", "13", "--run-dir", str(tmp_path / "run")]
    assert gpttui(command) == 0
    printed = capsys.readouterr()
    told = [line.split(" of ")[0] for line in printed.out.splitlines() if " of 13 · " in line]
    assert told == ["step 1", "step 6", "step 11", "step 13"]
    assert "validation loss" in printed.out and "loss" not in printed.err


def test_the_curve_of_a_model_that_answers_tells_what_it_counts(tiny: Tiny, tmp_path: Path) -> None:
    file = tmp_path / "sums.txt"
    file.write_text("".join(f"{n}+{n}={n + n}\n" for n in range(400)), encoding="utf-8")
    rows = {"data": str(file), "documents": True, "answer_after": "="}
    for weight in (1.0, 0.1):
        path = tmp_path / f"run{weight}"
        train(tiny(**rows, prompt_weight=weight), path)
        publish(path, tmp_path / f"model{weight}")
        for found in (gallery.history(tmp_path / f"model{weight}"), curve(path)):
            assert found is not None and found.prompt_counts == weight


def test_stdin_is_a_text_like_any_other(
    text_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text_file.read_bytes())))
    assert gpttui(["train", "--data", "-", *SMALL, "--run-dir", str(tmp_path / "piped")]) == 0
    assert gpttui(["train", "--data", str(text_file), *SMALL, "--run-dir", str(tmp_path / "named")]) == 0
    assert "validation loss" in capsys.readouterr().out
    one, two = (
        [event.loss_nats for event in rundir.read_events(tmp_path / name) if isinstance(event, StepDone)]
        for name in ("piped", "named")
    )
    assert one == two


def test_a_directory_is_read_in_the_order_of_its_names(text_file: Path, tmp_path: Path) -> None:
    whole = text_file.read_text()
    (tmp_path / "texts" / "sub").mkdir(parents=True)
    (tmp_path / "texts" / "a.md").write_text(whole[:1000])
    (tmp_path / "texts" / "b.txt").write_text(whole[1000:])
    (tmp_path / "texts" / "sub" / "x.png").write_bytes(bytes(100))
    assert gpttui(["train", "--data", str(tmp_path / "texts"), *SMALL, "--run-dir", str(tmp_path / "run")]) == 0
    from gpttui.training.data import open_data

    data = open_data(rundir.read_config(tmp_path / "run"), tmp_path / "run")
    assert data.tokenizer.decode([*data.train.array.tolist(), *data.val.array.tolist()]) == whole


def test_a_run_of_a_newer_gpttui_is_refused_by_every_verb(
    trained: Path, text_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = trained / rundir.CONFIG
    config.write_text(config.read_text().replace('"format": 1', '"format": 2'))
    for verb in (["eval", "--model", str(trained), "--data", str(text_file)],
                 ["generate", "--model", str(trained)],
                 ["train", "--run-dir", str(trained), "--resume"]):  # fmt: skip
        assert gpttui(verb) == 1
        captured = capsys.readouterr()
        assert not captured.out and captured.err.count("\n") == 1 and "newer gpttui" in captured.err


def test_a_session_goes_on_under_the_checkpoint_it_was_saved_with(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    step_4 = rundir.checkpoint_at(trained, 4)
    card, file, held = gallery.card(step_4), tmp_path / "s.json", OfRun(str(trained), 4)
    session = SessionFile(model=str(trained), vocab_size=card.vocab_size, params=card.params, prompt="the", seed=3)

    def written(*where: str) -> list[tuple[int, float]]:
        assert gpttui(["generate", *where, "-n", "12", "--json"]) == 0
        tokens = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return [(token["id"], round(token["prob"], 5)) for token in tokens]

    plain = ("--prompt", "the", "--seed", "3")
    save_session(session, file)
    assert json.loads(file.read_text())["version"] == 1  # which older versions read
    assert written("--session", str(file)) == written("--model", str(trained), *plain)
    save_session(msgspec.structs.replace(session, checkpoint=held), file)
    assert json.loads(file.read_text())["version"] == 2 and load_session(file).checkpoint == held
    under = written("--model", str(step_4), *plain)
    assert written("--session", str(file)) == under != written("--model", str(trained), *plain)
    moved = trained.rename(tmp_path / "moved")
    assert written("--session", str(file), "--model", str(moved)) == under
    shutil.rmtree(moved / rundir.CHECKPOINTS / step_4.name)
    for model, words in (([], "model is not here"), (["--model", str(moved)], "keeps no checkpoint of step 4")):
        assert gpttui(["generate", "--session", str(file), *model]) == 1
        captured = capsys.readouterr()
        assert not captured.out and captured.err.count("\n") == 1 and words in captured.err


def test_runs_are_listed_by_machine_and_for_people(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gpttui(["runs", str(trained.parent), "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["name"], found["status"], found["step"], found["steps"]) == ("run", "finished", 12, 12)
    assert found["best_val_loss_nats"] <= found["val_loss_nats"] and found["checkpoints"] == 4
    assert gpttui(["runs", str(trained.parent)]) == 0
    assert "finished" in capsys.readouterr().out
    assert gpttui(["runs", str(trained.parent / "nowhere"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_eval_prints_the_loss_of_every_token(
    trained: Path, text_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = rundir.latest_checkpoint(trained)
    assert gpttui(["eval", "--model", str(saved), "--data", str(text_file), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    size = len(text_file.read_bytes())
    assert found["tokens"] == size - 1  # every character but the first is predicted
    assert found["perplexity"] == pytest.approx(math.exp(found["loss_nats"]))
    assert found["bits_per_byte"] == pytest.approx(found["loss_nats"] / math.log(2))


@pytest.mark.parametrize("stride", [1, 5, 16])
def test_strided_loss_equals_one_token_at_a_time(trained: Path, tmp_path: Path, stride: int) -> None:
    """The slow way: each token from all the context its window has, one forward pass a token."""
    saved = rundir.latest_checkpoint(trained)
    assert saved is not None
    model, tokenizer = checkpoint.load(saved), Tokenizer.open(saved)
    file = tmp_path / "short.txt"
    file.write_text("the queen sat down to think while rain fell")
    ids = torch.tensor(tokenizer.encode(file.read_text()))
    context, last = model.config.context, len(ids) - 1 - model.config.context
    starts = [*range(0, last, stride), last]
    losses = []
    for target in range(1, len(ids)):
        start = next(s for s in starts if target <= s + context)  # the first window that reaches it
        logits = model(ids[None, start:target])[0, -1]
        losses.append(float(F.cross_entropy(logits, ids[target])))
    found = text_loss(model, tokenizer, str(file), tmp_path / "spool", stride=stride)
    assert found.tokens == len(losses)
    assert found.loss_nats == pytest.approx(sum(losses) / len(losses), rel=1e-4)


def test_a_published_run_is_a_model_directory(tiny: Tiny, text_file: Path, tmp_path: Path) -> None:
    target, trained = tmp_path / "model", tmp_path / "run"
    text = text_file.rename(tmp_path / TINY_SHAKESPEARE)
    train(tiny(recipe="shakespeare", data=str(text)), trained)
    loss = publish(trained, target)
    card = gallery.card(target)
    assert card.metric_value == pytest.approx(loss, abs=1e-3) and card.prompts
    history = gallery.history(target)
    assert history is not None
    assert history.steps.tolist() == list(range(1, 13)) and history.val_steps.tolist() == [6, 12]
    assert (target / "README.md").read_text().startswith("# ")
    model = checkpoint.load(target)
    assert model.n_params == checkpoint.load(rundir.checkpoints(trained)[-1][1]).n_params
    assert (target / "model.safetensors").stat().st_size < 2.5 * model.n_params + 10_000  # half precision


@pytest.mark.parametrize("where", ["shakespeare", "best", "anywhere"])
def test_a_card_says_what_the_run_is_whatever_its_folder_is_called(
    text_file: Path, tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert gpttui(["train", "--data", str(text_file), *SMALL, "--run-dir", where, "--export", "a"]) == 0
    assert gpttui(["train", "--run-dir", where, "--resume", "--steps", "6", "--export", "b"]) == 0
    for name in ("a", "b"):
        card = model_card.read(tmp_path / name)
        assert (card["title"], card["recipe"], card["data"]) == (name, "", text_file.name)
        assert card["command"].startswith(f"gpttui train --data {text_file}")


def test_a_run_begun_as_a_recipe_stays_one_when_it_goes_on_and_is_none_on_another_text(
    text_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path / "home"))
    few = [*SMALL, "--label-smoothing", "0.0"]
    (tmp_path / "home" / "cache" / "texts").mkdir(parents=True)
    shutil.copy(text_file, tmp_path / "home" / "cache" / "texts" / TINY_SHAKESPEARE)
    assert gpttui(["train", "--recipe", "baseline", *few, "--run-dir", "mine"]) == 0
    assert gpttui(["train", "--run-dir", "mine", "--resume", "--steps", "6", "--export", "a"]) == 0
    card = model_card.read(tmp_path / "a")
    assert (card["recipe"], card["title"]) == ("baseline", "nanoGPT's CPU recipe")
    assert card["command"].startswith("gpttui train --recipe baseline --layers 1")
    other = text_file.rename(tmp_path / "other.txt")
    assert gpttui(["train", "--recipe", "baseline", "--data", str(other), *few, "--run-dir", "b", "--export", "c"]) == 0
    card = model_card.read(tmp_path / "c")
    assert (card["recipe"], card["title"], card["data"]) == ("", "c", "other.txt")
    assert card["command"].startswith(f"gpttui train --recipe baseline --data {other} ")


def test_the_command_on_a_card_makes_the_very_same_model_again(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = {"documents": True, "answer_after": "=", "prompt_weight": 0.1, "tied": False, "corpus_documents": 40}
    others = {"beta1": 0.8, "momentum": 0.9, "optimizer": "muon", "arch": "modern", "qk_gain": True, "keep": 3}
    others |= {"pattern_dropout": True, "min_lr_fraction": 0.1, "history": 9, "sample_tokens": 5, "eval_every": 0}
    config = tiny(data="corpus:addition", context=16, steps=3, sample_prompt="1 + it's=", **rows, **others)
    train(config, tmp_path / "run")
    publish(tmp_path / "run", tmp_path / "kept")
    command = shlex.split(model_card.read(tmp_path / "kept")["command"].replace("--run-dir RUN", "--run-dir again"))
    assert gpttui([*command[1:-1], "made", "--threads", "1"]) == 0
    again = rundir.read_config(tmp_path / "again")
    assert again == rundir.read_config(tmp_path / "run")
    assert model_card.read(tmp_path / "made")["metric_value"] == model_card.read(tmp_path / "kept")["metric_value"]


def test_a_corpus_keeps_its_pictures_and_sounds_without_a_recipe(tiny: Tiny, text_file: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(tiny(data="corpus:say", documents=True, corpus_documents=60, context=54, sample_prompt="say: no ="), run)
    publish(run, tmp_path / "kept")
    train(tiny(init=str(tmp_path / "kept"), data="corpus:say", documents=True, corpus_documents=60), tmp_path / "tuned")
    for saved in (rundir.checkpoints(run)[-1][1], tmp_path / "kept", rundir.checkpoints(tmp_path / "tuned")[-1][1]):
        card = gallery.card(saved)
        assert (card.token_view, card.data, card.ends) == ("speech", "say", "\n")
    assert gallery.card(tmp_path / "kept").prompt == "say: no ="
    newline = Tokenizer.open(tmp_path / "kept").encode("\n")
    assert model_card.read(tmp_path / "kept")["ends_with"] == newline and len(newline) == 1
    unasked = model_card.of_run(tiny(data="corpus:digits"))
    assert (unasked["token_view"], unasked["prompt"], unasked["ends"]) == ("digits", "digit 7:", "\n")
    assert model_card.of_run(tiny(data="corpus:python-code"))["ends"] == ""
    text = text_file.rename(tmp_path / "digits")
    train(tiny(data=str(text)), tmp_path / "letters")
    letters = gallery.card(rundir.checkpoints(tmp_path / "letters")[-1][1])
    assert (letters.token_view, letters.ends) == ("text", "")
    assert model_card.of_run(tiny(data=str(text), documents=True))["ends"] == "\n"


def test_a_recipe_of_two_stages_tells_of_both(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = tmp_path / "run"
    train(tiny(recipe="first"), trained)
    first, last = Recipe(tiny(), "First", "", ""), Recipe(tiny(init="first"), "Both", "", "")
    monkeypatch.setattr(publishing, "RECIPES", {"first": first, "both": last})
    publish(trained, tmp_path / "first")
    train(tiny(init=str(tmp_path / "first"), recipe="both"), tmp_path / "again")
    publish(tmp_path / "again", tmp_path / "both")
    history, card = gallery.history(tmp_path / "both"), model_card.read(tmp_path / "both")
    assert history is not None
    assert history.steps.tolist() == list(range(1, 25)) and history.val_steps.tolist() == [18, 24]
    assert history.title == "Both, in two stages"
    assert card["steps"] == 24
    assert card["command"] == "gpttui train --recipe both --run-dir RUN --export both"
    third = joined(json.loads((tmp_path / "both" / "history.json").read_text()), loss_history(trained, "Third", 12))
    assert third["title"] == "Third, in three stages" and third["steps"] == list(range(1, 37))
    (tmp_path / "first" / "history.json").unlink()
    with pytest.raises(UserError, match="by its recipe first"):
        publish(tmp_path / "again", tmp_path / "both")


def test_a_recipe_in_stages_trains_those_that_are_not_here(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path / "home"))
    for name, init in (("one", ""), ("two", "one"), ("three", "two")):
        monkeypatch.setitem(publishing.RECIPES, name, Recipe(tiny(init=init), name, "", ""))
    assert gpttui(["train", "--recipe", "three", "--run-dir", "run", "--export", "three", "--threads", "1"]) == 0
    assert "three goes on from the model two, which is not here: that is trained first" in capsys.readouterr().err
    assert {"one", "two"} <= set(gallery.directories())
    assert model_card.read(tmp_path / "three")["steps"] == 36
    assert gpttui(["train", "--recipe", "three", "--run-dir", "again", "--threads", "1"]) == 0
    assert "not here" not in capsys.readouterr().err
    assert len(list((tmp_path / "home").rglob("events.jsonl"))) == 2


def test_processes_of_torchrun_are_told_which_stage_is_missing(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WORLD_SIZE", "2")
    for name, init in (("one", ""), ("two", "one")):
        monkeypatch.setitem(publishing.RECIPES, name, Recipe(tiny(init=init), name, "", ""))
    assert gpttui(["train", "--recipe", "two", "--run-dir", str(tmp_path / "run")]) != 0
    assert "first: gpttui train --recipe one --export one" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
