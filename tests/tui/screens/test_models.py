"""The shelf of models: cards, prompts to try, a path of one's own, and what cannot be read."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gpttui import locations
from gpttui.protocol import play as protocol
from gpttui.records import LossHistory, ModelCard
from gpttui.runs.config import TrainConfig
from gpttui.storage import gallery
from tests import fakes
from tests.fakes import tiny_model_dir
from tests.tui.opening import opened
from tests.tui.pilot import Playground, playground


def shelf_card(name: str, prompts: tuple[str, ...] = ()) -> ModelCard:
    return ModelCard(
        id=name, path=f"/shelf/{name}", params=1_234_567, n_layer=2, n_head=2, d_model=32, vocab_size=65, context=64,
        tokenizer="characters", size_bytes=5_000_000, data="plays [/]", metric_name="loss", metric_value=1.234,
        summary="Writes [red]plays", prompts=prompts,
    )  # fmt: skip


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> list[ModelCard]:
    cards = [shelf_card("first"), shelf_card("second", ("ROMEO:\n", "[/] \x1b[31m"))]
    monkeypatch.setattr(gallery, "cards", lambda: (cards, ["/shelf/third holds no model.safetensors [/]"]))

    def history(path: Path) -> LossHistory | None:
        return None

    monkeypatch.setattr(gallery, "history", history)
    return cards


async def at_the_shelf(page: Playground) -> None:
    await page.pilot.press("m")
    await page.until(lambda: len(page.app.screen_stack) == 2 and "first" in page.text)
    await page.pilot.pause()


async def test_a_card_says_what_the_model_is_and_enter_opens_it(shelf: list[ModelCard]) -> None:
    async with playground() as page:
        await at_the_shelf(page)
        await page.pilot.press("down")
        await page.until(lambda: "loss: 1.234" in page.text and "/shelf/second" in page.text)
        assert "1.23 M parameters" in page.text and "Writes [red]plays" in page.text
        assert "third holds no model" in page.text
        await page.pilot.press("enter")
        await page.until(lambda: page.engine.asked(protocol.OpenModel) == 2 and not page.play.link.busy)
        asked = page.engine.requests[-1]
        assert isinstance(asked, protocol.OpenModel) and (asked.path, asked.prompt) == ("/shelf/second", None)


async def test_a_model_is_listed_by_what_it_does_with_what_it_cannot_beside_its_id(shelf: list[ModelCard]) -> None:
    told = {"cannot": "It knows no [b]minus.", "ends": "\n", "score": "9 of 10 right.", "vectors": "Length 2."}
    shelf[0] = replace(shelf[0], title="Adds [numbers]", **told)  # type: ignore[arg-type]
    async with playground((80, 24)) as page:
        await at_the_shelf(page)
        await page.until(lambda: "9 of 10 right." in page.text)
        listed = [line[:28] for line in page.text.splitlines()]
        assert any("  Adds [numbers] " in line for line in listed) and any("1.23 M · first" in line for line in listed)
        assert "Adds [numbers]  first" in page.text and "It knows no [b]minus." in page.text
        assert "where it draws a new line" in page.text and "Length 2." in page.text and "loss: 1.234" not in page.text


async def test_a_prompt_to_try_opens_the_model_with_it(shelf: list[ModelCard]) -> None:
    async with playground() as page:
        await at_the_shelf(page)
        await page.pilot.press("j", "tab")
        await page.until(lambda: page.app.focused is not None and page.app.focused.id == "prompts")
        assert "ROMEO:⏎" in page.text and "\x1b" not in page.text
        await page.pilot.press("enter")
        await page.until(lambda: page.engine.asked(protocol.OpenModel) == 2 and not page.play.link.busy)
        assert page.engine.requests[-1].prompt == "ROMEO:\n"  # type: ignore[union-attr]
        assert page.play.link.prompt == "ROMEO:\n"


async def test_any_directory_can_be_named_and_a_wrong_one_is_one_line(shelf: list[ModelCard], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({}))
    async with playground() as page:
        await at_the_shelf(page)
        page.app.screen.query_one("#path").focus()
        await page.pilot.press(*"no-such-model", "enter")
        await page.until(lambda: "no model is called" in page.text)
        page.app.screen.query_one("#path").value = str(tmp_path)  # type: ignore[attr-defined]
        await page.pilot.press("enter")
        await page.until(lambda: page.engine.asked(protocol.OpenModel) == 2)
        assert page.engine.requests[-1].path == str(tmp_path)  # type: ignore[union-attr]


@pytest.mark.parametrize("key", ["escape", "m", "q"])
async def test_leaving_the_shelf_changes_nothing(shelf: list[ModelCard], key: str) -> None:
    async with playground() as page:
        await page.press("space")
        before = page.ids
        await at_the_shelf(page)
        await page.pilot.press(key)
        await page.until(lambda: len(page.app.screen_stack) == 1)
        assert page.ids == before and page.engine.asked(protocol.OpenModel) == 1


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (1, 1)])
async def test_the_shelf_fits_any_terminal(shelf: list[ModelCard], size: tuple[int, int]) -> None:
    async with playground(size) as page:
        await page.pilot.press("m")
        await page.until(lambda: len(page.app.screen_stack) == 2)
        await page.pilot.press("down", "tab", "tab", "tab", "escape")
        await page.until(lambda: len(page.app.screen_stack) == 1)


async def test_at_80x24_nothing_of_a_long_card_is_out_of_reach(shelf: list[ModelCard]) -> None:
    shelf[0] = replace(shelf[0], summary="long " * 60, look_inside="See *this* and `that` here.")
    async with playground((80, 24), animations=False) as page:
        await at_the_shelf(page)
        await page.until(lambda: "read on" in page.text)
        about = page.app.screen.query_one("#about")
        assert about.max_scroll_y > 0 and "or the path of a model directory" in page.text
        await page.pilot.press("space")
        await page.until(lambda: "Training loss" in page.text)
        assert "See this and that here." in page.text
        await page.pilot.press("space", *["space"] * (about.max_scroll_y // about.size.height))
        await page.until(lambda: about.scroll_offset.y == 0)


async def test_nothing_scrolls_where_there_is_room(shelf: list[ModelCard]) -> None:
    async with playground((120, 40)) as page:
        await at_the_shelf(page)
        assert page.app.screen.query_one("#about").max_scroll_y == 0 and "read on" not in page.text
        curve = page.app.screen.query_one("#curve")
        assert curve.size.height >= 7 and curve.region.bottom <= page.app.screen.query_one("#path").region.y


async def test_everything_broken_has_its_line_and_the_rest_opens(
    shelf: list[ModelCard], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = ["/shelf/third cannot be [/] read", "/shelf/fourth describes an impossible model: n_head is Infinity"]
    monkeypatch.setattr(gallery, "cards", lambda: (shelf, broken))
    async with playground() as page:
        await at_the_shelf(page)
        await page.until(lambda: "1 more at the end" in page.text and "✗ /shelf/third" in page.text)
        assert "✗ /shelf/fourth" in page.text
        await page.pilot.press("end", "enter")
        await page.until(lambda: "✗ /shelf/fourth describes an impossible model: n_head is Infinity" in page.text)
        assert page.app.screen.query_one("#prompts").display is False
        assert len(page.app.screen_stack) == 2 and page.engine.asked(protocol.OpenModel) == 1
        await page.pilot.press("home", "down", "enter")
        await page.until(lambda: page.engine.asked(protocol.OpenModel) == 2)


async def test_own_runs_stand_behind_the_models_and_open(shelf: list[ModelCard], tmp_path: Path) -> None:
    runs = [locations.runs_dir() / name for name in ("older", "mine", "empty")]
    for n, run in enumerate(runs):
        run.mkdir(parents=True)
        (run / "config.json").write_text(TrainConfig(data="corpus:say").to_json())
        (run / "events.jsonl").touch()
        os.utime(run / "events.jsonl", (1e9 + n, 1e9 + n))
        if run.name != "empty":
            fakes.tiny_model_dir(run / "checkpoints", name="00000040")
            (run / "checkpoints" / "00000040" / "training.json").touch()
    async with playground(size=(120, 40)) as page:
        await at_the_shelf(page)
        await page.until(lambda: "mine@40" in page.text and "your run" in page.text)
        assert page.text.index("second") < page.text.index("mine@40") < page.text.index("older@40")
        assert "empty" not in page.text
        await page.pilot.press("down", "down", "enter")
        await page.until(lambda: page.engine.asked(protocol.OpenModel) == 2 and not page.play.link.busy)
        asked = page.engine.requests[-1]
        assert isinstance(asked, protocol.OpenModel) and asked.path == str(runs[1] / "checkpoints" / "00000040")


async def test_heads_seen_of_one_model_are_not_shown_of_the_next(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        other = tiny_model_dir(tmp_path, name="other", seed=7)
        await page.press("right_square_bracket", "left_square_bracket")
        page.play.link.open(str(other), page.play.link.prompt)
        await page.until(lambda: page.play.header.card is not None and page.play.header.card.id == "other")
        await page.press("right_square_bracket")
        square = page.play.attention.table()
        assert square is not None and square["head"] == 2
        whole = page.engine.session.attention(0, 1)  # type: ignore[attr-defined]
        assert np.array_equal(square["weights"], whole.weights)
