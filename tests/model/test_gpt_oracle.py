"""Hugging Face's GPT-2 is the oracle: same weights in, same numbers out, and back again."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from gpttui.model import checkpoint
from gpttui.model.dialects import config_of
from gpttui.model.families import to_shape
from gpttui.model.gpt import GPT
from gpttui.model.taps import Recorder
from gpttui.storage import model_config

transformers = pytest.importorskip("transformers")

SHAPES: list[dict[str, Any]] = [
    {"vocab_size": 61, "n_positions": 80, "n_embd": 32, "n_layer": 2, "n_head": 4},
    {"vocab_size": 17, "n_positions": 96, "n_embd": 24, "n_layer": 3, "n_head": 1, "activation_function": "relu"},
    {"vocab_size": 130, "n_positions": 72, "n_embd": 40, "n_layer": 1, "n_head": 5, "n_inner": 56},
    {"vocab_size": 33, "n_positions": 80, "n_embd": 16, "n_layer": 4, "n_head": 2, "activation_function": "gelu"},
    {"vocab_size": 33, "n_positions": 80, "n_embd": 16, "n_layer": 2, "n_head": 2, "tie_word_embeddings": False},
    {"vocab_size": 50, "n_positions": 80, "n_embd": 32, "n_layer": 2, "n_head": 2, "layer_norm_epsilon": 1e-3},
]
CASES = [(n, seed) for n in range(len(SHAPES)) for seed in (0, 1)]


def oracle(shape: dict[str, Any], seed: int) -> Any:
    """A random GPT-2 whose weights are large enough that every part of it matters."""
    torch.manual_seed(seed)
    config = transformers.GPT2Config(**shape, attn_implementation="eager", bos_token_id=None, eos_token_id=None)
    model = transformers.GPT2LMHeadModel(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            centre = 1.0 if "ln_" in name and name.endswith("weight") else 0.0
            parameter.copy_(centre + 0.2 * torch.randn_like(parameter))
    return model


def ours(theirs: Any, folder: Path, dtype: torch.dtype = torch.float32) -> GPT:
    theirs.save_pretrained(folder, safe_serialization=True)
    return checkpoint.load(folder, dtype=dtype)


def ids(shape: dict[str, Any], length: int, seed: int, rows: int = 2) -> torch.Tensor:
    return torch.randint(0, shape["vocab_size"], (rows, length), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("shape_number", "seed"), CASES)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
def test_logits_hidden_states_and_attentions_are_transformers(
    shape_number: int, seed: int, dtype: torch.dtype, tolerance: float, tmp_path: Path
) -> None:
    shape = SHAPES[shape_number]
    theirs = oracle(shape, seed)
    model, theirs = ours(theirs, tmp_path, dtype), theirs.to(dtype)
    idx, taps = ids(shape, 23, seed), Recorder()
    with torch.no_grad():
        expected = theirs(idx, output_hidden_states=True, output_attentions=True)
        logits, fused = model(idx, tap=taps), model(idx)
    sites = taps.sites
    stream = [sites["embed"] + sites["pos_embed"]]
    stream += [sites[f"blocks.{i}.resid_post"] for i in range(shape["n_layer"] - 1)]
    stream.append(sites["ln_final.normalized"])  # transformers gives the last hidden state behind the final norm
    assert len(expected.hidden_states) == len(stream)
    for mine, other in zip(stream, expected.hidden_states, strict=True):
        torch.testing.assert_close(mine, other, atol=tolerance, rtol=tolerance)
    for i, other in enumerate(expected.attentions):
        torch.testing.assert_close(sites[f"blocks.{i}.attn.pattern"], other, atol=tolerance, rtol=tolerance)
    torch.testing.assert_close(logits, expected.logits, atol=tolerance, rtol=tolerance)
    torch.testing.assert_close(fused, expected.logits, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize(("shape_number", "seed"), CASES[::3])
def test_64_greedy_ids_are_transformers(shape_number: int, seed: int, tmp_path: Path) -> None:
    shape = SHAPES[shape_number]
    theirs = oracle(shape, seed)
    model, idx = ours(theirs, tmp_path), ids(shape, 5, seed, rows=1)
    expected = theirs.generate(
        idx, attention_mask=torch.ones_like(idx), max_new_tokens=64, do_sample=False, pad_token_id=0, use_cache=True
    )[0, 5:]
    cache, found = model.new_cache(), []
    with torch.no_grad():
        for _ in range(64):
            idx = model(idx, cache=cache)[:, -1:].argmax(-1)
            found.append(int(idx))
    assert found == expected.tolist()


@pytest.mark.parametrize("shape_number", range(len(SHAPES)))
def test_import_export_import_is_identity(shape_number: int, tmp_path: Path) -> None:
    theirs = oracle(SHAPES[shape_number], 0)
    model = ours(theirs, tmp_path / "theirs")
    checkpoint.save(model, tmp_path / "ours")
    again = checkpoint.load(tmp_path / "ours")
    assert again.config == model.config
    for (name, mine), (other_name, other) in zip(model.state_dict().items(), again.state_dict().items(), strict=True):
        assert name == other_name
        assert torch.equal(mine, other), name
    stored, original = (load_file(tmp_path / who / "model.safetensors") for who in ("ours", "theirs"))
    for name, x in original.items():
        assert torch.equal(stored[name], x), name


def test_transformers_opens_what_we_export(tmp_path: Path) -> None:
    model = ours(oracle(SHAPES[0], 3), tmp_path / "a")
    checkpoint.save(model, tmp_path / "b")
    theirs = transformers.GPT2LMHeadModel.from_pretrained(tmp_path / "b", local_files_only=True).eval()
    idx = ids(SHAPES[0], 12, 0)
    with torch.no_grad():
        torch.testing.assert_close(model(idx), theirs(idx).logits, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_config_survives_both_dialects(shape: dict[str, Any]) -> None:
    config = to_shape(model_config.convert({"model_type": "gpt2", **shape}))
    assert to_shape(model_config.convert(config_of(config).written())) == config
