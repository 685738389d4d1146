"""One token's way through the model, stop by stop: the map of everything inside.

For: `JourneyScreen`. Not for: any part of it in detail; `Opened` asks for the view that has it. A walk is the same map
that uncovers itself part by part.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.message import Message
from textual.reactive import reactive

from gpttui.protocol.stream import Journey
from gpttui.records import Snapshot
from gpttui.tui.renderables.ink import Line, wrapped
from gpttui.tui.renderables.labels import quoted_label, token_label
from gpttui.tui.views.journey import draw_words as words
from gpttui.tui.views.journey.draw_map import JourneyMap, across, column_width, down
from gpttui.tui.widgets.lines import LinesPane, Sheet
from gpttui.tui.widgets.pane import moving, showing

if TYPE_CHECKING:
    from gpttui.tokenizers import Tokenizer

LEAST_HEIGHT_ACROSS = 20
TOP_K = 24
"""Lens tokens wanted at each stop: what the tallest map has room for."""
EVERYTHING = 1 << 30


class JourneyPane(LinesPane):
    """Stops from the embedding to the distribution; a cursor on one of them, which the lines below put into words."""

    HELP: ClassVar[str] = """\
The way of **one token** through the model, from left to right (from top to bottom where there is less room).

It starts as a **vector**, its row of the embedding table; many models add a vector for its place. Then every layer \
adds two things to that vector: its **attention**, what its heads found at earlier tokens, and its **MLP**, what its \
neurons make of the vector by itself. Nothing is ever replaced, only added:

    x ← x + attention(norm(x))
    x ← x + mlp(norm(x))

At the end the last vector is compared with every token's own vector, and softmax makes chances of it: \
p = softmax(W · norm(x)), before temperature and cuts.

Each **strip** is the vector at that stop, its components in the same order everywhere: one colour is positive, the \
other negative, the brightest being its own largest component (`c`: one scale for all; `d`: what was added instead of \
the sum). *length* is √Σx², *added* the length of what the stop added. Whom a layer's heads look at is the mean over \
its heads.

*If it stopped here* is the **logit lens**: the last step done early, at every stop, final norm included. Its top \
tokens say what the model would predict if it ended there. Early stops were never trained for that: do not take them \
for a thought. *rank* follows the token that does come next in the text.

`↑` `↓` move along the stops, `←` `→` select another token, `enter` (or a second click) opens the view of the part. \
`f` walks: it covers the map and uncovers a part with each press, says what happened, and in the end draws the token.

More: Elhage et al., *A mathematical framework for transformer circuits* (2021); nostalgebraist, *Interpreting GPT: \
the logit lens* (2020)."""

    BINDINGS: ClassVar[list[BindingType]] = [
        showing("up,k", "move(-1)", "stop", "journey.before", "The stop before"),
        showing("down,j", "move(1)", "stop", "journey.after", "The next stop"),
        showing("enter", "pick", "open part", "journey.open", "The view of this part"),
        showing("d", "toggle('added')", "sum/added", "journey.added", "The sum, or what was added"),
        showing("c", "toggle('shared_scale')", "scale", "journey.scale", "A scale each, or one for all"),
        moving("t", "toggle('turned')", "turn", "journey.turn", "The map from left to right, or from top to bottom"),
        moving("pageup", "move(-9999)", "first", "journey.first", "The first stop"),
        moving("pagedown", "move(9999)", "last", "journey.last", "The last stop"),
    ]

    journey: reactive[Journey | None] = reactive(None, always_update=True)
    watched: reactive[int] = reactive(-1)
    """The token that follows in the text, whose rank was asked for; -1: none."""
    stop: reactive[int] = reactive(0)
    """Which stop the cursor is on."""
    walked: reactive[int] = reactive(0)
    """How many parts a walk has uncovered, the distribution being the last; 0: no walk, everything is seen."""
    added: reactive[bool] = reactive(False)
    shared_scale: reactive[bool] = reactive(False)
    turned: reactive[bool] = reactive(False)
    """From top to bottom although there is room for left to right."""

    @dataclass
    class Went(Message):
        """A person went to a stop of this layer (from 0; -1 before the first), or uncovered it."""

        layer: int

    @dataclass
    class Opened(Message):
        """A person wants the view of a part: `StopName.part`."""

        part: str

    def __init__(self, tokenizer: "Tokenizer | None" = None, id: str | None = None) -> None:
        super().__init__(tokenizer, id)
        self.snapshot: Snapshot | None = None
        self.vocab_size = 0

    # ── What it is given ──────────────────────────────────────────────────────────────────────────────────────────

    def take(self, journey: Journey | None, watched: int = -1) -> None:
        """Another journey. A walk starts over where it is of another token."""
        before, self.watched = self.journey, watched
        if journey is not None:
            self.stop = min(self.stop, len(journey.stops) - 1)
            same = before is not None and (before.position, before.token_id) == (journey.position, journey.token_id)
            if self.walked and not same:
                self.stop, self.walked = 0, 1
        self.journey = journey

    def go_to_layer(self, layer: int, *, from_start: bool = False) -> None:
        """Put the cursor on a stop of `layer`, unless it is on one or (without `from_start`) before all layers."""
        if self.journey is None:
            return
        layers = [name.layer for name in words.stop_names(self.journey.stops)]
        here = layers[min(self.stop, len(layers) - 1)]
        if here != layer and layer in layers and (from_start or here >= 0):
            self.stop = min(layers.index(layer), self._last)

    @property
    def parts(self) -> int:
        """Stops, and the distribution."""
        return 0 if self.journey is None else len(self.journey.stops) + 1

    @property
    def _last(self) -> int:
        """The last stop that is not covered."""
        return min(self.walked or EVERYTHING, self.parts - 1) - 1

    def walk(self, parts: int) -> None:
        """Leave so many parts uncovered, the cursor on the last of them; 0 ends the walk."""
        self.walked = max(0, min(parts, self.parts))
        if self.walked:
            self._go(self._last)

    # ── Drawing ───────────────────────────────────────────────────────────────────────────────────────────────────

    def titles(self) -> tuple[str, str]:
        if self.journey is None:
            return "Journey", ""
        token = self._label(self.journey.token_id)
        if self.walked:
            return f"Journey of {token}, part by part", f"part {self.walked} of {self.parts}"
        shown = "strips: what each stop added" if self.added else "strips: the sum so far"
        scale = "one scale for all" if self.shared_scale else "each in its own scale"
        return f"Journey of {token} through the model", f"{shown}, {scale}"

    def draw(self, width: int, height: int) -> Sheet | None:
        if self.journey is None:
            return None
        view, ink = self._view(self.journey), self.ink
        said = [(line, n) for n, text in enumerate(self._words(self.journey)) for line in wrapped(text, width)]
        most = 4 if height >= 14 else min(4, height - 2) if self.walked else 0
        said = said[: max(0, most)]
        room = height - len(said) - (len(said) > 0 and height >= 20)
        goes_across = not self.turned and height >= LEAST_HEIGHT_ACROSS and column_width(view.count, width)
        lines = (across if goes_across else down)(view, width, room)
        lines += [[] for _ in range(height - len(said) - len(lines))]
        first = ink.strong if self.walked else ink.plain
        below: list[Line] = [[(text, ink.dim if n else first)] for text, n in said]
        return Sheet([*lines, *below])

    def _view(self, journey: Journey) -> JourneyMap:
        ids = journey.top_ids.tolist()
        return JourneyMap(
            journey=journey,
            labels=tuple(tuple(token_label(self.tokenizer, token_id) for token_id in row) for row in ids),
            token=token_label(self.tokenizer, journey.token_id),
            cursor=self.stop,
            ink=self.ink,
            watched=token_label(self.tokenizer, self.watched) if self.watched >= 0 else "",
            added=self.added,
            shared_scale=self.shared_scale,
            uncovered=self.walked or EVERYTHING,
        )

    def _label(self, token_id: int) -> str:
        return quoted_label(self.tokenizer, token_id, 16)

    def _words(self, journey: Journey) -> list[str]:
        """The stop under the cursor in sentences; in a walk, what has just happened."""
        at, label = self.stop, self._label
        if self.walked == self.parts and at == self.parts - 2:
            return [words.chances(journey, label, self.vocab_size), f"Its best: {words.says(journey, at, label, 5)}."]
        text = [] if self.snapshot is None else self.snapshot.ids.tolist()
        done, reads = words.deed(journey, at, label, text), words.says(journey, at, label)
        if at == self.parts - 2 and not self.walked:
            return [done, f"{words.result(journey, at)} This is the last vector; it says {reads}."]
        reads = f"{words.result(journey, at)} If the model stopped here, it would say {reads}."
        if not self.walked and at == self._view(journey).decided:
            reads += f" From here on {label(int(journey.top_ids[-1, 0]))} leads to the end."
        if self.walked == 1 and self.snapshot is not None and journey.position == len(text) - 1:
            done = words.came(self.snapshot.last_draw, label) + done
        return [done, reads]

    # ── Moving ────────────────────────────────────────────────────────────────────────────────────────────────────

    def action_move(self, by: int) -> None:
        """Along the stops; in a walk, beyond the last of them the next part is uncovered."""
        if self.journey is None:
            return
        if self.walked and by > 0 and self.stop == self._last:
            self.walk(self.walked + 1)
        else:
            self._go(self.stop + by)

    def _go(self, stop: int) -> None:
        if self.journey is not None:
            self.stop = max(0, min(self._last, stop))
            self.post_message(self.Went(words.stop_names(self.journey.stops)[self.stop].layer))

    def action_pick(self) -> None:
        if self.journey is not None:
            self.post_message(self.Opened(words.stop_names(self.journey.stops)[self.stop].part))

    def pressed(self, place: tuple[int, ...]) -> None:
        """A click moves the cursor, or opens what it is on; one on a covered stop uncovers up to it."""
        stop = place[0]
        if stop > self._last:
            self.walk(stop + 1)
        elif stop == self.stop:
            self.action_pick()
        else:
            self._go(stop)

    def _roll(self, by: int) -> None:
        """The wheel."""
        self._go(self.stop + (1 if by > 0 else -1))
