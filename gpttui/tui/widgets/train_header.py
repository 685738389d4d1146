"""One line on top of the training screen: which run, how far, what loss, how fast, how long still.

For: what must be seen in a terminal of any size. Not for: details (`GradientsPane`).
"""

from collections.abc import Iterable

from rich.text import Text
from textual.reactive import reactive

from gpttui.text import safe_text
from gpttui.tui.renderables.labels import clip
from gpttui.tui.widgets.status_header import METER, Fact, HeaderLine

GOOD = frozenset({"running", "finished", "target reached", "time is up"})
BAD = frozenset({"failed", "interrupted"})


class TrainHeader(HeaderLine):
    """`facts` are (rank, long, short), the lowest rank stays longest."""

    name_: reactive[str] = reactive("")
    state: reactive[str] = reactive("")
    step: reactive[int] = reactive(0)
    steps: reactive[int] = reactive(0)
    facts: reactive[tuple[tuple[int, str, str], ...]] = reactive(())

    def state_now(self) -> Text:
        return self.state_text(self.state, "good" if self.state in GOOD else "bad" if self.state in BAD else "busy")

    def facts_now(self) -> Iterable[Fact]:
        name = clip(safe_text(self.name_ or "training"), 24)
        yield Fact(0, Text(name, style=self.tone("name")), Text(clip(name, 14), style=self.tone("name")))
        if self.steps:
            dim, done = self.tone("dim"), round(METER * min(1.0, self.step / self.steps))
            meter = Text("━" * done, style=self.tone("meter")) + Text("─" * (METER - done), style=dim)
            long = Text("step ", style=dim) + meter + Text(f" {self.step:,}/{self.steps:,}", style=self.rich_style)
            yield Fact(1, long, Text("step ", style=dim) + Text(f"{self.step:,}", style=self.rich_style))
        for rank, long_words, short_words in self.facts:
            yield Fact(rank, Text(long_words, style=self.rich_style), Text(short_words, style=self.rich_style))
