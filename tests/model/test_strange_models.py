"""Models that are not computed are refused by what they have; what is beside the weights is left out, and said."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from gpttui.cli.main import run
from gpttui.errors import UserError
from gpttui.inference.opening import open_model
from gpttui.model import checkpoint
from gpttui.storage import gallery, model_config
from tests import fakes

HAVING: dict[str, tuple[dict[str, Any], str]] = {
    "experts": ({"model_type": "mixtral"}, "it has a mixture of experts"),
    "experts of a family to come": ({"model_type": "new", "num_local_experts": 8}, "it has a mixture of experts"),
    "experts in a llama": ({"model_type": "llama", "num_experts": 4}, "of a llama model: it has a mixture of experts"),
    "ALiBi": ({"model_type": "new", "alibi": True}, "it has ALiBi positions"),
    "recurrent": ({"model_type": "mamba"}, "it has recurrent or convolutional layers"),
    "a state": ({"model_type": "new", "state_size": 16}, "it has recurrent or convolutional layers"),
    "embeddings per layer": ({"model_type": "gemma3n_text"}, "it has embeddings for each layer"),
    "shared keys": ({"model_type": "new", "num_kv_shared_layers": 3}, "it has layers that share keys and values"),
    "latent": ({"model_type": "new", "kv_lora_rank": 3}, "it has latent attention"),
    "an encoder": ({"model_type": "t5"}, "it has an encoder"),
    "both directions": ({"model_type": "bert"}, "it has attention in both directions"),
    "quantised": ({"model_type": "llama", "quantization_config": {"quant_method": "gptq"}}, "quantised by gptq"),
    "soft caps": ({"model_type": "gemma3_text", "attn_logit_softcapping": 50.0}, "it has soft-capped scores"),
    "one norm": ({"model_type": "phi"}, "it has one norm for attention and MLP together"),
    "rotation": (
        {"model_type": "llama", "rope_scaling": {"rope_type": "yarn", "factor": 2.0}},
        "it has rotary positions of the type 'yarn'",
    ),
    "activation": ({"model_type": "gpt2", "activation_function": "mish"}, "it has the activation 'mish'"),
    "gate": ({"model_type": "llama", "hidden_act": "quick_gelu"}, "it has gated MLPs with the activation 'quick_gelu'"),
    "old OPT": ({"model_type": "opt", "do_layer_norm_before": False}, "it has LayerNorms behind attention"),
}  # fmt: skip


@pytest.mark.parametrize("name", HAVING)
def test_what_is_not_computed_is_named(name: str, tmp_path: Path) -> None:
    raw, says = HAVING[name]
    path = fakes.tiny_model_dir(tmp_path)
    (path / "config.json").write_text(json.dumps(raw))
    with pytest.raises(UserError, match="which gpttui does not compute") as caught:
        open_model(path)
    assert says in str(caught.value) and "impossible" not in str(caught.value)


def test_a_strange_model_s_own_words_cannot_hurt_a_terminal() -> None:
    for raw in ({"model_type": "\x1b[2J", "alibi": 1}, {"quantization_config": {"quant_method": "\x1b]0;x\x07"}}):
        with pytest.raises(UserError) as caught:
            model_config.convert(raw)
        assert str(caught.value).isprintable()


def changed(path: Path, change: Any) -> Path:
    file = path / "model.safetensors"
    tensors = load_file(file)
    tensors = change(tensors) or tensors
    save_file({name: x.contiguous() for name, x in tensors.items()}, file)
    return path


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod."])
def test_prefixes_of_wrappers_are_understood(prefix: str, tmp_path: Path) -> None:
    plain = checkpoint.load(fakes.tiny_model_dir(tmp_path, name="plain"))
    path = changed(fakes.tiny_model_dir(tmp_path), lambda state: {prefix + name: x for name, x in state.items()})
    assert torch.equal(checkpoint.load(path).lm_head.weight, plain.lm_head.weight)


def test_heads_for_other_tasks_are_left_out_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = fakes.tiny_model_dir(tmp_path)
    params = gallery.card(path).params
    more = {"score.weight": torch.ones(2, 16), "v_head.summary.weight": torch.ones(1, 16)}
    changed(path, lambda state: state | more)
    lines: list[str] = []
    open_model(path, tell=lines.append)
    assert len(lines) == 1 and lines[0].startswith("left out: score.weight, v_head.summary.weight; a head for another")
    assert gallery.card(path).params == params
    assert run(["generate", "--model", str(path), "-n", "2"]) == 0
    assert "gpttui: left out: score.weight" in capsys.readouterr().err


def test_a_stored_head_of_its_own_is_used_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = fakes.tiny_model_dir(tmp_path)
    changed(path, lambda state: state | {"lm_head.weight": state["transformer.wte.weight"] + 1})
    lines: list[str] = []
    model = checkpoint.load(path, tell=lines.append)
    assert torch.equal(model.lm_head.weight, model.transformer.wte.weight + 1)
    assert len(lines) == 1 and lines[0].startswith("the stored lm_head is used, as transformers 5 does")
    assert run(["export", str(path), str(tmp_path / "out")]) == 0
    assert "gpttui: the stored lm_head is used" in capsys.readouterr().err
    assert not json.loads((tmp_path / "out" / "config.json").read_text())["tie_word_embeddings"]


def test_a_head_that_is_the_embedding_needs_no_word(tmp_path: Path) -> None:
    path = fakes.tiny_model_dir(tmp_path)
    changed(path, lambda state: state | {"lm_head.weight": state["transformer.wte.weight"].clone()})
    lines: list[str] = []
    assert checkpoint.load(path, tell=lines.append).config.tied and lines == []
