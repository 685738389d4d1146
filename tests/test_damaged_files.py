"""A file of the wrong kind, size or type is one clear line at once, whoever reads it."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gpttui import files, settings
from gpttui.errors import UserError
from gpttui.inference.opening import open_model
from gpttui.model import checkpoint
from gpttui.runs import rundir
from gpttui.runs import summary as run_summary
from gpttui.runs.config import TrainConfig
from gpttui.runs.events import StepDone, encode_event
from gpttui.sessions.tree import FORMAT, load_session
from gpttui.storage import gallery, model_card, model_config
from gpttui.training import checkpoints
from tests import damage, fakes

HUGE_BYTES = 1 << 40


def fifo(file: Path) -> None:
    os.mkfifo(file)


def endless(file: Path) -> None:
    file.symlink_to("/dev/zero")


def sparse(file: Path) -> None:
    with file.open("wb") as handle:
        handle.truncate(HUGE_BYTES)


def directory(file: Path) -> None:
    file.mkdir()


NO_FILES: list[Callable[[Path], None]] = [fifo, endless, sparse, directory]


def model(tmp_path: Path) -> Path:
    path = fakes.tiny_model_dir(tmp_path)
    (path / "card.json").write_text("{}")
    (path / "history.json").write_text("{}")
    return path


def whole(path: Path) -> None:
    """Everything that is read of a model's directory when it is opened."""
    config = checkpoint.read_config(path)
    gallery.card(path, config)
    open_model(path, config)
    gallery.history(path)


def run(tmp_path: Path) -> Path:
    path = tmp_path / "run"
    path.mkdir()
    (path / "config.json").write_text(TrainConfig(data="x").to_json())
    step = StepDone(step=1, loss_nats=2.0, lr=1.0, grad_norm=1.0, layer_grad_norms=[], tokens_per_s=1.0, elapsed_s=1.0)
    (path / "events.jsonl").write_bytes(encode_event(step) + b"\n")
    return path


@pytest.mark.parametrize("put", NO_FILES)
@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json", "card.json", "history.json"])
def test_what_is_no_file_of_a_model_is_refused_at_once(put: Callable[[Path], None], name: str, tmp_path: Path) -> None:
    path = model(tmp_path)
    (path / name).unlink()
    put(path / name)
    with pytest.raises(UserError) as caught:
        whole(path)
    assert name in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("put", NO_FILES)
@pytest.mark.parametrize("name", ["config.json", "events.jsonl", "latest", "lock"])
def test_what_is_no_file_of_a_run_is_refused_or_passed_over(
    put: Callable[[Path], None], name: str, tmp_path: Path
) -> None:
    path = run(tmp_path)
    (path / name).unlink(missing_ok=True)
    put(path / name)
    assert not rundir.is_locked(path)
    if name == "config.json":
        with pytest.raises(UserError, match=name):
            run_summary.describe(path)
    elif name == "events.jsonl":
        with pytest.raises(UserError, match=name):
            run_summary.describe(path)
        runs, broken = run_summary.list_runs(tmp_path)
        assert runs == [] and len(broken) == 1 and name in broken[0]
    else:
        assert run_summary.describe(path).step == 1 and rundir.latest_checkpoint(path) is None


@pytest.mark.parametrize("put", NO_FILES)
def test_what_is_no_session_no_state_and_no_settings(put: Callable[[Path], None], tmp_path: Path) -> None:
    put(tmp_path / "training.json")
    with pytest.raises(UserError, match="cannot be read"):
        load_session(tmp_path / "training.json")
    with pytest.raises(UserError, match="cannot be read"):
        checkpoints.read_state(tmp_path)
    read, notices = settings.load(tmp_path / "training.json")
    assert read == settings.DEFAULTS and len(notices) == 1 and "cannot be read" in notices[0]


OTHERWISE: list[Any] = [None, 5, [], "x", {"prompts": 3}, {"summary": 5}, {"measured": []}, {"metric_value": "1"}]


@pytest.mark.parametrize("content", OTHERWISE, ids=json.dumps)
def test_a_card_of_another_type_names_itself(content: Any, tmp_path: Path) -> None:
    path = model(tmp_path)
    (path / "card.json").write_text(json.dumps(content))
    for read in (gallery.card, model_card.read, gallery.told):
        with pytest.raises(UserError, match=r"card\.json cannot be read"):
            read(path)


@pytest.mark.parametrize("content", [None, 5, [], {"steps": 3}, {"steps": ["1"]}, {"losses_nats": [None]}])
def test_a_history_of_another_type_names_itself(content: Any, tmp_path: Path) -> None:
    path = model(tmp_path)
    (path / "history.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match=r"history\.json"):
        gallery.history(path)


@pytest.mark.parametrize("figure", ["NaN", "Infinity", "1e999", "1" + "0" * 400])
def test_figures_that_are_no_numbers_never_reach_a_list(figure: str, tmp_path: Path) -> None:
    path = model(tmp_path)
    for content in (f'{{"metric_value": {figure}}}', f'{{"measured": {{"metrics": {{"a": {figure}}}}}}}'):
        (path / "card.json").write_text(content)
        with pytest.raises(UserError, match=r"card\.json cannot be read"):
            gallery.card(path)
    (path / "history.json").write_text(f'{{"steps": [1], "losses_nats": [{figure}]}}')
    with pytest.raises(UserError, match=r"history\.json cannot be read"):
        gallery.history(path)


@pytest.mark.parametrize("value", ["1", 1.0, True, None, [1], 10**400])
def test_no_number_of_a_config_is_made_of_something_else(value: Any) -> None:
    shape = {"vocab_size": 9, "n_positions": 8, "n_layer": 1, "n_head": 1, "n_embd": 8}
    for name in shape:
        with pytest.raises(UserError, match=f"{name} is .*, not a whole number"):
            model_config.convert({"model_type": "gpt2"} | shape | {name: value})


def test_a_checkpoint_is_named_by_plain_digits(tmp_path: Path) -> None:
    path = run(tmp_path)
    for name in ("00000007", "²", "٣", "1" * 40, "x"):
        folder = path / "checkpoints" / name
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        (folder / "training.json").write_text("{}")
    assert [step for step, _ in rundir.checkpoints(path)] == [7]
    for name in ("²", "../../elsewhere", "x\0y"):
        (path / "latest").write_text(name)
        newest = rundir.latest_checkpoint(path)
        assert newest is not None and newest.name == "00000007"


@pytest.mark.parametrize("number", [10**400, -1, 1 << 60])
def test_numbers_of_a_run_that_cannot_be(number: int, tmp_path: Path) -> None:
    path = run(tmp_path)
    raw = json.loads((path / "config.json").read_text())
    for name in ("steps", "batch", "seed", "minutes"):
        (path / "config.json").write_text(json.dumps(raw | {name: number}))
        with pytest.raises(UserError, match="cannot be read"):
            rundir.read_config(path)
    (path / "config.json").write_text(json.dumps(raw | {"format": "x"}))
    with pytest.raises(UserError, match="format: expected a whole number"):
        rundir.read_config(path)
    line = (path / "events.jsonl").read_text().replace('"step":1', f'"step":{number}')
    (path / "events.jsonl").write_text(line)
    assert list(rundir.read_events(path)) == []


SESSION: dict[str, Any] = {"format": FORMAT, "version": 1, "model": "m", "vocab_size": 9, "params": 9, "prompt": "x"}
NODE = {"id": 0, "parent": -1, "token_id": 1, "bits": 1.0}
NO_SESSIONS: dict[str, str] = {
    "infinite bits": json.dumps(SESSION | {"branches": [NODE | {"bits": float("inf")}]}),
    "bits that are none": json.dumps(SESSION | {"branches": [NODE | {"bits": float("nan")}]}),
    "bits beyond all": json.dumps(SESSION | {"branches": [NODE | {"bits": 1e300}]}),
    "a model of no path": json.dumps(SESSION | {"model": "x" * 100_000}),
    "a huge seed": json.dumps(SESSION | {"seed": 10**400}),
    "a huge position": json.dumps(SESSION | {"position": 1 << 62}),
    "a token of no vocabulary": json.dumps(SESSION | {"appended": [1 << 60], "picked": [False]}),
    "too many tokens": json.dumps(SESSION | {"appended": [1] * 100_001, "picked": [False] * 100_001}),
    "nested": json.dumps(SESSION)[:-1] + ', "view": ' + '{"a":' * 500 + "1" + "}" * 500 + "}",
    "nested without end": json.dumps(SESSION)[:-1] + ', "view": ' + "[" * 100_000,
    "half a character": json.dumps(SESSION | {"prompt": "\ud800"}),
    "a number beyond all": json.dumps(SESSION | {"view": {"kept": {"walk": [1 << 63, 0, 0]}}}),
    "a branch on itself": json.dumps(SESSION | {"branches": [NODE | {"id": 1, "parent": 1}]}),
    "a branch on nothing": json.dumps(SESSION | {"branches": [NODE | {"parent": 7}]}),
    "a branch twice": json.dumps(SESSION | {"branches": [NODE, NODE]}),
    "a circle": json.dumps(SESSION | {"branches": [NODE | {"id": 0, "parent": 1}, NODE | {"id": 1, "parent": 0}]}),
}


@pytest.mark.parametrize("name", NO_SESSIONS)
def test_a_session_file_that_cannot_be_is_one_line(name: str, tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    file.write_text(NO_SESSIONS[name])
    with pytest.raises(UserError) as caught:
        load_session(file)
    assert str(caught.value).startswith(str(file)) and "\n" not in str(caught.value) and len(str(caught.value)) < 400


def test_twenty_thousand_branches_open(tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    nodes = [NODE | {"id": n, "parent": n - 1 if n % 2 else -1} for n in range(20_000)]
    file.write_text(json.dumps(SESSION | {"branches": nodes}))
    assert len(load_session(file).branches) == 20_000


def test_a_value_at_fault_is_named_in_words(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        files.from_json('{"metric_value": "x"}', model_card.Told, "card.json")
    assert str(caught.value) == "card.json cannot be read: metric_value: expected a number or null, got a text"


@pytest.mark.parametrize("put", [fifo, endless, directory])
@pytest.mark.parametrize("name", ["lock", "events.jsonl"])
def test_nothing_is_written_into_what_is_no_file(put: Callable[[Path], None], name: str, tmp_path: Path) -> None:
    path = tmp_path / "run"
    path.mkdir()
    put(path / name)
    with pytest.raises(UserError, match=r"cannot (write|be read)"):
        rundir.RunLock(path) if name == "lock" else rundir.EventWriter(path)


def test_an_endless_line_is_not_cut_off(tmp_path: Path) -> None:
    path = run(tmp_path)
    with (path / "events.jsonl").open("rb+") as handle:
        handle.truncate(HUGE_BYTES)
    with pytest.raises(UserError, match="no line end"):
        rundir.EventWriter(path)
    assert (path / "events.jsonl").stat().st_size == HUGE_BYTES


def test_damage_opens_right_or_says_why_in_one_line(tmp_path: Path) -> None:
    """A short sample of tests/benchmarks/test_fuzz_files.py."""
    originals = tmp_path / "originals"
    originals.mkdir()
    damage.make_originals(originals)
    cases = list(damage.tried(originals, 0, 150, oracle=False))
    assert len(cases) == 150 and {case.outcome for case in cases} == {"opened", "refused"}
    assert [case for case in cases if not case.is_good] == []


def test_a_config_is_read_once_for_an_opening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    real = files.read_bytes
    monkeypatch.setattr(files, "read_bytes", lambda file, *limit: read.append(file) or real(file, *limit))
    path = model(tmp_path)
    whole(path)
    assert [file.name for file in read].count("config.json") == 1
