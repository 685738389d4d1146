"""When a run ends: by its steps or its minutes, or by a validation loss; changed while it goes on or to go on."""

from contextlib import suppress
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from gpttui.errors import UserError
from gpttui.protocol.train import SetStopRule
from gpttui.tui.own_screen import Dialog
from gpttui.tui.renderables.spans import duration
from gpttui.tui.session.run_order import number, whole
from gpttui.tui.session.run_record import RunRecord
from gpttui.tui.widgets.train_form import Field, FormPane, Values


class StopRuleScreen(Dialog[SetStopRule | None]):
    """Enter sets the rule, escape leaves it as it is."""

    CSS = """
    StopRuleScreen {
        align: center middle;
        background: $background 60%;
        #stop-rule { width: 70; max-width: 100%; height: auto; max-height: 100%; background: $background; }
        FormPane { height: 5; }
        #stop-says { height: auto; padding: 0 2; color: $foreground 65%; }
        #stop-says.-error { color: $text-error; text-style: bold; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "set", "set", id="stop_set", tooltip="From the next step on"),
        Binding("escape", "dismiss(None)", "back", id="stop_close", tooltip="Leave it as it is"),
    ]

    def __init__(self, record: RunRecord) -> None:
        super().__init__()
        config = record.config
        assert config is not None
        self.record, self.steps_now = record, config.steps
        self.form = FormPane(("Train until", "enter sets it · escape"), self._settled, id="form")
        ended = record.ended
        over = config.minutes * 60 <= record.elapsed_s or (ended is not None and ended.reason == "minutes")
        self.form.values = {  # what is over already is no end to go on to
            "steps": str(config.steps if config.steps > record.step else 2 * record.step),
            "minutes": f"{2 * config.minutes if over else config.minutes:g}",
            "target": f"{0 if ended is not None and ended.reason == 'target' else config.target_loss:g}",
        }
        self.says = Static(id="stop-says", markup=False)

    def compose(self) -> ComposeResult:
        with Vertical(id="stop-rule"):
            yield self.form
            yield self.says

    def on_mount(self) -> None:
        more = tuple(str(round(self.steps_now * times)) for times in (0.5, 1, 1.5, 2, 3, 5, 10))
        self._fields = (
            Field("steps", "steps", "number", more, f"{self.record.step:,} are done"),
            Field("minutes", "train for", "number", tuple("0 1 5 10 30 60".split()), "minutes in all; 0: by steps"),
            Field("target", "stop at loss", "number", tuple("0 2 1.8 1.6 1.5".split()), "validation; 0: never"),
        )
        self.form.fields = self._fields
        self.form.focus()
        self._tell()

    def _settled(self, values: Values, name: str) -> tuple[Values, tuple[Field, ...]]:
        """A run ends by its steps or by its time: of the one that was given last follows the other."""
        record = self.record
        if name == "steps":
            values = values | {"minutes": "0"}
        elif name == "minutes" and record.step_s:
            with suppress(UserError):
                left_s = number("train for", values["minutes"]) * 60 - record.elapsed_s
                steps = record.step + round(left_s / record.step_s) if left_s > 0 else self.steps_now
                values = values | {"steps": str(steps)}
        return values, self._fields

    @on(FormPane.Changed)
    def _changed(self) -> None:
        self._tell()

    def _rule(self) -> SetStopRule:
        """What stands in the form. Raises UserError for what cannot be."""
        values = self.form.values
        steps, minutes = whole("steps", values["steps"]), number("train for", values["minutes"])
        loss = number("stop at loss", values["target"])
        if not minutes and steps <= self.record.step:
            raise UserError(f"steps must be more than the {self.record.step:,} that are done")
        if min(minutes, loss) < 0:
            raise UserError("minutes and loss must not be negative; 0 takes the rule away")
        if 0 < minutes * 60 <= self.record.elapsed_s:
            raise UserError(f"{duration(self.record.elapsed_s)} of training are over already; 0 takes the rule away")
        return SetStopRule(minutes=minutes, target_loss=loss, steps=steps)

    def _tell(self) -> None:
        """What the values mean, or what is wrong with them."""
        try:
            rule, wrong = self._rule(), ""
        except UserError as error:
            rule, wrong = None, str(error)
        self.says.set_class(bool(wrong), "-error")
        self.says.update(wrong if rule is None else self._meaning(rule))

    def _meaning(self, rule: SetStopRule) -> str:
        left = (rule.steps - self.record.step) * self.record.step_s
        words = [f"{duration(left)} more at this pace." if left else ""]
        if rule.minutes:
            left = rule.minutes * 60 - self.record.elapsed_s
            words = [f"{duration(left)} more: about {rule.steps:,} steps in all, corrected on the way."]
        if rule.steps != self.steps_now:
            words.append(
                f"The way down of the learning rate is {'drawn out' if rule.steps > self.steps_now else 'drawn in'}."
            )
        return " ".join(filter(None, words)) or "The last step, or the loss if it is reached before, ends the run."

    def action_set(self) -> None:
        try:
            self.dismiss(self._rule())
        except UserError as error:
            self.says.set_class(True, "-error")
            self.says.update(str(error))
