"""Every family is trained on from: three steps, and back into its format, in which transformers computes the same."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from gpttui.cli.main import run as gpttui
from gpttui.model import checkpoint
from gpttui.runs import rundir
from tests import fakes

transformers: Any = pytest.importorskip("transformers")

from tests.families import KINDS, made  # noqa: E402

BRIEF = "--batch 2 --steps 3 --lr 0.01 --sample-every 0 --device cpu --threads 1 --eval-tokens 64 --context 16".split()
WRITTEN_AS = {"opt": "gpt2"}
ONE_OF_EACH = list({model_type: kind for kind, (model_type, _) in reversed(KINDS.items())}.values())


@pytest.mark.parametrize("kind", ONE_OF_EACH)
def test_a_model_is_trained_on_and_written_again(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base, run, out, text = tmp_path / "base", tmp_path / "run", tmp_path / "out", tmp_path / "text.txt"
    made(kind, 0, torch.float32).save_pretrained(base)
    (base / "tokenizer.json").write_text(fakes.tiny_tokenizer().to_json())
    text.write_text(fakes.TEXT * 40)
    assert gpttui(["train", "--init", str(base), "--data", str(text), "--run-dir", str(run), *BRIEF]) == 0
    assert gpttui(["export", str(run), str(out)]) == 0, capsys.readouterr().err
    assert json.loads((out / "config.json").read_text())["model_type"] == WRITTEN_AS.get(kind, KINDS[kind][0])
    saved = rundir.latest_checkpoint(run)
    assert saved is not None
    ours, before = checkpoint.load(saved), checkpoint.load(base)
    theirs = transformers.AutoModelForCausalLM.from_pretrained(out, attn_implementation="eager").eval()
    ids = torch.arange(3, 15)[None]
    with torch.inference_mode():
        assert (theirs(ids).logits - ours(ids)).abs().max() < 1e-4
        assert (before(ids) - ours(ids)).abs().max() > 1e-3
