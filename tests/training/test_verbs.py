"""`gpttui train`, `runs` and `eval` from the shell's side: what is printed, and where."""

import io
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from gpttui import gallery, rundir
from gpttui.cli.main import run as gpttui
from gpttui.model import checkpoint
from gpttui.tokenizers import Tokenizer
from gpttui.train_config import TrainConfig
from gpttui.train_protocol import RunEnded, StepDone, decode_event
from gpttui.training.evaluate import text_loss
from gpttui.training.publish import publish
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


def test_stdin_is_a_text_like_any_other(
    text_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text_file.read_bytes())))
    assert gpttui(["train", "--data", "-", *SMALL, "--run-dir", str(tmp_path / "piped")]) == 0
    assert gpttui(["train", "--data", str(text_file), *SMALL, "--run-dir", str(tmp_path / "named")]) == 0
    assert "validation loss" in capsys.readouterr().err
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


def test_a_published_run_is_a_model_directory(trained: Path, tmp_path: Path) -> None:
    target = tmp_path / "model"
    loss = publish(trained, target, recipe_name="shakespeare")
    card = gallery.card(target)
    assert card.metric_value == pytest.approx(loss, abs=1e-3) and card.prompts
    history = gallery.history(target)
    assert history is not None
    assert history.steps.tolist() == list(range(1, 13)) and history.val_steps.tolist() == [6, 12]
    assert (target / "README.md").read_text().startswith("# ")
    model = checkpoint.load(target)
    assert model.n_params == checkpoint.load(rundir.checkpoints(trained)[-1][1]).n_params
    assert (target / "model.safetensors").stat().st_size < 2.5 * model.n_params + 10_000  # half precision
