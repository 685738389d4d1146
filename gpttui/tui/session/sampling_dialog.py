"""Every stage of the sampling in the order in which it is applied, each with its value and a sentence.

For: finding and changing all of them, while the bars behind follow at once. Not for: what they compute
(`gpttui.inference.sampling`).
"""

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets.option_list import Option

from gpttui.records import STAGES
from gpttui.tui import ladders
from gpttui.tui.own_screen import Dialog
from gpttui.tui.renderables.labels import quoted_label, setting
from gpttui.tui.textual_private import Options

if TYPE_CHECKING:
    from gpttui.records import Stage
    from gpttui.tokenizers import Tokenizer
    from gpttui.tui.session.link import SessionLink

SHOWN = 4
"""So many biased tokens are named."""


class SamplingScreen(Dialog[None]):
    """Changes take hold at once; closing it changes nothing more."""

    CSS = """
    SamplingScreen {
        align: center middle;
        background: $background 30%;
        OptionList {
            width: 78;
            max-width: 100%;
            height: auto;
            max-height: 100%;
            padding: 0 1;
            border: round $primary;
            border-title-color: $primary;
            background: $surface;
            scrollbar-size-vertical: 1;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l,plus", "turn(True)", "more", id="sampling_more", tooltip="A higher value"),
        Binding("left,h,minus", "turn(False)", "less", id="sampling_less", tooltip="A lower value"),
        Binding("0,backspace,delete", "off", "off", id="sampling_off", tooltip="Switch this stage off"),
        Binding("j", "cursor('down')", "Down", show=False, id="sampling_down"),
        Binding("k", "cursor('up')", "Up", show=False, id="sampling_up"),
        Binding("escape,q,S,enter", "dismiss(None)", "Close", id="sampling_close"),
    ]

    def __init__(self, link: "SessionLink", tokenizer: "Tokenizer | None") -> None:
        super().__init__()
        self.link, self.tokenizer = link, tokenizer
        self.stages = Options(*(Option(self._words(n, stage)) for n, stage in enumerate(STAGES, 1)))

    def compose(self) -> ComposeResult:
        self.stages.border_title = Content("Sampling: from logits to a token, in this order")
        self.stages.border_subtitle = Content("↑ ↓ choose · ← → change · 0: off · escape: close")
        yield self.stages

    def _words(self, n: int, stage: "Stage") -> Text:
        sampling = self.link.sampling
        on = sampling.is_on(stage.field)
        value = setting(sampling, stage) if on or stage.field == "temperature" else "off"
        head = Text.assemble(f"{n} ", (f"{stage.name:<14}", "bold"), (f"{value}", "bold reverse" if on else "dim"))
        if stage.field == "logit_bias":
            head.append(self._biased())
        return Text.assemble(head, "\n", (f"  {stage.says}", "dim"))

    def _biased(self) -> str:
        """Which tokens, or where to choose one."""
        bias = sorted(self.link.sampling.logit_bias, key=lambda pair: -abs(pair[1]))
        if not bias:
            return "  ( and ) on a candidate in the next-token pane"
        named = [f"{quoted_label(self.tokenizer, token_id, 12)} {amount:+g}" for token_id, amount in bias[:SHOWN]]
        return "  " + ", ".join(named) + (" …" if bias[SHOWN:] else "")

    @property
    def _stage(self) -> "Stage":
        return STAGES[self.stages.highlighted or 0]

    def action_turn(self, up: bool) -> None:
        if self.link.card is not None and self._stage.field != "logit_bias":
            sampling = ladders.turned(self.link.sampling, self._stage.field, up, self.link.card.vocab_size)
            self.link.set_sampling(sampling)
            self._rewrite()

    def action_off(self) -> None:
        self.link.set_sampling(replace(self.link.sampling, **{self._stage.field: self._stage.off}))
        self._rewrite()

    def _rewrite(self) -> None:
        at = self.stages.highlighted or 0
        self.stages.replace_option_prompt_at_index(at, self._words(at + 1, STAGES[at]))

    def action_cursor(self, way: str) -> None:
        self.stages.action_cursor_down() if way == "down" else self.stages.action_cursor_up()
