"""Before and after a training run, side by side: texts, probabilities, losses. Computed by the engine on request."""

from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from gpttui.errors import UserError
from gpttui.protocol.train import AskBeforeAfter, BeforeAfter
from gpttui.tui.keys import of_all, of_panes
from gpttui.tui.session.run_record import RunRecord
from gpttui.tui.session.sharing import PanesScreen
from gpttui.tui.session.train_link import TrainLink
from gpttui.tui.widgets.before_after import ForgottenPane, MovesPane, WrittenPane
from gpttui.tui.widgets.deck import PaneDeck
from gpttui.tui.widgets.hint_bar import HintBar
from gpttui.tui.widgets.key_bar import KeyBar

if TYPE_CHECKING:
    from gpttui.tokenizers import Tokenizer

TOKENS = 80
SMALLEST = (50, 18)
"""Columns and lines from which on all three are seen."""


class AfterScreen(PanesScreen[None]):
    """Three panes; tab goes round."""

    CSS = """
    AfterScreen { layout: vertical; background: $background; }
    AfterScreen #deck.-all #panes { grid-size: 1 3; grid-rows: 2fr 1fr 1fr; }
    AfterScreen #deck.-all.-wide #panes { grid-size: 2 3; grid-columns: 1fr 1fr; grid-rows: 1fr; }
    AfterScreen #deck.-all.-wide #written { row-span: 3; }
    AfterScreen #deck.-all.-wide #moves { row-span: 2; }
    """
    AUTO_FOCUS = "#written"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,c,q", "dismiss", "back", id="after_close", tooltip="Back to the training"),
        *of_panes("after_", "after_pane_", ("written", "forgotten", "moves")),
        *of_all("after_"),
    ]

    def __init__(self, link: TrainLink, record: RunRecord, tokenizer: "Tokenizer | None") -> None:
        super().__init__()
        self.link, self.record, self.tokenizer = link, record, tokenizer
        self.hints = HintBar()
        self.panes = (WrittenPane(id="written"), ForgottenPane(id="forgotten"), MovesPane(id="moves"))
        self.deck = PaneDeck(self.panes, SMALLEST, SMALLEST)

    def compose(self) -> ComposeResult:
        yield self.deck
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
            return
        for pane in self.panes:
            pane.found = found

    @property
    def exported_name(self) -> str:
        return f"{self.record.name}-before-after"
