"""The verbs that only read: models, tokens, corpus, trace, export. Shapes of what they print are promises."""

import io
import json
import pickle
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, GPT2LMHeadModel

from gpttui.model import checkpoint
from gpttui.storage import gallery
from gpttui.tokenizers import Tokenizer, train_characters
from tests import bad_models
from tests.cli.conftest import Cli, make_model


def test_models_lists_in_words_and_in_json(cli: Cli, monkeypatch: pytest.MonkeyPatch, bpe_model: Path) -> None:
    monkeypatch.setattr(gallery, "bundled_dir", lambda: bpe_model.parent)
    listed = json.loads(cli("models", "--json").out)
    mine = next(entry for entry in listed if entry["id"] == "bpe")
    assert set(mine) == set(
        "id title path params n_layer n_head d_model vocab_size context tokenizer data metric size_bytes cannot "
        "ends".split()
    )
    assert mine["tokenizer"] == "byte-level BPE 262" and mine["metric"] == {"name": "", "value": None}
    result = cli("models")
    assert re.search(r"^bpe +[\d.]+ k +2L 2H 8 +16 +byte-level BPE 262", result.out, re.MULTILINE)
    assert result.err == ""


def test_models_names_what_is_broken(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(gallery, "bundled_dir", lambda: tmp_path)
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "config.json").write_text("{")
    result = cli("models", "--json")
    assert result.code == 0 and result.out == "[]\n" and "torn" in result.err


def test_models_lists_the_good_ones_and_a_line_for_each_bad_one(cli: Cli, home: Path, bpe_model: Path) -> None:
    shelf = home / "data" / "models"
    shutil.copytree(bpe_model, shelf / "good")
    for name, damage in bad_models.OF_THE_CARD.items():
        shutil.copytree(bpe_model, shelf / f"bad {name}")
        damage(shelf / f"bad {name}")
    result = cli("models", "--json")
    listed = [entry["id"] for entry in json.loads(result.out)]
    assert result.code == 0 and "good" in listed and not any(id_.startswith("bad") for id_ in listed)
    assert result.err.count("\n") == len(bad_models.OF_THE_CARD)
    assert all(f"bad {name}" in result.err for name in bad_models.OF_THE_CARD)


@pytest.mark.parametrize("text", ["hello world", "", "漢字 🙂\n\t", "[/] [red]\x1b[2J", "a\u0301"])
def test_tokens_tile_the_text(cli: Cli, bpe_model: Path, text: str) -> None:
    result = cli("tokens", "--model", bpe_model, text, "--json")
    tokens = json.loads(result.out)
    assert [set(token) for token in tokens] == [{"id", "text", "bytes_hex", "start", "end"}] * len(tokens)
    assert b"".join(bytes.fromhex(token["bytes_hex"]) for token in tokens) == text.encode()
    edges = [token["start"] for token in tokens] + [len(text.encode())]
    assert [(token["start"], token["end"]) for token in tokens] == list(pairwise(edges))
    assert [token["id"] for token in tokens] == Tokenizer.open(bpe_model).encode(text)


def test_bytes_of_an_unknown_character_are_the_texts(cli: Cli, char_model: Path) -> None:
    tokens = json.loads(cli("tokens", "--model", char_model, "hé漢", "--json").out)
    found = [(token["bytes_hex"], token["start"], token["end"], token["text"]) for token in tokens]
    assert found == [("68", 0, 1, "h"), ("c3a9", 1, 3, "\ufffd"), ("e6bca2", 3, 6, "\ufffd")]
    assert "c3 a9" in cli("tokens", "--model", char_model, "hé漢").out


@pytest.mark.parametrize("kind", ["bpe_model", "char_model"])
@pytest.mark.parametrize("data", [b"h\xffllo", b"\xff", b"\xc3\xa9\xc3 \xed\xa0\x80l", "漢\n".encode()])
def test_tokens_tile_bytes_that_are_no_text(
    cli: Cli, kind: str, data: bytes, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    tokens = json.loads(cli("tokens", "--model", request.getfixturevalue(kind), "-", "--json").out)
    assert b"".join(bytes.fromhex(token["bytes_hex"]) for token in tokens) == data
    assert tokens[0]["start"] == 0 and tokens[-1]["end"] == len(data)
    assert all(a["end"] == b["start"] for a, b in pairwise(tokens))


def test_surrogates_that_no_shell_gives_are_no_error(cli: Cli, char_model: Path) -> None:
    tokens = json.loads(cli("tokens", "--model", char_model, "h\ud800\udcffe", "--json").out)
    assert tokens[0]["bytes_hex"] == "68" and tokens[-1]["text"] == "e"


def test_tokens_for_a_person_hold_no_control_characters(cli: Cli, bpe_model: Path) -> None:
    result = cli("tokens", "--model", bpe_model, "\x1b[2J é")
    assert "␛" in result.out and "·" in result.out and "⟨C3⟩" in result.out
    assert not any(ord(char) < 32 for char in result.out.replace("\n", ""))


def test_tokens_reads_a_megabyte_from_stdin(bpe_model: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gpttui", "tokens", "--model", str(bpe_model), "-", "--json"],
        input=b"hello world \xff" * 80_000,
        capture_output=True,
        timeout=120,
        check=True,
    )
    assert len(json.loads(done.stdout)) > 100_000
    assert b"80,000 bytes of the text are not UTF-8" in done.stderr


def test_tokens_needs_no_torch(bpe_model: Path) -> None:
    code = (
        "import sys\nfrom gpttui.cli.main import run\n"
        f"run(['tokens', '--model', {str(bpe_model)!r}, 'x'])\nprint('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_corpus_is_seeded_and_json_lines_hold_the_same(cli: Cli) -> None:
    first = cli("corpus", "addition", "--n", "5", "--seed", "3")
    assert first == cli("corpus", "addition", "--n", "5", "--seed", "3")
    assert first != cli("corpus", "addition", "--n", "5", "--seed", "4")
    lines = cli("corpus", "addition", "--n", "5", "--seed", "3", "--json").out.splitlines()
    assert [json.loads(line)["text"] for line in lines] == first.out.splitlines()


def test_corpus_without_a_name_says_which_there_are(cli: Cli) -> None:
    assert "python-docs" in cli("corpus").out
    unknown = cli("corpus", "adition")
    assert unknown.code == 1 and "addition" in unknown.err


def test_trace_writes_every_site(cli: Cli, bpe_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "t.npz"
    result = cli("trace", "--model", bpe_model, "--prompt", "hello you", "--out", out)
    assert (result.code, result.out) == (0, "") and str(out) in result.err
    ids = Tokenizer.open(bpe_model).encode("hello you")
    arrays = np.load(out)
    assert arrays["tokens"].tolist() == ids
    assert arrays["embed"].shape == (len(ids), 8)
    assert arrays["blocks.1.attn.pattern"].shape == (2, len(ids), len(ids))
    assert np.isneginf(arrays["blocks.0.attn.scores"][:, 0, 1:]).all()
    with torch.inference_mode():
        logits = checkpoint.load(bpe_model)(torch.tensor([ids]))[0]
    np.testing.assert_allclose(arrays["logits"], logits.numpy(), atol=1e-5)


def test_a_silenced_head_is_zero_in_the_trace(cli: Cli, bpe_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "t.npz"
    assert cli("trace", "--model", bpe_model, "--prompt", "hello", "--out", out, "--ablate", "2.1").code == 0
    z = np.load(out)["blocks.1.attn.z"]
    assert not z[0].any() and z[1].any()


@pytest.mark.parametrize("prompt", ["", "far too long for a context of sixteen tokens"])
def test_trace_refuses_what_does_not_fit(cli: Cli, bpe_model: Path, tmp_path: Path, prompt: str) -> None:
    result = cli("trace", "--model", bpe_model, "--prompt", prompt, "--out", tmp_path / "t.npz")
    assert result.code == 1 and result.err.count("\n") == 1
    assert not (tmp_path / "t.npz").exists()


@pytest.mark.parametrize("kind", ["bpe_model", "char_model"])
def test_export_opens_in_transformers_and_comes_back(
    cli: Cli, tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    model = request.getfixturevalue(kind)
    assert cli("export", "--model", model, tmp_path / "out").code == 0
    theirs = GPT2LMHeadModel.from_pretrained(tmp_path / "out").eval()
    ids = torch.tensor([Tokenizer.open(model).encode("hello wo")])
    with torch.inference_mode():
        torch.testing.assert_close(theirs(ids).logits, checkpoint.load(model)(ids), atol=1e-5, rtol=1e-5)
    assert AutoTokenizer.from_pretrained(tmp_path / "out")("hello wo")["input_ids"] == ids[0].tolist()
    assert cli("export", "--model", tmp_path / "out", tmp_path / "again").code == 0
    first, second = (checkpoint.read_tensors(path) for path in (model, tmp_path / "again"))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_export_takes_the_family_that_fits(cli: Cli, modern_model: Path, tmp_path: Path) -> None:
    result = cli("export", "--model", modern_model, tmp_path / "out")
    assert result.code == 0 and "transformers.LlamaForCausalLM" in result.err
    assert json.loads((tmp_path / "out" / "config.json").read_text())["model_type"] == "llama"


def test_export_says_what_no_family_can_express(cli: Cli, tmp_path: Path) -> None:
    shape = {"norm": "rmsnorm", "positions": "learned", "bias": False, "activation": "gelu", "n_kv_head": 1}
    model = make_model(tmp_path / "odd", train_characters(["hello world\n"]), **shape)
    result = cli("export", "--model", model, tmp_path / "out")
    assert result.code == 1 and not (tmp_path / "out").exists()
    for word in ("positions learned", "activation gelu", "nearest: LlamaForCausalLM"):
        assert word in result.err


def test_export_overwrites_nothing(cli: Cli, bpe_model: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    result = cli("export", "--model", bpe_model, tmp_path)
    assert result.code == 1 and "not empty" in result.err
    assert [file.name for file in tmp_path.iterdir() if file.name != "home"] == ["mine.txt"]


OPENING = [
    ("tokens", "x"), ("generate", "--prompt", "x"), ("trace", "--prompt", "x", "--out", "t.npz"), ("export", "dir"),
]  # fmt: skip


@pytest.mark.parametrize("verb", OPENING, ids=[verb[0] for verb in OPENING])
def test_what_is_no_model_is_one_line_that_says_why(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: tuple[str], char_model: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "pytorch_model.bin").write_bytes(b"PK")
    torch.save({"a": torch.ones(2)}, tmp_path / "saved")
    torch.save({"a": torch.ones(2)}, tmp_path / "saved-long-ago", _use_new_zipfile_serialization=False)
    (tmp_path / "pickled").write_bytes(pickle.dumps({"a": 1}))
    (tmp_path / "notes.md").write_text("x")
    shutil.copy(char_model / "model.safetensors", tmp_path / "bare.safetensors")
    shutil.copytree(char_model, tmp_path / "unsafe")
    (tmp_path / "unsafe" / "model.safetensors").unlink()
    torch.save({"a": torch.ones(2)}, tmp_path / "unsafe" / "pytorch_model.bin")
    for model, says in {
        "empty": "holds no", "missing": "no model is called", "./missing": "no model at",
        "pytorch_model.bin": "is a pickle, which can run any code", "saved": "is a pickle", "pickled": "is a pickle",
        "saved-long-ago": "is a pickle", "unsafe": "has only pytorch_model.bin, a pickle",
        "bare.safetensors": "give the directory", "notes.md": "give the directory",
    }.items():  # fmt: skip
        result = cli(*verb, "--model", model)
        assert result.code == 1 and result.err.count("\n") == 1, model
        assert says in result.err, model
    assert not (tmp_path / "t.npz").exists() and not (tmp_path / "dir").exists()
