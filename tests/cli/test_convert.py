"""`gpttui convert`: checkpoints of small programs that people learn from; what they compute is what is opened.

The references here compute as those programs do, in the fewest lines.
"""

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from gpttui.inference.opening import open_model
from gpttui.model import checkpoint
from gpttui.storage import gallery
from gpttui.tokenizers import Tokenizer
from tests import fakes
from tests.cli.conftest import Cli

transformers: Any = pytest.importorskip("transformers")

from tests.families import made  # noqa: E402

TEXT = fakes.TEXT
CHARACTERS = sorted(set(TEXT))
V, C, H, L, T = len(CHARACTERS), 24, 4, 2, 16
D = C // H


def random_state(sizes: dict[str, tuple[int, ...]], seed: int = 0) -> dict[str, Tensor]:
    torch.manual_seed(seed)
    one = ("ln_", "norm")
    return {
        name: (1.0 if any(part in name for part in one) and "bias" not in name else 0.0) + 0.2 * torch.randn(size)
        for name, size in sizes.items()
    }


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Heads `[H, T, D]`, fewer of keys and values; `[T, H * D]`."""
    k, v = (x.repeat_interleave(len(q) // len(x), dim=0) for x in (k, v))
    scores = (q @ k.transpose(1, 2) / math.sqrt(q.size(-1))).masked_fill(
        ~torch.ones(len(q[0]), len(q[0])).tril().bool(), -1e9
    )
    return (scores.softmax(-1) @ v).transpose(0, 1).flatten(1)


def heads(x: Tensor, n: int = H) -> Tensor:
    return x.view(len(x), n, -1).transpose(0, 1)


# ── nanoGPT and minGPT ────────────────────────────────────────────────────────────────────────────────────────────


def gpt_sizes(*, bias: bool = True) -> dict[str, tuple[int, ...]]:
    sizes: dict[str, tuple[int, ...]] = {"transformer.wte.weight": (V, C), "transformer.wpe.weight": (T, C)}
    for n in range(L):
        at = f"transformer.h.{n}."
        sizes |= {f"{at}ln_1.weight": (C,), f"{at}ln_2.weight": (C,)}
        sizes |= {f"{at}attn.c_attn.weight": (3 * C, C), f"{at}attn.c_proj.weight": (C, C)}
        sizes |= {f"{at}mlp.c_fc.weight": (4 * C, C), f"{at}mlp.c_proj.weight": (C, 4 * C)}
    sizes["transformer.ln_f.weight"] = (C,)
    if bias:
        sizes |= {name.replace("weight", "bias"): size[:1] for name, size in sizes.items() if ".w" not in name[:14]}
    return sizes | {"lm_head.weight": (V, C)}


def gpt(state: dict[str, Tensor], ids: list[int], activate: Any) -> Tensor:
    def linear(name: str, x: Tensor) -> Tensor:
        return F.linear(x, state[f"{name}.weight"], state.get(f"{name}.bias"))

    def norm(name: str, x: Tensor) -> Tensor:
        return F.layer_norm(x, (C,), state[f"{name}.weight"], state.get(f"{name}.bias"))

    x = state["transformer.wte.weight"][ids] + state["transformer.wpe.weight"][: len(ids)]
    for n in range(L):
        at = f"transformer.h.{n}."
        q, k, v = linear(f"{at}attn.c_attn", norm(f"{at}ln_1", x)).split(C, dim=1)
        x = x + linear(f"{at}attn.c_proj", attend(heads(q), heads(k), heads(v)))
        x = x + linear(f"{at}mlp.c_proj", activate(linear(f"{at}mlp.c_fc", norm(f"{at}ln_2", x))))
    return norm("transformer.ln_f", x) @ state["lm_head.weight"].T


def nanogpt_file(folder: Path, *, bias: bool = True, prefix: str = "", **more: Any) -> tuple[Path, dict[str, Tensor]]:
    state = random_state(gpt_sizes(bias=bias))
    state["lm_head.weight"] = state["transformer.wte.weight"]
    args = {"n_layer": L, "n_head": H, "n_embd": C, "block_size": T, "bias": bias, "vocab_size": V, "dropout": 0.1}
    masks = {f"transformer.h.{n}.attn.bias": torch.ones(1, 1, T, T) for n in range(L)}
    kept = {prefix + name: x for name, x in (state | masks).items()}
    rest = {"iter_num": 9, "best_val_loss": torch.tensor(1.5), "config": {"dataset": "x", "device": "cuda"}}
    torch.save(
        {"model": kept, "optimizer": {"state": {0: {"step": torch.ones(1)}}}, "model_args": args, **rest, **more},
        folder / "ckpt.pt",
    )
    (folder / "input.txt").write_text(TEXT, encoding="utf-8")
    return folder / "ckpt.pt", state


def same(path: Path, expected: Any, ids: list[int]) -> None:
    model, tokenizer = open_model(path)
    with torch.inference_mode():
        torch.testing.assert_close(model(torch.tensor([ids]))[0], expected, atol=2e-5, rtol=2e-5)
    assert gallery.card(path).vocab_size == V
    assert tokenizer.decode(tokenizer.encode("the cat")) == "the cat"


IDS = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("prefix", ["", "_orig_mod."])
def test_nanogpt(cli: Cli, tmp_path: Path, bias: bool, prefix: str) -> None:
    file, state = nanogpt_file(tmp_path, bias=bias, prefix=prefix)
    result = cli("convert", file, tmp_path / "out", "--tokenizer", tmp_path / "input.txt")
    assert result.code == 0, result.err
    same(tmp_path / "out", gpt(state, IDS, F.gelu), IDS)
    tokenizer = Tokenizer.open(tmp_path / "out")
    assert tokenizer.encode("cat") == [CHARACTERS.index(char) for char in "cat"] and tokenizer.vocab_size == V
    assert cli("generate", "--model", tmp_path / "out", "--prompt", "the", "-n", "3").code == 0
    if bias:
        theirs = transformers.GPT2LMHeadModel.from_pretrained(tmp_path / "out").eval()
        with torch.inference_mode():
            torch.testing.assert_close(
                theirs(torch.tensor([IDS])).logits[0], gpt(state, IDS, F.gelu), atol=2e-5, rtol=2e-5
            )


@pytest.mark.parametrize("how", ["option", "config", "shape"])
def test_mingpt(cli: Cli, tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    state = random_state(gpt_sizes())
    torch.save(state, tmp_path / "model.pt")
    (tmp_path / "input.txt").write_text(TEXT, encoding="utf-8")
    order = ["convert", tmp_path / "model.pt", tmp_path / "out", "--tokenizer", tmp_path / "input.txt"]
    if how == "option":
        assert "give --heads" in cli(*order).err
        order += ["--heads", str(H)]
    elif how == "config":
        (tmp_path / "config.json").write_text(json.dumps({"model": {"n_head": H}, "system": {"seed": 3}}))
    else:
        monkeypatch.setattr("gpttui.model.pickled.MINGPTS", {(L, C): H})
    assert cli(*order).code == 0
    same(tmp_path / "out", gpt(state, IDS, lambda x: F.gelu(x, approximate="tanh")), IDS)


# ── llama2.c ──────────────────────────────────────────────────────────────────────────────────────────────────────


def angles(size: int) -> Tensor:
    return torch.arange(len(IDS)).float()[:, None] / 10000 ** (torch.arange(0, size, 2).float() / size)


def in_pairs(x: Tensor) -> Tensor:
    """Rotated as complex numbers, one behind the other: `[H, T, D]`."""
    turned = torch.view_as_complex(x.unflatten(-1, (-1, 2)).contiguous()) * torch.polar(torch.ones(()), angles(D))
    return torch.view_as_real(turned).flatten(-2)


@pytest.mark.parametrize("tied", [True, False])
def test_llama2c(cli: Cli, tmp_path: Path, tied: bool) -> None:
    K, wide = 2, 40
    sizes: dict[str, tuple[int, ...]] = {"tok_embeddings.weight": (V, C), "norm.weight": (C,), "output.weight": (V, C)}
    for n in range(L):
        at = f"layers.{n}."
        sizes |= {f"{at}attention_norm.weight": (C,), f"{at}ffn_norm.weight": (C,)}
        sizes |= {
            f"{at}attention.w{x}.weight": (size, C) for x, size in (("q", C), ("k", K * D), ("v", K * D), ("o", C))
        }
        sizes |= {f"{at}feed_forward.w{x}.weight": size for x, size in ((1, (wide, C)), (2, (C, wide)), (3, (wide, C)))}
    state = random_state(sizes)
    if tied:
        state["output.weight"] = state["tok_embeddings.weight"]
    args = {"dim": C, "n_layers": L, "n_heads": H, "n_kv_heads": K, "vocab_size": V, "multiple_of": 8, "max_seq_len": T}
    torch.save(
        {"model": {f"_orig_mod.{name}": x for name, x in state.items()}, "model_args": args}, tmp_path / "ckpt.pt"
    )
    (tmp_path / "tokenizer.json").write_text(fakes.tiny_tokenizer().to_json())

    x = state["tok_embeddings.weight"][IDS]

    def normed(name: str, x: Tensor) -> Tensor:
        return F.rms_norm(x, (C,), state[f"{name}.weight"], 1e-5)

    for n in range(L):
        w = {
            name.removeprefix(f"layers.{n}.").removesuffix(".weight"): x
            for name, x in state.items()
            if f"layers.{n}." in name
        }
        h = normed(f"layers.{n}.attention_norm", x)
        q, k, v = (heads(h @ w[f"attention.w{name}"].T, count) for name, count in (("q", H), ("k", K), ("v", K)))
        x = x + attend(in_pairs(q), in_pairs(k), v) @ w["attention.wo"].T
        h = normed(f"layers.{n}.ffn_norm", x)
        gated = F.silu(h @ w["feed_forward.w1"].T) * (h @ w["feed_forward.w3"].T)
        x = x + gated @ w["feed_forward.w2"].T
    expected = normed("norm", x) @ state["output.weight"].T

    tokens = fakes.tiny_tokenizer().vocab_size - V  # the fake one has an unknown token
    refused = cli("convert", tmp_path / "ckpt.pt", tmp_path / "out")
    assert tokens == 1 and refused.code == 1 and "they do not fit" in refused.err
    (tmp_path / "input.txt").write_text(TEXT, encoding="utf-8")
    assert cli("convert", tmp_path / "ckpt.pt", tmp_path / "out", "--tokenizer", tmp_path / "input.txt").code == 0
    same(tmp_path / "out", expected, IDS)
    theirs = transformers.LlamaForCausalLM.from_pretrained(tmp_path / "out").eval()
    with torch.inference_mode():
        torch.testing.assert_close(theirs(torch.tensor([IDS])).logits[0], expected, atol=2e-5, rtol=2e-5)


# ── nanochat ──────────────────────────────────────────────────────────────────────────────────────────────────────


def backwards(x: Tensor) -> Tensor:
    cos, sin = angles(D).cos(), angles(D).sin()
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos + b * sin, b * cos - a * sin), dim=-1)


def test_nanochat(cli: Cli, tmp_path: Path) -> None:
    K = 2
    sizes: dict[str, tuple[int, ...]] = {"transformer.wte.weight": (V, C), "lm_head.weight": (V, C)}
    for n in range(L):
        at = f"transformer.h.{n}."
        sizes |= {
            f"{at}attn.c_{x}.weight": (size, C) for x, size in (("q", C), ("k", K * D), ("v", K * D), ("proj", C))
        }
        sizes |= {f"{at}mlp.c_fc.weight": (4 * C, C), f"{at}mlp.c_proj.weight": (C, 4 * C)}
    state = random_state(sizes)
    state["lm_head.weight"] *= 10  # so that the cap counts
    torch.save(state, tmp_path / "model_000650.pt")
    shape = {"sequence_len": T, "vocab_size": V, "n_layer": L, "n_head": H, "n_kv_head": K, "n_embd": C}
    order = ["convert", tmp_path / "model_000650.pt", tmp_path / "out", "--tokenizer", tmp_path / "input.txt"]
    (tmp_path / "input.txt").write_text(TEXT, encoding="utf-8")
    assert "meta_000650.json, which belongs beside it" in cli(*order).err
    (tmp_path / "meta_000650.json").write_text(json.dumps({"step": 650, "model_config": shape}))

    def normed(x: Tensor) -> Tensor:
        return F.rms_norm(x, (x.size(-1),))

    x = normed(state["transformer.wte.weight"][IDS])
    for n in range(L):
        at = f"transformer.h.{n}."
        h = normed(x)
        q, k, v = (
            heads(h @ state[f"{at}attn.c_{name}.weight"].T, count) for name, count in (("q", H), ("k", K), ("v", K))
        )
        q, k = normed(backwards(q)), normed(backwards(k))
        x = x + attend(q, k, v) @ state[f"{at}attn.c_proj.weight"].T
        x = x + F.relu(normed(x) @ state[f"{at}mlp.c_fc.weight"].T).square() @ state[f"{at}mlp.c_proj.weight"].T
    expected = 15 * torch.tanh(normed(x) @ state["lm_head.weight"].T / 15)
    assert expected.abs().max() > 5

    assert cli(*order).code == 0
    same(tmp_path / "out", expected, IDS)
    torch.save(state | {"resid_lambdas": torch.ones(L)}, tmp_path / "model_000650.pt")
    assert (
        "resid_lambdas, which gpttui does not compute: a later nanochat"
        in cli(*order[:2], tmp_path / "b", *order[3:]).err
    )


# ── Pickles of the hub, and what is no checkpoint ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("parts", [1, 2])
def test_a_directory_with_pickled_weights(cli: Cli, tmp_path: Path, parts: int) -> None:
    old = tmp_path / "old"
    theirs = made("gpt_neo", 0, torch.float32)
    theirs.save_pretrained(old)
    (old / "model.safetensors").unlink()
    (old / "tokenizer.json").write_text(fakes.tiny_tokenizer().to_json())
    state = {name: x for name, x in theirs.state_dict().items() if name != "lm_head.weight"}
    names = list(state)
    for n in range(parts):
        part = {name: state[name] for name in names[n::parts]}
        torch.save(part, old / ("pytorch_model.bin" if parts == 1 else f"pytorch_model-{n}.bin"))
    if parts > 1:
        index = {"weight_map": {name: f"pytorch_model-{n % parts}.bin" for n, name in enumerate(names)}}
        (old / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    refused = cli("generate", "--model", old)
    assert refused.code == 1 and f"`gpttui convert {old} DIRECTORY`" in refused.err
    assert cli("convert", old, tmp_path / "out").code == 0
    assert json.loads((tmp_path / "out" / "config.json").read_text())["model_type"] == "gpt_neo"
    ids = torch.arange(3, 15)[None]
    with torch.inference_mode():
        assert (checkpoint.load(tmp_path / "out")(ids) - theirs(ids).logits).abs().max() < 1e-5


class Runs:
    def __reduce__(self) -> Any:
        return (os.system, ("touch /tmp/export-was-run",))


def test_what_would_run_is_refused_unrun(cli: Cli, tmp_path: Path) -> None:
    file, _ = nanogpt_file(tmp_path, more=Runs())
    result = cli("convert", file, tmp_path / "out", "--tokenizer", tmp_path / "input.txt")
    assert result.code == 1 and "holds more than numbers" in result.err and "system" in result.err
    assert not (tmp_path / "out").exists() and not Path("/tmp/export-was-run").exists()


BROKEN: dict[str, Any] = {
    "cut": lambda data: data[: len(data) // 2],
    "empty": lambda data: b"",
    "noise": lambda data: b"\x80\x02" + os.urandom(99),
    "text": lambda data: b"hello",
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_a_line(cli: Cli, tmp_path: Path, name: str) -> None:
    file, _ = nanogpt_file(tmp_path)
    file.write_bytes(BROKEN[name](file.read_bytes()))
    result = cli("convert", file, tmp_path / "out", "--tokenizer", tmp_path / "input.txt")
    assert result.code == 1 and result.err.count("\n") == 1 and str(file) in result.err


ODD: dict[str, Any] = {
    "a list": [1, 2],
    "no tensors": {"a": 1},
    "another model": {"encoder.weight": torch.ones(2, 2)},
    "no sizes": {"model": {"transformer.h.0.attn.c_attn.weight": torch.ones(2)}, "model_args": {"n_layer": -1}},
    "a scalar": {"transformer.h.0.attn.c_attn.weight": torch.ones(2), "transformer.wte.weight": torch.ones(())},
    "a huge one": {
        "model": {"transformer.h.0.attn.c_attn.weight": torch.ones(2)},
        "model_args": {"n_layer": 9_999_999, "n_head": 1, "n_embd": 9_999_999, "block_size": 9, "vocab_size": 9},
    },
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_what_is_none_of_these_is_a_line(cli: Cli, tmp_path: Path, name: str) -> None:
    torch.save(ODD[name], tmp_path / "ckpt.pt")
    (tmp_path / "input.txt").write_text(TEXT, encoding="utf-8")
    result = cli("convert", tmp_path / "ckpt.pt", tmp_path / "out", "--tokenizer", tmp_path / "input.txt")
    assert result.code == 1 and result.err.count("\n") == 1 and "ckpt.pt" in result.err, result.err


def test_without_a_tokenizer_it_says_what_to_give(cli: Cli, tmp_path: Path) -> None:
    file, _ = nanogpt_file(tmp_path)
    (tmp_path / "meta.pkl").write_bytes(b"\x80\x04x")
    result = cli("convert", file, tmp_path / "out")
    assert result.code == 1 and "meta.pkl is a pickle, and not opened; its" in result.err
    assert f"its {V} tokens are characters" in result.err and "--tokenizer input.txt" in result.err
    (tmp_path / "other.txt").write_text("abc")
    assert "3 different characters" in cli("convert", file, tmp_path / "out", "--tokenizer", tmp_path / "other.txt").err
    assert (
        "not opened as a tokenizer" in cli("convert", file, tmp_path / "out", "--tokenizer", tmp_path / "meta.pkl").err
    )
    assert cli("convert", file, tmp_path / "out", "--tokenizer", "no-such-model").code == 1
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_over(cli: Cli, tmp_path: Path) -> None:
    file, _ = nanogpt_file(tmp_path)
    assert "not empty" in cli("convert", file, tmp_path, "--tokenizer", tmp_path / "input.txt").err


# ── A file is what it holds ───────────────────────────────────────────────────────────────────────────────────────


def test_a_file_is_judged_by_what_it_holds(cli: Cli, tmp_path: Path) -> None:
    path = fakes.tiny_model_dir(tmp_path)
    weights = path / "model.safetensors"
    for name in ("pytorch_model.safetensors", "pytorch_model.bin"):
        weights.rename(path / name)
        assert cli("generate", "--model", path, "-n", "1").code == 0, name
        (path / name).rename(weights)
    assert "is no pickle but safetensors" in cli("convert", weights, tmp_path / "out", "--tokenizer", path).err
    (tmp_path / "alone.bin").write_bytes(weights.read_bytes())
    assert "a model's weights alone" in cli("generate", "--model", tmp_path / "alone.bin").err
    torch.save({"a": torch.ones(2)}, weights)
    said = cli("generate", "--model", path).err
    assert "model.safetensors is a pickle" in said and f"`gpttui convert {path} DIRECTORY`" in said
    weights.write_bytes(b"GGUF" + bytes(99))
    assert "is a GGUF file, which is a model by itself" in cli("generate", "--model", path).err
