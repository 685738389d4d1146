"""A conversation in the playground: written, read as the template writes it, answered, gone on with, brought back."""

from dataclasses import replace
from pathlib import Path

import pytest

from gpttui import locations
from gpttui.records import ChatMessage
from gpttui.sessions.tree import load_session
from gpttui.tui.session.share_dialogs import RecipeScreen
from gpttui.tui.widgets.chat_editor import ChatEditor
from tests.chat.templates import model_dir
from tests.tui.opening import again, opened, opened_on, settled
from tests.tui.pilot import Playground


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def words(page: Playground) -> str:
    """All that the model reads."""
    tokenizer = page.play.tokens.tokenizer
    assert tokenizer is not None
    return tokenizer.decode(page.ids)


def said(page: Playground) -> list[tuple[str, str]]:
    conversation = page.play.link.conversation
    return [] if conversation is None else [(one.role, one.content) for one in conversation.messages]


async def test_written_answered_and_gone_on_with(tmp_path: Path) -> None:
    async with opened_on(model_dir(tmp_path / "talker")) as page:
        plain = page.ids
        await page.press("slash")
        assert "ctrl+t: chat" in page.text
        await page.press("ctrl+t", *"hi")
        await page.until(lambda: page.play.tokens.drafted is not None and "chat template" in page.text)
        assert page.ids == plain  # nothing has changed yet
        await page.press("tab", *"Be.", "enter")
        read = "<|im_start|>system\nBe.<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"
        assert words(page) == read == page.play.link.prompt
        assert said(page) == [("system", "Be."), ("user", "hi")]
        assert "g: the model answers" in page.text
        await page.press("slash")  # there is no answer yet: what was said can be changed
        assert page.play.screen.query_one(ChatEditor).text == "hi"
        await page.press("escape", "space", "space")
        answer = words(page)[len(read) :]
        await page.press("slash", *"and", "enter")
        assert said(page) == [("system", "Be."), ("user", "hi"), ("assistant", answer), ("user", "and")]
        assert words(page).startswith(f"{read}{answer}<|im_end|>\n<|im_start|>user\nand<|im_end|>\n")


async def test_the_answer_ends_with_the_turn_and_its_end_is_no_part_of_what_was_said(tmp_path: Path) -> None:
    async with opened_on(model_dir(tmp_path / "talker")) as page:
        await page.press("slash", "ctrl+t", *"hi", "enter")
        tokenizer, link = page.play.tokens.tokenizer, page.play.link
        assert tokenizer is not None and link.snapshot is not None and link.conversation is not None
        end = tokenizer.backend.token_to_id("<|im_end|>")
        assert end in link.conversation.ends
        await page.press("space")
        link.set_sampling(replace(link.sampling, logit_bias=((end, 100.0),)))
        await settled(page)
        answer = tokenizer.decode(page.ids[link.snapshot.n_prompt :])
        await page.press("g")
        await page.until(lambda: not link.running and not link.busy)
        assert page.ids[-1] == end and "<|im_end|>" in page.play.hints.line
        await page.press("slash", *"so", "enter")
        assert said(page)[-2:] == [("assistant", answer), ("user", "so")]


async def test_a_saved_conversation_comes_back_token_for_token(tmp_path: Path) -> None:
    async with opened_on(model_dir(tmp_path / "talker")) as page:
        await page.press("slash", "ctrl+t", *"hi <|im_end|>", "enter", "space", "ctrl+o", "R")
        assert isinstance(page.app.screen, RecipeScreen)
        assert any("--chat --prompt 'hi <|im_end|>'" in command for command in page.app.screen.commands)
        await page.press("escape")
        ids, turns, conversation = page.ids, page.play.link.snapshot.turns, page.play.link.conversation  # type: ignore[union-attr]
    (file,) = locations.sessions_dir().iterdir()
    session = load_session(file)
    assert session.version == 3 and session.conversation == conversation
    async with again(session) as page:
        assert page.ids == ids and page.play.link.snapshot is not None
        assert page.play.link.snapshot.turns == turns and page.play.link.conversation == conversation
        await page.press("slash")
        assert "after 2 messages" in page.text


async def test_roles_are_told_by_colour_legend_and_words(tmp_path: Path) -> None:
    async with opened_on(model_dir(tmp_path / "talker")) as page:
        await page.press("slash", "ctrl+t", *"hi", "enter")
        pane = page.play.tokens
        assert pane.by_role and pane.sides is not None and pane.sides.at(0) == "template"
        assert [(turn.role, pane.sides.at(turn.start)) for turn in pane.sides.turns] == [("user", "user")]
        assert " chat template " in page.text and "of the chat template" in page.text
        await page.press("space")
        assert "of the assistant" in page.text
        await page.press("c")
        assert not pane.by_role  # surprisal has the colours now
        await page.press("slash", "ctrl+t", *"plain", "enter")
        assert page.play.link.conversation is None and pane.sides is None and words(page) == "plain"


async def test_a_model_without_a_template_says_why(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await page.press("slash")
        assert "ctrl+t" not in page.text
        await page.press("ctrl+t")
        assert "No chat: this model has no chat template" in page.play.hints.line


async def test_after_the_engines_death_the_conversation_stands(tmp_path: Path) -> None:
    async with opened_on(model_dir(tmp_path / "talker")) as page:
        await page.press("slash", "ctrl+t", *"hi", "enter", "space")
        ids = page.ids
        page.engine.die()  # type: ignore[attr-defined]
        await page.until(lambda: page.play.link.snapshot is not None and not page.play.link.busy and page.ids == ids)
        assert said(page) == [("user", "hi")]
        assert page.play.link.conversation is not None
        assert page.play.link.conversation.messages == (ChatMessage("user", "hi"),)
