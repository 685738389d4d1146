"""What passes the gate moves no cursor, hides nothing, and is as wide wherever it stands."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpttui.text import MOST_MARKS, display_token, safe_text
from tests.texts import ANY_TEXT, check_safe, check_token


@given(ANY_TEXT)
@settings(max_examples=300, deadline=None)
def test_any_text_comes_out_safe(text: str) -> None:
    check_safe(text)


@given(st.one_of(st.binary(max_size=12), ANY_TEXT.map(lambda text: text.encode("utf-8", "surrogatepass"))))
@settings(max_examples=300, deadline=None)
def test_any_bytes_make_a_visible_token(data: bytes) -> None:
    check_token(data)


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S"], max_codepoint=0x2FF)))
@settings(max_examples=100, deadline=None)
def test_plain_letters_are_left_alone(text: str) -> None:
    assert safe_text(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain [/] [red] text", "plain [/] [red] text"),
        ("\x1b[31mred\x07", "␛[31mred␇"),
        ("a\tb\nc\x7f\x00", "a␉b␊c␡␀"),
        ("\x9b31m", "⟨9B⟩31m"),
        ("abc\u202edef", "abc⟨U+202E⟩def"),
        ("a\u2028b", "a⟨U+2028⟩b"),
        ("👩\u200d💻", "👩⟨U+200D⟩💻"),
        ("❤\ufe0f", "❤⟨U+FE0F⟩"),
        ("👍\U0001f3fd", "👍⟨U+1F3FD⟩"),
        ("🇫🇷", "⟨U+1F1EB⟩⟨U+1F1F7⟩"),
        ("\u0301e", "⟨U+0301⟩e"),
        ("e\u0301", "e\u0301"),
        ("\x9b\u0301", "⟨9B⟩⟨U+0301⟩"),
        ("漢字 שלום", "漢字 שלום"),
        ("\ud800", "⟨U+D800⟩"),
        ("caf\udce9", "caf⟨E9⟩"),
    ],
)
def test_hostile_text_by_example(text: str, shown: str) -> None:
    assert safe_text(text) == shown


def test_marks_do_not_pile_up() -> None:
    out = safe_text("a" + "\u0301" * 50)
    assert out.count("\u0301") == MOST_MARKS
    assert out.count("⟨U+0301⟩") == 50 - MOST_MARKS


def test_the_caller_may_keep_line_breaks() -> None:
    assert safe_text("a\nb\tc\u0301", keep="\n") == "a\nb␉c\u0301"
    assert safe_text("a\n\u0301", keep="\n") == "a\n⟨U+0301⟩"


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b" the", "·the"),
        (b"\n", "⏎"),
        (b"\t", "⇥"),
        (b"\xe2\x80", "⟨E2⟩⟨80⟩"),
        ("漢".encode()[1:], "⟨BC⟩⟨A2⟩"),
        ("é".encode(), "é"),
        (b"", "⟨⟩"),
        ("\u00a0".encode(), "⟨U+00A0⟩"),
        (" \u0301".encode(), "·⟨U+0301⟩"),
        (b"\x1b[2J", "␛[2J"),
    ],
)
def test_tokens_by_example(data: bytes, shown: str) -> None:
    assert display_token(data) == shown
