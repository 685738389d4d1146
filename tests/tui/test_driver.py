"""What the terminal tells, and what came of it."""

import pytest
from textual import events
from textual.geometry import Size

from gpttui.tui.driver import TerminalDriver
from tests.tui.pilot import playground


@pytest.mark.parametrize("whom", ["app", "screen"])
async def test_an_older_size_that_comes_last_is_set_right(monkeypatch: pytest.MonkeyPatch, whom: str) -> None:
    async with playground((120, 40)) as page:
        with monkeypatch.context() as patch:
            patch.setattr(TerminalDriver, "_get_terminal_size", lambda _: (120, 40))
            patch.setattr(type(page.app), "driver", object.__new__(TerminalDriver))
            older = events.Resize(Size(30, 9), Size(30, 9))
            (page.app if whom == "app" else page.app.screen).post_message(older)
            await page.until(lambda: page.app.screen.outer_size == (30, 9))
            page.app.check_size()
            await page.until(lambda: page.app.size == page.app.screen.outer_size == (120, 40))
