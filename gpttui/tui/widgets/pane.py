"""What all panes share: a titled border, help in plain words, theme colours as rich styles, and an honest empty state.

For: panes drawn line by line. Not for: what they show. A pane holds what the screen gives it and posts what the person
does; rows that do not scroll (axes, legends, details) are drawn by the pane itself inside its viewport.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from gpttui.text import safe_text
from gpttui.tui.palette import ColourDepth, colour_depth, colour_map
from gpttui.tui.renderables.ink import Ink

if TYPE_CHECKING:
    from gpttui.tokenizers import Tokenizer

Piece = tuple[str, Style]
Drawing = TypeVar("Drawing")

WAITING = "waiting for the engine: loading PyTorch…"
NO_TEXT = "type a prompt: press /"

FRAME_CSS = """
        border: round $foreground 25%;
        border-title-color: $foreground 80%;
        border-subtitle-color: $foreground 65%;
        background: $background;
        &:focus, &:focus-within {
            border: round $primary;
            border-title-color: $primary;
            border-title-style: bold;
        }
        &.-dated { opacity: 55%; }
        & > .pane--dim { color: $foreground 55%; }
        & > .pane--strong { color: $foreground; text-style: bold; }
"""
"""Rules inside a pane's own block, for panes of any kind of widget."""

MOVE, VIEW = Binding.Group("move"), Binding.Group("view")
"""Groups of the panes' own keys."""


@dataclass
class TokenWanted(Message):
    """A person chose the token at `position`, counted from the start of the text."""

    position: int


@dataclass
class HeadWanted(Message):
    """A person chose a layer and a head; None: the head stays."""

    layer: int
    head: int | None = None


def moving(keys: str, action: str, says: str, id: str, tooltip: str) -> Binding:
    """A key that moves inside a pane; the footer has no room for those."""
    return Binding(keys, action, says, show=False, tooltip=tooltip, id=id, group=MOVE)


def showing(keys: str, action: str, says: str, id: str, tooltip: str) -> Binding:
    """A key for what is shown, and how."""
    return Binding(keys, action, says, tooltip=tooltip, id=id, group=VIEW)


def label_border(widget: Widget, title: str, subtitle: str = "") -> None:
    """Plain words on the border; nothing in them is read as markup.

    The same words again are not painted again: who labels a border by this does it by nothing else.
    """
    words = safe_text(title), safe_text(subtitle)
    if words != getattr(widget, "_border_words", None):
        widget._border_words = words  # type: ignore[attr-defined]
        widget.border_title, widget.border_subtitle = (Content(text) if text else None for text in words)


class Framed:
    """A name, and component classes as rich styles, looked up once until the theme changes."""

    _styles: dict[str, Style]
    NAME: ClassVar[str] = ""
    """What it is called where only some panes are seen; empty for its id."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._styles = {}
        kwargs.setdefault("name", self.NAME or kwargs.get("id"))
        super().__init__(*args, **kwargs)

    def component(self: Any, name: str) -> Style:
        """The rich style of a component class; of the widget itself for an empty name."""
        found: Style | None = self._styles.get(name)
        if found is None:
            found = self.get_component_rich_style(name) if name else self.rich_style
            self._styles[name] = found
        return found

    def notify_style_update(self: Any) -> None:
        super().notify_style_update()  # type: ignore[misc]
        self._styles.clear()


class Pane(Framed, ScrollView, can_focus=True, inherit_bindings=False):
    """A bordered, focusable viewport.

    Whatever changes what it shows ends in `refresh`, as Textual has it of every reactive: what was drawn is forgotten
    then, and the border says what is true now.
    """

    HELP: ClassVar[str] = ""
    """What you see, how it is computed, the formula, where to read more."""
    TITLES: ClassVar[tuple[str, str]] = "", ""
    """Title and subtitle of the border, where they are always the same."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "pane--dim",
        "pane--strong",
        "pane--accent",
        "pane--cursor",
        "pane--invert",
        "pane--bar",
        "pane--band",
        "pane--warn",
    }

    DEFAULT_CSS = (
        "Pane {"
        + FRAME_CSS
        + """
        scrollbar-size: 1 1;
        scrollbar-background: $background;
        scrollbar-color: $foreground 20%;
        scrollbar-corner-color: $background;
        overflow: hidden hidden;
        & > .pane--accent { color: $accent; text-style: bold; }
        & > .pane--cursor { color: $block-cursor-foreground; background: $block-cursor-background; text-style: bold; }
        & > .pane--invert { color: $background; background: $foreground; text-style: bold; }
        & > .pane--bar { color: $primary; }
        & > .pane--band { background: $foreground 12%; }
        & > .pane--warn { color: $warning; }
    }"""
    )

    waiting: reactive[str] = reactive(WAITING)
    """Shown instead of content while there is none."""
    tokenizer: "reactive[Tokenizer | None]" = reactive(None)
    """Without one tokens are written as numbers."""

    _drawn: tuple[object, Any] | None = None
    """What the drawing depends on, and the drawing."""

    def on_mount(self) -> None:
        self.watch(self.app, "theme", self.recolour, init=False)
        self.entitle()

    def recolour(self) -> None:
        """Colours changed."""
        self._styles.clear()
        self.refresh()

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        if not regions:
            self._drawn = None
            if self.is_mounted:
                self.entitle()  # before it is painted: new words in its border would have it painted twice
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._drawn = None

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self.refresh()

    def wheel(self, down: int, right: int) -> None:
        """The wheel was turned by a notch. A pane that does nothing then is scrolled by Textual, if it can be."""

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self.wheel(0, 1) if event.shift else self.wheel(1, 0)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self.wheel(0, -1) if event.shift else self.wheel(-1, 0)

    def on_mouse_scroll_right(self) -> None:
        self.wheel(0, 1)

    def on_mouse_scroll_left(self) -> None:
        self.wheel(0, -1)

    def titles(self) -> tuple[str, str]:
        """Title and subtitle of the border."""
        return self.TITLES

    def entitle(self) -> None:
        label_border(self, *self.titles())

    def drawing(self, make: Callable[[], Drawing], *on: object) -> Drawing:
        """What `make` draws, made once for all lines of a repaint: anew after a change, in another size, or for other
        values of `on`."""
        state = (self.scrollable_content_region.size, self.depth, self.dark, self.heat, *on)
        if self._drawn is None or self._drawn[0] != state:
            self._drawn = state, make()
        drawn: Drawing = self._drawn[1]
        return drawn

    def need_room(self, width: int, height: int) -> None:
        """How large the content is. What fits counts as exactly the pane's size: growing, it lays out nothing anew."""
        room = self.scrollable_content_region
        self.virtual_size = Size(max(width, room.width), max(height, room.height))

    @property
    def depth(self) -> ColourDepth:
        return colour_depth(self.app)

    @property
    def heat(self) -> tuple[str, ...]:
        """The colour map for amounts, 32 steps."""
        return colour_map(self.app)

    @property
    def dark(self) -> bool:
        return self.app.current_theme.dark

    def tone(self, name: str = "") -> Style:
        """The rich style of component class `pane--name`; of the pane itself without a name."""
        return self.component(f"pane--{name}" if name else "")

    @property
    def ink(self) -> Ink:
        """What it lends to what is drawn in it."""
        tones = {name: self.tone(name) for name in ("dim", "strong", "accent", "cursor", "bar", "band", "warn")}
        return Ink(plain=self.tone(), **tones, depth=self.depth, dark=self.dark, heat=self.heat)

    def row(self, pieces: Iterable[Piece]) -> Strip:
        """Pieces of text as one line, exactly as wide as the pane."""
        under = self.tone()
        segments = [Segment(text, under + style) for text, style in pieces if text]
        return Strip(segments).adjust_cell_length(self.scrollable_content_region.width, under)

    def centred(self, text: str, style: Style) -> Strip:
        pad = max(0, (self.scrollable_content_region.width - cell_len(text)) // 2)
        return self.row([(" " * pad, self.tone()), (text, style)])

    def empty_row(self, y: int) -> Strip:
        """Row `y` of a pane that has nothing to show yet: its reason, centred."""
        lines = safe_text(self.empty_words, keep="\n").split("\n")
        at = y - max(0, (self.scrollable_content_region.height - len(lines)) // 2)
        return self.centred(lines[at] if 0 <= at < len(lines) else "", self.tone("dim"))

    @property
    def empty_words(self) -> str:
        """Why there is nothing to show, and what to do about it."""
        return self.waiting
