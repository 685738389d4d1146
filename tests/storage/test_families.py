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

transformers: Any = pytest.importorskip("transformers")

SMALL: dict[str, Any] = {
    "vocab_size": 61, "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 32, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
GPT2: dict[str, Any] = {
    "vocab_size": 61, "n_positions": 32, "n_embd": 24, "n_layer": 3, "n_head": 4, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 500.0, "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}  # fmt: skip
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "gpt2": ("gpt2", GPT2),
    "gpt2, unscaled": ("gpt2", GPT2 | {"scale_attn_weights": False}),
    "gpt2, by layer": ("gpt2", GPT2 | {"scale_attn_by_inverse_layer_idx": True}),
    "gpt2, silu": ("gpt2", GPT2 | {"activation_function": "silu"}),
    "gpt2, quick": ("gpt2", GPT2 | {"activation_function": "quick_gelu"}),
    "gpt2, fast": ("gpt2", GPT2 | {"activation_function": "gelu_fast"}),
    "gpt2, untied": ("gpt2", GPT2 | {"tie_word_embeddings": False}),
    "gpt_bigcode": ("gpt_bigcode", GPT2),
    "gpt_bigcode, all heads": ("gpt_bigcode", GPT2 | {"multi_query": False}),
    "llama": ("llama", SMALL),
    "llama, some biases": ("llama", SMALL | {"attention_bias": True}),
    "llama, biases": ("llama", SMALL | {"attention_bias": True, "mlp_bias": True}),
    "llama, scaled": ("llama", SMALL | {"rope_parameters": LLAMA3}),
    "llama, linear": ("llama", SMALL | {"rope_parameters": {"rope_type": "linear", "rope_theta": 1e4, "factor": 2.0}}),
    "llama, free heads, tied": ("llama", SMALL | {"head_dim": 10, "tie_word_embeddings": True}),
    "mistral": ("mistral", SMALL | {"sliding_window": 5, "head_dim": 6}),
    "qwen2": ("qwen2", SMALL),
    "qwen2, windows": ("qwen2", SMALL | {"use_sliding_window": True, "sliding_window": 5, "max_window_layers": 1}),
    "qwen3": ("qwen3", SMALL | {"head_dim": 8, "tie_word_embeddings": True}),
    "smollm3": ("smollm3", SMALL | {"no_rope_layer_interval": 2}),
    "olmo2": ("olmo2", SMALL),
    "gpt_neox": ("gpt_neox", SMALL | {"rotary_pct": 0.34}),
    "gpt_neox, some biases": ("gpt_neox", SMALL | {"rotary_pct": 0.34, "attention_bias": False}),
    "gpt_neox, in turn": ("gpt_neox", SMALL | {"rotary_pct": 0.34, "use_parallel_residual": False}),
    "gpt_neo": (
        "gpt_neo",
        {"vocab_size": 61, "max_position_embeddings": 32, "hidden_size": 24, "num_layers": 4, "num_heads": 4,
         "attention_types": [[["global", "local"], 2]], "window_size": 5, "bos_token_id": 1, "eos_token_id": 2},
    ),
    "opt": ("opt", SMALL | {"ffn_dim": 40, "word_embed_proj_dim": 24}),
    "gemma3_text": (
        "gemma3_text",
        SMALL | {"hidden_size": 36, "head_dim": 10, "num_key_value_heads": 1, "sliding_window": 5,
                 "query_pre_attn_scalar": 7,
                 "layer_types": ["sliding_attention", "sliding_attention", "full_attention"]},
    ),
    "gemma3_text, capped": (
        "gemma3_text", SMALL | {"hidden_size": 36, "head_dim": 10, "final_logit_softcapping": 3.0, "sliding_window": 9,
                 "attention_bias": True},
    ),
}  # fmt: skip


class Doubled:
    """`torch`, but for what a module asks to be float32: transformers computes norms and softmax so, whatever the
    weights are, and its own numbers then hold to 1e-7 only."""

    float32 = torch.float64

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)


def made(kind: str, seed: int, dtype: torch.dtype) -> Any:
    """A random model of `transformers`, its norms and biases random too."""
    model_type, fields = KINDS[kind]
    config = transformers.AutoConfig.for_model(model_type, **fields)
    config._attn_implementation = "eager"
    torch.manual_seed(seed)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").to(dtype).eval()
    for name, parameter in model.named_parameters():
        centre = float("norm" in name and "weight" in name and model_type != "gemma3_text")
        torch.nn.init.normal_(parameter, mean=centre, std=0.3 if parameter.dim() == 1 else 0.15)
    return model


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
