"""Other runs to lay over the curve: a list to choose from, and the curves below it as they come.

For: runs that have ended, of this sitting or in files. Losses of another tokenizer are shown in nats a byte, all of
them, or the run is refused in one line. Not for: comparing models (`train_after`).
"""

from datetime import datetime
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from gpttui.errors import UserError
from gpttui.records import LossHistory
from gpttui.runs import rundir
from gpttui.runs.history import one_unit
from gpttui.text import safe_text
from gpttui.tui.own_screen import Dialog
from gpttui.tui.renderables.labels import clip
from gpttui.tui.session.run_record import RunRecord
from gpttui.tui.session.train_link import TrainLink
from gpttui.tui.widgets.loss import MOST_OVERLAID, LossPane

NONE = "No other run has ended yet; one that has can be laid over this one."
HOW = "Enter lays a run over the curve, or takes it away. Escape: back."


class OverlayScreen(Dialog[None]):
    """What is chosen is drawn at once, and stays when the list is left."""

    CSS = """
    OverlayScreen {
        align: right bottom;
        background: transparent;
        #overlays { width: 60; max-width: 100%; height: auto; max-height: 60%; background: $background;
                    border: round $primary; }
        OptionList { height: auto; max-height: 100%; border: none; background: $background;
                     scrollbar-size-vertical: 1; }
        OptionList:focus { background-tint: transparent 0%; }
        #overlays-say { height: auto; padding: 0 1; color: $foreground 65%; }
        #overlays-say.-error { color: $text-error; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,v,q", "dismiss(None)", "back", id="overlays_close", tooltip="Back to the run"),
        Binding("space", "choose", "lay over", id="overlays_choose", tooltip="Lay the run over the curve, or not"),
    ]

    def __init__(self, link: TrainLink, record: RunRecord, curve: LossPane) -> None:
        super().__init__()
        self.link, self.record, self.curve = link, record, curve
        self.runs: list[Path] = []
        self.chosen: dict[Path, LossHistory] = {}
        self.list = OptionList(id="overlays-list", markup=False)
        self.says = Static(HOW, id="overlays-say", markup=False)

    def compose(self) -> ComposeResult:
        with Vertical(id="overlays") as box:
            box.border_title = "Other runs"
            yield self.list
            yield self.says

    @work(exclusive=True)
    async def on_mount(self) -> None:
        self.runs = await self.link.other_runs()
        laid = {other.title: other for other in self.curve.others}
        self.chosen = {run: laid.pop(run.name) for run in self.runs if run.name in laid}
        self.list.add_options(Option(self._line(run)) for run in self.runs)
        self.list.highlighted = 0 if self.runs else None
        self.list.focus()
        if not self.runs:
            self._say(NONE)

    def _line(self, run: Path) -> Text:
        """`● name  25 Nov 14:05  its text`."""
        line = Text("● " if run in self.chosen else "○ ", no_wrap=True, overflow="ellipsis")
        line.append(clip(safe_text(run.name), 24), "bold")
        try:
            written = datetime.fromtimestamp((run / rundir.EVENTS).stat().st_mtime)
            line.append(f"  {written:%d %b %H:%M}  {safe_text(Path(rundir.read_config(run).data).name)}", "dim")
        except OSError:
            line.append("  its directory is gone", "dim")
        except UserError:
            line.append("  cannot be read", "dim")
        return line

    def _say(self, words: str, *, wrong: bool = False) -> None:
        self.says.set_class(wrong, "-error")
        self.says.update(words)

    def action_choose(self) -> None:
        self.list.action_select()

    @on(OptionList.OptionSelected)
    @work(exclusive=True)
    async def _toggle(self, event: OptionList.OptionSelected) -> None:
        run = self.runs[event.option_index]
        chosen = dict(self.chosen)
        if run in chosen:
            del chosen[run]
        elif len(chosen) == MOST_OVERLAID:
            self._say(f"At most {MOST_OVERLAID} runs: take one away first.", wrong=True)
            return
        else:
            try:
                chosen[run] = await self.link.curve(run)
            except (OSError, UserError) as error:
                self._say(f"{run.name} cannot be read: {error}", wrong=True)
                return
            if not len(chosen[run].steps):
                self._say(f"{run.name} has recorded no steps.", wrong=True)
                return
        self._lay(run, chosen)

    def _lay(self, run: Path, chosen: dict[Path, LossHistory]) -> None:
        own = self.record.history(self.record.name)
        scales = one_unit([own, *chosen.values()])
        if scales is None and chosen:
            self._say(
                f"{run.name} is not laid over: its tokens are other ones, and how many bytes the tokens of both runs "
                "stand for is not recorded, so their losses have no unit in common.",
                wrong=True,
            )
            return
        self.chosen = chosen
        self.curve.lay_over(tuple(chosen.values()), tuple(scales or ()))
        self.list.replace_option_prompt_at_index(self.runs.index(run), self._line(run))
        per_byte = "All losses are in nats a byte, as the tokenizers differ. " if self.curve.scales else ""
        self._say(per_byte + HOW)
