"""An MLP at one token, its neurons and what fires them; on the real engine and tiny random models."""

from pathlib import Path

import numpy as np
import pytest

from gpttui.engine.passages import Search
from gpttui.interventions import AblateNeuron, AblatePart
from gpttui.protocol.parts import Passage, Passages, SearchPassages
from tests.tui.opening import opened
from tests.tui.views.keys import neurons, write


def read_a_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Searches stand still after their first passages, so that there is time to look at them."""
    told: set[int] = set()
    whole = Search.slice

    def some(search: Search) -> Passages | None:
        if search.found is None or search.neuron not in told:
            told.update([search.neuron] if search.found is not None else [])
            whole(search)
            return search.passages(search.neuron)
        return None

    monkeypatch.setattr(Search, "slice", some)


async def test_the_flow_its_neurons_and_one_of_them(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await neurons(page)
        for words in ("The MLP of layer 1", "16 numbers become 64", "Loudest neurons", "raises", "lowers"):
            assert words in page.text
        first = screen.top.neuron
        await page.press("down")
        await page.until(lambda: screen.about.found is not None and screen.about.found.neuron == screen.top.neuron)
        assert screen.top.neuron != first
        await page.press("right_curly_bracket")
        await page.until(lambda: "The MLP of layer 2" in page.text)


async def test_x_silences_the_neuron_and_it_is_marked(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await neurons(page)
        neuron = screen.top.neuron
        await page.press("x")
        await page.until(lambda: "ALTERED" in page.text)
        assert page.play.link.changes == (AblateNeuron(0, neuron),)
        await page.until(lambda: f"{neuron + 1} ○" in page.text)
        assert screen.top.neuron == neuron
        found = screen.top.found
        assert found is not None and found.top_written[screen.top.cursor] == found.top_shares[screen.top.cursor] == 0
        await page.press("x")
        await page.until(lambda: "ALTERED" not in page.text)


async def test_a_silenced_mlp_and_its_neurons_say_the_same(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await neurons(page)
        await page.press("X")
        await page.until(lambda: "The MLP of layer 1 ○ silenced" in page.text)
        for words in ("zeros take the place of what 64 answers", "silenced: nothing of them arrives", "+0.00"):
            assert words in page.text
        table, flow = screen.top.table(), screen.flow.table()
        assert table is not None and not any(table["share"]) and not any(table["adds"]) and any(table["after"])
        assert flow is not None and flow["mlp"] == table["mlp"] == "silenced" and not any(flow["adds"])
        page.play.link.alter((AblatePart(0, "mlp", "mean"),))
        await page.until(lambda: "held at its mean" in page.text)
        table, flow = screen.top.table(), screen.flow.table()
        assert table is not None and not any(table["share"]) and flow is not None and any(flow["adds"])


async def test_passages_are_read_in_the_background_and_stopped_by_c(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path / "home"))
    read_a_little(monkeypatch)
    async with opened(tmp_path) as page:
        screen = await neurons(page)
        await page.press("f")
        await page.until(lambda: screen.about.passages is not None and len(screen.about.passages.found) > 0)
        await page.until(lambda: "reading" in page.text)
        await page.press("c")
        await page.until(lambda: screen.about.passages is not None and not screen.about.passages.running)
        found = screen.about.passages
        assert found is not None and not found.done and "Stopped after" in page.text
        strengths = [passage.activation for passage in found.found]
        assert strengths == sorted(strengths, reverse=True)
        await page.press("down")
        await page.until(
            lambda: screen.about.passages is not None and screen.about.passages.neuron == screen.top.neuron
        )


async def test_moving_on_while_it_reads_asks_for_the_other_neuron(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path / "home"))
    read_a_little(monkeypatch)
    async with opened(tmp_path) as page:
        screen = await neurons(page)
        await page.press("enter", "down", "down")
        await page.until(
            lambda: screen.about.passages is not None and screen.about.passages.neuron == screen.top.neuron
        )
        asked = [request for request in page.engine.asked if isinstance(request, SearchPassages)]  # type: ignore[attr-defined]
        assert asked[0].neuron != screen.top.neuron
        screen._news(Passages(0, 999, (), 5, 10, True, "another neuron's"))
        assert screen.about.passages is not None and screen.about.passages.neuron == screen.top.neuron
        await page.press("c")


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
async def test_no_figure_is_cut_however_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path / "home"))
    read_a_little(monkeypatch)
    async with opened(tmp_path, size) as page:
        screen = await neurons(page)
        ids = np.arange(9, dtype=np.int32)
        fired = tuple(Passage(ids, 4, strength) for strength in (123456.789, 1234.567, 12.345))
        for running in (True, False):
            numbers = (12_345_678, 234_567_890, running, "the novels of a long century, in one file")
            screen.about.passages = Passages(0, screen.top.neuron, fired, *numbers)
            await page.pilot.pause()
            shown = ("12,345,678 of 234,567,890 tokens", "123457", "1234.6", *(["12.3"] if size[1] == 40 else []))
            assert all(words in page.text for words in shown), page.text


async def test_passages_are_looked_for_in_a_text_that_is_named(tmp_path: Path) -> None:
    text = tmp_path / "mine.txt"
    text.write_text("The cat sat on the mat. " * 200)
    async with opened(tmp_path) as page:
        screen = await neurons(page)
        await page.press("F")
        await write(page, str(text))
        await page.until(lambda: "Fired most in mine.txt" in page.text)
        await page.press("down")
        await page.until(lambda: screen.about.found is not None and screen.about.found.neuron == screen.top.neuron)
        await page.until(lambda: "Fired most in mine.txt" in page.text)
        await page.press("F")
        await write(page, str(tmp_path / "nowhere.txt"))
        await page.until(lambda: "nowhere.txt" in page.text and "Fired most in mine.txt" in page.text)


async def test_a_neuron_is_found_by_its_number(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await neurons(page)
        await page.press("N")
        await write(page, "65")
        assert "1 to 64" in page.text
        await page.press("N")
        await write(page, "64")
        await page.until(lambda: screen.about.found is not None and screen.about.found.neuron == 63)
        assert "Neuron 64 of layer 1" in page.text


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (1, 1)])
async def test_it_survives_any_terminal_and_an_empty_text(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path, size, prompt="") as page:
        await page.press("n", "down", "x", "c", "tab", "tab", "N", "escape", "left", "escape")
        if page.app.screen is not page.play:
            await page.press("escape")
        assert page.app.screen is page.play
