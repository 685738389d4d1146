"""A form worked by keys alone: arrows choose a line and step through its values, typing writes another one.

For: ordering a training run. Not for: what the fields mean together (`screens.train_draft`), or starting anything.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

from rich.cells import cell_len
from textual import events
from textual.binding import BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from gpttui.text import is_utf8, safe_text
from gpttui.tui.renderables.labels import clip, fit
from gpttui.tui.widgets.pane import Pane, Piece, moving

NAME, VALUE = 14, 18
Values = dict[str, str]


class Field(NamedTuple):
    """One line of the form."""

    name: str
    label: str
    kind: Literal["choice", "number", "path", "text"]
    choices: tuple[str, ...]
    """What ← and → step through; of a number or a path, anything else can be typed."""
    hint: str = ""
    locked: bool = False


Settle = Callable[[Values, str], tuple[Values, tuple[Field, ...]]]
"""From values of which the named one has just been given: all values as they are then, and the lines."""


class FormPane(Pane):
    """Lines of label, value and hint; the focused line has a cursor.

    What is typed stands in `values` at once, and what follows from it for other lines too: keys may come faster than
    the screen hears of them.
    """

    HELP: ClassVar[str] = """\
**How long** sets a shape that is worth training for so long, and the time. The engine has just timed a few real \
passes to know about how many steps that is; while it trains, steps and schedule are fitted to the time. Any other \
field can be changed afterwards.

**Text**: the path of a file or a folder of texts (tab completes it), or one that is here already. **Start from** a \
loaded model to fine-tune it: shape and tokenizer are then its own. **Tokenizer**: single characters, whole words, or \
byte-level BPE of so many tokens, learned from the text.

**Layers, heads, width**: how deep, how many attention heads a layer, how long a token's vector. **Context**: the \
tokens that a prediction may look at. **Batch**: rows of one step. **Optimizer**: Muon learns fastest here; its own \
learning rate follows the one shown in proportion. The run is as long as its minutes or, where they are 0, its \
**steps**; a validation loss may end it before. \
**More settings** has the rest: what samples begin with, the seed, dropout, the schedule.

`↑` `↓` choose a line, `←` `→` another value, typing writes one, backspace deletes. `enter` starts.

More: Hoffmann et al., *Training compute-optimal large language models* (2022), on how large and how long; Jordan et \
al., *Muon: an optimizer for hidden layers in neural networks* (2024)."""

    BINDINGS: ClassVar[list[BindingType]] = [
        moving("up,shift+tab", "line(-1)", "line up", "form.up", "The line above"),
        moving("down", "line(1)", "line down", "form.down", "The line below"),
        moving("left", "turn(-1)", "value before", "form.left", "The value before"),
        moving("right", "turn(1)", "value after", "form.right", "The next value"),
        moving("backspace", "delete", "delete", "form.delete", "Delete the last character"),
        moving("ctrl+u", "clear", "clear", "form.clear", "Delete the whole value"),
        moving("tab", "complete", "complete, next line", "form.complete", "Complete the path, or go to the next line"),
    ]
    DEFAULT_CSS = "FormPane { padding: 0 1; overflow-y: auto; }"

    fields: reactive[tuple[Field, ...]] = reactive(())
    values: reactive[Values] = reactive({}, always_update=True)
    line: reactive[int] = reactive(0)
    wrong: reactive[str] = reactive("")
    """The field that an error is about."""

    @dataclass
    class Changed(Message):
        """A person has given `name` another value; by now it may have changed again."""

        name: str

    def __init__(self, titles: tuple[str, str], settle: Settle | None = None, id: str | None = None) -> None:
        super().__init__(id=id)
        self._titles, self._settle = titles, settle
        self._writing = False
        """The value has been typed at: further characters are added; the first one replaces a number."""

    def titles(self) -> tuple[str, str]:
        return self._titles

    def watch_fields(self) -> None:
        self.virtual_size = Size(max(1, self.scrollable_content_region.width), len(self.fields))
        self.refresh()

    def on_resize(self) -> None:
        self.watch_fields()
        self._follow()

    def watch_line(self) -> None:
        self._writing = False
        self._follow()

    def _follow(self) -> None:
        room, top = max(1, self.scrollable_content_region.height), self.scroll_offset.y
        if self.line < top or self.line >= top + room:
            y = self.line if self.line < top else self.line - room + 1
            self.scroll_to(y=y, animate=False, force=True)
        self.refresh()

    @property
    def field(self) -> Field | None:
        return self.fields[self.line] if self.line < len(self.fields) else None

    # ── Drawing ───────────────────────────────────────────────────────────────────────────────────────────────────

    def render_line(self, y: int) -> Strip:
        at = y + self.scroll_offset.y
        return self.row(self._pieces(at)) if at < len(self.fields) else self.row([])

    def _pieces(self, at: int) -> list[Piece]:
        field, here = self.fields[at], at == self.line
        width = self.scrollable_content_region.width
        value = safe_text(self.values.get(field.name, ""))
        room = max(VALUE, width - NAME - cell_len(field.hint) - 5) if field.kind in ("path", "text") else VALUE
        room = max(4, min(room, width - NAME - 4))
        shown = value if cell_len(value) <= room - 1 else "…" + value[-(room - 2) :]
        typed = here and field.kind != "choice" and not field.locked
        shown += "▏" if typed and self.has_focus else ""
        plain, dim = self.tone(), self.tone("dim")
        style = dim if field.locked else self.tone("cursor") if here and self.has_focus else self.tone("strong")
        arrows = here and bool(field.choices) and not field.locked
        label = self.tone("warn") if field.name == self.wrong else self.tone("accent") if here else dim
        return [
            (fit(field.label, NAME), label),
            ("‹ " if arrows else "  ", dim),
            (fit(clip(shown, room), room), style),
            (" › " if arrows else "   ", dim),
            (clip(field.hint, max(0, width - NAME - room - 5)), plain if here and not field.locked else dim),
        ]

    # ── Keys ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def action_line(self, by: int) -> None:
        self.line = (self.line + by) % max(1, len(self.fields))

    def _give(self, value: str) -> None:
        field = self.field
        if field is None or field.locked:
            return
        values = self.values | {field.name: value}
        if self._settle is not None:
            values, self.fields = self._settle(values, field.name)
        self.values = values
        self.post_message(self.Changed(field.name))

    def action_turn(self, by: int) -> None:
        field = self.field
        if field is None or not field.choices or field.locked:
            return
        self._writing = False
        value = self.values.get(field.name, "")
        if value in field.choices:
            at = field.choices.index(value) + by
        else:
            at = _nearest(value, field.choices, by) if field.kind == "number" else (0 if by > 0 else -1)
        wraps = field.kind != "number"
        self._give(field.choices[at % len(field.choices) if wraps else max(0, min(len(field.choices) - 1, at))])

    def action_delete(self) -> None:
        if self.field is not None and self.field.kind != "choice":
            self._writing = True
            self._give(self.values.get(self.field.name, "")[:-1])

    def action_clear(self) -> None:
        if self.field is not None and self.field.kind != "choice":
            self._writing = True
            self._give("")

    def action_complete(self) -> None:
        field = self.field
        value = "" if field is None else self.values.get(field.name, "")
        if field is not None and field.kind == "path" and (longer := completed(value)) != value:
            self._writing = True
            self._give(longer)
        else:
            self.action_line(1)

    def write(self, text: str) -> None:
        """What is typed or pasted on the focused line."""
        field = self.field
        if field is None or field.kind == "choice" or field.locked:
            return
        value = self.values.get(field.name, "")
        starts_anew = not self._writing and (field.kind == "number" or value in field.choices)
        self._writing = True
        self._give(text if starts_anew else value + text)

    async def on_key(self, event: events.Key) -> None:
        """Keys of this pane's own are obeyed here, not on their way up: in the order in which they were typed."""
        bound = self.screen.active_bindings.get(event.key)
        if event.character and event.is_printable:
            self.write(event.character)
        elif bound is not None and bound.node is self:
            await self.app.run_action(bound.binding.action, self)
        else:
            return
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self.write(next(iter(event.text.strip().splitlines()), "").strip().strip("'\""))

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        if at is None or not 0 <= at.y + self.scroll_offset.y < len(self.fields):
            return
        same = self.line == at.y + self.scroll_offset.y
        self.line = at.y + self.scroll_offset.y
        if same and self.field is not None and self.field.kind == "choice":
            self.action_turn(1)

    def wheel(self, down: int, right: int) -> None:
        self.action_line(down)


def _nearest(value: str, choices: tuple[str, ...], by: int) -> int:
    """The next larger or smaller of ascending numbers."""
    try:
        number = float(value)
    except ValueError:
        return 0
    numbers = [(n, float(choice)) for n, choice in enumerate(choices) if choice[:1].isdecimal()]
    larger = [n for n, choice in numbers if choice > number]
    smaller = [n for n, choice in numbers if choice < number]
    return (larger[0] if larger else len(choices) - 1) if by > 0 else (smaller[-1] if smaller else 0)


def completed(text: str) -> str:
    """A path as far as what is on this machine determines it; unchanged where that is no further."""
    if not text.strip():
        return text
    path = Path(text).expanduser()
    folder, start = (path, "") if text.endswith("/") else (path.parent, path.name)
    try:
        names = sorted(
            entry.name + ("/" if entry.is_dir() else "")
            for entry in folder.iterdir()
            if entry.name.startswith(start) and (start or not entry.name.startswith(".")) and is_utf8(entry.name)
        )
    except OSError:
        return text
    common = "".join(
        chars[0] for chars in itertools.takewhile(lambda chars: len(set(chars)) == 1, zip(*names, strict=False))
    )
    return text[: len(text) - len(start)] + common if len(common) > len(start) else text
