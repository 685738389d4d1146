"""One line on top: which model, how full its context is, how tokens are drawn, and what the engine is doing.

For: what is true of the whole screen. Not for: hints and errors (`HintBar`).
"""

from collections.abc import Iterable
from typing import ClassVar, NamedTuple

from rich.style import Style
from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from gpttui.records import ModelCard, Snapshot
from gpttui.text import safe_text
from gpttui.tui.renderables.bars import bar
from gpttui.tui.renderables.labels import clip, sampling_words

METER = 8
"""Cells of the context meter."""


class Fact(NamedTuple):
    """One thing to say, in two lengths; the lower `rank` the longer it stays."""

    rank: int
    long: Text
    short: Text


def parameters(count: int) -> str:
    """`812k`, `1.2M`, `124M`: three figures at most."""
    for size, letter in ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k")):
        if count >= size:
            value = count / size
            return f"{value:.1f}{letter}" if value < 10 else f"{value:.0f}{letter}"
    return str(count)


def fit_facts(facts: Iterable[Fact], width: int) -> Text:
    """As many facts as fit: those that matter least are shortened first, then left out."""
    kept = list(facts)
    shortened: set[int] = set()
    while True:
        line = Text("   " if not shortened else "  ").join(
            [fact.short if fact.rank in shortened else fact.long for fact in kept]
        )
        if line.cell_len <= width or not kept:
            return line
        least = max(kept, key=lambda fact: (fact.rank not in shortened, fact.rank))
        if least.rank not in shortened:
            shortened.add(least.rank)
        elif len(kept) > 1:
            kept.remove(least)
        else:
            line.truncate(width, overflow="ellipsis")
            return line


class HeaderLine(Widget):
    """Facts on the left, as many as fit; at the right a state in a word."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"status--{name}" for name in ("name", "dim", "meter", "good", "busy", "bad", "altered")
    }
    DEFAULT_CSS = """
    HeaderLine {
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
        & > .status--altered { color: $background; background: $warning; text-style: bold; }
    }
    """

    def facts_now(self) -> Iterable[Fact]:
        raise NotImplementedError

    def state_now(self) -> Text:
        raise NotImplementedError

    def render(self) -> Text:
        width, right = self.content_size.width, self.state_now()
        left = fit_facts(self.facts_now(), max(0, width - right.cell_len - 2))
        gap = max(1, width - left.cell_len - right.cell_len)
        return Text.assemble(left, " " * gap, right, no_wrap=True, overflow="crop", end="")

    def tone(self, name: str) -> Style:
        return self.get_component_rich_style(f"status--{name}") if name else self.rich_style

    def state_text(self, state: str, tone: str) -> Text:
        return Text("● ", style=self.tone(tone)) + Text(safe_text(state), style=self.tone("dim"))


class StatusHeader(HeaderLine):
    """Model, context, seed, sampling on the left; the engine on the right."""

    DEFAULT_CSS = "StatusHeader > .status--meter { background: $foreground 15%; }"

    card: reactive[ModelCard | None] = reactive(None)
    snapshot: reactive[Snapshot | None] = reactive(None)
    engine_state: reactive[str] = reactive("starting")
    """One word: starting, ready, running, restarting, stopped, …"""

    def _fact(self, rank: int, name: str, long: str, short: str, before: str = "") -> Fact:
        style = self.tone(name)
        return Fact(rank, Text(before, style=self.tone("dim")) + Text(long, style=style), Text(short, style=style))

    def facts_now(self) -> Iterable[Fact]:
        card, snapshot = self.card, self.snapshot
        if snapshot is not None and snapshot.interventions:
            words = safe_text("; ".join(snapshot.interventions))
            yield self._fact(1, "altered", f" ALTERED: {clip(words, 40)} ", " ALTERED ")
        if snapshot is not None and snapshot.weights:
            yield self._fact(1, "busy", snapshot.weights, snapshot.weights.removeprefix("training "))
        if card is None:
            yield self._fact(0, "name", "gpttui", "gpttui")
        else:
            name = clip(safe_text(card.id), 24)
            yield self._fact(0, "name", name, clip(name, 16))
            size = parameters(card.params)
            long = f"{size} parameters" + (f", {safe_text(card.numbers)}" if card.numbers else "")
            short = "→".join(filter(None, (card.packing, card.computed_in if card.numbers else "")))
            yield self._fact(5, "", long, f"{size} {safe_text(short)}".rstrip())
            if card.notes:
                note = safe_text(card.notes[0].partition(";")[0])
                yield self._fact(6, "busy", clip(note, 40), clip(note, 20))
            shape = f"{card.n_layer} layers × {card.n_head} heads × {card.d_model}"
            yield self._fact(6, "dim", shape, f"{card.n_layer}×{card.n_head}×{card.d_model}")
        if snapshot is not None:
            yield self._meter(len(snapshot.ids) - snapshot.n_slid, snapshot.context)
            yield self._fact(4, "", str(snapshot.seed), f"seed {snapshot.seed}", "seed ")
            yield self._fact(3, "", sampling_words(snapshot.sampling), sampling_words(snapshot.sampling, short=True))

    def _meter(self, used: int, most: int) -> Fact:
        """How full the context is, as a meter and in figures."""
        filled = bar(used / max(1, most), METER).ljust(METER)
        long = Text.assemble(
            ("context ", self.tone("dim")), (filled, self.tone("meter")), (f" {used:,}/{most:,}", self.rich_style)
        )
        return Fact(2, long, Text(f"{used}/{most}", style=self.rich_style))

    def state_now(self) -> Text:
        """`● ready 4 ms`."""
        state = self.engine_state
        text = self.state_text(state, {"ready": "good", "stopped": "bad", "lost": "bad"}.get(state, "busy"))
        if self.snapshot is not None and state in ("ready", "running"):
            text.append(f" {self.snapshot.elapsed_ms:.0f} ms", style=self.tone("dim"))
        return text
