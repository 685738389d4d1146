"""Keys that come in one burst do what they would one by one; a screen is closed once, and by itself."""

import importlib
import inspect
import pkgutil
from collections import Counter

import pytest
from textual import events
from textual.screen import Screen

import gpttui.tui
from gpttui.tui import textual_private
from gpttui.tui.in_turn import InTurnApp
from gpttui.tui.own_screen import ClosedOnce, Palette
from gpttui.tui.screens.models import ModelsScreen
from gpttui.tui.screens.play import PlayScreen
from gpttui.tui.session.share_dialogs import ExportScreen, RecipeScreen
from gpttui.tui.views.frame import InsideScreen
from gpttui.tui.views.table import VIEWS
from gpttui.tui.widgets.help import HelpScreen
from tests.tui.pilot import playground


async def test_what_is_typed_ahead_lands_in_the_editor_that_the_first_key_opens() -> None:
    async with playground() as page:
        prompt = page.play.link.prompt
        page.burst(*"/ok", "enter", " ")
        await page.until(lambda: page.play.link.prompt == prompt + "ok")
        await page.until(lambda: page.play.link.snapshot.can_back)  # type: ignore[union-attr]


async def test_a_paste_waits_its_turn() -> None:
    async with playground() as page:
        page.burst("slash")
        page.app.post_message(events.Paste(" pasted"))
        page.burst("enter")
        await page.until(lambda: page.play.link.prompt.endswith(" pasted"))


async def test_a_key_that_leads_back_comes_before_those_typed_behind_it() -> None:
    async with playground() as page:
        await page.press("i")
        assert isinstance(page.app.screen, InsideScreen)
        page.burst(*"/!!", "enter", *" ")
        await page.until(lambda: page.play.link.prompt.endswith("!!"))
        assert page.app.screen is page.play


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.id)
async def test_keys_behind_the_one_that_opens_a_view(view) -> None:  # type: ignore[no-untyped-def]
    """Its actions find what they act on, composed and laid out."""
    async with playground() as page:
        for size in ((60, 18), (120, 40)):
            await page.pilot.resize_terminal(*size)
            page.burst(view.key, "2", "right", "x", "tab", "z", "right_curly_bracket", "down", "z", view.key)
            await page.until(lambda: page.app.screen is page.play and not page.play.link.busy)


@pytest.mark.parametrize(
    ("keys", "kind"),
    [("m", ModelsScreen), ("o", ExportScreen), ("R", RecipeScreen), ("question_mark", HelpScreen), ("ctrl+p", Palette)],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
async def test_a_dialog_is_closed_once(keys: str, kind: type[Screen[object]]) -> None:
    async with playground() as page:
        if kind is not ModelsScreen:
            await page.press("i")
        below = page.app.screen
        page.burst(keys)
        await page.until(lambda: isinstance(page.app.screen, kind))
        dialog = page.app.screen
        dialog.dismiss(None)
        dialog.dismiss(None)
        await page.until(lambda: page.app.screen is below)
        dialog.dismiss(None)
        page.play.dismiss(None)
        await page.pilot.pause()
        assert page.app.screen is below


def test_every_screen_is_closed_once() -> None:
    modules = [
        importlib.import_module(found.name) for found in pkgutil.walk_packages(gpttui.tui.__path__, "gpttui.tui.")
    ]
    screens = {
        member
        for module in modules
        for _, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, Screen) and member.__module__.startswith("gpttui.")
        if member.__module__ != textual_private.__name__
    }
    assert len(screens) > 15 and PlayScreen in screens
    assert [screen.__name__ for screen in screens if not issubclass(screen, ClosedOnce)] == []


async def test_a_lost_answer_holds_the_next_key_up_for_a_moment_only() -> None:
    async with playground() as page:
        page.app._under_way = InTurnApp.Answered([page.app], 1)  # of a widget that is gone
        page.burst("m", "escape", "i")
        await page.until(lambda: isinstance(page.app.screen, InsideScreen))


async def test_the_palette_names_each_command_once_with_all_its_keys() -> None:
    async with playground() as page:
        commands = list(page.app.get_system_commands(page.app.screen))
        told = Counter(command.title for command in commands)
        assert [title for title, times in told.items() if times > 1] == []
        keys = next(command.help for command in commands if command.title == "Draw one token and append it")
        assert keys == "key: space, →, l"


async def test_pages_are_turned_in_lists_that_are_empty_or_have_no_room() -> None:
    async with playground() as page:
        for size in ((120, 40), (20, 3)):
            await page.pilot.resize_terminal(*size)
            for keys in (("ctrl+p",), ("ctrl+p", *"zzz"), ("m",), ("o",)):
                was = page.play.tokens.colour_mode
                page.burst(*keys, "pageup", "pagedown", "escape", "c")
                await page.until(lambda was=was: page.play.tokens.colour_mode != was)  # type: ignore[misc]


async def test_letters_on_their_way_into_a_palette_that_closes() -> None:
    async with playground() as page:
        await page.pilot.press("ctrl+p")
        palette = page.app.screen
        assert isinstance(palette, Palette)
        palette.dismiss(None)
        palette._gather_commands("t")
        await page.until(lambda: page.app.screen is page.play and not palette.is_attached)
        palette._gather_commands("t")
        await page.pilot.pause()
