"""Known models that are not here yet, on the shelf: what each is, how far it is, and leaving it."""

import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from gpttui.errors import UserError
from gpttui.records import ModelCard
from gpttui.storage import gallery, getting
from gpttui.storage.download import Progress
from gpttui.storage.model_card import card_file
from tests.tui.pilot import Playground, playground

MB = 1_000_000


class Source:
    """Two sources of every model: what each does is set by the test."""

    def __init__(self) -> None:
        self.fetched: list[str] = []
        self.fails = self.away = False
        self.goes_on = threading.Event()
        self.goes_on.set()

    def offers(self, name: str, problems: list[str]) -> Iterator[getting.Offer]:
        if self.away:
            problems.append("the hub is away")
            return
        for where in ("the hub", "the index"):

            def fetch(progress: Progress, where: str = where) -> Path:
                progress(30 * MB, 90 * MB)
                while not self.goes_on.wait(0.01):
                    progress(30 * MB, 90 * MB)
                if self.fails and where == "the hub":
                    raise UserError("the hub broke off")
                self.fetched.append(where)
                target = getting.place(name)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(b"GGUF")
                card_file(target).write_text("{}")
                return target

            yield getting.Offer(where, 90 * MB, "Apache-2.0", fetch)


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Source:
    source = Source()
    known = {name: getting.table()[name] for name in ("smollm2",)}
    known["bound"] = replace_terms(known["smollm2"])
    monkeypatch.setattr(getting, "table", lambda: known)
    monkeypatch.setattr(getting, "offers", source.offers)

    def cards() -> tuple[list[ModelCard], list[str]]:
        here = [name for name in known if getting.is_here(name)]
        return [card(name, str(getting.place(name))) for name in here], []

    monkeypatch.setattr(gallery, "cards", cards)
    monkeypatch.setattr(gallery, "run_cards", lambda: [])
    monkeypatch.setattr(gallery, "history", lambda path: None)
    return source


def replace_terms(known: getting.Known) -> getting.Known:
    return msgspec.structs.replace(known, terms="https://example.org/terms", licence="Own Terms")


def card(name: str, path: str) -> ModelCard:
    return ModelCard(
        id=name, path=path, params=1_234_567, n_layer=2, n_head=2, d_model=32, vocab_size=65, context=64,
        tokenizer="characters", size_bytes=5_000_000, data="", metric_name="", metric_value=None, summary="",
        prompts=(),
    )  # fmt: skip


async def at_the_shelf(page: Playground) -> None:
    await page.pilot.press("m")
    await page.until(lambda: len(page.app.screen_stack) == 2 and "smollm2" in page.text)
    await page.pilot.pause()


async def test_size_licence_and_source_are_told_before_it_is_fetched(source: Source, home: Path) -> None:
    async with playground() as page:
        await at_the_shelf(page)
        await page.until(lambda: "Answers questions" in page.text and "98.4 MB" in page.text)
        await page.pilot.press("enter")
        await page.until(lambda: "Enter fetches smollm2: 90.0 MB, Apache-2.0" in page.text and "the hub" in page.text)
        assert not source.fetched
        source.goes_on.clear()
        await page.pilot.press("enter")
        await page.until(lambda: "30.0 MB of 90.0 MB, 33%" in page.text)
        source.goes_on.set()
        await page.until(lambda: "smollm2 is here; Enter opens it" in page.text)
        assert source.fetched == ["the hub"]
        await page.pilot.press("enter")
        await page.until(lambda: getattr(page.engine.requests[-1], "path", "") == str(getting.place("smollm2")))


async def test_escape_leaves_the_download_and_only_then_the_screen(source: Source, home: Path) -> None:
    async with playground() as page:
        await at_the_shelf(page)
        source.goes_on.clear()
        await page.pilot.press("enter")
        await page.until(lambda: "Enter fetches" in page.text)
        await page.pilot.press("enter")
        await page.until(lambda: "33%" in page.text)
        await page.pilot.press("escape")
        await page.until(lambda: "was left; what has arrived is kept" in page.text)
        assert len(page.app.screen_stack) == 2 and not source.fetched
        source.goes_on.set()
        await page.pilot.press("enter")
        await page.until(lambda: "Enter opens it" in page.text)
        await page.pilot.press("escape")
        await page.until(lambda: len(page.app.screen_stack) == 1)


async def test_where_one_source_fails_the_next_is_offered(source: Source, home: Path) -> None:
    source.fails = True
    async with playground() as page:
        await at_the_shelf(page)
        await page.pilot.press("enter")
        await page.until(lambda: "Enter fetches" in page.text)
        await page.pilot.press("enter")
        await page.until(lambda: "the hub broke off" in page.text and "the index" in page.text)
        assert not source.fetched
        await page.pilot.press("enter")
        await page.until(lambda: "Enter opens it" in page.text)
        assert source.fetched == ["the index"]


async def test_terms_are_shown_and_enter_says_that_it_agrees(source: Source, home: Path) -> None:
    async with playground() as page:
        await at_the_shelf(page)
        await page.pilot.press("down")
        await page.until(lambda: "https://example.org/terms" in page.text)
        await page.pilot.press("enter")
        await page.until(lambda: "Enter agrees to the Own Terms (see terms) and fetches bound" in page.text)


async def test_no_source_is_one_line(source: Source, home: Path) -> None:
    source.away = True
    async with playground() as page:
        await at_the_shelf(page)
        await page.pilot.press("enter")
        await page.until(lambda: "smollm2 could not be fetched: the hub is away" in page.text)
        assert len(page.app.screen_stack) == 2
