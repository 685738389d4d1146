"""One line on top of the training screen: which run, how far, what loss, how fast, how long still.

For: what must be seen in a terminal of any size. Not for: details (`GradientsPane`).
"""

from collections.abc import Iterable
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from gpttui.text import safe_text
from gpttui.tui.renderables.labels import clip
from gpttui.tui.widgets.status_header import METER, Fact, fit_facts

GOOD = frozenset({"running", "finished", "target reached", "time is up"})
BAD = frozenset({"failed", "interrupted"})


class TrainHeader(Widget):
    """`facts` are (rank, long, short), the lowest rank stays longest."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "status--name",
        "status--dim",
        "status--good",
        "status--busy",
        "status--bad",
        "status--meter",
    }
    DEFAULT_CSS = """
    TrainHeader {
        height: 1;
        padding: 0 1;
        background: $panel;
        color: $foreground;
        & > .status--name { color: $accent; text-style: bold; }
        & > .status--dim { color: $foreground 60%; }
        & > .status--meter { color: $primary; }
        & > .status--good { color: $success; }
        & > .status--busy { color: $warning; }
        & > .status--bad { color: $error; text-style: bold; }
    }
    """

    name_: reactive[str] = reactive("")
    state: reactive[str] = reactive("")
    step: reactive[int] = reactive(0)
    steps: reactive[int] = reactive(0)
    facts: reactive[tuple[tuple[int, str, str], ...]] = reactive(())

    def render(self) -> Text:
        width = self.content_size.width
        tone = "good" if self.state in GOOD else "bad" if self.state in BAD else "busy"
        right = Text("● ", style=self._tone(tone)) + Text(safe_text(self.state), style=self._tone("dim"))
        left = fit_facts(self._facts(), max(0, width - right.cell_len - 2))
        return Text.assemble(left, " " * max(1, width - left.cell_len - right.cell_len), right, no_wrap=True, end="")

    def _tone(self, name: str) -> Style:
        return self.get_component_rich_style(f"status--{name}")

    def _facts(self) -> Iterable[Fact]:
        name = clip(safe_text(self.name_ or "training"), 24)
        yield Fact(0, Text(name, style=self._tone("name")), Text(clip(name, 14), style=self._tone("name")))
        if self.steps:
            dim, done = self._tone("dim"), round(METER * min(1.0, self.step / self.steps))
            meter = Text("━" * done, style=self._tone("meter")) + Text("─" * (METER - done), style=dim)
            long = Text("step ", style=dim) + meter + Text(f" {self.step:,}/{self.steps:,}", style=self.rich_style)
            yield Fact(1, long, Text("step ", style=dim) + Text(f"{self.step:,}", style=self.rich_style))
        for rank, long_words, short_words in self.facts:
            yield Fact(rank, Text(long_words, style=self.rich_style), Text(short_words, style=self.rich_style))
