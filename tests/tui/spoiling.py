"""The real engine, whose answers are changed on their way: all that the border lets pass reaches the screen.

What it refuses is not delivered but counted, so that one app can be shown hundreds of wrong answers, one after another.
"""

import copy
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch

from gpttui.protocol.border import Border
from gpttui.protocol.frames import Reply, decode_reply, frame
from gpttui.protocol.message import Answer, Request, kinds
from gpttui.protocol.play import Opened, Shown
from gpttui.protocol.train import TrainNews
from gpttui.tokenizers import Tokenizer
from gpttui.tui.app import GpttuiApp
from gpttui.tui.screens.play import Opening
from gpttui.tui.views.table import View
from tests import fakes
from tests.spoilt import changed
from tests.tui.engine_inside import EngineInside
from tests.tui.pilot import Playground
from tests.tui.training import training

MOVES = ("left", "down", "tab", "right", "up", "right_curly_bracket", "left", "right_square_bracket", "right")
PARTS = ("1", "down", "2", "left", "3", "down", "right_square_bracket", "4", "down", "plus", "right_square_bracket",
         "5", "right_curly_bracket", "6", "right", "space")  # fmt: skip
MOST_ROUNDS = 60
OF_VIEWS = frozenset(kind for kind in kinds(Answer) if kind.__module__.endswith(("stream", "parts")))


class SpoilingEngine(EngineInside):
    """Of the changes that there are to an answer of a kind in `spoil`, one after another, each `every`-th."""

    def __init__(self, every: int = 1, first: int = 0) -> None:
        super().__init__()
        self.every, self.first = every, first
        self.spoil: frozenset[type] = frozenset()
        self.last = ""
        self.delivered: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.seen: set[type] = set()
        self.done: set[type] = set()
        self._next: dict[type, int] = {}

    def _over_the_wire(self, answer: Answer, request: Request | None = None) -> Answer:
        true = super()._over_the_wire(answer, request)
        kind: Any = type(true)
        if kind not in self.spoil:
            return true
        self.seen.add(kind)
        for n, (words, bad) in enumerate(changed(true, kind)):
            if n < self._next.get(kind, self.first) or (n - self.first) % self.every:
                continue
            border: Border = copy.copy(self._border)
            try:
                passed = border.checked(decode_reply(frame(Reply(1, bad))[4:]).answer, request)
                if isinstance(passed, Opened):  # as the client does
                    Tokenizer.from_json(passed.tokenizer_json)
            except Exception:  # by the decoder or by the border; what the client makes one line of
                self.refused[kind.__name__] += 1
                continue
            self._next[kind] = n + 1
            self.last = f"{kind.__name__}{words}"
            self.delivered[kind.__name__] += 1
            return passed
        self.done.add(kind)
        return true


class Crashed(AssertionError):
    """The screen could not show an answer; says which."""


async def show_all(page: Playground, engine: SpoilingEngine, kinds: frozenset[type], keys: tuple[str, ...]) -> None:
    """Press `keys` until every change to answers of these kinds, as far as they come, has been seen."""
    engine.spoil, engine.seen = kinds, set()
    for _ in range(MOST_ROUNDS):
        for key in keys:
            await page.pilot.press(key)
            await settled(page, engine)
        if engine.seen and engine.seen <= engine.done:
            break
    engine.spoil = frozenset()
    assert sum(engine.delivered.values()), "nothing was shown"


async def settled(page: Playground, engine: SpoilingEngine) -> None:
    """Wait until nothing is asked any more. Raises Crashed where the app has ended over an answer."""
    await page.until(lambda: not page.play.link.busy or page.app._exception is not None)
    await page.pilot.pause()
    if page.app._exception is not None:
        raise Crashed(f"{engine.last} → {page.app._exception!r}") from page.app._exception


@asynccontextmanager
async def spoiling(folder: Path, every: int, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Playground]:
    torch.set_num_threads(1)
    model = str(fakes.tiny_model_dir(folder))
    engine = SpoilingEngine(every)
    app = GpttuiApp(engine, Opening(model, "the cat sat on the mat"), animations=False)
    async with app.run_test(size=size) as pilot:
        page = Playground(app, pilot, engine)  # type: ignore[arg-type]
        await page.opened()
        yield page


async def in_view(view: View, folder: Path, every: int) -> Counter[str]:
    """Show one view changed answers of all the kinds that it asks for."""
    async with spoiling(folder, every) as page:
        engine: Any = page.engine
        await page.press(view.key)
        await show_all(page, engine, OF_VIEWS, MOVES)
        return engine.delivered  # type: ignore[no-any-return]


async def in_a_step(folder: Path, every: int) -> Counter[str]:
    """Show a training step, part by part, of changed answers."""
    async with spoiling(folder, every) as page:
        engine: Any = page.engine
        await page.press("E")
        await show_all(page, engine, frozenset(kind for kind in kinds(Answer) if kind.__module__.endswith("backprop")),
                       PARTS)  # fmt: skip
        return engine.delivered  # type: ignore[no-any-return]


async def in_the_playground(folder: Path, every: int) -> Counter[str]:
    """Show the playground changed texts, steps and models."""
    async with spoiling(folder, every) as page:
        engine: Any = page.engine
        await show_all(page, engine, frozenset({Shown}), ("space", "left", "tab", "space", "backspace", "space"))
        engine.spoil = frozenset({Opened})
        for _ in range(MOST_ROUNDS if every > 1 else 1000):
            if Opened in engine.done:
                break
            page.play.link.open(page.play.opening.model)
            await settled(page, engine)
        return engine.delivered  # type: ignore[no-any-return]


async def in_training(folder: Path, text: Path, every: int) -> Counter[str]:
    """Show the training screen changed news, batches, probes, estimates."""
    async with training(folder, train=str(text), make_engine=lambda: SpoilingEngine(every)) as page:
        engine: Any = page.engine
        await page.set_going()
        engine.spoil = frozenset(kind for kind in kinds(Answer) if kind.__module__.endswith("train"))

        def shown_or_crashed(before: int) -> bool:
            more = sum(engine.delivered.values()) > before or TrainNews in engine.done
            return more or page.app._exception is not None

        for _ in range(12):
            before = sum(engine.delivered.values())
            await page.pilot.press("tab")
            await page.until(partial(shown_or_crashed, before))
            if page.app._exception is not None:
                raise Crashed(f"{engine.last} → {page.app._exception!r}") from page.app._exception
        return engine.delivered  # type: ignore[no-any-return]
