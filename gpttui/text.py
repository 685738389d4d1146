"""The one gate for text that gpttui did not write itself: prompts, tokens, files and their names, quoted errors.

A byte-level tokenizer hands out escape sequences, halves of characters and lone joiners on the first day; any of them,
sent to a terminal raw, moves the cursor, hides text or breaks the columns. What leaves this module moves nothing: every
character is visible and its width does not depend on its neighbours. Not for: markup (never hand such text to a markup
parser) and for cutting to a width (`rich.cells` does that).
"""

import unicodedata

_ESCAPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_COMBINING = frozenset({"Mn", "Mc", "Me"})
MOST_MARKS = 4
"""Combining marks kept on one letter; more would climb over the lines above."""

_TOKEN_PICTURES = {" ": "·", "\n": "⏎", "\t": "⇥"}


def safe_text(text: str, *, keep: str = "") -> str:
    """`text` with everything that could move the cursor, hide, or change width shown as a picture or a ⟨code⟩.

    C0 and DEL become control pictures (␛), C1 and stray bytes ⟨9B⟩, bidi controls, line separators, zero-width, private
    and unassigned characters ⟨U+202E⟩, and so do variation selectors, emoji modifiers and flag halves, on whose width
    terminals disagree, and combining marks with nothing to stand on. Characters in `keep` ("\\n", say) pass.
    The result is stable: `safe_text(safe_text(x)) == safe_text(x)`.
    """
    if text.isascii() and text.isprintable():
        return text
    out: list[str] = []
    marks = MOST_MARKS  # none may come first
    for char in text:
        if char in keep:
            out.append(char)
            marks = MOST_MARKS
        elif _joins(char):
            out.append(char if marks < MOST_MARKS else _code(char))
            marks = marks + 1 if marks < MOST_MARKS else MOST_MARKS
        elif _must_escape(char):
            out.append(_picture(char))
            marks = MOST_MARKS
        else:
            out.append(char)
            marks = 0
    return "".join(out)


def display_token(data: bytes) -> str:
    """The bytes of one token as they are drawn: space ·, newline ⏎, tab ⇥, bytes that make up no character ⟨E2⟩.

    Never empty, so that every token has a place on the screen: a token without bytes is ⟨⟩.
    """
    text = data.decode("utf-8", errors="surrogateescape")
    out = []
    plain = ""
    for char in text:
        if char in _TOKEN_PICTURES or (char != " " and unicodedata.category(char) == "Zs"):
            out.append(safe_text(plain))
            out.append(_TOKEN_PICTURES.get(char) or _code(char))
            plain = ""
        else:
            plain += char
    out.append(safe_text(plain))
    return "".join(out) or "⟨⟩"


def new_lines(text: str) -> str:
    """`text` with every line end as a newline: terminals paste CR, other systems write CR LF or CR."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def is_utf8(text: str) -> bool:
    """Whether `text` has a UTF-8 form: names of files may not, whose bytes Python spells as lone surrogates."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def whole(text: str) -> str:
    """`text` with lone surrogates replaced by U+FFFD, so that it has a UTF-8 form."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def so_far(part: str, done: int, total: int) -> str:
    """How far something is, in words: `tensors 3 of 272`, or what is at work where nobody knows how much there is."""
    return f"{part} {done:,} of {total:,}" if total else part


def _joins(char: str) -> bool:
    """Whether the character is drawn onto the one before it."""
    code = ord(char)
    if _is_selector(code):
        return False
    return unicodedata.category(char) in _COMBINING or 0x1160 <= code <= 0x11FF or 0xD7B0 <= code <= 0xD7FF


def _must_escape(char: str) -> bool:
    code = ord(char)
    return (
        unicodedata.category(char) in _ESCAPED
        or _is_selector(code)
        or 0x1F3FB <= code <= 0x1F3FF  # skin tones
        or 0x1F1E6 <= code <= 0x1F1FF  # halves of flags
        or code in (0x115F, 0x3164, 0xFFA0)  # Hangul fillers: letters that show nothing
    )


def _is_selector(code: int) -> bool:
    """Variation selectors and the grapheme joiner: marks by category, but they only change what others look like."""
    return (
        0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF or 0x180B <= code <= 0x180F or code in (0x034F, 0x20E3)
    )


def _picture(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    return _code(char)


def _code(char: str) -> str:
    """⟨9B⟩ for C1 and for bytes that Python smuggles through as surrogates, ⟨U+202E⟩ for the rest."""
    code = ord(char)
    if 0x80 <= code <= 0x9F:
        return f"⟨{code:02X}⟩"
    if 0xDC80 <= code <= 0xDCFF:
        return f"⟨{code - 0xDC00:02X}⟩"
    return f"⟨U+{code:04X}⟩"
