"""What is pasted arrives as text: a terminal sends CR for each line break, whatever the text had."""

from pathlib import Path

import pytest
from textual import events
from textual.widgets import Input

from gpttui.tui.widgets.prompt_editor import PromptEditor
from tests.tui.opening import opened
from tests.tui.pilot import Playground, playground

PASTED = "one\rtwo\r\nthree\n\rfour\r\r\n"
TAKEN = "one\ntwo\nthree\n\nfour\n\n"


async def paste(page: Playground, text: str) -> None:
    """As the terminal's reader does it."""
    page.app.post_message(events.Paste(text))
    await page.pilot.pause()


async def test_a_paste_of_many_lines_reaches_the_prompt_with_newlines() -> None:
    async with playground() as page:
        await page.press("slash")
        await page.until(lambda: page.play.query("PromptEditor"))
        page.play.query_one(PromptEditor)._area.text = ""
        await paste(page, PASTED)
        assert page.play.query_one(PromptEditor).text == TAKEN
        await page.pilot.press("enter")
        await page.until(lambda: page.play.link.prompt == TAKEN)


@pytest.mark.parametrize("key", ["w", "v"], ids=["compare", "vectors"])
async def test_so_it_does_in_the_editors_of_the_views(tmp_path: Path, key: str) -> None:
    async with opened(tmp_path) as page:
        await page.press(key, *(["equals_sign"] if key == "v" else ["slash"]))
        await page.until(lambda: page.app.screen.query("PromptEditor"))
        editor = page.app.screen.query_one(PromptEditor)
        editor._area.text = ""
        await paste(page, PASTED)
        assert editor.text == TAKEN


async def test_a_line_takes_the_first_of_a_paste() -> None:
    async with playground() as page:
        await page.press("m")
        await page.until(lambda: page.app.screen.query("#path"))
        field = page.app.screen.query_one("#path", Input)
        field.focus()
        await page.pilot.pause()
        await paste(page, "/some/where\r/else\r")
        assert field.value == "/some/where"
