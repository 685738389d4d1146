"""Keys and pastes out of what a terminal sends, in one piece or in many."""

from collections.abc import Iterator

import pytest
from textual import events
from textual._xterm_parser import XTermParser
from textual.message import Message

from gpttui.tui.reading import END, START, UNFINISHED_S, TerminalReader


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Of the reader, and of Textual's parser below it."""
    clock = Clock()
    monkeypatch.setattr("textual._parser.get_time", clock)
    return clock


def told(messages: Iterator[Message]) -> list[str]:
    """Keys by their names, pastes as their text between bars."""
    return [f"|{message.text}|" if isinstance(message, events.Paste) else message.key for message in messages]  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", ["q", "\x1bq", "\x1b[A", "\x1b]52;c;eA==\x07", "a\x1b", "\x1b" * 40, "日本\n", ""])
def test_a_paste_is_text_whatever_stands_in_it(text: str, clock: Clock) -> None:
    reader = TerminalReader(XTermParser(), clock)
    assert told(reader.feed(f"a{START}{text}{END}b")) == ["a", f"|{text}|", "b"]


def test_it_may_come_in_any_pieces(clock: Clock) -> None:
    whole, expected = f"a{START}x\x1b[Ay{END}\x1b[B{START}{END}c", ["a", "|x\x1b[Ay|", "down", "||", "c"]
    for cut in range(len(whole)):
        reader = TerminalReader(XTermParser(), clock)
        assert [*told(reader.feed(whole[:cut])), *told(reader.feed(whole[cut:]))] == expected, cut
    reader = TerminalReader(XTermParser(), clock)
    assert [word for character in whole for word in told(reader.feed(character))] == expected


def test_escape_alone_is_a_key_after_a_moment(clock: Clock) -> None:
    reader = TerminalReader(XTermParser(), clock)
    assert told(reader.feed("\x1b")) == []
    clock.now_s += 0.2
    assert told(reader.tick()) == ["escape"]
    assert told(reader.feed("[")) == ["left_square_bracket"]


@pytest.mark.parametrize("then", ["", "j"])
def test_an_unfinished_paste_ends_by_itself(then: str, clock: Clock) -> None:
    reader = TerminalReader(XTermParser(), clock)
    assert told(reader.feed(f"{START}half a line")) == []
    clock.now_s += UNFINISHED_S / 2
    assert told(reader.tick()) == []
    assert told(reader.feed(" more")) == []
    clock.now_s += UNFINISHED_S
    found = told(reader.feed(then)) if then else told(reader.tick())
    assert found == ["|half a line more|", *then]
    assert told(reader.feed("k")) == ["k"]
