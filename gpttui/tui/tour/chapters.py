"""The list of chapters: which are done, where the tour waits; enter goes there."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from gpttui.lessons.lesson import Chapter
from gpttui.tui.own_screen import Dialog
from gpttui.tui.textual_private import Options

if TYPE_CHECKING:
    from gpttui.tui.tour.tour import Tour


class ChaptersScreen(Dialog[str | None]):
    """Dismissed with a chapter's id, or with None."""

    CSS = """
    ChaptersScreen {
        align: center middle;
        background: $background 60%;
        OptionList {
            width: 74; max-width: 100%; height: auto; max-height: 100%; padding: 0 1;
            border: round $primary; border-title-color: $primary; background: $surface;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor('down')", "Down", show=False, id="tour_chapters_down"),
        Binding("k", "cursor('up')", "Up", show=False, id="tour_chapters_up"),
        Binding("escape,q,ctrl+g", "dismiss(None)", "Close", id="tour_chapters_close"),
    ]

    def __init__(self, chapters: Sequence[Chapter], tour: "Tour") -> None:
        super().__init__()
        kept = tour.kept
        here = tour.chapter.id if tour.chapter is not None else kept.chapter or chapters[0].id
        self.list = Options(*(Option(_line(chapter, chapter.id in kept.done), id=chapter.id) for chapter in chapters))
        self.list.highlighted = next((n for n, chapter in enumerate(chapters) if chapter.id == here), 0)
        self._score = f"guesses: {kept.right} of {len(kept.guesses)} right · " if kept.guesses else ""

    def compose(self) -> ComposeResult:
        self.list.border_title = Content("The tour")
        self.list.border_subtitle = Content(f"{self._score}enter begins · escape closes")
        yield self.list

    def action_cursor(self, way: str) -> None:
        self.list.action_cursor_down() if way == "down" else self.list.action_cursor_up()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(str(event.option_id))


def _line(chapter: Chapter, done: bool) -> Text:
    title = f"{'✓' if done else ' '} {chapter.number:>2} {chapter.lesson.title:<18}"
    return Text.assemble((title, "bold"), (chapter.lesson.about, "dim"))
