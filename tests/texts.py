"""Any text whatever, and what the gate for text and the tokenizers promise of it."""

import unicodedata

from hypothesis import strategies as st
from rich.cells import cell_len

from gpttui import tokenizers
from gpttui.text import display_token, safe_text
from tests import fakes

NASTY = st.sampled_from(
    ["\x1b[2J", "\x1b]0;t\x07", "\x9b31m", "\u202e", "\u200d", "\ufe0f", "\U0001f3fd", "\U0001f1eb", "\u0301", "\r\n",
     "\u2028", "\ud800", "\udce2",
     "👩\u200d💻", "❤\ufe0f", "漢字", "नि", "각", "[/]", "[red]", "\ue000", "\x00", "e\u0301"]
)  # fmt: skip
ANY_TEXT = st.lists(st.one_of(st.characters(), st.text(max_size=5), NASTY), max_size=12).map("".join)


def check_safe(text: str) -> None:
    """The promises of the gate, for any text whatever."""
    out = safe_text(text)
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for char in out)
    assert cell_len(out) == sum(map(cell_len, out))
    assert safe_text(out) == out
    assert not text or cell_len(out) > 0
    out.encode()


def check_token(data: bytes) -> None:
    """The promises of a drawn token, for any bytes whatever."""
    out = display_token(data)
    assert cell_len(out) > 0
    assert " " not in out
    assert safe_text(out) == out
    assert cell_len(out + out) == 2 * cell_len(out)


def check_bpe(text: str) -> None:
    """A byte-level BPE loses nothing of any text, and says where each piece lies."""
    tokenizer = fakes.tiny_tokenizer("bpe")
    pieces = tokenizer.pieces(text)
    data = tokenizers.whole(text).encode()
    assert tokenizer.decode([piece.id for piece in pieces]) == data.decode()
    assert [piece.start for piece in pieces] == [0, *(piece.end for piece in pieces[:-1])][: len(pieces)]
    assert all(data[p.start : p.end] == tokenizer.token_bytes(p.id) for p in pieces)
    assert not pieces or pieces[-1].end == len(data)


def check_characters(text: str) -> None:
    """A closed vocabulary gives back what it knows, and says the unknown token for the rest."""
    tokenizer = fakes.tiny_tokenizer("characters")
    pieces = tokenizer.pieces(text)
    assert [piece.id for piece in pieces] == tokenizer.encode(text)
    assert len(pieces) == len(tokenizers.whole(text))
    known = set(fakes.TEXT)
    assert tokenizer.decode(tokenizer.encode(text)) == "".join(
        c if c in known else "\ufffd" for c in tokenizers.whole(text)
    )
    assert not pieces or pieces[-1].end == len(tokenizers.whole(text).encode())
