"""GGUF files: the same model as its directory, to the number; and every damaged one a clear line."""

import json
import os
import random
import struct
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

pytest.importorskip("gguf")
transformers: Any = pytest.importorskip("transformers")

import gguf as library  # noqa: E402

from gpttui.cli.main import run  # noqa: E402
from gpttui.errors import UserError  # noqa: E402
from gpttui.inference.opening import open_model  # noqa: E402
from gpttui.model import checkpoint  # noqa: E402
from gpttui.model.gpt import GPTConfig  # noqa: E402
from gpttui.storage import gallery, gguf, gguf_models, gguf_tokenizer  # noqa: E402
from gpttui.tokenizers import Tokenizer  # noqa: E402
from tests import fakes, gguf_files  # noqa: E402

SMALL: dict[str, Any] = {
    "vocab_size": 61, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 32, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
GPT2: dict[str, Any] = {"vocab_size": 61, "n_positions": 32, "n_embd": 32, "n_layer": 3, "n_head": 4}
LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 500_000.0, "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}  # fmt: skip
GEMMA = SMALL | {
    "head_dim": 10, "num_key_value_heads": 1, "sliding_window": 5, "query_pre_attn_scalar": 10,
    "layer_types": ["sliding_attention", "sliding_attention", "full_attention"],
}  # fmt: skip
PATTERN = "gemma3__attention__sliding_window_pattern"
KINDS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "llama": ("llama", SMALL, {}),
    "llama, biases": ("llama", SMALL | {"attention_bias": True, "mlp_bias": True}, {}),
    "llama, free heads, tied": ("llama", SMALL | {"head_dim": 10, "tie_word_embeddings": True}, {}),
    "llama, scaled": ("llama", SMALL | {"rope_parameters": LLAMA3}, {}),
    "llama, linear": (
        "llama",
        SMALL | {"rope_parameters": {"rope_type": "linear", "rope_theta": 1e4, "factor": 2.0}},
        {},
    ),
    "qwen2": ("qwen2", SMALL, {}),
    "qwen3": ("qwen3", SMALL | {"head_dim": 12, "tie_word_embeddings": True}, {}),
    "gemma3": ("gemma3_text", GEMMA, {PATTERN: 3}),
    "gemma3, by layer": ("gemma3_text", GEMMA, {PATTERN: [True, True, False]}),
    "gpt2": ("gpt2", GPT2, {}),
    "gpt2, untied": ("gpt2", GPT2 | {"tie_word_embeddings": False}, {}),
}


def made(model_type: str, fields: dict[str, Any], seed: int = 0) -> Any:
    """A random model of `transformers`, its norms and biases random too."""
    torch.manual_seed(seed)
    config = transformers.AutoConfig.for_model(model_type, **fields)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    for name, parameter in model.named_parameters():
        centre = float("norm" in name and "weight" in name and model_type != "gemma3_text")
        torch.nn.init.normal_(parameter, mean=centre, std=0.3 if parameter.dim() == 1 else 0.15)
    return model


def written(tmp_path: Path, *, name: str = "tiny.gguf", pre: str = "gpt-2", packing: str = "F32", **more: Any) -> Path:
    """A whole little Llama in a file."""
    tokenizer = gguf_files.words()
    model = made("llama", SMALL | {"vocab_size": tokenizer.vocab_size})
    return gguf_files.write(model, tmp_path / name, tokenizer=tokenizer, pre=pre, packing=packing, **more)


# ── Weights ───────────────────────────────────────────────────────────────────────────────────────────────────────


def plain(config: GPTConfig) -> GPTConfig:
    """With what may be left out written out; without the one field that a file keeps in half the bits."""
    return replace(config, head_size=config.d_head, d_mlp=config.mlp_width, rope_scaling=None)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_the_same_model_as_its_directory(kind: str, tmp_path: Path) -> None:
    model_type, fields, more = KINDS[kind]
    theirs = made(model_type, fields)
    theirs.save_pretrained(tmp_path / "directory")
    file = gguf_files.write(theirs, tmp_path / "model.gguf", **more)
    ours, same = checkpoint.load(file), checkpoint.load(tmp_path / "directory")
    assert plain(ours.config) == plain(same.config)
    assert np.allclose(ours.config.rope_scaling or (), same.config.rope_scaling or ())
    for name, x in same.state_dict().items():
        assert torch.allclose(ours.state_dict()[name], x, atol=1e-6), name
    ids = torch.arange(3, 20)[None]
    with torch.inference_mode():
        expected = theirs(ids).logits
        assert (ours(ids) - expected).abs().max() < 1e-4 * max(1.0, float(expected.abs().max()))


def test_every_packing_of_the_library_is_known() -> None:
    from gguf.quants import _type_traits

    known = {library.GGMLQuantizationType(number): packing for number, packing in gguf.PACKINGS.items()}
    assert set(known) == {*_type_traits, library.GGMLQuantizationType.F32, library.GGMLQuantizationType.F16}
    for kind, packing in known.items():
        assert (kind.name, library.GGML_QUANT_SIZES[kind]) == (packing.name, (packing.values, packing.size_bytes))


@pytest.mark.parametrize("packing", gguf.PACKINGS.values(), ids=lambda packing: packing.name)
def test_numbers_are_those_of_the_library(packing: gguf.Packing) -> None:
    rows, blocks = 7, 6
    data = np.random.default_rng(0).integers(0, 256, (rows, blocks * packing.size_bytes), np.uint8)
    stored = gguf.Stored(packing, (rows, blocks * packing.values), 0, data.size)
    with np.errstate(all="ignore"):
        expected = library.dequantize(data, library.GGMLQuantizationType[packing.name])
    assert np.array_equal(gguf_models.unpacked(data.reshape(-1), stored), expected.reshape(-1), equal_nan=True)


@pytest.mark.parametrize("packing", ["F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"])
def test_a_packed_file_is_what_its_packing_kept(packing: str, tmp_path: Path) -> None:
    model, same = checkpoint.load(written(tmp_path, packing=packing)), checkpoint.load(written(tmp_path))
    kept = library.GGMLQuantizationType[packing]
    fc = same.state_dict()["transformer.h.1.mlp.c_proj.weight"].numpy()
    expected = library.dequantize(library.quantize(fc, kept), kept)
    assert np.array_equal(model.state_dict()["transformer.h.1.mlp.c_proj.weight"].numpy(), expected)
    assert gallery.card(tmp_path / "tiny.gguf").params == sum(p.numel() for p in same.parameters())


def test_the_card_tells_how_most_weights_are_packed(tmp_path: Path) -> None:
    card = gallery.card(written(tmp_path, name="some.Q4_1.gguf", packing="Q4_1"))
    assert (card.id, card.packing, card.arch) == ("some.Q4_1", "Q4_1", "llama")
    assert card.tokenizer == f"byte-level BPE {card.vocab_size}"


# ── Tokenizers ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("pre", "pieces"),
    [
        ("gpt-2", ["1234"]),
        ("smollm", ["1", "2", "3", "4"]),
        ("qwen2", ["1", "2", "3", "4"]),
        ("llama-bpe", ["123", "4"]),
    ],
)
def test_a_text_is_split_as_the_file_names_it(pre: str, pieces: list[str], tmp_path: Path) -> None:
    tokenizer = Tokenizer.open(written(tmp_path, pre=pre))
    assert [tokenizer.decode([i]) for i in tokenizer.encode("1234")] == pieces
    for text in [fakes.TEXT, "Don'T  stop\r\n\n\tat x²  ", "a<|end|><tool> b<|end|>"]:
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_ids_are_those_of_the_tokenizer_that_was_written(tmp_path: Path) -> None:
    file, original = written(tmp_path), gguf_files.words()
    tokenizer = Tokenizer.open(file)
    for text in [fakes.TEXT, "Don'T  stop\r\n\n\tat x²  ", "a<|end|><tool> b<|end|>", ""]:
        assert tokenizer.encode(text) == original.encode(text)
    added = {token["content"]: token["special"] for token in json.loads(tokenizer.to_json())["added_tokens"]}
    assert added == {"<|end|>": True, "<tool>": False}


@pytest.mark.parametrize("begins", [False, True])
def test_the_first_token_is_put_where_the_file_says(begins: bool, tmp_path: Path) -> None:
    tokenizer = Tokenizer.open(written(tmp_path, tokenizer__ggml__add_bos_token=begins))
    assert tokenizer.prompt("the cat") == [tokenizer.backend.token_to_id("<|end|>")] * begins + tokenizer.encode(
        "the cat"
    )


# ── Whatever is wrong with a file ─────────────────────────────────────────────────────────────────────────────────

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "experts": ({"llama__expert_count": 8}, "a mixture of experts"),
    "another architecture": ({"general__architecture": "mamba"}, "'mamba'; it has recurrent"),
    "an unknown one": ({"general__architecture": "\x1b[2Jx"}, "of the architecture '␛"),
    "yarn": (
        {"llama__rope__scaling__type": "yarn"},
        "rotary positions of the type 'yarn', which gpttui does not compute",
    ),
    "partial rotation": ({"llama__rope__dimension_count": 4}, "not the size of a head"),
    "other heads in each layer": ({"llama__attention__head_count_kv": [1, 2, 1]}, "differs between layers"),
    "a text for a number": ({"llama__block_count": "3"}, "is not a whole number"),
    "no layers": ({"llama__block_count": 0}, "num_hidden_layers is 0"),
    "too many layers": ({"llama__block_count": 9_000_000}, "have 3 layers, its header says 9000000"),
    "another width": ({"llama__embedding_length": 48}, "its header says"),
    "no number": ({"llama__attention__layer_norm_rms_epsilon": float("nan")}, "is not a number"),
    "a part of several": ({"split__count": 3}, "one of 3 parts"),
    "WordPiece": ({"tokenizer__ggml__model": "bert"}, "WordPiece tokenizer, which gpttui does not open"),
    "an unknown split": ({"tokenizer__ggml__pre": "kimi-k2"}, "splits texts in a way named 'kimi-k2'"),
    "no first token": ({"tokenizer__ggml__bos_token_id": 9999, "tokenizer__ggml__add_bos_token": True}, "id 9999"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_file_that_is_not_opened_says_why(kind: str, tmp_path: Path) -> None:
    changes, line = WRONG[kind]
    with pytest.raises(UserError, match=line) as caught:
        open_model(written(tmp_path, **changes))
    assert "\x1b" not in str(caught.value) and "\n" not in str(caught.value)


def put(at: int, code: str, number: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:at] + struct.pack(code, number) + data[at + struct.calcsize(code) :]


def after(name: bytes, skip: int, code: str, number: int) -> Callable[[bytes], bytes]:
    """A number put `skip` bytes behind a name in the header."""
    return lambda data: put(data.index(name) + len(name) + skip, code, number)(data)


DAMAGE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "nothing": (lambda data: b"", "no GGUF file"),
    "no magic": (lambda data: b"\0" + data[1:], "no GGUF file"),
    "magic alone": (lambda data: data[:9], "no whole header"),
    "half": (lambda data: data[: len(data) // 2], "damaged or cut short"),
    "last byte gone": (lambda data: data[:-1], "does not lie within it"),
    "version 1": (put(4, "<I", 1), "version 1 of GGUF"),
    "big-endian": (put(4, "<I", 3 << 24), "a big-endian file"),
    "tensors": (put(8, "<Q", 1 << 60), "it claims"),
    "keys": (put(16, "<Q", 50_000), "damaged or cut short"),
    "a list": (after(b"tokenizer.ggml.tokens", 8, "<Q", 1 << 62), "list of 4,611,686,018,427,387,904"),
    "a long list": (after(b"tokenizer.ggml.tokens", 8, "<Q", 9_999_999), "damaged or cut short"),
    "a list of lists": (after(b"tokenizer.ggml.tokens", 4, "<I", 9), "values of kind 9"),
    "numbers for texts": (after(b"tokenizer.ggml.tokens", 4, "<I", 10), "damaged|list of texts"),
    "a long text": (after(b"tokenizer.ggml.model", 4, "<Q", 1 << 63), "ends too soon"),
    "a kind of value": (after(b"tokenizer.ggml.model", 0, "<I", 77), "a kind 77"),
    "dimensions": (after(b"token_embd.weight", 0, "<I", 1 << 31), "2,147,483,648 dimensions"),
    "a dimension": (after(b"token_embd.weight", 4, "<Q", 1 << 62), "no possible size"),
    "an empty one": (after(b"token_embd.weight", 4, "<Q", 0), "no possible size"),
    "a type": (after(b"token_embd.weight", 20, "<I", 99), r"type 99"),
    "whole numbers": (after(b"token_embd.weight", 20, "<I", 26), r"type 26"),
    "a place": (after(b"token_embd.weight", 24, "<Q", (1 << 64) - 32), "does not lie within it"),
    "no weights": (lambda data: data.replace(b"token_embd.weight", b"token_embd.wright"), "token_embd.w"),
    "a strange name": (
        lambda data: data.replace(b"blk.2.ffn_up.weight", b"blk.2.\x1b[2J_\x07.weight"),
        "no llama model has",
    ),
    "a name twice": (lambda data: data.replace(b"blk.2.ffn_up.weight", b"blk.1.ffn_up.weight"), "comes twice"),
    "a key twice": (lambda data: data.replace(b"llama.block_count", b"llama.embedding_length"[:17]), "damaged|lacks"),
    "no UTF-8": (lambda data: data.replace(b"llama.block_count", b"llama.block\xffcount"), "not UTF-8"),
    "no number in the weights": (lambda data: data[:-4] + struct.pack("<f", float("nan")), "not finite"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_named_in_a_line(kind: str, tmp_path: Path) -> None:
    file = written(tmp_path)
    damage, line = DAMAGE[kind]
    data = file.read_bytes()
    assert damage(data) != data
    file.write_bytes(damage(data))
    with pytest.raises(UserError, match=line) as caught:
        open_model(gallery.find(str(file)))
    assert str(file) in str(caught.value) and "\x1b" not in str(caught.value)


def spoilt(data: bytes, rng: random.Random) -> bytes:
    """A file's bytes, damaged mostly in its header."""
    header = data.index(b"blk.2.attn_output.weight")
    at = rng.randrange(len(data) if rng.random() < 0.2 else header)
    sizes = [0, 1, 255, 1 << 16, 1 << 31, (1 << 32) - 1, 1 << 40, 1 << 62, (1 << 63) - 1, (1 << 64) - 1]
    match rng.randrange(6):
        case 0:
            return data[:at]
        case 1:
            flipped = bytearray(data)
            for _ in range(rng.choice([1, 3, 30])):
                flipped[rng.randrange(header)] ^= 1 << rng.randrange(8)
            return bytes(flipped)
        case 2:
            return put(at, "<Q", rng.choice(sizes))(data)
        case 3:
            return put(at, "<I", rng.choice(sizes) & 0xFFFFFFFF)(data)
        case 4:
            return data[:at] + rng.randbytes(rng.choice([1, 8, 500])) + data[at:]
        case _:
            return data[:at] + bytes(rng.choice([4, 100])) + data[at + rng.choice([0, 4, 100]) :]


def test_three_hundred_damaged_files_are_a_line_each(tmp_path: Path) -> None:
    whole, file = written(tmp_path, packing="Q8_0").read_bytes(), tmp_path / "spoilt.gguf"
    refused = 0
    for seed in range(300):
        file.write_bytes(spoilt(whole, random.Random(seed)))
        os.utime(file, ns=(seed, seed))
        tracemalloc.start()
        try:
            gallery.card(gallery.find(str(file)))
            open_model(file)
        except UserError as error:
            refused += 1
            line = str(error)
            assert "\n" not in line and line.isprintable() and 0 < len(line) < 600, (seed, line)
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak < 60 * len(whole) + (32 << 20), (seed, peak)  # what is imported meanwhile counts too
    assert refused > 150


# ── Where it is opened ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_is_judged_by_its_content(tmp_path: Path) -> None:
    file = written(tmp_path, name="sha256-0123")
    (tmp_path / "named.gguf").symlink_to(file)
    assert gallery.card(gallery.find(str(tmp_path / "named.gguf"))).id == "named"
    assert open_model(gallery.find(str(file)))[0].config.n_layer == 3


def test_a_file_in_ones_own_folder_of_models_has_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "models"
    own.mkdir()
    monkeypatch.setattr(gallery.locations, "user_models_dir", lambda: own)
    fakes.tiny_model_dir(own, name="both")
    for name in ("mine.gguf", "both.gguf", "tales.gguf"):
        written(own, name=name)
    (own / "broken.gguf").write_bytes(b"GGUF and no more of it")
    found = gallery.directories()
    assert {name: found[name].name for name in ("mine", "both", "both.gguf", "own:tales")} == {
        "mine": "mine.gguf", "both": "both", "both.gguf": "both.gguf", "own:tales": "tales.gguf",
    }  # fmt: skip
    assert found["bundled:tales"].parent == gallery.bundled_dir()
    assert all(gallery.name_of(path) == name for name, path in found.items())
    assert gallery.find("mine") == own / "mine.gguf" and gallery.find("tales") == own / "tales.gguf"
    assert gallery.verify(own / "mine.gguf") == "no checksum"
    cards, broken = gallery.cards()
    assert "mine" in {card.id for card in cards} and [line for line in broken if "broken.gguf" in line]
    assert run(["tokens", "--model", "mine", "the cat"]) == 0
    assert "·c" in capsys.readouterr().out


def test_its_vocabulary_is_not_read_before_it_is_asked_for(tmp_path: Path) -> None:
    header = gguf.read(written(tmp_path))
    assert isinstance(header.values["tokenizer.ggml.tokens"], gguf.Listed)
    assert len(header.texts("tokenizer.ggml.tokens")) == gguf_files.words().vocab_size
    assert gguf_tokenizer.kind(header, 302) == "byte-level BPE 302"


def test_every_verb_takes_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, text = str(written(tmp_path)), tmp_path / "text.txt"
    text.write_text(fakes.TEXT * 40)
    assert run(["generate", "--model", file, "--prompt", "the cat", "-n", "3"]) == 0
    assert run(["tokens", "--model", file, "the cat<|end|>"]) == 0
    assert run(["trace", "--model", file, "--prompt", "the cat", "--out", str(tmp_path / "trace.npz")]) == 0
    assert run(["eval", "--model", file, "--data", str(text)]) == 0
    assert run(["export", "--model", file, str(tmp_path / "exported")]) == 0
    fine_tune = ["train", "--init", file, "--data", str(text), "--steps", "2", "--run-dir", str(tmp_path / "run")]
    assert run([*fine_tune, "--context", "16", "--batch", "2"]) == 0, capsys.readouterr().err
    again = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "exported").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "exported")
    ours, words_ = open_model(Path(file))
    ids = tokenizer("the cat<|end|>", return_tensors="pt").input_ids
    assert ids[0].tolist() == words_.encode("the cat<|end|>")
    with torch.inference_mode():
        assert (again(ids).logits - ours(ids)).abs().max() < 1e-4


# ── A real file ───────────────────────────────────────────────────────────────────────────────────────────────────

GREEDY = {
    "The capital of France is": " Paris.\n\nThe answer is: 2018-01",
    "Once upon a time": ", the city of Nova Haven was a thriving metropolis, with towering skyscrapers and bustling",
    "def fibonacci(n):\n": "\ndef fibonacci(n):\n    if n <= 1:\n        return",
    "<|im_start|>user\nWhat is 2+2?<|im_end|>\n<|im_start|>assistant\n": (
        "The answer is 4.<|im_end|>\n<|im_end|><|im_start|>system\n<|im_end|>\n<|im_start|>user"
    ),
    "Water boils at": " 100°C, which is a perfect Celsius.\n\nThe",
}
"""What `transformers` makes of SmolLM2-135M-Instruct.Q4_1.gguf (`gguf_file=`, float32): 16 tokens, greedily."""


@pytest.fixture(scope="module")
def smollm2() -> Path:
    folder = os.environ.get("GPTTUI_TEST_GGUF", "")
    found = next(iter(Path(folder).rglob("SmolLM2-135M-Instruct.Q4_1.gguf")), None) if folder else None
    if found is None:
        pytest.skip("set GPTTUI_TEST_GGUF to a folder with SmolLM2-135M-Instruct.Q4_1.gguf")
    return found


def test_a_real_file_says_what_transformers_says(smollm2: Path) -> None:
    model, tokenizer = open_model(smollm2)
    assert gallery.card(smollm2).params == 134_515_008
    for prompt, expected in GREEDY.items():
        ids = tokenizer.encode(prompt)
        with torch.inference_mode():
            for _ in range(16):
                ids.append(int(model(torch.tensor([ids]))[0, -1].argmax()))
        assert tokenizer.decode(ids).removeprefix(prompt) == expected
