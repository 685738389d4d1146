"""The form that orders a training run: what to learn, how long, how large; what it costs stands beside it.

Estimates come from the engine, which times a few real passes of the shape. Nothing starts before enter. What can be
judged without the engine is judged at every key; what the engine has refused counts only as long as it is what stands
in the form.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Static

from gpttui import locations
from gpttui.errors import UserError
from gpttui.protocol.train import Measured
from gpttui.records import ModelCard
from gpttui.runs.config import TrainConfig
from gpttui.text import safe_text
from gpttui.tui.own_screen import Dialog
from gpttui.tui.renderables.labels import percent
from gpttui.tui.renderables.spans import duration, memory
from gpttui.tui.session import run_order as drafts
from gpttui.tui.session.train_link import TrainLink
from gpttui.tui.widgets.hint_bar import HintBar
from gpttui.tui.widgets.key_bar import KeyBar
from gpttui.tui.widgets.status_header import parameters
from gpttui.tui.widgets.train_form import Field, FormPane, Values

PAUSE_S = 0.35
"""A value being changed is measured when it has rested so long."""
READY = "Enter starts. The playground can be used while it trains."
COSTLESS = frozenset(
    {"lr", "minutes", "target", "steps", "more", *drafts.MORE_DEFAULTS} - {"accumulation", "dropout", "precision"}
)
"""Fields whose change needs no new measurement."""


def unknown(measured: Measured) -> str:
    """What of the text the model to start from has no token for."""
    examples = " ".join(safe_text(part) for part in measured.unknown)
    return f"{percent(measured.unknown_share)} of this text ({examples}): it has no token of its own for any of that"


@dataclass(frozen=True, slots=True)
class Ordered:
    """A run to start."""

    config: TrainConfig
    path: Path


class TrainFormScreen(Dialog[Ordered | None]):
    """Enter starts, escape leaves. What cannot be is said on one line and starts nothing."""

    CSS = """
    TrainFormScreen {
        background: $background;
        layout: vertical;
        Horizontal { height: 1fr; }
        FormPane { width: 2fr; min-width: 46; max-width: 100; }
        #cost {
            width: 1fr; min-width: 32; height: 1fr; padding: 0 1;
            border: round $foreground 25%; border-title-color: $foreground 80%;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "start", "start", id="form_start", tooltip="Start the training"),
        Binding("escape", "dismiss(None)", "back", id="form_close", tooltip="Back, nothing starts"),
        Binding("f1", "help", "help", id="form_help", tooltip="What the fields mean"),
        Binding("up,down", "nothing", "line", id="form_lines", tooltip="Another line"),
        Binding("left,right", "nothing", "value", id="form_values", tooltip="Another value"),
    ]

    def __init__(self, link: TrainLink, text: str, prompt: str) -> None:
        super().__init__()
        self.link, self.prompt = link, prompt
        self.form = FormPane(("Train a model", "enter starts"), self._settled, id="form")
        again, first = not text and bool(link.ordered), drafts.fitted(drafts.initial(text))
        self.form.values = drafts.with_base(link.ordered, self.base) if again else first
        self.measured: Measured | None = None
        self.problem = ""
        self._measuring = False
        """The engine has yet to say what the present values would be."""
        self._asked: Values = {}
        """What it was asked about last."""
        self._ordered: Values | None = None
        """Enter was pressed meanwhile, when this stood in the form."""
        self.costs = Static(id="cost", markup=False)
        self.hints = HintBar()

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield self.form
            yield self.costs
        yield self.hints
        yield KeyBar()

    def on_mount(self) -> None:
        self.costs.border_title = "What it costs"
        self.form.focus()
        if not self.values["text"]:
            self.form.line = 1
        self._show()
        self._measure()

    def on_unmount(self) -> None:
        self.link.ordered = self.values

    # ── Values ────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def base(self) -> ModelCard | None:
        """The open model, which training can start from; with `--train` the form is there before it."""
        return self.link.session.card

    @property
    def values(self) -> Values:
        """What stands in the form, which is where it is typed."""
        return self.form.values

    @values.setter
    def values(self, values: Values) -> None:
        self.form.values = values

    def _settled(self, values: Values, name: str) -> tuple[Values, tuple[Field, ...]]:
        """What follows for the other lines from a new value of `name`."""
        if name == "preset":
            values = drafts.with_preset(values, values["preset"])
        elif name == "start":
            values = drafts.with_start(values, self.base)
        elif name == "text":
            values = drafts.with_field(drafts.fitted(values))
        elif name == "steps":
            values = values | {"preset": drafts.OWN, "minutes": "0"}
        elif name == "minutes":
            values = drafts.with_length(values | {"preset": drafts.OWN}, self.measured)
        return values, drafts.fields(values, self.base)

    @on(FormPane.Changed)
    def _changed(self, event: FormPane.Changed) -> None:
        if self._ordered != self.values:
            self._ordered = None
        refused = bool(self.problem) and self.measured is None
        if refused or event.name not in COSTLESS:
            self._measure()
        self._show()

    def _costly(self) -> Values:
        """The values that a measurement depends on."""
        return {name: value for name, value in self.values.items() if name not in COSTLESS | {"preset"}}

    def _config(self) -> TrainConfig | None:
        """The run as the form has it; None, and the problem told, where it cannot be."""
        try:
            config = drafts.config_of(self.values, self.base, self.prompt)
        except UserError as error:
            self._complain(str(error))
            return None
        return config

    def _complain(self, line: str) -> None:
        self.problem = line
        named = [field.name for field in self.form.fields if line.startswith((field.name, field.label))]
        self.form.wrong = named[0] if named else ""
        self.hints.say(line, "error")

    def _show(self) -> None:
        self.form.fields = drafts.fields(self.values, self.base)
        config = self._config()
        if config is not None and (self._measuring or self.measured is not None):
            self._content()
        self.costs.update(self._cost(config))

    def _content(self) -> None:
        self.problem, self.form.wrong = "", ""
        if self._ordered is not None:
            self.hints.say("Starts as soon as it is measured; escape leaves.")
        elif self.measured is not None and self.measured.unknown:
            self.hints.say(f"{self.values['start']} does not know {unknown(self.measured)}.", "warning")
        else:
            self.hints.say(READY)

    # ── Cost ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _measure(self) -> None:
        """Have the engine time this shape once the values have rested."""
        self._measuring, self._asked = True, self._costly()
        self._ask()

    @work(exclusive=True)
    async def _ask(self) -> None:
        await asyncio.sleep(PAUSE_S if self.measured else 0)
        config, refusal = self._config(), ""
        self.costs.border_subtitle = "measuring…" if config is not None else ""
        try:
            self.measured = await self.link.measure(config) if config is not None else None
        except UserError as error:
            self.measured, refusal = None, str(error)
        self.costs.border_subtitle, self._measuring = "", False
        self.values = drafts.with_length(self.values, self.measured)
        if refusal:
            self._complain(refusal)
        self._show()
        self._start_if_ordered()

    def _start_if_ordered(self) -> None:
        """Enter was pressed while it was measured; behind the help the form waits until it is back."""
        if self._ordered is not None and not self._measuring and self.is_active:
            self._ordered = None
            self.action_start()

    def on_screen_resume(self) -> None:
        self._start_if_ordered()

    def _cost(self, config: TrainConfig | None) -> Text:
        text, measured = Text(), self.measured
        if measured is None:
            return text.append("measured as soon as the form makes sense" if self.problem else "measuring…", "dim")
        rows = [
            ("parameters", parameters(measured.params)),
            ("vocabulary", f"{'' if measured.vocab_exact else 'about '}{measured.vocab_size:,} tokens"),
            ("a step", duration(measured.step_s) if measured.step_s >= 1 else f"{measured.step_s * 1e3:.0f} ms"),
            ("memory", memory(measured.memory_bytes)),
        ]
        if measured.free_bytes:
            rows.append(("free now", memory(measured.free_bytes)))
        if config is not None:
            config = drafts.tempered(config, measured)
            found = drafts.cost(config, measured)
            tokens = config.batch * config.accumulation * config.context
            rows.insert(2, ("tokens", f"{tokens:,} a step, {parameters(tokens * config.steps)} in all"))
            rows.insert(0, ("time", duration(found.seconds) if config.minutes else f"about {duration(found.seconds)}"))
            rows.append(("saved", f"{config.steps // max(1, config.checkpoint_every) + 1} checkpoints"))
        for name, value in rows:
            text.append(f"{name:<11}", "dim")
            text.append(f"{value}\n", "bold" if name == "time" else "not bold")
        text.append("\ntimed on this machine just now", "dim")
        return text

    # ── Start ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def action_start(self) -> None:
        config = self._config()
        if config is None:
            return
        if not self._measuring and self._asked != self._costly():
            self._measure()
        if self._measuring:
            self._ordered = self.values
            self._content()
            return
        if self.measured is None:
            self.hints.say(self.problem, "error")
            return
        config = drafts.tempered(config, self.measured)
        self.dismiss(Ordered(config, drafts.run_path(self.values, locations.runs_dir())))

    def action_help(self) -> None:
        from gpttui.tui.widgets.help import HelpScreen

        self.app.push_screen(HelpScreen(self.form, self.active_bindings))

    def action_nothing(self) -> None:
        """Arrows belong to the form; the binding is here to be listed."""
