"""The views that open on top of the playground, one key each: a table, so that a new one is a line here.

A view is a screen made from the playground's `ViewContext`. Its module is imported when it is first opened.
"""

import gc
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from textual.binding import Binding

if TYPE_CHECKING:
    from textual.screen import Screen

    from gpttui.records import Snapshot
    from gpttui.tokenizers import Tokenizer
    from gpttui.tui.selection import Selection
    from gpttui.tui.session.link import SessionLink

GROUP = Binding.Group("views")
CALM_S = 1.5


@dataclass(frozen=True)
class ViewContext:
    """What a view may use: the session, and the selection it shares with the playground."""

    link: "SessionLink"
    tokenizer: "Tokenizer | None"
    snapshot: "Snapshot | None"
    selection: "Selection"
    select: Callable[["Selection"], None]
    """Move the selection everywhere."""
    scrub: Callable[[int], bool]
    """Go so many checkpoints on; False where the model has none."""


class View(NamedTuple):
    """One entry of the table."""

    key: str
    id: str
    title: str
    tooltip: str
    maker: str
    """What in its `screen` makes one of a ViewContext."""
    package: str = ""
    """Beside this file; empty where it is called like its id."""

    def binding(self) -> Binding:
        name, does = f"view_{self.id}", f"view('{self.id}')"
        return Binding(self.key, does, self.title, id=name, tooltip=self.tooltip, group=GROUP, show=False)

    def module(self) -> ModuleType:
        return import_module(f"gpttui.tui.views.{self.package or self.id}.screen")

    def make(self, context: ViewContext) -> "Screen[Any]":
        made: Screen[Any] = getattr(self.module(), self.maker)(context)
        return made


VIEWS = (
    View("i", "journey", "journey", "One token's way through the model, stop by stop", "JourneyScreen"),
    View("w", "compare", "contexts", "One word in two texts: where its vectors part, and who parts them",
         "CompareScreen"),
    View("v", "vectors", "vectors", "What lies close to a token, a map of tokens, a - b + c", "VectorsScreen"),
    View("a", "attention", "attention", "One head's scores stage by stage, one cell by dimension, all heads at once",
         "AttentionScreen"),
    View("n", "mlp", "neurons", "What an MLP does to one token, its loudest neurons, what fires them", "MLPScreen"),
    View("L", "layers", "layers", "What each layer would say: logit lens, ranks of pinned tokens, who made a logit",
         "LayersScreen"),
    View("C", "cost", "cost", "What this token costs: time measured; FLOPs, weights and cache counted", "CostScreen"),
    View("A", "interventions", "alter", "Silence, forbid, patch, steer: what is changed, and the bars before and after",
         "InterventionsScreen"),
    View("b", "branches", "branches", "Every continuation that was tried, as a tree: jump, prune, bookmarks",
         "BranchesScreen"),
)  # fmt: skip
WALK = View("f", "walk", "part by part", "Forward, part by part, until the next token is drawn", "walking", "journey")
"""The journey uncovered step by step. A way to open that view, not one of its own."""


STEP = View("E", "backprop", "a step", "One training step on this text, part by part; the model stays as it is",
            "on_text")  # fmt: skip
"""Not of the text's own forward pass as the others are: a screen without their frame."""


@cache
def load_all() -> None:
    """Import every view, once a model is open and in a thread, so that opening one does not wait for its code.

    What is there by then stays: looked through for garbage no more, it would cost an opening 30 ms.
    """
    for view in (*VIEWS, STEP):
        view.module()
    gc.freeze()


def tidy_later(set_timer: Callable[[float, Callable[[], object]], object]) -> None:
    """Collect what a closed view leaves behind, once its keys have been answered; by itself Python does so while one
    opens, for 20 ms (the command line has told it not to)."""
    set_timer(CALM_S, gc.collect)


def by_id(view_id: str) -> View:
    return next(view for view in (*VIEWS, WALK, STEP) if view.id == view_id)
