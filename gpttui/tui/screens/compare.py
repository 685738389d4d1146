"""One word in two texts, as a view of the playground: the texts are written here, the playground's stays."""

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from gpttui.inspect_protocol import AskCompare, Compared
from gpttui.tui.screens.inside.frame import NO_MODEL, InsideScreen
from gpttui.tui.screens.views import ViewContext
from gpttui.tui.widgets.compare import ComparePane

if TYPE_CHECKING:
    from gpttui.tui.widgets.prompt_editor import PromptEditor

EDITOR = "PromptEditor"
TEXTS = ("A machine learning model", "A fashion model")
OTHERWISE = "press / and write two texts that share a word"
WRITING = ("First text: enter goes on to the second.", "Second text: enter compares, escape leaves both as they were.")


class CompareScreen(InsideScreen):
    """Two texts side by side; `/` writes others."""

    VIEW: ClassVar[str] = "compare"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "write", "two texts", id="compare_write", tooltip="Write two other texts to compare"),
    ]
    CSS = "CompareScreen PromptEditor { height: auto; max-height: 40%; }"

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self.pair = ComparePane(context.tokenizer, id="compare")
        self.texts = TEXTS
        self._draft: list[str] = []

    def body(self) -> ComposeResult:
        yield self.pair

    def follow(self) -> None:
        """The two texts have nothing to do with the playground's, which may be empty."""
        self.token_line.position = self.position
        self.pair.tokenizer = self.context.tokenizer
        if self.link.card is None:
            self.wait(NO_MODEL)
        else:
            self.look()

    def look(self) -> None:
        first, second = self.texts
        self.ask("pair", lambda: AskCompare(first, second), self._take)

    def _take(self, compared: Compared) -> None:
        self.pair.compared = compared

    def _refused(self, line: str) -> None:
        self.pair.compared = None
        super()._refused(line)
        self.pair.waiting = f"{line}\n{OTHERWISE}"

    # ── Two other texts ──────────────────────────────────────────────────────────────────────────────────────────

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a text is being written keys belong to it."""
        return not self.query(f"{EDITOR}:focus-within")

    async def action_write(self) -> None:
        self._draft = []
        await self._edit()

    async def _edit(self) -> None:
        from gpttui.tui.widgets.prompt_editor import PromptEditor

        await self.query(EDITOR).remove()
        number = len(self._draft)
        editor = PromptEditor(self.texts[number])
        await self.mount(editor, before=self.hints)
        editor.focus()
        self.hints.say(WRITING[number], "info")

    async def on_prompt_editor_submitted(self, event: "PromptEditor.Submitted") -> None:
        self._draft.append(event.text)
        if len(self._draft) < len(self.texts):
            await self._edit()
            return
        self.texts = (self._draft[0], self._draft[1])
        await self.on_prompt_editor_cancelled()
        self.look()

    async def on_prompt_editor_cancelled(self) -> None:
        await self.query(EDITOR).remove()
        self.pair.focus()
        self.hints.say("")
