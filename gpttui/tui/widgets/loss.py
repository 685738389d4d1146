"""How the loss fell while the model was trained, and while it is being trained.

For: one run, live or recorded, with others laid over it. Not for: starting or steering a run.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Static

from gpttui.records import Array, LossHistory
from gpttui.runs.series import Series
from gpttui.sessions.view_files import Table
from gpttui.text import safe_text
from gpttui.tui.renderables.labels import clip
from gpttui.tui.widgets.pane import FRAME_CSS, WAITING, Framed, label_border, moving, showing

if TYPE_CHECKING:
    from gpttui.tui.widgets.plot import CurvePlot

SMOOTHINGS = (0.02, 0.08, 0.0)
"""Shares of the visible steps that the smooth curve averages, in the order of the key."""

Window = tuple[float, float]


MOST_OVERLAID = 3
"""Runs laid over a curve: there are so many colours for them."""


class LossPane(Framed, Widget, can_focus=True):
    """Training loss, raw and smoothed, validation loss, a marker for a step, other runs for comparison."""

    NAME: ClassVar[str] = "training loss"
    HELP: ClassVar[str] = """\
The **loss** while the model was trained: how surprised it was, on average, by the next token, −ln p in nats. \
Lower is better; a blind guess has ln of the vocabulary's size. One nat is 1.44 bits.

The faint curve is every recorded step, the bright one its moving mean (the line above says over how many \
steps), the yellow one is **validation**: text that training never shows. Where it rises while training falls, \
the model is memorising (overfitting). That holds where both count the same tokens. A model that answers (sums, \
sorting, translation) is trained mostly or only on its answers, while validation counts all tokens: then the pane says \
so, and that the two are not comparable.

Dashed lines are what **simple guesses** cost on the same held-out text: *blind guess*, every token alike, ln of the \
vocabulary's size; *token frequencies*, how often each token comes in the training text; *bigrams*, how often it \
follows the token before. A model that is below the bigrams has learnt from more than one token of context. They count \
all tokens alike, as validation does. `G` hides them.

`Y` makes the loss axis logarithmic, `w` changes the smoothing, `+` `-` zoom, arrows pan, `0` shows everything; \
the mouse wheel zooms, dragging pans, pointing reads values off. Runs laid over this one whose tokens are other ones \
are drawn in nats a byte of text, and so is this one then.

More: Karpathy, *A recipe for training neural networks* (2019)."""

    BINDINGS: ClassVar[list[BindingType]] = [
        moving("plus,equals_sign", "zoom(1)", "zoom in", "loss.zoom_in", "Fewer steps, closer"),
        moving("minus", "zoom(-1)", "zoom out", "loss.zoom_out", "More steps"),
        moving("0", "show_all", "all", "loss.all", "Show the whole run"),
        showing("Y", "toggle('log_y')", "log", "loss.log", "Logarithmic loss axis"),
        showing("G", "toggle('shows_baselines')", "guesses", "loss.guesses", "Lines for what simple guesses cost"),
        showing("w", "smooth", "smooth", "loss.smooth", "Average over more steps, or none"),
        moving("shift+left,H", "pan(-1)", "earlier", "loss.left", "Earlier steps"),
        moving("shift+right,L", "pan(1)", "later", "loss.right", "Later steps"),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "pane--dim",
        "pane--strong",
        "loss--raw",
        "loss--train",
        "loss--val",
        "loss--marker",
        "loss--level",
        "loss--other-0",
        "loss--other-1",
        "loss--other-2",
    }

    DEFAULT_CSS = (
        "LossPane {"
        + FRAME_CSS
        + """
        layout: vertical;
        & > .loss--raw { color: $primary 45%; }
        & > .loss--train { color: $primary; }
        & > .loss--val { color: $accent; }
        & > .loss--marker { color: $foreground 70%; }
        & > .loss--level { color: $foreground 50%; }
        & > .loss--other-0 { color: $secondary; }
        & > .loss--other-1 { color: $success; }
        & > .loss--other-2 { color: $error; }
        & > #loss-legend { height: 1; padding: 0 1; }
        & > #loss-empty { height: 1fr; content-align: center middle; text-align: center; color: $foreground 55%; }
        & > CurvePlot { height: 1fr; }
    }"""
    )

    history: reactive[LossHistory | None] = reactive(None)
    """The recorded run. Setting it starts the curve anew; `extend` adds to it."""
    others: reactive[tuple[LossHistory, ...]] = reactive(())
    """Runs laid over it, at most three in colours of their own; `scales` brings all losses to one unit."""
    marker: reactive[int | None] = reactive(None)
    """A step to mark: the checkpoint being looked at."""
    log_y: reactive[bool] = reactive(False)
    shows_baselines: reactive[bool] = reactive(True)
    """Lines for what simple guesses cost."""
    smoothing: reactive[int] = reactive(0)
    """Index into `SMOOTHINGS`."""
    waiting: reactive[str] = reactive(WAITING)
    """Shown while there is no curve."""

    @dataclass
    class StepHovered(Message):
        """The mouse points at `step`, or has left (None)."""

        step: int | None

    def __init__(self, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.train, self.validation = Series(), Series()
        self._words, self._empty = Static(id="loss-legend", markup=False), Static(id="loss-empty", markup=False)
        self._plot: CurvePlot | None = None
        self._window: Window | None = None
        self._y_window: Window | None = None
        self._redraws = False
        self.baselines: tuple[tuple[str, float], ...] = ()
        """As `LossHistory.baselines`."""
        self.prompt_counts = 1.0
        """As `LossHistory.prompt_counts`, of the curves that are followed."""
        self._hovered: float | None = None
        self._averaged = 1
        self.scales: tuple[float, ...] = ()
        """What the losses of this run and of the `others` are multiplied by, where not all are nats a token."""

    def compose(self) -> ComposeResult:
        yield self._words
        yield self._empty

    def on_mount(self) -> None:
        self.watch(self.app, "theme", self._recolour, init=False)
        self.call_later(self._redraw)

    # ── What is shown ─────────────────────────────────────────────────────────────────────────────────────────────

    def watch_history(self, history: LossHistory | None) -> None:
        self.train, self.validation = Series(), Series()
        self._window = self._y_window = None
        if history is not None:
            self.train.extend(history.steps, history.losses_nats)
            self.validation.extend(history.val_steps, history.val_losses_nats)
            self.prompt_counts, self.baselines = history.prompt_counts, history.baselines
        self._redraw()

    def lay_over(self, others: tuple[LossHistory, ...], scales: tuple[float, ...] = ()) -> None:
        """Other runs over this one; `scales` as `runs.history.one_unit` gives them, this run first."""
        self.scales = () if all(scale == 1 for scale in scales) else scales
        self._y_window = None
        self.others = others
        self._redraw()

    @property
    def _scale(self) -> float:
        """Of this run's losses, as they are shown."""
        return self.scales[0] if self.scales else 1.0

    def watch_log_y(self) -> None:
        self._y_window = None
        self._redraw()

    def follow(self, train: Series, validation: Series, title: str) -> None:
        """Show curves that someone else extends, who calls `grown` whenever they have."""
        nothing = np.empty(0)
        self.set_reactive(LossPane.history, LossHistory(nothing, nothing, nothing, nothing, title))
        self.train, self.validation = train, validation
        self._window = self._y_window = None
        self._redraw_soon()

    def grown(self, prompt_counts: float = 1.0, baselines: tuple[tuple[str, float], ...] = ()) -> None:
        """The curves followed have changed. However often it is called meanwhile, they are drawn once."""
        self.prompt_counts, self.baselines = prompt_counts, baselines
        self._redraw_soon()

    def table(self) -> Table | None:
        """Every recorded step, not only those in view, nan where it has no such loss; a run laid over it is its own."""
        steps = np.union1d(self.train.x, self.validation.x)
        if not len(steps):
            return None
        losses = [np.full(len(steps), np.nan) for _ in range(2)]
        for column, series in zip(losses, (self.train, self.validation), strict=True):
            column[np.searchsorted(steps, series.x)] = series.y
        return {"step": steps.astype(np.int64), "loss_nats": losses[0], "validation_loss_nats": losses[1]}

    def _redraw_soon(self) -> None:
        if self.is_mounted and not self._redraws:
            self._redraws = self.call_later(self._redraw)

    on_resize = _redraw_soon

    def _recolour(self) -> None:
        self._styles.clear()
        self._redraw_soon()

    def _redraw(self) -> None:
        self._redraws = False
        if not self.is_mounted:
            return
        shown = bool(self.train.size or self.validation.size)
        if not shown:
            self._empty.update(self._empty_words(), layout=False)
        self._empty.display = not shown
        self._words.display = shown and self.size.height >= 8
        if shown and self._plot is None:
            from gpttui.tui.widgets.plot import CurvePlot

            self._plot = CurvePlot()
            self.mount(self._plot)
            self.call_after_refresh(self._redraw)
        elif self._plot is not None:
            self._plot.display = shown
            if shown and self._plot.is_mounted and self._plot.size.area:
                self._draw(self._plot)
        self._entitle()

    def watch_shows_baselines(self) -> None:
        self._y_window = None
        self._redraw()

    watch_others = watch_marker = watch_smoothing = watch_waiting = _redraw

    def _empty_words(self) -> str:
        if self.history is not None:
            return "nothing recorded yet"
        return safe_text(self.waiting, keep="\n")

    def _draw(self, plot: "CurvePlot") -> None:
        from gpttui.tui.widgets.plot import Curve, Level

        low, high = self._x_range()
        columns, share = plot.columns, SMOOTHINGS[self.smoothing]
        raw = self.train.outline(low, high, columns)
        scales = self.scales or (1.0,) * (1 + len(self.others))
        curves = [Curve(raw.x, raw.y * scales[0], self._colour("loss--raw" if share else "loss--train"))]
        for i, (other, scale) in enumerate(zip(self.others[:MOST_OVERLAID], scales[1:], strict=False)):
            mean, _ = Series(other.steps, other.losses_nats).smooth(low, high, 2 * columns, share)
            curves.append(Curve(mean.x, mean.y * scale, self._colour(f"loss--other-{i}")))
        if share:
            mean, self._averaged = self.train.smooth(low, high, 2 * columns, share)
            curves.append(Curve(mean.x, mean.y * scales[0], self._colour("loss--train"), thick=True))
        measured = self.validation.outline(low, high, columns)
        curves.append(Curve(measured.x, measured.y * scales[0], self._colour("loss--val"), thick=True))
        if self.log_y:
            curves = [curve._replace(x=curve.x[curve.y > 0], y=np.log10(curve.y[curve.y > 0])) for curve in curves]
        plot.show_curves(curves)
        if self.marker is not None and low <= self.marker <= high:
            plot.add_v_line(self.marker, line_style=self._colour("loss--marker"))
        levels = [(f"{name} {nats * scales[0]:.2f}", nats * scales[0]) for name, nats in self.baselines]
        if self.log_y:
            levels = [(name, float(np.log10(value))) for name, value in levels if value > 0]
        if not self.shows_baselines:
            levels = []
        y_window = self._y_window or _with_levels(_padded([curve.y for curve in curves]), [at for _, at in levels])
        plot.levels = [Level(at, name, self._colour("loss--level")) for name, at in levels]
        plot.show_window((low, high), y_window, log_y=self.log_y)
        self._words.update(self._legend(), layout=False)  # one line, whatever it says

    def _x_range(self) -> Window:
        if self._window is not None:
            return self._window
        ends = [series.x[[0, -1]] for series in (self.train, self.validation) if series.size]
        ends += [run.steps[[0, -1]] for run in self.others[:MOST_OVERLAID] if len(run.steps)]
        low = min((float(end[0]) for end in ends), default=0.0)
        return low, max([low + 1, *(float(end[1]) for end in ends)])

    def _colour(self, name: str) -> str:
        """The colour of a component class, as textual-plot takes it."""
        colour = self.component(name).color
        return "default" if colour is None else colour.name

    def _legend(self) -> Text:
        """`━ train 1.412 (mean of 20 steps)  ━ validation 1.498, best 1.490`."""
        dim = self.component("pane--dim")
        line = Text(no_wrap=True, overflow="ellipsis", end="")
        if self.train.size:
            mean = self.train.y[-max(1, self._averaged) :].mean() if SMOOTHINGS[self.smoothing] else self.train.y[-1]
            line.append("━ ", self.component("loss--train")).append("train ", dim).append(f"{mean * self._scale:.3f}")
            if self.prompt_counts != 1:
                line.append(" answers", dim)
            elif SMOOTHINGS[self.smoothing] and self._averaged > 1:
                line.append(f" mean of {self._averaged:,}", dim)
        if self.validation.size:
            line.append("  ━ ", self.component("loss--val")).append("validation ", dim)
            line.append(f"{self.validation.y[-1] * self._scale:.3f}")
            if self.prompt_counts != 1:
                line.append(" all tokens", dim)
            best = int(self.validation.y.argmin())
            if best < self.validation.size - 1:
                line.append(
                    f" best {self.validation.y[best] * self._scale:.3f} at {int(self.validation.x[best]):,}", dim
                )
        for i, other in enumerate(self.others[:MOST_OVERLAID]):
            line.append("  ━ ", self.component(f"loss--other-{i}")).append(clip(safe_text(other.title), 24), dim)
        return line

    def _entitle(self) -> None:
        history = self.history
        title = "Training loss" + (", nats a byte" if self.scales else "") + (" · log" if self.log_y else "")
        if history is not None and history.title:
            title += f" · {clip(safe_text(history.title), 40)}"
        label_border(self, title, self._reading())

    def _reading(self) -> str:
        """What the curves say where the mouse points, or at the marker; else where the run ends."""
        at = self._hovered if self._hovered is not None else self.marker
        train = self.train.nearest(at) if at is not None else None
        if at is None or train is None:
            unlike = "not comparable · " if self.prompt_counts != 1 and self.validation.size else ""
            return f"{unlike}{int(self.train.x[-1]):,} steps" if self.train.size else ""
        validation = self.validation.nearest(at)
        words = f"step {train[0]:,}  train {train[1] * self._scale:.3f}"
        return words + (f"  validation {validation[1] * self._scale:.3f} at {validation[0]:,}" if validation else "")

    # ── Looking closer ────────────────────────────────────────────────────────────────────────────────────────────

    def on_curve_plot_hovered(self, event: "CurvePlot.Hovered") -> None:
        event.stop()
        self._hovered = event.x
        self._entitle()
        self.post_message(self.StepHovered(None if event.x is None else round(event.x)))

    def on_plot_widget_scale_changed(self, event: "CurvePlot.ScaleChanged") -> None:
        """The mouse has zoomed or panned."""
        event.stop()
        window, y_window = (event.x_min, event.x_max), (event.y_min, event.y_max)
        if (window, y_window) != (self._window, self._y_window):
            self._window, self._y_window = window, y_window
            self._redraw_soon()

    def _move_window(self, low: float, high: float) -> None:
        if self._plot is not None:
            self._window, self._y_window = (low, max(high, low + 1e-3)), None
            self._redraw()

    def action_zoom(self, by: int) -> None:
        if self._plot is None:
            return
        low, high = self._x_range()
        centre = self.marker if self.marker is not None and low <= self.marker <= high else (low + high) / 2
        factor = 0.7 if by > 0 else 1 / 0.7
        self._move_window(centre - (centre - low) * factor, centre + (high - centre) * factor)

    def action_pan(self, by: int) -> None:
        if self._plot is not None:
            low, high = self._x_range()
            shift = by * (high - low) / 5
            self._move_window(low + shift, high + shift)

    def action_show_all(self) -> None:
        self._window = self._y_window = None
        self._redraw()

    def action_smooth(self) -> None:
        self.smoothing = (self.smoothing + 1) % len(SMOOTHINGS)


def _with_levels(window: Window, levels: list[float]) -> Window:
    """The window, a little higher where a level lies just above it."""
    low, high = window
    near = [level for level in levels if high < level <= high + 0.35 * (high - low)]
    return low, max([high, *(level + 0.03 * (high - low) for level in near)])


def _padded(curves: list[Array]) -> Window:
    """Limits around all values, a little air on both sides."""
    values = [float(end) for y in curves if len(y) for end in (y.min(), y.max())]
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    air = max((high - low) * 0.05, abs(high) * 1e-3, 1e-6)
    return low - air, high + air
