"""Tokenizers round-trip what they can say, agree with transformers' GPT-2, and never lose a byte's place."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpttui.errors import UserError
from gpttui.tokenizers import Tokenizer, from_gpt2_files, train_bpe, train_characters, train_words
from tests import fakes
from tests.texts import check_bpe, check_characters

HOSTILE = [
    "",
    " ",
    "  leading and   inner    spaces ",
    "line\nbreaks\r\n\ttabs\x0b\x0c",
    "[/] [red]bold[/red] [type=x, v={'a[0]'}]",
    "\x1b[31mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x07 \x9b2J",
    "nul\x00inside\x7f\x80",
    "naïve café Ångström — „quotes“ … ½ ×",
    "שלום עולם مرحبا بالعالم \u202eabc\u202c",
    "日本語の文章と中文字符、한국어",
    "🙂👨‍👩‍👧‍👦🏳️‍🌈👍🏽 e\u0301 \u200b\u2028\u2029\ufeff",
    "don't I'll you've we're she'd I'm it's 'S 'LL",
    "12345 3.14159 1,000,000 0x1F 2024-01-01",
    "<|endoftext|>after<|endoftext|>",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "\U0010ffff\ue000\ufffd\ufffe",
    "def f(x):\n    return {k: v for k, v in x.items()}  # comment\n",
]


@pytest.fixture(scope="module")
def gpt2(data_dir: Path) -> Tokenizer:
    return from_gpt2_files(data_dir / "gpt2_vocab.json", data_dir / "gpt2_merges.txt")


def test_gpt2_ids_are_transformers(gpt2: Tokenizer, data_dir: Path) -> None:
    transformers = pytest.importorskip("transformers")
    oracle = transformers.GPT2Tokenizer(str(data_dir / "gpt2_vocab.json"), str(data_dir / "gpt2_merges.txt"))
    texts = [*HOSTILE, (data_dir / "tinyshakespeare.txt").read_text(encoding="utf-8")[:200_000]]
    for text in texts:
        assert gpt2.encode(text) == oracle.encode(text), text[:60]


def test_gpt2_knows_its_size(gpt2: Tokenizer) -> None:
    assert gpt2.vocab_size == 50257
    assert gpt2.encode("Hello world") == [15496, 995]
    assert gpt2.decode([15496, 995]) == "Hello world"
    assert gpt2.encode("<|endoftext|>") == [50256]
    assert gpt2.token_bytes(50256) == b"<|endoftext|>"
    assert gpt2.kind == "byte-level BPE 50257"


@pytest.mark.parametrize("text", HOSTILE)
def test_byte_level_loses_nothing(gpt2: Tokenizer, text: str) -> None:
    assert gpt2.decode(gpt2.encode(text)) == text


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_a_trained_bpe_loses_nothing(text: str) -> None:
    check_bpe(text)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=[])))
def test_closed_vocabularies_say_unknown(text: str) -> None:
    check_characters(text)


def test_what_becomes_the_unknown_token_is_named() -> None:
    tokenizer = fakes.tiny_tokenizer("characters")
    assert tokenizer.unknown_parts("the Ж漢Ж") == ["Ж", "漢", "Ж"]
    assert tokenizer.unknown_parts("the \udcff") == ["\ufffd"]
    assert fakes.tiny_tokenizer("bpe").unknown_parts("Ж漢") == []
    assert train_words(["the cat"]).unknown_parts("the dog") == [" dog"]


def test_lone_surrogates_become_the_replacement_character() -> None:
    tokenizer = fakes.tiny_tokenizer("bpe")
    assert tokenizer.decode(tokenizer.encode("a\ud800b\udfff")) == "a\ufffdb\ufffd"


def test_words_carry_their_space() -> None:
    tokenizer = train_words(["the cat sat. the dog's bone, the cats' bowl"])
    ids = tokenizer.encode("the cat sat. the bird")
    assert tokenizer.decode(ids[:-1]) == "the cat sat. the"
    assert ids[-1] == tokenizer.unknown_id
    assert [tokenizer.token_bytes(i) for i in ids[:3]] == [b"the", b" cat", b" sat"]
    assert tokenizer.kind == "words"


def test_the_rarest_words_give_way() -> None:
    tokenizer = train_words(["a a a b b c"], vocab_size=3)
    assert tokenizer.vocab_size == 3
    assert tokenizer.unknown_id in tokenizer.encode("c")


def test_files_round_trip(tmp_path: Path) -> None:
    for kind in ("characters", "bpe"):
        tokenizer = fakes.tiny_tokenizer(kind)
        (tmp_path / "tokenizer.json").write_text(tokenizer.to_json(), encoding="utf-8")
        again = Tokenizer.open(tmp_path)
        assert again.encode(fakes.TEXT) == tokenizer.encode(fakes.TEXT)
        assert (again.vocab_size, again.kind) == (tokenizer.vocab_size, tokenizer.kind)


def test_unknown_ids_are_no_bytes_and_no_error() -> None:
    tokenizer = fakes.tiny_tokenizer("bpe")
    assert tokenizer.token_bytes(10**9) == b""
    assert tokenizer.decode([10**9]) == ""


def test_training_is_deterministic() -> None:
    assert train_bpe([fakes.TEXT], 300).to_json() == train_bpe([fakes.TEXT], 300).to_json()
    assert train_characters(["ba", "ab"]).to_json() == train_characters(["ab"]).to_json()


@pytest.mark.parametrize("size", [0, 255])
def test_a_byte_level_vocabulary_holds_every_byte(size: int) -> None:
    with pytest.raises(UserError, match="at least 256 tokens"):
        train_bpe(["x"], size)


def test_broken_files_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no tokenizer"):
        Tokenizer.open(tmp_path)
    (tmp_path / "vocab.json").write_text("{")
    (tmp_path / "merges.txt").write_text("a b")
    with pytest.raises(UserError, match="cannot be read"):
        Tokenizer.open(tmp_path)
    (tmp_path / "tokenizer.json").write_bytes(b"\xff\x00")
    with pytest.raises(UserError, match="cannot be read"):
        Tokenizer.open(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    (tmp_path / "tokenizer.json").mkdir()
    with pytest.raises(UserError, match="is a directory"):
        Tokenizer.open(tmp_path)
