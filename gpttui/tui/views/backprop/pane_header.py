"""One line on top of a step taken apart: which step, of how large a batch, at what loss."""

from collections.abc import Iterable

from rich.text import Text
from textual.reactive import reactive

from gpttui.protocol.backprop import TakenApart
from gpttui.text import safe_text
from gpttui.tui.renderables.labels import clip
from gpttui.tui.views.backprop.words import small, whose
from gpttui.tui.widgets.status_header import Fact, HeaderLine

OPTIMISERS = {"adamw": "AdamW", "muon": "Muon"}


class StepHeader(HeaderLine):
    """`name_` is the run's or the model's."""

    name_: reactive[str] = reactive("")
    taken: reactive[TakenApart | None] = reactive(None)
    state: reactive[str] = reactive("taking a step")

    def state_now(self) -> Text:
        return self.state_text(self.state, "busy" if self.taken is None else "good")

    def facts_now(self) -> Iterable[Fact]:
        taken, plain = self.taken, self.rich_style
        name = safe_text(self.name_ or "training")
        yield Fact(0, Text(clip(name, 24), style=self.tone("name")), Text(clip(name, 12), style=self.tone("name")))
        if taken is None:
            return
        words = whose(taken)
        yield Fact(1, Text(words, style=plain), Text(words, style=plain))
        loss = f"loss {taken.loss_nats:.4f}"
        yield Fact(2, Text(f"{loss} nats", style=plain), Text(loss, style=plain))
        batch = f"batch of {taken.rows_in_all:,} × {taken.context:,} tokens"
        yield Fact(3, Text(batch, style=plain), Text(f"{taken.rows_in_all:,} × {taken.context:,}", style=plain))
        optimiser = OPTIMISERS[taken.optimizer]
        yield Fact(
            4, Text(f"gradient {small(taken.grad_norm)} · {optimiser}", style=plain), Text(optimiser, style=plain)
        )
