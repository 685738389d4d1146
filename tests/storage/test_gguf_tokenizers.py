"""Tokenizers out of GGUF files: the ids of `transformers`, which makes its own from the same lists."""

import json
import os
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from transformers import AutoTokenizer, Qwen2Tokenizer
from transformers.integrations.gguf import convert_gguf_tokenizer

from gpttui.errors import UserError
from gpttui.storage import sentencepiece
from gpttui.storage.end_tokens import end_tokens
from gpttui.storage.gguf_tokenizer import SPLITS
from gpttui.tokenizers import Tokenizer
from tests.tokenizer_kinds import KINDS, TEXTS

LISTS = Path(os.environ.get("GPTTUI_TEST_GGUF", "nowhere"))
GEMMA = ("<bos>", "<eos>", "<pad>", "<mask>")


def header(file: Path, arch: str, **keys: Any) -> Path:
    """A file that has a tokenizer and nothing else."""
    writer = gguf.GGUFWriter(str(file), arch)
    adders = {bool: writer.add_bool, int: writer.add_uint32, str: writer.add_string, list: writer.add_array}
    for key, value in keys.items():
        adders[type(value)](f"tokenizer.ggml.{key}", value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    return file


def pieces(*, gemma: bool = False) -> dict[str, Any]:
    """The lists of a SentencePiece vocabulary, with scores of which some are equal.

    `gemma`: with runs of spaces, and with Gemma's named tokens, which `transformers` adds where they are not.
    """
    vocab = json.loads(KINDS["SentencePiece, as Llama"]().to_str())["model"]["vocab"]
    tokens = [*sorted(vocab, key=vocab.__getitem__), *(["  ", "   ", *GEMMA] if gemma else ["<tool>"])]
    kinds = [2, 3, 3, *[6 if name.startswith("<0x") else 1 for name in tokens[3:]]]
    kinds[len(vocab) :] = [3 if name in GEMMA else 4 for name in tokens[len(vocab) :]]
    scores = [0.0 if kind != 1 else -float(n // 2) for n, kind in enumerate(kinds)]
    ids = {"unknown_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    return {"model": "llama", "tokens": tokens, "token_type": kinds, "scores": scores, **ids}


@pytest.mark.parametrize("arch", ["llama", "gemma3"])
def test_sentencepiece_has_the_ids_of_transformers(arch: str, tmp_path: Path) -> None:
    lists = pieces(gemma=arch == "gemma3")
    theirs, _ = convert_gguf_tokenizer(arch, lists | {"tokenizer_type": "llama", "unk_token_id": 0})
    ours = Tokenizer.open(header(tmp_path / "x.gguf", arch, **lists))
    for text in [*TEXTS, "a  b   c    d", " <tool>x", "<unk></s>"]:
        assert ours.encode(text) == theirs.encode(text, add_special_tokens=False).ids, text
    assert (ours.before, ours.after) == ([1], []) and ours.token_bytes(ours.encode("日")[-1]) == b"\xa5"


def test_what_is_put_around_a_text_is_as_the_file_says(tmp_path: Path) -> None:
    flags = {"add_bos_token": False, "add_eos_token": True, "add_space_prefix": False}
    ours = Tokenizer.open(header(tmp_path / "x.gguf", "llama", **pieces(), **flags))
    assert (ours.before, ours.after) == ([], [2])
    assert ours.token_bytes(ours.encode("cat")[0])[:1] == b"c"
    assert end_tokens(tmp_path / "x.gguf") == {2}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"scores": [0.0]}, "not a score for each"),
        ({"scores": [float("nan")] * len(pieces()["tokens"])}, "not a score for each"),
        ({"bos_token_id": 10**6}, "its bos token has the id 1000000"),
        ({"tokens": ["a" * 2000]}, "a token of 2,000 characters"),
        ({"tokens": ["a", "a"], "token_type": [1, 1]}, "'a' twice"),
        ({"model": "rwkv"}, "a RWKV tokenizer"),
    ],
)
def test_lists_that_cannot_be_are_a_line(change: dict[str, Any], says: str, tmp_path: Path) -> None:
    lists = pieces() | change
    if len(lists["tokens"]) == 1:
        lists |= {"token_type": [1], "scores": [0.0]}
    with pytest.raises(UserError, match=says) as caught:
        Tokenizer.open(header(tmp_path / "x.gguf", "llama", **lists))
    assert "\n" not in str(caught.value)


def test_merges_come_in_the_order_of_scores() -> None:
    found = sentencepiece.merges(["a", "b", "ab", "abb", "bb"], np.array([0, 0, -2.0, -1.0, -3.0]), "x")
    assert found == [("ab", "b"), ("a", "bb"), ("a", "b"), ("b", "b")]


def byte_lists(pre: str) -> dict[str, Any]:
    raw = json.loads(KINDS["byte-level"]().to_str())["model"]
    merges = [" ".join(pair) for pair in raw["merges"]]
    tokens = sorted(raw["vocab"], key=raw["vocab"].__getitem__)
    ids = {"bos_token_id": 1, "eos_token_id": 2}
    return {"model": "gpt2", "pre": pre, "tokens": tokens, "token_type": [3, 3, 3, *[1] * (len(tokens) - 3)],
            "merges": merges, **ids}  # fmt: skip


NAMES = ("gpt-2", "default", "llama-bpe", "qwen2", "qwen35", "tekken", "gpt-4o", "dbrx")
"""Those that `transformers` knows. It leaves out that Qwen's texts are normalized first, and that a whole word is
taken where it is a token; the models' own tokenizers do both."""


@pytest.mark.parametrize("pre", NAMES)
def test_byte_level_bpe_has_the_ids_of_transformers(pre: str, tmp_path: Path) -> None:
    lists = byte_lists(pre)
    told = lists | {"tokenizer_type": "gpt2", "pre_tokenizer_type": pre}
    theirs, _ = convert_gguf_tokenizer("llama", told)
    ours = Tokenizer.open(header(tmp_path / "x.gguf", "llama", **lists))
    for text in TEXTS:
        if SPLITS[pre].normalizer is None or "\u0301" not in text:
            assert ours.encode(text) == theirs.encode(text, add_special_tokens=False).ids, text
    if pre == "qwen2":
        raw = json.loads(KINDS["byte-level"]().to_str())["model"]
        qwen = Qwen2Tokenizer(vocab=raw["vocab"], merges=[tuple(pair) for pair in raw["merges"]])
        assert ours.encode("e\u0301") == qwen.encode("e\u0301")
    assert ours.before == [1] * SPLITS[pre].add_bos


@pytest.mark.parametrize("pre", SPLITS)
def test_every_split_keeps_every_byte(pre: str, tmp_path: Path) -> None:
    ours = Tokenizer.open(header(tmp_path / "x.gguf", "llama", **byte_lists(pre)))
    for text in TEXTS:
        if ours.backend.normalizer is None:
            assert ours.decode(ours.encode(text)) == text


@pytest.mark.skipif(not list(LISTS.rglob("*.gguf")), reason="no real file: set GPTTUI_TEST_GGUF to a folder of them")
def test_real_file_has_the_ids_of_transformers() -> None:
    for file in sorted(LISTS.rglob("*.gguf")):
        ours, theirs = Tokenizer.open(file), AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
        for text in TEXTS:
            assert ours.prompt(text) == theirs(text).input_ids, text
