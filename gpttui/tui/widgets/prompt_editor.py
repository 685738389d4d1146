"""Where a prompt is written: any text at all, shown safely, taken unchanged.

For: typing and pasting. Not for: showing the split (`TokensPane.draft`).
What a terminal must not see raw (escapes, bidi controls, joiners, lone surrogates) stands in the document as a
private-use character of one cell and is drawn as a picture, so that cursor and wrapping agree with the screen; `text`
gives back every character as it came.
"""

from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import TextArea
from textual.widgets.text_area import Edit, EditResult

from gpttui.text import safe_text

_FIRST_SLOT = 0xF0000
"""Unicode planes 15 and 16: private use, one cell wide."""
LONGEST, SHOWN = 8_000, 1_000
"""A longer text is folded but for its ends: a text area takes seconds to lay a megabyte out."""
FOLD = "▤"
MODE_KEY = "ctrl+t"


class Disguise:
    """A reversible change of unsafe characters into private-use ones, and of long passages into a single one."""

    def __init__(self) -> None:
        self._slots: dict[str, str] = {}
        self._real: dict[str, str] = {}

    def put_on(self, text: str) -> str:
        """Each character that would not be drawn as itself becomes a slot, and so does a long middle; newlines stay."""
        if len(text) > LONGEST:
            return self.put_on(text[:SHOWN]) + self._slot(text[SHOWN:-SHOWN]) + self.put_on(text[-SHOWN:])
        if text.isascii() and text.replace("\n", "").isprintable():
            return text
        out: list[str] = []
        before = ""
        for char in text:
            if char == "\n" or safe_text(before + char) == before + char:
                out.append(char)
                before = char if char != "\n" else ""
            else:
                out.append(self._slot(char))
                before = ""
        return "".join(out)

    def _slot(self, real: str) -> str:
        if real not in self._slots:
            slot = chr(_FIRST_SLOT + len(self._slots))
            self._slots[real], self._real[slot] = slot, real
        return self._slots[real]

    def take_off(self, text: str) -> str:
        return "".join(self._real.get(char, char) for char in text) if self._real else text

    def picture(self, text: str) -> tuple[str, list[int]]:
        """What to draw, of the same length, and where slots stand in it."""
        at = [i for i, char in enumerate(text) if char in self._real]
        if not at:
            return text, at
        return "".join(_one_cell(self._real[char]) if char in self._real else char for char in text), at

    def folded(self, text: str) -> int:
        """Characters of `text` that stand behind a fold."""
        return sum(len(self._real[char]) for char in text if len(self._real.get(char, "")) > 1)


def _one_cell(real: str) -> str:
    """A control picture where there is one, else the sign for what cannot be shown, or for what is folded."""
    if len(real) > 1:
        return FOLD
    shown = safe_text(real)
    return shown if len(shown) == 1 else "�"


class _Area(TextArea):
    """A text area whose document is disguised."""

    class Entered(Message):
        """Enter was pressed."""

    class Left(Message):
        """Escape was pressed."""

    class Asked(Message):
        """A key that is the editor's was pressed."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    COMPONENT_CLASSES: ClassVar[set[str]] = {"prompt-editor--hidden"}

    def __init__(self, text: str, keys: tuple[str, ...] = (MODE_KEY,)) -> None:
        """`keys`: those that the editor is asked for."""
        self.disguise, self._keys = Disguise(), keys
        super().__init__(
            self.disguise.put_on(text), soft_wrap=True, show_line_numbers=False, tab_behavior="focus", compact=True
        )
        self.highlight_cursor_line = False

    def edit(self, edit: Edit) -> EditResult:
        edit.text = self.disguise.put_on(edit.text)
        return super().edit(edit)

    def get_line(self, line_index: int) -> Text:
        shown, hidden = self.disguise.picture(self.document.get_line(line_index))
        line = Text(shown, end="", no_wrap=True)
        for at in hidden:
            line.stylize(self.get_component_rich_style("prompt-editor--hidden"), at, at + 1)
        return line

    def on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            self._take(event, self.Entered())
        elif event.key == "escape":
            self._take(event, self.Left())
        elif event.key in self._keys:
            self._take(event, self.Asked(event.key))
        elif event.key in ("ctrl+j", "shift+enter", "alt+enter"):
            event.stop()
            event.prevent_default()
            self.insert("\n")

    def _take(self, event: events.Key, message: Message) -> None:
        event.stop()
        event.prevent_default()
        self.post_message(message)


class PromptEditor(Widget):
    """A text of one or many lines; enter takes it, escape leaves it."""

    KEYS: ClassVar[str] = "enter: use it · ctrl+j: new line · esc: leave"
    HELP: ClassVar[str] = """\
The text that the model starts from. Its tokens are shown above while you write.

`enter` takes it, `escape` cancels, `ctrl+j` starts a new line. Any text can be pasted: \
control characters are shown as pictures and reach the model as they are. Of a very long text \
only the ends are shown; ▤ is the rest."""

    DEFAULT_CSS = """
    PromptEditor {
        height: auto;
        border: round $primary;
        border-title-color: $primary;
        border-title-style: bold;
        border-subtitle-color: $foreground 65%;
        background: $background;
        padding: 0 1;
        & > _Area {
            height: auto;
            min-height: 1;
            max-height: 8;
            border: none;
            padding: 0;
            background: $background;
            & > .prompt-editor--hidden { color: $warning; }
        }
    }
    """

    @dataclass
    class Changed(Message):
        """The text was edited."""

        text: str

    @dataclass
    class Submitted(Message):
        """The person is done; `text` is to be the prompt."""

        text: str

    class Cancelled(Message):
        """The person changed their mind."""

    class OtherMode(Message):
        """The person would rather write a conversation, or a text again."""

    def __init__(self, text: str = "", id: str | None = None, *, other_mode: str = "") -> None:
        """`other_mode`: what can be written instead, if anything."""
        super().__init__(id=id)
        self._area = self._make_area(text)
        self._other_mode = other_mode
        self.border_title = Content("Prompt")
        self._count_folded()

    def _make_area(self, text: str) -> _Area:
        return _Area(text)

    def compose(self) -> ComposeResult:
        yield self._area

    def on_mount(self) -> None:
        self._area.move_cursor(self._area.document.end)

    @property
    def text(self) -> str:
        """What was written, character for character."""
        return self._area.disguise.take_off(self._area.text)

    def focus(self, scroll_visible: bool = True) -> "PromptEditor":
        self._area.focus(scroll_visible)
        return self

    def _count_folded(self) -> None:
        folded = self._area.disguise.folded(self._area.text)
        words = f"{FOLD} {folded:,} characters · " if folded else ""
        other = f" · {MODE_KEY}: {self._other_mode}" if self._other_mode else ""
        self.border_subtitle = Content(f"{words}{self.KEYS}{other}")

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self._count_folded()
        self.post_message(self.Changed(self.text))

    def on__area_entered(self, event: _Area.Entered) -> None:
        event.stop()
        self.post_message(self.Submitted(self.text))

    def on__area_left(self, event: _Area.Left) -> None:
        event.stop()
        self.post_message(self.Cancelled())

    def on__area_asked(self, event: _Area.Asked) -> None:
        event.stop()
        if event.key == MODE_KEY:
            self.post_message(self.OtherMode())
