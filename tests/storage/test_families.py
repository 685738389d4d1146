"""Every family against `transformers`: random tiny models that it makes, opened here, all numbers compared."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch

from gpttui.inference.trace import record
from gpttui.model import checkpoint
from gpttui.model.dialects import export_config
from gpttui.model.families import load_sizes, load_state, to_shape
from gpttui.storage import model_config
from gpttui.storage.families.registry import model_types
from tests.families import KINDS, made

transformers: Any = pytest.importorskip("transformers")


class Doubled:
    """`torch`, but for what a module asks to be float32: transformers computes norms and softmax so, whatever the
    weights are, and its own numbers then hold to 1e-7 only."""

    float32 = torch.float64

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-4), (torch.float64, 1e-10)], ids=["32", "64"])
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_every_number_is_that_of_transformers(
    kind: str, seed: int, dtype: torch.dtype, tolerance: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = made(kind, seed, dtype)
    if dtype == torch.float64:
        module = sys.modules[type(theirs).__module__]
        monkeypatch.setattr(module, "torch", Doubled())
        if KINDS[kind][0] == "gemma3_text":
            monkeypatch.setattr(module.Gemma3RMSNorm, "forward", lambda self, x: self._norm(x) * (1.0 + self.weight))
    theirs.save_pretrained(tmp_path)
    ours = checkpoint.load(tmp_path, dtype=dtype)
    ids = torch.randint(3, 61, (17,), generator=torch.Generator().manual_seed(seed)).tolist()
    with torch.inference_mode():
        expected = theirs(torch.tensor([ids]), output_hidden_states=True, output_attentions=True)
    trace = record(ours, ids)

    def near(site: str, x: torch.Tensor) -> bool:
        return bool(np.abs(trace[site] - x[0].numpy()).max() < tolerance * max(1.0, float(x.abs().max())))

    assert near("logits", expected.logits)
    for n in range(ours.config.n_layer):
        assert near(f"blocks.{n}.attn.pattern", expected.attentions[n])
        assert n == 0 or near(f"blocks.{n - 1}.resid_post", expected.hidden_states[n])


def test_every_family_is_compared() -> None:
    assert {model_type for model_type, _ in KINDS.values()} == set(model_types()) - {"gpttui"}


WRITTEN_AS = {"opt": "gpt2", "gpt_bigcode, all heads": "gpt2"}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_opened_by_transformers(kind: str, tmp_path: Path) -> None:
    """Of its own family, or of one that computes the same: GPT-2 for OPT and for what is folded into the weights."""
    theirs = made(kind, 0, torch.float32)
    theirs.save_pretrained(tmp_path / "theirs")
    ours = checkpoint.load(tmp_path / "theirs")
    family = export_config(ours.config)
    assert WRITTEN_AS.get(kind, KINDS[kind][0]) == family.MODEL_TYPE
    checkpoint.save(ours, tmp_path / "ours", family)
    again = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "ours", attn_implementation="eager").eval()
    ids = torch.tensor([[3, 4, 5, 6, 7, 8, 9, 10, 11, 12]])
    with torch.inference_mode():
        assert (again(ids).logits - theirs(ids).logits).abs().max() < 2e-5 * max(1.0, theirs(ids).logits.abs().max())
    assert json.loads((tmp_path / "ours" / "config.json").read_text())["architectures"] == [family.CLASS]
    assert checkpoint.load(tmp_path / "ours").config.n_layer == ours.config.n_layer


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_config_leaves_out_is_as_transformers_has_it(kind: str, tmp_path: Path) -> None:
    """Only what differs from transformers' own defaults is in the file, as in old ones."""
    theirs = made(kind, 0, torch.float32)
    theirs.save_pretrained(tmp_path)
    file = tmp_path / "config.json"
    fields, plain = json.loads(file.read_text()), type(theirs.config)().to_dict()
    kept = {name: x for name, x in fields.items() if name == "model_type" or plain.get(name) != x}
    file.write_text(json.dumps(kept))
    again = transformers.AutoModelForCausalLM.from_pretrained(tmp_path, attn_implementation="eager").eval()
    ids = torch.tensor([[3, 4, 5, 6, 7, 8]])
    with torch.inference_mode():
        assert (checkpoint.load(tmp_path)(ids) - again(ids).logits).abs().max() < 1e-4


@pytest.mark.parametrize("model_type", sorted(set(model_types()) - {"gpttui"}))
def test_defaults_are_those_of_transformers(model_type: str) -> None:
    theirs = transformers.AutoConfig.for_model(model_type)
    ours = model_config.convert({"model_type": model_type})
    for field in msgspec.structs.fields(type(ours)):
        value, expected = getattr(ours, field.name), getattr(theirs, field.encode_name, None)
        if not (value is None or expected is None or field.name.startswith("rope_") or field.name == "resid_pdrop"):
            assert value == expected or (field.name == "rotary_pct"), field.name
    shapes = [to_shape(model_config.convert(raw)) for raw in ({"model_type": model_type}, theirs.to_dict())]
    mine, told = (dataclasses.replace(shape, n_kv_head=shape.kv_heads, head_size=shape.d_head) for shape in shapes)
    assert mine == told


@pytest.mark.parametrize("kind", KINDS)
def test_sizes_are_those_of_what_is_loaded(kind: str, tmp_path: Path) -> None:
    made(kind, 0, torch.float32).save_pretrained(tmp_path)
    config, stored = checkpoint.read_config(tmp_path), checkpoint.read_tensors(tmp_path)
    sizes = load_sizes({name: tuple(x.shape) for name, x in stored.items()}, config)
    assert sizes == {name: tuple(x.shape) for name, x in load_state(stored, config).state.items()}


def test_opening_does_not_load_what_compiles(tmp_path: Path) -> None:
    """A second of processor time, each time an engine opens a model that has fused queries, keys and values."""
    made("llama", 0, torch.float32).save_pretrained(tmp_path)
    code = f"from gpttui.model import checkpoint; from pathlib import Path; checkpoint.load(Path({str(tmp_path)!r}))"
    code += "; import sys; assert 'torch._dynamo' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
