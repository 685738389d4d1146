"""Where a conversation is written: what the system says of the model, and what the user says next.

For: typing both. Not for: what the model reads of it (`TokensPane.draft`).
"""

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from gpttui.tui.renderables.labels import so_many
from gpttui.tui.widgets.prompt_editor import MODE_KEY, PromptEditor, _Area


class ChatEditor(PromptEditor):
    """Two texts, the system's above the user's; enter in either takes both."""

    KEYS: ClassVar[str] = "enter: send · tab: system/user · ctrl+j: line · esc: leave"
    HELP: ClassVar[str] = """\
A conversation with a chat model. *user* is what you say; *system*, which may be empty, tells the model what to be. \
The model's own **chat template** writes both as one text with special tokens between: the pane above shows all that \
the model reads, in colours by whose words they are.

`enter` sends it, `g` then lets the model answer to the end of its turn. `/` goes on with the conversation; as long as \
there is no answer it changes what you said. `tab` goes to the other text, `ctrl+t` back to a plain prompt, which \
forgets the conversation. Special tokens that you type are text."""

    DEFAULT_CSS = """
    ChatEditor {
        Horizontal { height: auto; }
        Static { width: 8; color: $foreground 60%; }
        _Area { width: 1fr; height: auto; max-height: 5; border: none; padding: 0; background: $background; }
    }
    """

    def __init__(self, system: str, text: str, before: int = 0) -> None:
        """`before`: how many messages stand before this one."""
        super().__init__(text, other_mode="text")
        self._system = self._make_area(system)
        earlier = f" · after {so_many(before, 'message')}" if before else ""
        self.border_title = Content(f"Chat{earlier}")

    def _make_area(self, text: str) -> _Area:
        return _Area(text, (MODE_KEY, "tab", "shift+tab"))

    def compose(self) -> ComposeResult:
        yield Horizontal(Static("system"), self._system)
        yield Horizontal(Static("user"), self._area)

    @property
    def system(self) -> str:
        """What the system says, character for character."""
        return self._system.disguise.take_off(self._system.text)

    def on__area_asked(self, event: _Area.Asked) -> None:
        """What `PromptEditor` does with its own key it does as well: both hear of it."""
        if event.key != MODE_KEY:
            (self._area if self._system.has_focus else self._system).focus()
