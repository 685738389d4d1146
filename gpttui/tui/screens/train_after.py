"""Before and after a training run, side by side: texts, probabilities, losses. Computed by the engine on request."""

from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widget import Widget

from gpttui.errors import UserError
from gpttui.protocol.train import AskBeforeAfter, BeforeAfter
from gpttui.tui.session.run_record import RunRecord
from gpttui.tui.session.sharing import Exporting
from gpttui.tui.session.train_link import TrainLink
from gpttui.tui.widgets.before_after import ForgottenPane, MovesPane, WrittenPane
from gpttui.tui.widgets.hint_bar import HintBar
from gpttui.tui.widgets.key_bar import KeyBar

if TYPE_CHECKING:
    from gpttui.tokenizers import Tokenizer

TOKENS = 80


class AfterScreen(Exporting[None]):
    """Three panes; tab goes round."""

    CSS = """
    AfterScreen { layout: vertical; background: $background; }
    AfterScreen #compared { layout: grid; height: 1fr; grid-size: 2 3; grid-columns: 1fr 1fr; grid-rows: 1fr; }
    AfterScreen #written { row-span: 3; }
    AfterScreen #moves { row-span: 2; }
    AfterScreen.-narrow #compared { grid-size: 1 3; grid-rows: 2fr 1fr 1fr; }
    AfterScreen.-narrow #written { row-span: 1; }
    AfterScreen.-narrow #moves { row-span: 1; }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (90, "-wide")]  # noqa: RUF012
    AUTO_FOCUS = "#written"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,c,q", "dismiss", "back", id="after_close", tooltip="Back to the training"),
        Binding("tab", "app.focus_next", "pane", id="after_next", tooltip="The next pane"),
        Binding(
            "shift+tab", "app.focus_previous", "pane before", show=False, id="after_before", tooltip="The pane before"
        ),
        Binding("o", "export", "export", id="after_export", tooltip="Write what this pane shows: SVG, CSV or npz"),
        Binding("question_mark", "help", "help", id="after_help", tooltip="What the focused pane shows"),
    ]

    def __init__(self, link: TrainLink, record: RunRecord, tokenizer: "Tokenizer | None") -> None:
        super().__init__()
        self.link, self.record, self.tokenizer = link, record, tokenizer
        self.hints = HintBar()
        self.panes = (WrittenPane(id="written"), ForgottenPane(id="forgotten"), MovesPane(id="moves"))

    def compose(self) -> ComposeResult:
        yield Container(*self.panes, id="compared")
        yield self.hints
        yield KeyBar()

    def on_mount(self) -> None:
        for pane in self.panes:
            pane.tokenizer = self.tokenizer
        self._compare()

    @work(exclusive=True)
    async def _compare(self) -> None:
        session = self.link.session
        prompt = self.link.prompt_for(self.record) or ""
        request = AskBeforeAfter(self.record.path, prompt, session.seed, session.sampling, TOKENS)
        try:
            found = await self.link.ask(request, BeforeAfter)
        except UserError as error:
            self.hints.say(str(error), "error")
            for pane in self.panes:
                pane.waiting = "nothing to compare"
                pane.refresh()
            return
        for pane in self.panes:
            pane.found = found

    @property
    def current_pane(self) -> Widget | None:
        return next((pane for pane in self.panes if pane is self.focused), self.panes[0])

    @property
    def exported_name(self) -> str:
        return f"{self.record.name}-before-after"
