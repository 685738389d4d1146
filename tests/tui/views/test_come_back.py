"""How a view shows things, and where in it a person was: back in the app, back from a session file, nonsense or not."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpttui import locations
from gpttui.sessions.tree import SessionFile, load_session
from gpttui.tui.session.remembered import SETTINGS, Setting, take_back, values
from gpttui.tui.views import table as views
from gpttui.tui.views.attention.pane_stages import ALL
from gpttui.tui.views.attention.screen import AttentionScreen
from gpttui.tui.views.frame import InsideScreen
from tests.tui.opening import again, opened
from tests.tui.pilot import Playground


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@asynccontextmanager
async def viewed(session: SessionFile) -> AsyncIterator[tuple[Playground, InsideScreen]]:
    """The playground on a session that was saved in a view."""
    async with again(session) as page:
        await page.until(lambda: isinstance(page.app.screen, InsideScreen))
        yield page, await settled(page)


async def settled(page: Playground) -> InsideScreen:
    """The view that is open, once it is painted with all its answers."""
    screen = page.app.screen
    assert isinstance(screen, InsideScreen)
    await page.until(lambda: screen.hold.opened and not page.play.link.busy)
    for _ in range(3):
        await page.pilot.pause()
        await page.until(lambda: not page.play.link.busy)
    return screen


def held(screen: InsideScreen) -> dict[str, Any]:
    """What is to come back, settings and places by their names."""
    panes = {"focus": screen.focused and screen.focused.id, "maximized": screen.deck.zoomed and screen.deck.current.id}
    return {"view": screen.VIEW, **panes} | values(screen, (*screen.SETTINGS, *screen.PLACES))


def drawn(screen: InsideScreen) -> dict[str, list[str]]:
    """The panes, line by line, with the words on their borders."""
    return {
        str(pane.id): [
            str(pane.border_title), str(pane.border_subtitle),
            *(
                re.sub(r"difference [\d.]+", "difference", pane.render_line(y).text.rstrip())  # rounding's own
                for y in range(pane.scrollable_content_region.height)
            ),
        ]
        for pane in screen.panes
        if pane.region.height
    }  # fmt: skip


def written() -> SessionFile:
    (file,) = locations.sessions_dir().iterdir()
    return load_session(file)


@pytest.mark.parametrize(
    ("keys", "set_"),
    [
        (("a", "m", "m", "t", "t", "t", "d", "left", "left", "z"),
         {"stage": 1, "threshold": 0.05, "by_size": False, "maximized": "stages"}),
        (("a", "tab", "z"), {"stage": ALL, "maximized": "cell"}),
        (("v", "u", "m", "tab", "z"), {"map_of": "vocabulary", "table": "unembedding", "maximized": "map"}),
        (("v", "e"), {"at_start": True, "map_of": "text"}),
        (("L", "m", "up"), {"between": True, "row": 1, "focus": "grid"}),
        (("L", "up", "up", "p", "tab", "down"), {"between": False, "row": 0, "pin": 1, "focus": "ranks"}),
        (("C", "m", "g", "g", "down", "down"), {"quantity": "flops", "by": "each", "part": 2}),
        (("A", "x", "M", "right", "right", "tab"), {"mode": "mean", "column": -1, "focus": "list"}),
        (("n", "down", "down"), {"pinned": False}),
        (("n", "N", "backspace", "backspace", "3", "7", "enter"), {"neuron": 36, "pinned": True}),
        (("w", "tab", "d", "left", "tab", "down"), {"by_length": True, "part": 1, "focus": "parts"}),
        (("i", "d", "c", "t", "down", "down", "up"), {"added": True, "shared_scale": True, "turned": True, "stop": 1}),
        (("i", "f", "f", "f", "up"), {"walked": 3, "stop": 1}),
        (("f", "f"), {"walked": 2, "stop": 1}),
        (("b", "t", "up"), {"folded": True}),
        (("b", "up", "up"), {"folded": False, "node": 0}),
    ],
)  # fmt: skip
async def test_a_view_comes_back_as_it_was_left(tmp_path: Path, keys: tuple[str, ...], set_: dict[str, Any]) -> None:
    async with opened(tmp_path) as page:
        await page.press("space", "space", "space", *keys)
        screen = await settled(page)
        before, shown = held(screen), drawn(screen)
        assert set_.items() <= before.items(), before
        await page.press("ctrl+o")
    async with viewed(written()) as (page, screen):
        await page.until(lambda: held(screen) == before)
        if before["view"] != "cost":  # whose times are measured anew
            await page.until(lambda: drawn(screen) == shown)
        await page.press("ctrl+o")
    first, *more = (load_session(file).view for file in locations.sessions_dir().iterdir())
    assert all(view == first for view in more)


async def test_settings_outlive_the_view_and_cursors_do_not(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await page.press("a", "m", "t", "left", "left", "a", "a")
        screen = await settled(page)
        assert isinstance(screen, AttentionScreen)
        assert (screen.stages.stage, screen.stages.threshold, screen.heads.threshold) == (0, 0.01, 0.01)
        assert screen.key == -1
        await page.press("A", "M", "v", "m", "A")
        assert held(await settled(page))["mode"] == "mean"
        await page.press("C", "m", "g", "escape", "v")
        assert held(await settled(page))["map_of"] == "vocabulary"
        await page.press("escape", "ctrl+o")
    assert written().view["kept"][SETTINGS]["cost"] == {"by": "layer", "quantity": "flops"}


async def test_a_file_without_settings_opens_the_view_as_new(tmp_path: Path) -> None:
    """As those of older versions are."""
    async with opened(tmp_path) as page:
        await page.press("a", "tab", "ctrl+o")
    session = written()
    view = {name: session.view[name] for name in ("view", "focus")} | {"kept": {}}
    async with viewed(msgspec.structs.replace(session, view=view)) as (page, screen):
        await page.until(lambda: held(screen)["focus"] == "cell")
        assert held(screen)["stage"] == ALL and not held(screen)["maximized"]


NONSENSE = [None, True, False, -1, 0, 1, 10**5, 10**30, -(10**30), 0.05, 1e300, "", "mean", "x", [], [1], {}, {"a": []}]


@pytest.mark.parametrize("view", [view.id for view in views.VIEWS])
async def test_nonsense_in_a_file_is_passed_over(tmp_path: Path, view: str) -> None:
    async with opened(tmp_path) as page:
        await page.press("space", "x", "ctrl+o")
    session = written()
    names = ["pinned", "stage", "threshold", "map_of", "new"]
    async with opened(tmp_path) as page:
        made = views.by_id(view).make(_context(page))
        assert isinstance(made, InsideScreen)
        names += [setting.name for setting in (*made.SETTINGS, *made.PLACES)]
    too_large, mixed = dict.fromkeys(names, 10**5), dict(zip(names, NONSENSE, strict=False))
    for garbage in (too_large, dict.fromkeys(names, -1), mixed, [1]):
        kept = {SETTINGS: {view: garbage, "other": garbage} if garbage is not mixed else garbage}
        said = {"view": view, "focus": garbage, "maximized": garbage, "places": garbage, "kept": kept}
        async with viewed(msgspec.structs.replace(session, view=said)) as (page, screen):
            assert view == screen.VIEW
            await page.press("down", "up", "enter", "ctrl+o")
            assert page.app._exception is None


def _context(page: Playground) -> views.ViewContext:
    play = page.play
    return views.ViewContext(
        play.link, play.tokens.tokenizer, play.link.snapshot, play.selection, play.select, play.door.scrub
    )


class Pane:
    def __init__(self) -> None:
        self.by, self.row, self.on, self.least = "part", 3, True, 0.5


class View:
    def __init__(self) -> None:
        self.one, self.two = Pane(), Pane()


FOUR = (
    Setting("by", ("one.by", "two.by"), ("part", "layer")),
    Setting("row", "one.row", range(-1, 9)),
    Setting("on", "one.on", (False, True)),
    Setting("least", "two.least", (0.0, 0.5)),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(NONSENSE),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(JSON | st.fixed_dictionaries({}, optional=dict.fromkeys(("by", "row", "on", "least", "new"), JSON)))
def test_only_what_fits_is_taken_back(plain: Any) -> None:
    view = View()
    take_back(view, FOUR, plain)
    for name, value in values(view, FOUR).items():
        before = values(View(), FOUR)[name]
        assert type(value) is type(before)
        assert value == before or value == plain[name]
    assert view.one.by == view.two.by in ("part", "layer") and -1 <= view.one.row < 9


def test_what_fits_is_taken_back() -> None:
    view = View()
    take_back(view, FOUR, {"by": "layer", "row": 8, "on": False, "least": 0.0})
    assert values(view, FOUR) == {"by": "layer", "row": 8, "on": False, "least": 0.0} and view.two.by == "layer"
    take_back(view, FOUR, {"row": True, "on": 1, "least": 0})
    assert values(view, FOUR) == {"by": "layer", "row": 8, "on": False, "least": 0.0}
