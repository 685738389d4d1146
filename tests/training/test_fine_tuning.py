"""Fine-tuning: the shape is the base's, whatever else a config says, and the run needs the base only to begin."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from gpttui.cli.main import run as gpttui
from gpttui.errors import UserError
from gpttui.model import checkpoint
from gpttui.runs import rundir
from gpttui.runs.config import TrainConfig
from gpttui.runs.events import RunStarted, StepDone
from gpttui.training import run as runs
from gpttui.training.recipes import RECIPES
from tests.training.conftest import train

Tiny = Callable[..., TrainConfig]
BRIEF = "--batch 2 --steps 2 --checkpoint-every 1 --sample-every 0 --device cpu --threads 1 --eval-tokens 64".split()


@pytest.fixture
def base(tiny: Tiny, tmp_path: Path) -> Path:
    """A model of a shape that is nobody's default."""
    shape = {
        "layers": 6,
        "heads": 3,
        "width": 18,
        "kv_heads": 1,
        "mlp_width": 24,
        "activation": "relu",
        "tied": True,
        "qk_gain": True,
        "norm_place": "both",
        "embed_scale": True,
    }
    train(tiny(arch="modern", steps=2, **shape), tmp_path / "six")
    saved = rundir.latest_checkpoint(tmp_path / "six")
    assert saved is not None
    return saved


def options(text_file: Path, base: Path, run: Path, *more: str) -> list[str]:
    return ["train", "--data", str(text_file), "--init", str(base), *BRIEF, "--run-dir", str(run), *more]


def test_the_verb_takes_its_shape_from_the_base(text_file: Path, base: Path, tmp_path: Path) -> None:
    run, target = tmp_path / "tuned", tmp_path / "model"
    assert gpttui(options(text_file, base, run, "--export", str(target))) == 0
    config = rundir.read_config(run)
    assert (config.arch, config.layers, config.heads, config.width) == ("modern", 6, 3, 18)
    assert (config.kv_heads, config.mlp_width, config.activation, config.tied) == (1, 24, "relu", True)
    assert (config.lr, config.matrix_lr) == (3e-4, 2e-3)  # gentler than from scratch, as in the form
    assert config.norm_place == "both" and config.embed_scale
    assert config.qk_gain and config.context == checkpoint.read_shape(base).context == 16
    steps = [event for event in rundir.read_events(run) if isinstance(event, StepDone)]
    assert [len(event.layer_grad_norms) for event in steps] == [8, 8]
    card = (target / "README.md").read_text()
    assert "modern, 6 layers, 3 heads, width 18, context 16" in card and "--layers" not in card


def test_options_of_the_same_shape_are_fine(text_file: Path, base: Path, tmp_path: Path) -> None:
    same = "--layers 6 --heads 3 --width 18 --kv-heads 1 --mlp-width 24 --context 8".split()
    assert gpttui(options(text_file, base, tmp_path / "tuned", *same)) == 0
    assert rundir.read_config(tmp_path / "tuned").context == 8


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--layers", "4", "layers 6, not 4; leave out --layers"),
        ("--heads", "4", "heads 3, not 4"),
        ("--arch", "gpt2", "arch modern, not gpt2"),
        ("--mlp-width", "0", "mlp width 24, not 0; leave out --mlp-width"),
        ("--tokenizer", "word", "keeps the tokenizer of the model to start from; leave out --tokenizer"),
        ("--context", "64", "sees 16 tokens"),
    ],
)
def test_options_of_another_shape_are_refused(
    text_file: Path, base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, value: str, said: str
) -> None:
    assert gpttui(options(text_file, base, tmp_path / "tuned", option, value)) == 1
    error = capsys.readouterr().err.strip()
    assert said in error and "\n" not in error
    assert not (tmp_path / "tuned").exists()


def test_a_recipe_is_tuned_in_the_shape_of_the_base(text_file: Path, base: Path, tmp_path: Path) -> None:
    assert RECIPES["shakespeare"].config.context > 16
    assert gpttui(options(text_file, base, tmp_path / "tuned", "--recipe", "shakespeare")) == 0
    config = rundir.read_config(tmp_path / "tuned")
    assert (config.layers, config.width, config.context) == (6, 18, 16)


def test_any_config_is_brought_to_the_shape_of_the_base(tiny: Tiny, base: Path, tmp_path: Path) -> None:
    train(tiny(init=str(base), layers=2, steps=2), tmp_path / "tuned")
    assert rundir.read_config(tmp_path / "tuned").layers == 6
    with pytest.raises(UserError, match="16 or less"):
        train(tiny(init=str(base), context=32), tmp_path / "wide")


def test_a_resumed_run_keeps_the_shape(
    text_file: Path, base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gpttui(options(text_file, base, tmp_path / "tuned")) == 0
    assert gpttui(["train", "--run-dir", str(tmp_path / "tuned"), "--resume", "--layers", "4"]) == 2
    assert "leave out --layers" in capsys.readouterr().err


def half(config: TrainConfig, path: Path) -> None:
    """Six steps of a run, which then dies."""
    with runs.start(config, path) as run:
        for event in run.trainer.events():
            if isinstance(event, StepDone) and event.step == 6:
                return


@pytest.mark.parametrize("checkpoint_every", [2, 4])
def test_it_goes_on_exactly_when_the_base_is_gone(
    tiny: Tiny, base: Path, tmp_path: Path, checkpoint_every: int
) -> None:
    config = tiny(init=str(base), steps=9, checkpoint_every=checkpoint_every)
    whole = [event.loss_nats for event in train(config, tmp_path / "whole") if isinstance(event, StepDone)]
    half(config, tmp_path / "half")
    shutil.rmtree(base)
    with runs.resume(tmp_path / "half") as run:
        rest = [event for event in run.trainer.events() if isinstance(event, StepDone)]
    assert rest and [event.loss_nats for event in rest] == whole[rest[0].step - 1 :]


def test_it_rewinds_to_the_base_when_that_is_gone(tiny: Tiny, base: Path, tmp_path: Path) -> None:
    begun = checkpoint.load(base).state_dict()
    half(tiny(init=str(base), steps=9), tmp_path / "half")
    shutil.rmtree(base)
    with runs.resume(tmp_path / "half") as run:
        run.trainer.rewind()
        for event in run.trainer.events():
            if isinstance(event, RunStarted) and event.step == 0:
                break
        assert all(torch.equal(p, begun[name]) for name, p in run.trainer.model.state_dict().items())


def test_weights_that_were_not_kept_are_not_rewound_to(tiny: Tiny, base: Path, tmp_path: Path) -> None:
    train(tiny(init=str(base), steps=2, checkpoint_every=0), tmp_path / "tuned")
    shutil.rmtree(base)
    with runs.resume(tmp_path / "tuned") as run, pytest.raises(UserError, match="did not keep the weights"):
        run.trainer.rewind()


def test_dropout_is_the_run_s_own(text_file: Path, tiny: Tiny, tmp_path: Path) -> None:
    train(tiny(arch="modern", steps=2, dropout=0.25), tmp_path / "base")
    base = rundir.latest_checkpoint(tmp_path / "base")
    assert base is not None and checkpoint.read_shape(base).dropout == 0.25
    for more, expected in (((), 0.0), (("--dropout", "0.5"), 0.5)):
        run = tmp_path / f"run{expected}"
        assert gpttui(options(text_file, base, run, *more)) == 0
        saved = rundir.latest_checkpoint(run)
        assert saved is not None and checkpoint.read_shape(saved).dropout == expected
