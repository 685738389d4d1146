"""The text on one line, the selected token marked, as much of it around that token as fits. A click selects.

For: views that look at one token and need to say which. Not for: reading the text (`TokensPane`).
"""

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual import events
from textual.reactive import reactive
from textual.widget import Widget

from gpttui.records import Snapshot
from gpttui.tui.palette import colour_depth, token_styles
from gpttui.tui.renderables.labels import clip, token_label
from gpttui.tui.widgets.pane import TokenWanted

if TYPE_CHECKING:
    from gpttui.tokenizers import Tokenizer

AT = "at"
"""Name under which a token on the line carries its position."""
LONGEST = 16


def around(widths: list[int], at: int, room: int) -> tuple[int, int]:
    """The stretch [first, end) of tokens `widths` cells wide that fits into `room` with token `at` about its middle."""
    first, end, before, behind = at, at + 1, 0, 0
    while True:
        free = room - widths[at] - before - behind
        left = first > 0 and widths[first - 1] <= free
        right = end < len(widths) and widths[end] <= free
        if not left and not right:
            return first, end
        if left and (not right or before <= behind):
            first -= 1
            before += widths[first]
        else:
            behind += widths[end]
            end += 1


class TokenLine(Widget):
    """`token 13 of 64` and the tokens around it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"token-line--dim", "token-line--strong", "token-line--cursor"}

    DEFAULT_CSS = """
    TokenLine {
        height: 1;
        padding: 0 1;
        & > .token-line--dim { color: $foreground 60%; }
        & > .token-line--strong { color: $foreground; text-style: bold; }
        & > .token-line--cursor {
            color: $block-cursor-foreground; background: $block-cursor-background; text-style: bold;
        }
    }
    """

    snapshot: reactive[Snapshot | None] = reactive(None, always_update=True)
    tokenizer: "reactive[Tokenizer | None]" = reactive(None)
    position: reactive[int] = reactive(-1)

    def render(self) -> Text:
        dim = self.get_component_rich_style("token-line--dim", partial=True)
        count = 0 if self.snapshot is None else len(self.snapshot.ids)
        if self.snapshot is None or not count:
            return Text("no text yet: press / and type one", style=dim, no_wrap=True, overflow="ellipsis")
        at = max(0, min(count - 1, self.position))
        text = Text(no_wrap=True, overflow="crop")
        lead = f"token {at + 1} of {count}"
        if self.content_size.width >= 48:
            text.append(lead, dim).append("  ")
        room = self.content_size.width - text.cell_len - 2
        reach = max(1, room)
        near = range(max(0, at - reach), min(count, at + reach + 1))  # every token takes a cell at least
        labels = [clip(token_label(self.tokenizer, int(self.snapshot.ids[i])), LONGEST) for i in near]
        first, end = around([max(1, cell_len(label)) for label in labels], at - near.start, room)
        text.append("‹" if near.start + first else " ", dim)
        self._write(text, labels[first:end], near.start + first, at)
        text.append("›" if near.start + end < count else " ", dim)
        return text

    def _write(self, text: Text, labels: list[str], first: int, at: int) -> None:
        depth = colour_depth(self.app)
        cycle = token_styles(depth, self.app.current_theme.dark)
        cursor = self.get_component_rich_style("token-line--cursor", partial=True)
        for n, label in enumerate(labels, first):
            style = cursor if n == at else cycle[n % len(cycle)]
            text.append(label, style + Style(bold=n == at, reverse=n == at and depth == 0) + Style.from_meta({AT: n}))

    def on_click(self, event: events.Click) -> None:
        position = event.style.meta.get(AT)
        if position is not None:
            self.post_message(TokenWanted(int(position)))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._move(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._move(-1)

    def _move(self, by: int) -> None:
        if self.snapshot is not None and len(self.snapshot.ids):
            self.post_message(TokenWanted(max(0, min(len(self.snapshot.ids) - 1, self.position + by))))
