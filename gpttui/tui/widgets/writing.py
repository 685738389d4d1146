"""A text being written on a screen: where its editor stands, who gets the text, and whose focus it was before.

For: every screen that lets a person write (the prompt, a second text, a number). Not for: the editor (`PromptEditor`).
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

if TYPE_CHECKING:
    from gpttui.tui.widgets.prompt_editor import PromptEditor

Then = Callable[[str], Awaitable[None] | None]


class Writing:
    """One editor at a time, right above `below`. `ended` is called when it is gone, whether or not it was entered."""

    def __init__(self, screen: Screen[Any], below: Widget, ended: Callable[[], None]) -> None:
        self._screen, self._below, self._ended = screen, below, ended
        self._editor: PromptEditor | None = None
        self._then: Then | None = None
        self._from: Widget | None = None

    @property
    def going_on(self) -> bool:
        return self._editor is not None

    @property
    def has_keys(self) -> bool:
        """Whether keys belong to the editor. (No query: this is asked for every key at every focus.)"""
        return self._editor is not None and self._editor.has_focus_within

    async def begin(
        self, text: str, then: Then, title: str = "Prompt", *, editor: "PromptEditor | None" = None
    ) -> None:
        """Let a person write, in an `editor` that has a title and a text where it is given; `then` gets the text."""
        from gpttui.tui.widgets.prompt_editor import PromptEditor

        await self._put_away()
        self._from, self._then = self._screen.focused, then
        if editor is None:
            editor = PromptEditor(text)
            editor.border_title = Content(title)
        self._editor = editor
        await self._screen.mount(self._editor, before=self._below)
        self._editor.focus()

    def is_on(self, editor: Widget) -> bool:
        """Whether it is this one that is written in."""
        return self._editor is editor

    def go_on(self) -> None:
        """Back into the editor."""
        if self._editor is not None:
            self._editor.focus()

    async def entered(self, text: str) -> None:
        then = self._then
        await self.left()
        if then is not None and (waiting := then(text)) is not None:
            await waiting

    async def left(self) -> None:
        await self._put_away()
        self._ended()

    async def _put_away(self) -> None:
        """The focus goes back first: Textual would give that of a widget that goes to whichever comes next."""
        editor, self._editor, self._then = self._editor, None, None
        if editor is not None:
            if editor.has_focus_within:
                self._screen.set_focus(self._from)
            await editor.remove()
