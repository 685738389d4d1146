"""The footer: the keys that matter now, on one line, as many as fit; help and quit always do.

One widget instead of Textual's Footer with a widget a key, which costs a screenful of layout at the first paint. Keys
of one action stand together (`[ ] head`). A click presses the key.
"""

from collections.abc import Iterable
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.widget import Widget

PRESS = "press"
"""Name under which a piece of text carries its key. Not an @click, which Textual underlines as a link."""
ALWAYS = "more"
"""The group that stands at the right and is never left out."""
ORDER = ("step", "", "text", "panes", "head, layer", "sampling")
"""Groups from the left, most wanted first; "" stands for what belongs to the focused pane alone."""


class Entry(NamedTuple):
    """One thing a person can do, and the keys for it with how each is written."""

    keys: tuple[tuple[str, str], ...]
    says: str

    @property
    def width(self) -> int:
        return cell_len(" ".join(written for _, written in self.keys)) + 1 + cell_len(self.says)


class KeyBar(Widget):
    """Shows the bindings that the screen's focus makes active."""

    DEFAULT_CSS = """
    KeyBar {
        dock: bottom;
        height: 1;
        padding: 0 1;
        background: $footer-background;
        color: $footer-description-foreground;
        & > .key-bar--key { color: $footer-key-foreground; text-style: bold; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"key-bar--key"}
    GAP = 2

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.refresh())

    def render(self) -> Text:
        left, right = self._entries()
        room = self.content_size.width
        tail = fitting(right[::-1], room * 5 // 8, self.GAP)[::-1]
        head = fitting(left, room - _width(tail, self.GAP) - self.GAP, self.GAP)
        gap = room - _width(head, self.GAP) - _width(tail, self.GAP)
        text = Text(no_wrap=True, overflow="crop")
        self._write(text, head)
        text.append(" " * max(0, gap))
        self._write(text, tail)
        return text

    def _write(self, text: Text, entries: list[Entry]) -> None:
        key_style = self.get_component_rich_style("key-bar--key", partial=True)
        for n, entry in enumerate(entries):
            text.append(" " * (self.GAP if n else 0))
            for i, (key, written) in enumerate(entry.keys):
                text.append(" " * bool(i))
                text.append(written, key_style + Style.from_meta({PRESS: key}))
            text.append(f" {entry.says}", Style.from_meta({PRESS: entry.keys[0][0]}))

    def on_click(self, event: events.Click) -> None:
        key = event.style.meta.get(PRESS)
        if key is not None:
            self.app.simulate_key(key)

    def _entries(self) -> tuple[list[Entry], list[Entry]]:
        active = self.screen.active_bindings.values()
        shown = [found.binding for found in active if found.binding.show and found.enabled]
        right = [binding for binding in shown if _group(binding) == ALWAYS]
        left = sorted((binding for binding in shown if binding not in right), key=_rank)
        return self._merged(left), self._merged(right)

    def _merged(self, bindings: Iterable[Binding]) -> list[Entry]:
        """Bindings of one description as one entry; of several keys for one action only the first is shown."""
        by_words: dict[str, dict[str, tuple[str, str]]] = {}
        for binding in bindings:
            keys = by_words.setdefault(binding.description.lower(), {})
            keys.setdefault(binding.action, (binding.key, self.app.get_key_display(binding)))
        return [Entry(tuple(keys.values()), words) for words, keys in by_words.items()]


def _group(binding: Binding) -> str:
    return binding.group.description if binding.group else ""


def _rank(binding: Binding) -> int:
    group = _group(binding)
    return ORDER.index(group if group in ORDER else "")


def _width(entries: list[Entry], gap: int) -> int:
    return sum(entry.width for entry in entries) + gap * max(0, len(entries) - 1)


def fitting(entries: list[Entry], room: int, gap: int) -> list[Entry]:
    """The first entries that fit into `room` cells."""
    kept: list[Entry] = []
    for entry in entries:
        if _width([*kept, entry], gap) > room:
            break
        kept.append(entry)
    return kept
