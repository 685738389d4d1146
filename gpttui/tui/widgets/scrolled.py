"""A pane of lines that scroll by arrows, wheel and scrollbar, laid out anew for another width.

For: texts and lists longer than their pane, in training. Not for: lines to choose from (`LinesPane`).
"""

from textual.geometry import Size
from textual.strip import Strip

from gpttui.tui.widgets.pane import Pane

Lines = list[list[tuple[str, str]]]
"""Pieces of text, each with the name of its tone."""


class ScrolledPane(Pane):
    """Shows `lines`; whatever they depend on has `lay_out` for its watcher."""

    DEFAULT_CSS = "ScrolledPane { overflow-y: auto; padding: 0 1; }"
    _lines: Lines = []  # noqa: RUF012

    def lines(self, width: int) -> Lines:
        """All there is to show, none where there is nothing yet."""
        raise NotImplementedError

    def lay_out(self) -> None:
        if self.is_mounted:
            width = max(1, self.scrollable_content_region.width)
            self._lines = self.lines(width)
            self.virtual_size = Size(width, len(self._lines))
            self.refresh()

    on_mount = on_resize = lay_out

    def render_line(self, y: int) -> Strip:
        if not self._lines:
            return self.empty_row(y)
        at = y + self.scroll_offset.y
        line = self._lines[at] if at < len(self._lines) else []
        return self.row((text, self.tone(name)) for text, name in line)

    def action_scroll_by(self, by: int) -> None:
        self.scroll_to(y=self.scroll_offset.y + by, animate=False, force=True)
        self.refresh()
