"""What a person sets is what the app does: the theme, the map of amounts, numbers that rest."""

import gc
import os
from pathlib import Path
from typing import Any

import pytest

from gpttui import settings
from gpttui.cli import play
from gpttui.settings import DEFAULTS, Settings
from gpttui.tui import app as tui_app
from gpttui.tui import palette, theme
from gpttui.tui.app import GpttuiApp
from gpttui.tui.session.opening import Opening
from tests.tui.pilot import Playground, playground


def colours(page: Playground) -> set[str]:
    """Every background on the screen."""
    strips = page.app.screen._compositor.render_strips()
    styles = [segment.style for strip in strips for segment in strip if segment.style is not None]
    return {style.bgcolor.triplet.hex for style in styles if style.bgcolor is not None and style.bgcolor.triplet}


@pytest.fixture(autouse=True)
def true_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)


async def test_without_settings_the_app_is_dark_and_its_maps_are_cividis() -> None:
    assert DEFAULTS.theme == theme.DEFAULT == "gpttui-dark"
    async with playground() as page:
        assert page.app.theme == "gpttui-dark" and page.app.current_theme.dark
        assert len(colours(page) & set(palette.CIVIDIS)) > 4
        assert not colours(page) & set(palette.VIRIDIS)


async def test_viridis_replaces_cividis_in_every_map() -> None:
    async with playground(colour_map="viridis") as page:
        for _ in range(3):
            await page.press("c")
            assert len(colours(page) & set(palette.VIRIDIS)) > 4
            assert not colours(page) & set(palette.CIVIDIS)


async def test_numbers_rest_while_the_text_goes_on_and_the_last_ones_come(monkeypatch: pytest.MonkeyPatch) -> None:
    async with playground(opening=Opening("somewhere", numbers_rest_s=3600.0)) as page:
        panes = (page.play.next, page.play.attention, page.play.header)
        before = page.play.next.snapshot
        await page.press("space", "space", "space")
        assert len(page.ids) == len(before.ids) + 3  # type: ignore[union-attr]
        assert all(pane.snapshot is before for pane in panes)
        await page.press("c", "left", "T")
        assert all(pane.snapshot is page.play.tokens.snapshot for pane in panes)
        await page.press("space", "space")
        assert page.play.next.snapshot is not page.play.tokens.snapshot
        page.play.pace.rest_s = 0.0
        await page.press("space")
        assert all(pane.snapshot is page.play.tokens.snapshot for pane in panes)
        weights = page.play.attention._weights
        assert weights is not None and len(weights) == len(page.ids)
        assert weights.sum(axis=1) == pytest.approx([1.0] * len(weights), abs=1e-5)


def opened_with(monkeypatch: pytest.MonkeyPatch, chosen: Settings) -> dict[str, Any]:
    """What the command line hands to the app under these settings; the app itself does not run."""
    made: dict[str, Any] = {}

    class Unrun(GpttuiApp):
        def __init__(self, engine: Any, opening: Opening, **options: Any) -> None:
            made.update(options, opening=opening)
            super().__init__(engine, opening, **options)
            made["app"] = self

        async def run_async(self, *args: Any, **kwargs: Any) -> None:
            return None

    monkeypatch.setattr("gpttui.storage.gallery.find", lambda ref: Path("somewhere"))
    monkeypatch.setattr(tui_app, "GpttuiApp", Unrun)
    settings.save(chosen)
    assert play.open_playground(None, None, None, None) == 0
    gc.enable()  # the first picture would have done so
    return made


def test_the_command_line_hands_the_settings_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "GPTTUI_HOME", str(tmp_path))
    made = opened_with(monkeypatch, Settings(colour_map="viridis", slow_numbers=True, numbers_per_s=4.0))
    assert made["app"].colour_map == "viridis" and made["app"].theme == "gpttui-dark"
    assert made["opening"].numbers_rest_s == 0.25
    made = opened_with(monkeypatch, Settings(theme="no-such-theme", numbers_per_s=4.0))
    assert made["opening"].numbers_rest_s == 0 and made["app"].theme == "gpttui-dark"
