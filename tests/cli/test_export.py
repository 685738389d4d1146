"""What `gpttui export` writes: transformers opens it, and says the same."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from gpttui.model import checkpoint
from gpttui.model.dialects import export_config, respelled
from gpttui.model.gpt import GPTConfig
from gpttui.storage import gallery
from gpttui.tokenizers import Tokenizer
from tests import fakes
from tests.cli.conftest import Cli

transformers: Any = pytest.importorskip("transformers")

MODERN: dict[str, Any] = {
    "norm": "rmsnorm", "positions": "rope", "qk_norm": True, "bias": False, "activation": "relu2", "n_kv_head": None,
}  # fmt: skip
LEVEL: dict[str, Any] = {"norm_place": "both", "embed_scale": math.sqrt(fakes.tiny_model().config.d_model)}
SHAPES: dict[str, tuple[str, dict[str, Any]]] = {
    "gpt2": ("GPT2LMHeadModel", {}),
    "gpt2, relu2": ("GPT2LMHeadModel", {"activation": "relu2"}),
    "gpt2 without biases": ("GPT2LMHeadModel", {"bias": False}),
    "gpt2, attention only": ("GPT2LMHeadModel", {"d_mlp": 0, "tied": False}),
    "modern": ("Qwen3ForCausalLM", MODERN | {"tied": False}),
    "modern, few keys": ("Qwen3ForCausalLM", MODERN | {"n_head": 4, "n_kv_head": 2}),
    "modern, swiglu": ("Qwen3ForCausalLM", MODERN | {"activation": "swiglu", "d_mlp": 40}),
    "modern, norms on both sides": ("Gemma3ForCausalLM", MODERN | LEVEL | {"tied": False}),
    "modern, attention only": ("Qwen3ForCausalLM", MODERN | {"d_mlp": 0}),
    "llama": ("LlamaForCausalLM", MODERN | {"qk_norm": False, "activation": "swiglu"}),
    "llama, relu2": ("LlamaForCausalLM", MODERN | {"qk_norm": False}),
    "windows": ("MistralForCausalLM", MODERN | {"qk_norm": False, "activation": "geglu", "windows": (5, 5)}),
    "a window": ("Qwen3ForCausalLM", MODERN | {"windows": (5, 0)}),
    "no positions": ("SmolLM3ForCausalLM", MODERN | {"qk_norm": False, "positions": "none"}),
}


@pytest.mark.parametrize("name", SHAPES)
def test_transformers_computes_the_same(name: str, tmp_path: Path) -> None:
    """Weights are large, and queries small: an epsilon of another size would show."""
    class_name, shape = SHAPES[name]
    model = fakes.tiny_model(**shape)
    for parameter_name, parameter in model.named_parameters():
        if ".attn.c_attn.weight" in parameter_name and shape.get("qk_norm"):
            parameter.mul_(0.01)
    same = model if export_config(model.config).CLASS else respelled(model)[0]
    family = export_config(same.config)
    assert class_name == family.CLASS
    checkpoint.save(same, tmp_path, family)
    theirs = getattr(transformers, class_name).from_pretrained(tmp_path, attn_implementation="eager").eval()
    ids = torch.arange(3, 25)[None]
    with torch.inference_mode():
        expected = model(ids)
        assert (theirs(ids).logits - expected).abs().max() < 1e-4 * max(1.0, float(expected.abs().max()))
    again = checkpoint.load(tmp_path)
    assert (again(ids) - expected).abs().max() < 1e-4 * max(1.0, float(expected.abs().max()))


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "gain": (MODERN | {"qk_gain": True}, "qk_gain True"),
    "gain between norms": (MODERN | LEVEL | {"qk_gain": True}, "qk_gain True"),
    "norms alone": (MODERN | {"norm_place": "both"}, "norm_place both"),
    "scale alone": (MODERN | {"embed_scale": 4.0}, "embed_scale 4.0"),
    "llama between norms": (MODERN | LEVEL | {"qk_norm": False}, "norm_place both"),
    "gelu": (MODERN | {"activation": "gelu"}, "activation gelu"),
    "positions": (MODERN | {"positions": "learned", "activation": "swiglu"}, "positions learned"),
    "parallel": (MODERN | {"parallel": True}, "parallel True"),
    "cap": ({"logit_cap": 3.0}, "logit_cap 3.0"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_stands_in_the_way_is_named(name: str, cli: Cli, tmp_path: Path) -> None:
    shape, word = REFUSED[name]
    path = fakes.tiny_model_dir(tmp_path, **shape)
    result = cli("export", path, tmp_path / "out")
    assert result.code == 1 and word in result.err and result.err.count("\n") == 1
    assert ("without --norm-place and --embed-scale can be exported" in result.err) == (
        "norm_" in word or "scale" in word
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["names", "sort"])
def test_a_bundled_model_writes_the_same_text(name: str, cli: Cli, tmp_path: Path) -> None:
    assert cli("export", name, tmp_path / "out").code == 0
    path = gallery.bundled_dir() / name
    ours, tokenizer = checkpoint.load(path), Tokenizer.open(path)
    theirs = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "out").eval()
    both_sides = ours.config.norm_place == "both"
    assert type(theirs).__name__ == ("Gemma3ForCausalLM" if both_sides else "Qwen3ForCausalLM")
    words = transformers.AutoTokenizer.from_pretrained(tmp_path / "out")
    for prompt in gallery.card(path).prompts[:3]:
        ids = tokenizer.encode(prompt)
        assert words(prompt).input_ids == ids
        room = ours.config.context - len(ids)
        said = theirs.generate(torch.tensor([ids]), max_new_tokens=room, do_sample=False, eos_token_id=None)[0].tolist()
        for _ in range(room):
            with torch.inference_mode():
                ids.append(int(ours(torch.tensor([ids]))[0, -1].argmax()))
        assert said == ids


def test_the_ends_of_texts_are_carried_over(cli: Cli, tmp_path: Path) -> None:
    path = fakes.tiny_model_dir(tmp_path)
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps(config | {"eos_token_id": [3, 4]}))
    (path / "tokenizer_config.json").write_text(json.dumps({"chat_template": "{{ x }}", "eos_token": "e"}))
    assert cli("export", path, tmp_path / "out").code == 0
    written = json.loads((tmp_path / "out" / "config.json").read_text())
    assert (written["eos_token_id"], written["bos_token_id"]) == ([3, 4], None)
    about = json.loads((tmp_path / "out" / "tokenizer_config.json").read_text())
    assert (about["chat_template"], about["eos_token"]) == ("{{ x }}", "e")


def test_a_shape_is_written_as_it_is_where_that_can_be() -> None:
    config = GPTConfig(vocab_size=9, context=8, n_layer=1, n_head=2, d_model=16)
    assert export_config(config).MODEL_TYPE == "gpt2"


SMALL = "--layers 2 --heads 2 --width 32 --context 16 --batch 4 --sample-every 0 --threads 1 --eval-tokens 64".split()


def test_a_llama_trained_here_is_a_llama_elsewhere(cli: Cli, tmp_path: Path) -> None:
    text, run = tmp_path / "text.txt", tmp_path / "run"
    text.write_text(fakes.TEXT * 40)
    order = ["train", "--data", text, "--arch", "llama", "--kv-heads", "1", *SMALL, "--run-dir", run]
    assert cli(*order, "--steps", "4").code == 0
    assert cli("train", "--run-dir", run, "--resume", "--steps", "6").code == 0
    assert cli("train", "--run-dir", run, "--resume", "--arch", "gpt2").code == 2
    card = gallery.card(gallery.find(str(run)))
    assert card.arch == "llama"
    assert cli("export", run, tmp_path / "out").code == 0
    theirs = transformers.LlamaForCausalLM.from_pretrained(tmp_path / "out").eval()
    assert theirs.config.num_key_value_heads == 1 and theirs.config.hidden_act == "silu"
    ids = torch.arange(3, 15)[None]
    ours = checkpoint.load(gallery.find(str(run)))
    with torch.inference_mode():
        assert (theirs(ids).logits - ours(ids)).abs().max() < 1e-5
    plain = transformers.LlamaForCausalLM.from_pretrained(gallery.find(str(run)))  # a checkpoint is one, too
    assert torch.equal(plain.lm_head.weight, theirs.lm_head.weight)


@pytest.mark.parametrize(
    ("option", "says"),
    [(["--activation", "relu2"], "a llama's MLPs have a gate"), (["--qk-gain"], "leave out --qk-gain")],
)
def test_a_llama_is_a_llama(cli: Cli, tmp_path: Path, option: list[str], says: str) -> None:
    text = tmp_path / "text.txt"
    text.write_text(fakes.TEXT * 40)
    result = cli("train", "--data", text, "--arch", "llama", *SMALL, *option, "--run-dir", tmp_path / "run")
    assert result.code == 1 and says in result.err and not (tmp_path / "run").exists()
