"""A model on disk is whole and fitting, or one clear line says what is wrong with it."""

import dataclasses
import json
import os
import pickle
import subprocess
import sys
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from safetensors.torch import load_file, save_file

from gpttui.errors import UserError
from gpttui.inference.opening import open_model
from gpttui.model import checkpoint, unpacking
from gpttui.model.gpt import GPTConfig
from gpttui.storage import model_files
from gpttui.storage.families.own import Own
from tests import fakes


def rewrite_config(**changes: Any) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        config = json.loads((path / "config.json").read_text())
        (path / "config.json").write_text(json.dumps({k: v for k, v in (config | changes).items() if v is not ...}))

    return change


def rewrite_weights(change: Callable[[dict[str, torch.Tensor]], Any]) -> Callable[[Path], None]:
    def rewrite(path: Path) -> None:
        state = load_file(path / "model.safetensors")
        change(state)
        save_file({name: x.contiguous() for name, x in state.items()}, path / "model.safetensors")

    return rewrite


def cut(path: Path) -> None:
    file = path / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def cut_head(path: Path) -> None:
    file = path / "model.safetensors"
    file.write_bytes(file.read_bytes()[:5])


def flip_a_bit(path: Path) -> None:
    file = path / "model.safetensors"
    data = bytearray(file.read_bytes())
    data[-1000] ^= 1
    file.write_bytes(bytes(data))


def garble_header(path: Path) -> None:
    file = path / "model.safetensors"
    data = bytearray(file.read_bytes())
    data[9:40] = b"x" * 31
    file.write_bytes(bytes(data))


def one_more(*axes: int, span: int = 0) -> Callable[[Path], None]:
    """A tensor more, of this shape, at the last `span` bytes."""

    def change(path: Path) -> None:
        file = path / "model.safetensors"
        data = file.read_bytes()
        start = 8 + int.from_bytes(data[:8], "little")
        entries, end = json.loads(data[8:start]), len(data) - start
        entries["x"] = {"dtype": "F32", "shape": axes, "data_offsets": [end - span, end]}
        head = json.dumps(entries).encode()
        file.write_bytes(len(head).to_bytes(8, "little") + head + data[start:])

    return change


def to_pickle(path: Path) -> None:
    (path / "pytorch_model.bin").write_bytes(pickle.dumps({"a": 1}))
    (path / "model.safetensors").unlink()


def wrong_index(path: Path) -> None:
    (path / "model.safetensors").unlink()
    (path / "model.safetensors.index.json").write_text('{"weights": 1}')


def poison(state: dict[str, torch.Tensor]) -> None:
    state["transformer.h.0.mlp.c_fc.bias"][3] = float("nan")


def scalar(state: dict[str, torch.Tensor]) -> None:
    state["transformer.wte.weight"] = torch.tensor(1.0)


def cube(state: dict[str, torch.Tensor]) -> None:
    state["transformer.h.0.mlp.c_fc.weight"] = state["transformer.h.0.mlp.c_fc.weight"][None]


BROKEN: dict[str, tuple[Callable[[Path], None], str]] = {
    "cut short": (cut, "damaged or cut short"),
    "head only": (cut_head, "damaged or cut short"),
    "bit flipped": (flip_a_bit, "checksum does not match"),
    "header garbled": (garble_header, "cannot be read: JSON is malformed"),
    "an empty tensor of huge axes": (one_more(0, 1 << 40, 1 << 40), "is damaged: x does not fit into its bytes"),
    "an axis too many": (one_more(*range(2000), span=64), "is damaged: x does not fit into its bytes"),
    "no weights": (lambda p: (p / "model.safetensors").unlink(), "holds no model.safetensors"),
    "no config": (lambda p: (p / "config.json").unlink(), "holds no config.json"),
    "no tokenizer": (lambda p: (p / "tokenizer.json").unlink(), "holds no tokenizer.json"),
    "config not JSON": (lambda p: (p / "config.json").write_text("{"), "cannot be read"),
    "config not an object": (lambda p: (p / "config.json").write_text("[]"), "not a JSON object"),
    "config binary": (lambda p: (p / "config.json").write_bytes(b"\xff\xfe\x00"), "cannot be read"),
    "tokenizer not JSON": (lambda p: (p / "tokenizer.json").write_text("{"), "tokenizer.json cannot be read"),
    "pickle instead": (to_pickle, "a pickle, which can run code"),
    "broken index": (wrong_index, "cannot be read"),
    "other family": (rewrite_config(model_type="mixtral"), "a mixture of experts, which gpttui does not compute"),
    "no family": (rewrite_config(model_type=...), "names the model type null; gpttui opens gemma3_text, gpt2"),
    "no width": (rewrite_config(n_embd=...), "config.json says 35x768 (vocab_size, n_embd)"),
    "zero layers": (rewrite_config(n_layer=0), "impossible model"),
    "negative width": (rewrite_config(n_embd=-16), "impossible model"),
    "huge width": (rewrite_config(n_embd=9_999_999, n_head=1), "config.json says"),
    "huge depth": (rewrite_config(n_layer=9_999_999), "config.json says 9999999"),
    "width a text": (rewrite_config(n_embd="16"), "impossible model"),
    "heads that do not divide": (rewrite_config(n_head=3), "does not divide into 3 heads"),
    "another width": (rewrite_config(n_embd=32), "config.json says"),
    "another depth": (rewrite_config(n_layer=1), "have 2 layers, config.json says 1"),
    "a trillion neurons": (
        rewrite_config(n_inner=10**12),
        "n_inner is 1000000000000, not a whole number of at most 10000000",
    ),
    "five million neurons": (rewrite_config(n_inner=5_000_000), "is 64x16, config.json says 5000000x16 (n_inner"),
    "negative neurons": (rewrite_config(n_inner=-4), "n_inner is -4"),
    "epsilon a text": (rewrite_config(layer_norm_epsilon="x"), "layer_norm_epsilon is 'x'"),
    "epsilon below zero": (rewrite_config(layer_norm_epsilon=-1), "layer_norm_epsilon is -1"),
    "epsilon not a number": (rewrite_config(layer_norm_epsilon=float("nan")), "layer_norm_epsilon is NaN"),
    "tied a text": (rewrite_config(tie_word_embeddings="no"), "tie_word_embeddings is 'no'"),
    "activation a list": (rewrite_config(activation_function=[]), "activation_function is []"),
    "vocabulary null": (rewrite_config(vocab_size=None), "vocab_size is null"),
    "family a list": (rewrite_config(model_type=["gpt2"]), "gpttui opens gemma3_text, gpt2"),
    "heads infinite": (rewrite_config(n_head=float("inf")), "n_head is Infinity"),
    "embedding a number": (rewrite_weights(scalar), "wte.weight is a single number, config.json says"),
    "matrix a cube": (rewrite_weights(cube), "c_fc.weight is 1x16x64, config.json says 64x16"),
    "no matrix": (rewrite_weights(lambda s: s.pop("transformer.h.0.mlp.c_fc.weight")), "lack transformer.h.0.mlp.c_fc"),
    "another vocabulary": (rewrite_config(vocab_size=99), "config.json says 99x16"),
    "smaller vocabulary": (rewrite_config(vocab_size=9), "tokenizer.json belongs to another model"),
    "another context": (rewrite_config(n_positions=64), "wpe.weight is 32x16, config.json says 64x16"),
    "unknown activation": (rewrite_config(activation_function="sin"), "activation 'sin'"),
    "cross attention": (rewrite_config(add_cross_attention=True), "cross attention, which needs an encoder"),
    "a tensor missing": (rewrite_weights(lambda s: s.pop("transformer.ln_f.bias")), "lack transformer.ln_f.bias"),
    "a tensor too many": (rewrite_weights(lambda s: s.update(extra=torch.ones(1))), "transformer.extra"),
    "not a number": (rewrite_weights(poison), "not finite"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_named_in_one_line(name: str, tmp_path: Path) -> None:
    path = fakes.tiny_model_dir(tmp_path)
    change, says = BROKEN[name]
    change(path)
    with pytest.raises(UserError) as caught:
        open_model(path)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


IMPOSSIBLE: dict[str, tuple[dict[str, Any], str]] = {
    "neurons": ({"d_mlp": 10**12}, "d_mlp is 1000000000000"),
    "neurons of other weights": ({"d_mlp": 9_000_000}, "c_fc.weight is 88x32, config.json says 9000000x32 (d_mlp"),
    "negative neurons": ({"d_mlp": -1}, "d_mlp is -1"),
    "key heads": ({"n_kv_head": -2}, "n_kv_head is -2"),
    "no key heads": ({"n_kv_head": 0}, "n_kv_head is 0"),
    "key heads a text": ({"n_kv_head": "x"}, "n_kv_head is 'x'"),
    "other key heads": ({"n_kv_head": 4}, "c_attn.weight is 64x32, config.json says 96x32 (n_head, n_kv_head)"),
    "norm": ({"norm": "batchnorm"}, "norm is 'batchnorm', not one of layernorm, rmsnorm"),
    "positions": ({"positions": None}, "positions is null"),
    "activation": ({"activation": {}}, "activation is {}"),
    "epsilon": ({"norm_eps": "x"}, "norm_eps is 'x'"),
    "base": ({"rope_base": 0}, "rope_base is 0"),
    "bias": ({"bias": 0}, "bias is 0, not true or false"),
    "dropout": ({"dropout": 1}, "dropout is 1"),
    "pattern": ({"pattern_dropout": -1}, "pattern_dropout is -1"),
    "format": ({"format": "x"}, "format is 'x'"),
    "context": ({"context": 10_000_000, "d_model": 32}, "says context 10000000; its table alone needs"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_impossible_values_of_our_own_dialect_name_their_field(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes, says = IMPOSSIBLE[name]
    path = fakes.tiny_model_dir(tmp_path, "modern")
    rewrite_config(**changes)(path)
    real = os.sysconf
    monkeypatch.setattr(os, "sysconf", lambda name: 1000 if name == "SC_PHYS_PAGES" else real(name))
    with pytest.raises(UserError) as caught:
        checkpoint.load(path)
    assert says in str(caught.value)


def test_every_field_of_a_shape_is_read_by_its_type() -> None:
    read = {field.name: field.type for field in msgspec.structs.fields(Own)}
    assert read.keys() == {field.name for field in dataclasses.fields(GPTConfig)}
    types = typing.get_type_hints(GPTConfig)
    assert all(read[name] == types[name] for name in ("norm", "positions", "activation"))


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64, torch.uint8, torch.bool, torch.complex64])
def test_weights_that_are_no_real_numbers_are_refused(dtype: torch.dtype, tmp_path: Path) -> None:
    path = fakes.tiny_model_dir(tmp_path)
    rewrite_weights(lambda state: state.update({name: x.to(dtype) for name, x in state.items()}))(path)
    with pytest.raises(UserError, match=f"holds {str(dtype).removeprefix('torch.')}; weights are float32"):
        open_model(path)


def test_what_is_too_large_for_single_precision_is_not_finite(tmp_path: Path) -> None:
    path = fakes.tiny_model_dir(tmp_path)
    rewrite_weights(lambda s: s.update({"transformer.ln_f.bias": s["transformer.ln_f.bias"].double() + 1e300}))(path)
    with pytest.raises(UserError, match="not finite"):
        open_model(path)


@pytest.mark.parametrize("suffix", sorted(model_files.PICKLES))
def test_a_pickle_offered_as_a_model_is_refused_unread(suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"model{suffix}"
    file.write_bytes(b"anything")
    with pytest.raises(UserError, match="is a pickle, which can run any code"):
        open_model(file)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="a file that fails when it is read, on Linux only")
def test_weights_that_fail_when_they_are_read_are_one_line(tmp_path: Path) -> None:
    path = fakes.tiny_model_dir(tmp_path)
    (path / "model.safetensors").unlink()
    (path / "model.safetensors").symlink_to("/proc/self/mem")
    with pytest.raises(UserError, match=r"model\.safetensors cannot be read"):
        model_files.header(path / "model.safetensors")
    with pytest.raises(UserError, match=r"model\.safetensors cannot be read"):
        open_model(path)


def test_nothing_there_and_empty_directories(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no model at"):
        open_model(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"holds no config\.json"):
        open_model(tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="is a file; give the directory"):
        open_model(tmp_path / "file")


@pytest.mark.parametrize("arch", ["gpt2", "modern"])
def test_saving_and_loading_keeps_every_bit(arch: fakes.Arch, tmp_path: Path) -> None:
    model = fakes.tiny_model(arch)
    checkpoint.save(model, tmp_path)
    again = checkpoint.load(tmp_path)
    idx = torch.arange(20)[None]
    assert torch.equal(model(idx), again(idx))
    assert not again.training
    assert again.config == model.config
    assert sorted(file.name for file in tmp_path.iterdir()) == ["config.json", "model.safetensors"]


def test_weights_stored_in_half_are_computed_in_single(tmp_path: Path) -> None:
    checkpoint.save(fakes.tiny_model(), tmp_path, dtype=torch.float16)
    stored = load_file(tmp_path / "model.safetensors")
    assert {x.dtype for x in stored.values()} == {torch.float16}
    assert {x.dtype for x in checkpoint.load(tmp_path).state_dict().values()} == {torch.float32}


def test_a_tied_head_is_one_tensor(tmp_path: Path) -> None:
    checkpoint.save(fakes.tiny_model(), tmp_path)
    model = checkpoint.load(tmp_path)
    assert model.lm_head.weight is model.transformer.wte.weight
    assert "lm_head.weight" not in load_file(tmp_path / "model.safetensors")


def test_shards_and_names_without_prefix_open(tmp_path: Path) -> None:
    model = fakes.tiny_model()
    checkpoint.save(model, tmp_path)
    state = load_file(tmp_path / "model.safetensors")
    (tmp_path / "model.safetensors").unlink()
    bare = {name.removeprefix("transformer."): x for name, x in state.items()}
    bare["h.0.attn.bias"] = torch.ones(1, 1, 32, 32).tril()  # old exports carry their causal masks
    names = sorted(bare)
    halves = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for file, members in halves.items():
        save_file({name: bare[name] for name in members}, tmp_path / file)
    index = {"weight_map": {name: file for file, members in halves.items() for name in members}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    idx = torch.arange(20)[None]
    assert torch.equal(checkpoint.load(tmp_path)(idx), model(idx))


def test_an_index_cannot_reach_outside_its_directory(tmp_path: Path) -> None:
    checkpoint.save(fakes.tiny_model(), tmp_path / "secret")
    path = tmp_path / "model"
    path.mkdir()
    (path / "config.json").write_text((tmp_path / "secret" / "config.json").read_text())
    index = {"weight_map": {"x": "../secret/model.safetensors"}}
    (path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(UserError, match="which is not here"):
        checkpoint.load(path)


def test_a_newer_dialect_says_so(tmp_path: Path) -> None:
    checkpoint.save(fakes.tiny_model("modern"), tmp_path)
    rewrite_config(format=99)(tmp_path)
    with pytest.raises(UserError, match="newer gpttui"):
        checkpoint.load(tmp_path)


@pytest.mark.parametrize("tied", [True, False])
def test_a_large_head_lies_as_a_step_reads_it(tied: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = fakes.tiny_model(tied=tied)
    checkpoint.save(model, tmp_path / "a")
    monkeypatch.setattr(unpacking, "LARGE_HEAD", 1)
    again = checkpoint.load(tmp_path / "a")
    idx = torch.arange(20)[None]
    torch.testing.assert_close(model(idx), again(idx), atol=1e-5, rtol=1e-5)
    assert again.lm_head.weight.stride() == (1, 64)
    assert (again.lm_head.weight is again.transformer.wte.weight) == tied
    checkpoint.save(again, tmp_path / "b")
    first, second = (load_file(tmp_path / name / "model.safetensors") for name in "ab")
    assert first.keys() == second.keys()
    assert all(torch.equal(x, second[name]) for name, x in first.items())


def test_opening_a_model_does_not_load_torchs_compiler(tmp_path: Path) -> None:
    """It is a second of imports: on the way from the command line to the first token."""
    path = fakes.tiny_model_dir(tmp_path, "modern")
    script = (
        "import sys, pathlib\n"
        "from gpttui.inference.opening import open_model\n"
        "from gpttui.inference.session import Session\n"
        "session = Session(*open_model(pathlib.Path(sys.argv[1])), prompt='the cat')\n"
        "session.step(), session.snapshot()\n"
        "sys.exit('torch._dynamo' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=True, timeout=120)
