"""The shelf of models: what each does, how it was trained, prompts to try. Opens any.

Own runs stand behind the models, and behind those the known models that are not here yet, which it fetches.
"""

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from gpttui.errors import UserError
from gpttui.records import LossHistory, ModelCard
from gpttui.storage import gallery, getting, model_card
from gpttui.storage.getting import Known
from gpttui.text import safe_text
from gpttui.tui.own_screen import Dialog
from gpttui.tui.screens import fetching
from gpttui.tui.session.fetching import Fetching, not_here
from gpttui.tui.session.saving import short
from gpttui.tui.textual_private import Options
from gpttui.tui.widgets.hint_bar import HintBar
from gpttui.tui.widgets.key_bar import KeyBar
from gpttui.tui.widgets.loss import LossPane

LISTED = "Models"
ENTER = "Enter opens the model, on a prompt to try if the cursor is there."
PAINTS_EVERY_S = 0.2
"""While a model is being fetched."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person chose: a directory, and a prompt if not the model's own."""

    path: str
    prompt: str | None = None


class ModelsScreen(Dialog[Wanted | None]):
    """Up and down through the shelf, enter opens; the prompts of a model are a list of their own."""

    CSS = """
    ModelsScreen {
        background: $background;
        OptionList, Input { border: round $foreground 25%; background: $background; }
        OptionList, Input { border-title-color: $foreground 80%; }
        OptionList {
            scrollbar-size-vertical: 1; scrollbar-background: $background; scrollbar-color: $foreground 20%;
        }
        OptionList:focus, Input:focus { border: round $primary; border-title-color: $primary; }
        OptionList:focus { background-tint: transparent 0%; }
        #shelf { width: 2fr; height: 1fr; max-height: 100%; min-width: 27; max-width: 44; }
        #prompts { height: auto; max-height: 7; }
        #card { height: auto; padding: 0 1; }
        #about {
            width: 3fr; min-width: 12; scrollbar-size-vertical: 1; scrollbar-background: $background;
            scrollbar-color: $foreground 20%;
        }
        LossPane { height: 1fr; min-height: 9; }
        #path { height: 3; }
        &.-low {
            #shelf { width: 1fr; max-width: 30; }
            #path, #path:focus { height: 1; border: none; padding: 0 1; background: $panel; }
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,m,q", "leave", "back", id="models_close", tooltip="Back to the playground"),
        Binding("j", "cursor('down')", "Down", show=False, id="models_down"),
        Binding("k", "cursor('up')", "Up", show=False, id="models_up"),
        Binding("space", "read", "read on", id="models_read", tooltip="Scroll on in what is told of the model"),
        Binding("tab", "app.focus_next", "prompts, path", id="models_tab", tooltip="Shelf, prompts, path"),
    ]

    LOW: ClassVar[int] = 30
    """Below so many lines what is told of a model scrolls, and the line for a path has no frame."""

    def __init__(self, current_path: str) -> None:
        super().__init__()
        self.current_path = current_path
        self.cards: list[ModelCard] = []
        self.broken: list[str] = []
        self.history: dict[str, LossHistory | None] = {}
        self.fetching: Fetching | None = None
        """The model that is being asked for, or fetched."""
        self._known: dict[str, Known] = {}
        """Models that can be fetched: they stand on the shelf behind the `cards`."""
        self._on_known = False
        """The cursor stands on one of them."""
        self._runs: frozenset[str] = frozenset()
        """Paths of those that are checkpoints of a person's own runs."""
        self.shelf, self.prompts = Options(id="shelf", markup=False), Options(id="prompts", markup=False)
        self.about, self.card = VerticalScroll(id="about", can_focus=False), Static(id="card", markup=False)
        self.curve, self.hints = LossPane(id="curve"), HintBar()
        self.path = Input(id="path", placeholder="or the path of a model directory or a run, then enter")

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield self.shelf
            with self.about:
                yield self.card
                yield self.prompts
                yield self.curve
        yield self.path
        yield self.hints
        yield KeyBar()

    def on_mount(self) -> None:
        self.shelf.border_title = LISTED
        self.prompts.border_title = "Prompts to try"
        self.path.border_title = "Somewhere else"
        self.curve.can_focus = False
        self._read_shelf()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.height < self.LOW, "-low")

    @work(exclusive=True)
    async def _read_shelf(self, path: str = "") -> None:
        """Fills the shelf; the cursor stands on the model at `path`, by default the one that is open."""
        models, self.broken = await asyncio.to_thread(gallery.cards)
        trained = await asyncio.to_thread(gallery.run_cards)
        self._runs = frozenset(card.path for card in trained)
        self.cards = [*models, *trained]
        self._known = not_here()
        cards, broken, shelf = self.cards, self.broken, self.shelf
        shelf.clear_options()
        shelf.add_options(Option(self._entry(card), id=f"model-{n}") for n, card in enumerate(cards))
        shelf.add_options(Option(_not_here(name)) for name in self._known)
        shelf.add_options(Option(Text(f"✗ {safe_text(line)}", "dim")) for line in broken)
        here = [n for n, card in enumerate(cards) if card.path == (path or self.current_path)]
        if cards or self._known:
            shelf.highlighted = here[0] if here else 0
        if self.focused is None:
            shelf.focus()
        if path:
            self.hints.say(f"{cards[here[0]].id if here else short(Path(path))} is here; Enter opens it.")
        elif broken:
            more = f" ({len(broken) - 1} more at the end of the list)" if broken[1:] else ""
            self.hints.say(broken[0] + more, "warning")
        elif not cards:
            self.hints.say("No model is on the shelf: fetch one, or give the path of a directory.", "info")
        else:
            self.hints.say(ENTER)

    def _entry(self, card: ModelCard) -> Text:
        mark = "● " if card.path == self.current_path else "  "
        text, name = Text().append(mark + safe_text(title(card)), "bold"), safe_text(card.id)
        if card.path in self._runs:
            return text.append(f"\n  {count(card.params)} parameters, your run", "dim")
        beside = "parameters" if name == safe_text(title(card)) else f"· {name}"
        return text.append(f"\n  {count(card.params)} {beside}", "dim")

    @on(OptionList.OptionHighlighted, "#shelf")
    def _tell(self, event: OptionList.OptionHighlighted) -> None:
        card = self._card(event.option_index)
        self._tell_card()
        self.about.scroll_home(animate=False)
        self.call_after_refresh(self.refresh_bindings)
        self._say_what_enter_does(self._known_at(event.option_index))
        prompts = self.prompts
        prompts.clear_options()
        tries = () if card is None else card.prompts
        prompts.add_options(Option(safe_text(prompt.replace("\n", "⏎"))) for prompt in tries)
        prompts.display = bool(tries)
        self.curve.display = card is not None
        self.curve.history = None if card is None else self._history(card)

    def _tell_card(self) -> None:
        """What the cursor stands on."""
        entry = self.shelf.highlighted
        if entry is None:
            return
        card, name = self._card(entry), self._known_at(entry)
        if name is not None:
            now = self.fetching if self.fetching is not None and self.fetching.name == name else None
            self.card.update(fetching.told(name, self._known[name], now))
        else:
            self.card.update(Text(safe_text(self._line(entry))) if card is None else about(card))

    def _say_what_enter_does(self, name: str | None) -> None:
        """With a model that can be fetched, by `name`, and again with the first other behind one."""
        now, before, self._on_known = self.fetching, self._on_known, name is not None
        if self._fetches:
            return
        if now is not None and now.name == name and now.offer is not None:
            self.hints.say(fetching.question(now), "info")
        elif name is not None:
            self.hints.say(f"Enter asks where {name} can be had, and how large it is; nothing is fetched yet.")
        elif before:
            self.hints.say(ENTER)

    def _known_at(self, entry: int) -> str | None:
        """The model that can be fetched at an entry of the shelf."""
        at = entry - len(self.cards)
        return list(self._known)[at] if 0 <= at < len(self._known) else None

    def _line(self, entry: int) -> str:
        """Why what stands at an entry cannot be read."""
        return self.broken[entry - len(self.cards) - len(self._known)]

    def _card(self, entry: int) -> ModelCard | None:
        """The model at an entry of the shelf; None for the entries behind them, of what cannot be read."""
        return self.cards[entry] if entry < len(self.cards) else None

    def _history(self, card: ModelCard) -> LossHistory | None:
        if card.path not in self.history:
            try:
                self.history[card.path] = gallery.history(Path(card.path))
            except UserError as error:
                self.hints.say(str(error), "warning")
                self.history[card.path] = None
        return self.history[card.path]

    @on(OptionList.OptionSelected, "#shelf")
    def _open(self, event: OptionList.OptionSelected) -> None:
        card, name = self._card(event.option_index), self._known_at(event.option_index)
        if card is not None:
            self.dismiss(Wanted(card.path))
        elif name is not None:
            self._want(name)
        else:
            self.hints.say(self._line(event.option_index), "error")

    # ── Fetching one ──────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _fetches(self) -> bool:
        return self.fetching is not None and self.fetching.running

    def _want(self, name: str) -> None:
        """Enter asks what fetching it means, and enter again fetches it; one at a time."""
        now = self.fetching
        if now is not None and self._fetches:
            self.hints.say(f"{now.name} is being fetched; Escape leaves it.", "info")
        elif now is not None and now.name == name and now.offer is not None:
            self._fetch(now)
        else:
            self.fetching = Fetching(name)
            self._ask(self.fetching)

    @work(exclusive=True, group="fetching")
    async def _ask(self, wanted: Fetching) -> None:
        self.hints.say(f"Asking where {wanted.name} can be had …", "info")
        try:
            await wanted.ask()
        except UserError as error:
            self.hints.say(str(error), "error")
            return
        self._tell_card()
        self.hints.say(fetching.question(wanted), "info")

    @work(exclusive=True, group="fetching")
    async def _fetch(self, wanted: Fetching) -> None:
        self.hints.say(f"Fetching {wanted.name} … Escape leaves it; what has arrived is kept.", "info")
        painted = self.set_interval(PAINTS_EVERY_S, self._tell_card)
        try:
            arrived = await wanted.fetch()
        except UserError as error:
            self.hints.say(str(error), "error")
            return
        finally:
            painted.stop()
            self._tell_card()
        if arrived:
            self.fetching, self._on_known = None, False
            self._read_shelf(str(getting.place(wanted.name)))
        else:
            self.hints.say(fetching.question(wanted), "warning")

    def action_leave(self) -> None:
        """A download first, the screen then."""
        if self.fetching is not None and self._fetches:
            self.fetching.leave()
        else:
            self.dismiss(None)

    def on_unmount(self) -> None:
        if self.fetching is not None:
            self.fetching.leave()

    @on(OptionList.OptionSelected, "#prompts")
    def _open_with(self, event: OptionList.OptionSelected) -> None:
        at = self.shelf.highlighted
        card = None if at is None else self._card(at)
        if card is not None:
            self.dismiss(Wanted(card.path, card.prompts[event.option_index]))

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The cursor stands on a prompt as soon as the list of them has the focus: enter has something to take."""
        if event.widget is self.prompts and self.prompts.highlighted is None:
            self.prompts.action_first()

    @on(Input.Submitted, "#path")
    def _open_path(self, event: Input.Submitted) -> None:
        path = event.value.strip()
        if not path:
            self.hints.say("Type the path of a model directory first; tab goes back to the list.", "error")
            return
        try:
            self.dismiss(Wanted(str(gallery.find(path))))
        except UserError as error:
            self.hints.say(str(error), "error")

    def action_read(self) -> None:
        """A page further, and from the end back to the beginning."""
        box = self.about
        if box.scroll_offset.y >= box.max_scroll_y:
            box.scroll_home(animate=False)
        else:
            box.scroll_relative(y=max(1, box.size.height - 2), animate=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing to read on where all of it can be seen."""
        return action != "read" or bool(self.about.max_scroll_y)

    def action_cursor(self, way: str) -> None:
        if isinstance(self.focused, OptionList):
            getattr(self.focused, f"action_cursor_{way}")()


def title(card: ModelCard) -> str:
    """What to call a model in a list: what it does, or else its id."""
    return card.title or card.id


def _not_here(name: str) -> Text:
    return Text().append(f"↓ {safe_text(name)}", "bold").append("\n  not here yet", "dim")


def count(params: int) -> str:
    return f"{params / 1e6:.2f} M" if params >= 1_000_000 else f"{params / 1e3:.0f} k"


def about(card: ModelCard) -> Group:
    """A model's card in a few lines: what it does, then facts, each beside its name."""
    head = Text().append(safe_text(title(card)), "bold")
    head.append("" if title(card) == card.id else f"  {safe_text(card.id)}", "dim")
    head.append(f"\n{safe_text(card.summary)}\n" if card.summary else "\n")
    score = "" if card.metric_value is None else f"{safe_text(card.metric_name) or 'metric'}: {card.metric_value:.4g}"
    found = [f"{safe_text(name).replace('_', ' ')} {value:.4g}" for name, value in card.measured]
    shape = f"{card.n_layer} layers × {card.n_head} heads × {card.d_model} wide, context {card.context}"
    rows = [
        ("cannot", safe_text(card.cannot)),
        ("ends", model_card.ending(card.ends)),
        ("size", f"{count(card.params)} parameters, {card.size_bytes / 1e6:.1f} MB"),
        ("weights", safe_text(card.packing)),
        ("shape", shape),
        ("tokens", f"{card.tokenizer}, {card.vocab_size:,} of them"),
        ("data", safe_text(card.data)),
        ("licence", safe_text(card.licence)),
        ("score", safe_text(card.score) or " · ".join(found) or score),
        ("vectors", safe_text(card.vectors)),
        ("look", safe_text(card.look_inside)),
        ("path", safe_text(short(Path(card.path)))),
    ]
    facts = Table.grid(padding=(0, 2, 0, 0))
    facts.add_column(justify="right", style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, value in rows:
        if value:
            facts.add_row(name, Text(value) if name != "look" else emphasised(value))
    return Group(head, facts)


def emphasised(words: str) -> Text:
    """A card's sentences with what stands between backquotes or asterisks set off instead."""
    text = Text()
    for n, part in enumerate(re.split(r"[`*]([^`*]+)[`*]", words)):
        text.append(part, "bold" if n % 2 else "")
    return text
