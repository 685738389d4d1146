"""Whatever is wrong with a model directory, every verb that opens it says so in one line and exits 1."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gpttui.tokenizers import train_characters
from tests.cli.conftest import Cli


def _rewrite_config(path: Path, **changes: object) -> None:
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps(config | changes))


def _flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-7] ^= 0x10
    file.write_bytes(data)


def _truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-9])


def _only_a_pickle(path: Path) -> None:
    (path / "model.safetensors").unlink()
    (path / "pytorch_model.bin").write_bytes(b"\x80\x04\x95" + b"x" * 99)


def _larger_tokenizer(path: Path) -> None:
    letters = "".join(map(chr, range(0x4E00, 0x4E00 + 400)))
    (path / "tokenizer.json").write_text(train_characters([letters]).to_json(), encoding="utf-8")


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda path: [file.unlink() for file in path.iterdir()], "config.json"),
    "truncated weights": (lambda path: _truncate(path / "model.safetensors"), "cut"),
    "flipped bit": (lambda path: _flip(path / "model.safetensors"), "checksum"),
    "header of nonsense": (lambda path: (path / "model.safetensors").write_bytes(b"\xff" * 99), "safetensors"),
    "another shape": (lambda path: _rewrite_config(path, n_embd=16), "config.json says"),
    "a layer too many": (lambda path: _rewrite_config(path, n_layer=3), "config.json says"),
    "heads that do not divide": (lambda path: _rewrite_config(path, n_head=3), "heads"),
    "no layers": (lambda path: _rewrite_config(path, n_layer=0), "n_layer"),
    "a negative width": (lambda path: _rewrite_config(path, n_embd=-8), "n_embd"),
    "a width in words": (lambda path: _rewrite_config(path, n_embd="wide"), ""),
    "a billion layers": (lambda path: _rewrite_config(path, n_layer=10**9), "n_layer"),
    "a trillion neurons": (lambda path: _rewrite_config(path, n_inner=10**12), "n_inner"),
    "infinite heads": (lambda path: _rewrite_config(path, n_head=float("inf")), "n_head"),
    "an epsilon in words": (lambda path: _rewrite_config(path, layer_norm_epsilon="x"), "layer_norm_epsilon"),
    "another family": (lambda path: _rewrite_config(path, model_type="bloom"), "ALiBi"),
    "torn config": (lambda path: (path / "config.json").write_text('{"model_type"'), "config.json"),
    "a list as config": (lambda path: (path / "config.json").write_text("[]"), "JSON object"),
    "a tokenizer that does not fit": (_larger_tokenizer, "tokenizer"),
    "a tokenizer of nonsense": (lambda path: (path / "tokenizer.json").write_text("{}"), "tokenizer.json"),
    "no tokenizer": (lambda path: (path / "tokenizer.json").unlink(), "tokenizer.json"),
    "only a pickle": (_only_a_pickle, "pickle"),
}  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_broken_model_is_one_line(cli: Cli, bpe_model: Path, tmp_path: Path, kind: str) -> None:
    damage, word = DAMAGE[kind]
    path = tmp_path / "broken"
    shutil.copytree(bpe_model, path)
    damage(path)
    for verb in (
        ("generate", "--prompt", "hello"),
        ("trace", "--prompt", "hello", "--out", tmp_path / "t.npz"),
        ("eval", "--data", Path(__file__)),
    ):
        result = cli(verb[0], "--model", path, *verb[1:])
        assert (result.code, result.out) == (1, ""), verb[0]
        assert result.err.startswith("gpttui: ") and result.err.count("\n") == 1 and word in result.err, result.err
    assert not (tmp_path / "t.npz").exists()


def test_a_broken_card_costs_no_more_than_itself(cli: Cli, bpe_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "m"
    shutil.copytree(bpe_model, path)
    (path / "card.json").write_text('{"prompts": 3}')
    result = cli("generate", "--model", path, "--prompt", "hello", "-n", "1")
    assert result.code == 1 and result.err.count("\n") == 1
