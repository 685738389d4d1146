"""Tokenizers from elsewhere: right, or refused in one line. transformers is the oracle wherever it opens them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel

from gpttui.errors import UserError
from gpttui.inference.compare import choose_pair
from gpttui.inference.opening import open_model
from gpttui.model import checkpoint
from gpttui.tokenizers import Tokenizer
from tests import fakes

TEXTS = ["hello", " the cat", "the cat sat<extra>on the mat <pad> x", "Ünïcode — 日本 🙂", "", "  two  spaces\n"]


def byte_level(change: Callable[[dict[str, Any]], Any] = lambda raw: None) -> dict[str, Any]:
    raw: dict[str, Any] = json.loads(fakes.tiny_tokenizer("bpe").to_json())
    change(raw)
    return raw


def closed(change: Callable[[dict[str, Any]], Any] = lambda raw: None) -> dict[str, Any]:
    raw: dict[str, Any] = json.loads(fakes.tiny_tokenizer("characters").to_json())
    change(raw)
    return raw


def slow(path: Path, **files: Any) -> Path:
    """A directory as transformers' slow GPT-2 tokenizers left it: two files, and others beside them."""
    raw = byte_level()["model"]
    path.mkdir(exist_ok=True)
    (path / "vocab.json").write_text(json.dumps(raw["vocab"]))
    merges = ["#version: 0.2", *(" ".join(pair) for pair in raw["merges"])]
    (path / "merges.txt").write_text("\n".join(merges) + "\n")
    (path / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    for name, content in files.items():
        (path / f"{name}.json").write_text(json.dumps(content))
    return path


def described(content: str, **changes: Any) -> dict[str, Any]:
    plain = {"lstrip": False, "rstrip": False, "single_word": False, "normalized": True, "special": False}
    return {"content": content, **plain, **changes}


SIZE = len(byte_level()["model"]["vocab"])
CONFIGS: dict[str, dict[str, Any]] = {
    "described": {
        "tokenizer_config": {
            "tokenizer_class": "GPT2Tokenizer",
            "added_tokens_decoder": {
                str(SIZE): described("<extra>", normalized=False, special=True),
                str(SIZE + 1): described("<pad>", lstrip=True, rstrip=True, normalized=False, special=True),
            },
        }
    },
    "space before": {"tokenizer_config": {"tokenizer_class": "GPT2Tokenizer", "add_prefix_space": True}},
}


@pytest.mark.parametrize("name", CONFIGS)
def test_what_slow_tokenizers_add_is_there(name: str, tmp_path: Path) -> None:
    path = slow(tmp_path / "m", **CONFIGS[name])
    ours, theirs = Tokenizer.open(path), AutoTokenizer.from_pretrained(path)
    for text in TEXTS:
        assert ours.encode(text) == theirs.encode(text), text
    again = Tokenizer.from_json(ours.to_json())
    assert [again.encode(text) for text in TEXTS] == [ours.encode(text) for text in TEXTS]


def test_the_older_file_of_added_tokens(tmp_path: Path) -> None:
    tokenizer = Tokenizer.open(slow(tmp_path / "m", added_tokens={"<pad>": SIZE + 1, "<extra>": SIZE}))
    assert tokenizer.encode("a<extra>")[-1] == SIZE and tokenizer.encode("<pad>") == [SIZE + 1]
    assert tokenizer.vocab_size == SIZE + 2 and tokenizer.token_bytes(SIZE) == b"<extra>"


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"added_tokens": {"<pad>": SIZE + 5}}, "it must be"),
        ({"added_tokens": []}, "cannot be read"),
        ({"added_tokens": {"<pad>": -1}}, "cannot be read"),
        ({"tokenizer_config": {"added_tokens_decoder": {"x": described("<pad>")}}}, "it must be"),
        ({"tokenizer_config": {"added_tokens_decoder": {str(SIZE): 5}}}, "cannot be read"),
    ],
)
def test_added_tokens_that_do_not_fit_are_named(files: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=says) as caught:
        Tokenizer.open(slow(tmp_path / "m", **files))
    assert "\n" not in str(caught.value)


# ── Bytes and ranges ──────────────────────────────────────────────────────────────────────────────────────────────


def lower(raw: dict[str, Any]) -> None:
    raw["normalizer"] = {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Lowercase"}]}


def prefix(raw: dict[str, Any]) -> None:
    raw["pre_tokenizer"]["add_prefix_space"] = True


def prepend(raw: dict[str, Any]) -> None:
    raw["normalizer"] = {"type": "Prepend", "prepend": "the "}


@pytest.mark.parametrize("text", ["The cat sat on the mat", " the Cat", " café CAFÉ", "日本 x 🙂", ""])
def test_a_space_put_before_the_text_is_none_of_its_bytes(text: str) -> None:
    tokenizer, data = Tokenizer.from_json(json.dumps(byte_level(prefix))), text.encode()
    pieces = tokenizer.pieces(text)
    assert [piece.id for piece in pieces] == tokenizer.encode(text)
    covered = [data[piece.start : piece.end] for piece in pieces]
    tokens = [tokenizer.token_bytes(piece.id) for piece in pieces]
    assert b"".join(covered) == data and covered[1:] == tokens[1:]
    assert not tokens or tokens[0] in (covered[0], b" " + covered[0])


@pytest.mark.parametrize(("change", "before"), [(lower, 0), (prepend, len("the "))])
def test_tokens_cover_the_text_that_they_were_made_of(change: Callable[[dict[str, Any]], None], before: int) -> None:
    tokenizer, text = Tokenizer.from_json(json.dumps(byte_level(change))), "The Cat sat"
    read = 0
    for piece in tokenizer.pieces(text):
        token = tokenizer.token_bytes(piece.id).decode()
        assert piece.start <= max(0, read - before) and piece.end >= read - before + len(token)
        if change is lower:
            assert text[piece.start : piece.end].lower() == token
        read += len(token)
    assert read == len(text) + before


@pytest.mark.parametrize("change", [prefix, lower, prepend])
def test_contexts_compares_the_word_that_it_names(change: Callable[[dict[str, Any]], None]) -> None:
    tokenizer = Tokenizer.from_json(json.dumps(byte_level(change)))
    first, second = "the mat and the cat sat", "a cat on the mat"
    for word in ("cat", "mat"):
        pair = choose_pair(tokenizer, first, second, word)
        for text, position in ((first, pair.position_a), (second, pair.position_b)):
            so_far = tokenizer.decode(tokenizer.encode(text)[: position + 1])
            assert so_far.endswith(word), (word, so_far)


# ── Refused ───────────────────────────────────────────────────────────────────────────────────────────────────────


def set_(part: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(raw: dict[str, Any]) -> None:
        *above, last = part.split(".")
        for name in above:
            raw = raw[name]
        raw[last] = value

    return change


def split(pattern: str, behavior: str = "Isolated") -> dict[str, Any]:
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": behavior, "invert": False}


def replace(pattern: str, content: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": {"String": pattern}, "content": content}


TIMES_TWO = replace("a", "aa")
REFUSED: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "a table of junk": (set_("normalizer", {"type": "Precompiled", "precompiled_charsmap": "A"}), "is damaged"),
    "a table that leads outside": (
        set_("normalizer", {"type": "Precompiled", "precompiled_charsmap": "BAAAAP///38="}), "is damaged",
    ),
    "an unknown normalizer": (set_("normalizer", {"type": "Mystery"}), "normalizer Mystery"),
    "a normalizer that blows up": (set_("normalizer", replace("a", "a" * 10_000)), "10,000 times as long"),
    "many that blow up": (
        set_("normalizer", {"type": "Sequence", "normalizers": [TIMES_TWO] * 30}),
        "times as long",
    ),
    "a huge prefix": (set_("normalizer", {"type": "Prepend", "prepend": "x" * 10_000}), "times as long"),
    "a pattern of nothing": (set_("normalizer", replace("", "x")), "may never end"),
    "a pattern that never ends": (set_("pre_tokenizer", split("(a+)+c")), "may never end"),
    "alternatives that never end": (set_("pre_tokenizer", split("(a|a)*c")), "may never end"),
    "anything twice": (set_("pre_tokenizer", split("(.*)(.*)(.*)c")), "may never end"),
    "a pattern that is none": (set_("pre_tokenizer", split("(")), "cannot be read"),
    "another splitter": (set_("pre_tokenizer", {"type": "FixedLength", "length": 0}), "splitter FixedLength"),
    "another decoder": (set_("decoder", {"type": "CTC"}), "decoder CTC"),
    "a decoder that cuts the end off": (
        set_("decoder", {"type": "Strip", "content": " ", "start": 0, "stop": 9}), "at the end of a text",
    ),
    "another model": (set_("model.type", "Unlearned"), "'Unlearned'"),
    "words of any length": (set_("model.max_input_chars_per_word", 10**6), "1,000,000 characters"),
    "probabilities without an unknown token": (
        set_("model", {"type": "Unigram", "vocab": [["a", -1.0]], "unk_id": 1}), "unk_id is that of none",
    ),
    "a piece of nothing": (
        set_("model", {"type": "Unigram", "vocab": [["a", -1.0], ["", -2.0]], "unk_id": 0}), "without a name",
    ),
    "more around a text than a few tokens": (
        set_("post_processor", {"type": "TemplateProcessing", "pair": [{"Sequence": {"id": "A", "type_id": 0}}] * 2,
            "single": [*[{"SpecialToken": {"id": "x", "type_id": 0}}] * 99, {"Sequence": {"id": "A", "type_id": 0}}],
            "special_tokens": {"x": {"id": "x", "ids": [0], "tokens": ["x"]}}}), "up to 16 tokens",
    ),
    "a token that there is not": (
        set_("post_processor", {"type": "BertProcessing", "sep": ["x", 9999], "cls": ["y", 9999]}), "the token 9999",
    ),
    "no unknown token": (set_("model.unk_token", "[UNK]"), r"lacks its own unknown token, '\[UNK\]'"),
    "an endless unknown token": (set_("model.unk_token", "x" * 100_000), "lacks its own unknown token"),
    "a huge id": (set_("model.vocab", {"a": 4_294_967_294, "\ufffd": 0}), "of at most|below 10000000"),
    "an id of another type": (set_("model.vocab", {"a": "1", "\ufffd": 0}), "expected a whole number"),
    "an id below zero": (set_("model.vocab", {"a": -1, "\ufffd": 0}), "of at least 0"),
    "a list for a vocabulary": (set_("model.vocab", [["a", 0.0]]), "of the kind 'WordLevel'"),
    "nested normalizers": (
        set_("normalizer", json.loads('{"type":"Sequence","normalizers":[' * 200 + '{"type":"NFC"}' + "]}" * 200)),
        "nested too deeply",
    ),
    "an added token of nothing": (set_("added_tokens", [{"id": 99, "content": ""}]), "cannot be read"),
    "an added token in a gap": (
        set_(
            "added_tokens",
            [{"id": 9999, "content": "<x>", "single_word": False, "lstrip": False, "rstrip": False,
              "normalized": False, "special": True}],
        ),
        "the id 9999; it must be",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_opened_says_why(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    change, says = REFUSED[name]
    (tmp_path / "tokenizer.json").write_text(json.dumps(closed(change)))
    with pytest.raises(UserError, match=says) as caught:
        Tokenizer.open(tmp_path)
    line = str(caught.value)
    assert line.startswith(str(tmp_path / "tokenizer.json")) and "\n" not in line and len(line) < 400
    assert capfd.readouterr() == ("", ""), "the library said something by itself"


def test_padding_and_truncation_are_not_for_a_text_that_is_read() -> None:
    padding = {"strategy": {"Fixed": 10**12}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0,
               "pad_type_id": 0, "pad_token": "x"}  # fmt: skip
    cut = {"max_length": 1, "strategy": "LongestFirst", "stride": 0, "direction": "Right"}
    raw = byte_level() | {"padding": padding, "truncation": cut}
    tokenizer = Tokenizer.from_json(json.dumps(raw))
    assert tokenizer.encode(fakes.TEXT) == fakes.tiny_tokenizer("bpe").encode(fakes.TEXT)


def test_ids_with_gaps_need_a_model_that_has_rows_for_them(tmp_path: Path) -> None:
    path = fakes.tiny_model_dir(tmp_path)
    raw = json.loads((path / "tokenizer.json").read_text())
    name, number = max(raw["model"]["vocab"].items(), key=lambda item: item[1])
    raw["model"]["vocab"][name] = number + 1000
    (path / "tokenizer.json").write_text(json.dumps(raw))
    with pytest.raises(UserError, match=r"tokenizer\.json belongs to another model"):
        open_model(path)


def test_the_unknown_token_of_another_vocabulary_is_known() -> None:
    raw = closed()
    raw["model"]["vocab"] = {"a": 0, "b": 1, "[UNK]": 2}
    raw["model"]["unk_token"] = "[UNK]"
    tokenizer = Tokenizer.from_json(json.dumps(raw))
    assert tokenizer.unknown_id == 2 and tokenizer.unknown_parts("abÄb") == ["Ä"]


# ── One head ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("same", [True, False])
def test_a_stored_head_of_a_tied_model_is_used_as_transformers_does(same: bool, tmp_path: Path) -> None:
    config = GPT2Config(vocab_size=50, n_positions=16, n_embd=8, n_layer=2, n_head=2)
    oracle = GPT2LMHeadModel(config).eval()
    oracle.save_pretrained(tmp_path)
    tensors = checkpoint.read_tensors(tmp_path)
    head = oracle.transformer.wte.weight.detach().clone()
    checkpoint.write_tensors(
        tensors | {"lm_head.weight": head if same else head + 1},
        tmp_path / "model.safetensors",
    )
    oracle = GPT2LMHeadModel.from_pretrained(tmp_path).eval()
    assert checkpoint.load(tmp_path).config.tied == same
    ids = torch.arange(10)[None]
    with torch.inference_mode():
        torch.testing.assert_close(checkpoint.load(tmp_path)(ids), oracle(ids).logits, atol=1e-5, rtol=1e-5)
