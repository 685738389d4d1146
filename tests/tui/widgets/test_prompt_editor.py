"""The editor takes any text, shows it safely, and gives it back unchanged."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual import events
from textual.app import App, ComposeResult
from textual.message import Message

from gpttui.text import safe_text
from gpttui.tui.widgets.prompt_editor import Disguise, PromptEditor
from tests.tui.bench import HOSTILE, screen_text


class Bench(App[None]):
    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.editor = PromptEditor(text)
        self.posted: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.editor

    def on_mount(self) -> None:
        self.editor.focus()

    def on_prompt_editor_changed(self, event: PromptEditor.Changed) -> None:
        self.posted.append(event)

    def on_prompt_editor_submitted(self, event: PromptEditor.Submitted) -> None:
        self.posted.append(event)

    def on_prompt_editor_cancelled(self, event: PromptEditor.Cancelled) -> None:
        self.posted.append(event)


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_a_disguise_comes_off_and_shows_nothing_unsafe(text: str) -> None:
    disguise = Disguise()
    hidden = disguise.put_on(text)
    assert len(hidden) == len(text)
    assert disguise.take_off(hidden) == text
    shown, _ = disguise.picture(hidden)
    assert len(shown) == len(text)
    assert safe_text(shown, keep="\n") == shown


async def test_a_megabyte_is_folded_and_comes_back_whole() -> None:
    text = "the king\x1b of the north\n" * 40_000
    app = Bench("a")
    async with app.run_test(size=(80, 20)) as pilot:
        app.post_message(events.Paste(text))
        await pilot.press("z", "enter")
        await pilot.pause()
        assert "▤ 918,000 characters" in str(app.editor.border_subtitle)
        last = app.posted[-1]
        assert isinstance(last, PromptEditor.Submitted) and last.text == "a" + text + "z"


async def test_typing_posts_every_change_and_enter_takes_the_text() -> None:
    app = Bench("the ")
    async with app.run_test(size=(60, 10)) as pilot:
        await pilot.press("k", "i", "n", "g")
        await pilot.pause()
        assert [event.text for event in app.posted if isinstance(event, PromptEditor.Changed)][-1] == "the king"
        await pilot.press("ctrl+j", "x", "enter")
        await pilot.pause()
        last = app.posted[-1]
        assert isinstance(last, PromptEditor.Submitted) and last.text == "the king\nx"


async def test_escape_leaves() -> None:
    app = Bench("the ")
    async with app.run_test(size=(60, 10)) as pilot:
        await pilot.press("a", "escape")
        await pilot.pause()
        assert isinstance(app.posted[-1], PromptEditor.Cancelled)


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_goes_through_unchanged_and_never_reaches_the_terminal(text: str) -> None:
    app = Bench(text)
    async with app.run_test(size=(60, 10)) as pilot:
        await pilot.pause()
        assert not set(screen_text(app)) & set("\x1b\x00\x07\r\x9b\u202e\u200d\ud800")
        await pilot.press("enter")
        await pilot.pause()
        last = app.posted[-1]
        assert isinstance(last, PromptEditor.Submitted) and last.text == text
