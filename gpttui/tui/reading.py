"""What a terminal sends, as Textual's messages; a paste is text from its first character to its last.

Textual's parser goes on looking for keys inside a bracketed paste: an escape sequence in the pasted text runs as keys,
and of a paste whose end never comes nothing does any more. Here pastes are cut out before it.
"""

from collections.abc import Callable, Iterable, Iterator
from time import monotonic
from typing import Protocol

from textual import constants, events
from textual.message import Message

START, END = "\x1b[200~", "\x1b[201~"
UNFINISHED_S = 1.5
"""A paste that brings nothing more for so long is over: its end was lost."""


class Parser(Protocol):
    """What is needed of it."""

    def feed(self, data: str) -> Iterable[Message]: ...
    def tick(self) -> Iterable[Message]: ...


class TerminalReader:
    """Fed with what was read, chunk by chunk; `tick` is called while nothing comes, some times a second."""

    def __init__(self, parser: Parser, clock: Callable[[], float] = monotonic) -> None:
        """`parser` is Textual's, for all that is no paste."""
        self._parser, self._clock = parser, clock
        self._held = ""
        """The end of a chunk that may be the beginning of `START`."""
        self._pasted: str | None = None
        """What has come of a paste; None outside of one."""
        self._fed_at = clock()

    def feed(self, text: str) -> Iterator[Message]:
        yield from self.tick()
        self._fed_at = self._clock()
        text, self._held = self._held + text, ""
        while text:
            if self._pasted is None:
                keys, start, text = text.partition(START)
                if start:
                    self._pasted = ""
                else:
                    keys, self._held = _without_beginning(keys)
                if keys:
                    yield from self._parser.feed(keys)
            else:
                looked_at = max(0, len(self._pasted) - len(END))
                self._pasted += text
                at = self._pasted.find(END, looked_at)
                if at < 0:
                    return
                text, self._pasted = self._pasted[at + len(END) :], self._pasted[:at]
                yield self._finished()

    def tick(self) -> Iterator[Message]:
        quiet_s = self._clock() - self._fed_at
        if self._pasted is not None and quiet_s >= UNFINISHED_S:
            yield self._finished()
        if self._held and quiet_s >= constants.ESCAPE_DELAY:
            held, self._held = self._held, ""
            if held == "\x1b":
                yield events.Key("escape", held)
            else:
                yield from self._parser.feed(held)
        yield from self._parser.tick()

    def _finished(self) -> events.Paste:
        text, self._pasted = self._pasted or "", None
        return events.Paste(text.replace("\0", ""))


def _without_beginning(text: str) -> tuple[str, str]:
    """`text` up to an end that `START` may begin with, and that end."""
    for length in range(min(len(START) - 1, len(text)), 0, -1):
        if text.endswith(START[:length]):
            return text[:-length], text[-length:]
    return text, ""
