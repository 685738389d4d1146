"""What breaks in the app is one line at the end, and what the person had is in files that it names."""

import re
from pathlib import Path

import pytest
from rich.text import Text
from textual.widget import Widget

from gpttui.errors import UserError
from gpttui.sessions.tree import load_session
from gpttui.tui import crash
from gpttui.tui.app import GpttuiApp
from gpttui.tui.session.opening import Opening
from tests.tui.pilot import Playground, playground


class Broken(Widget):
    """Draws itself until it is told what to raise."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def render(self) -> Text:
        raise self.error


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path))
    return tmp_path


async def broken(*keys: str, error: Exception) -> Playground:
    """The app after `keys`, then ended by a widget that raises."""
    with pytest.raises(type(error)):
        async with playground() as page:
            await page.press(*keys)
            await page.play.mount(Broken(error))
            await page.until(lambda: page.app.last_words)
    return page


def file_in(line: str, pattern: str) -> Path:
    found = re.search(pattern, line)
    assert found is not None, line
    return Path(found.group(1))


async def test_a_widget_that_raises_ends_the_app_in_one_line_with_all_that_was_there_saved(home: Path) -> None:
    page = await broken("space", "space", "t", "x", error=ZeroDivisionError("deliberate\n[red]"))
    line = page.app.last_words
    assert line.startswith("unexpected ZeroDivisionError: deliberate [red]; your session is safe, go on with")
    assert "\n" not in line and page.app.return_code == GpttuiApp.CRASHED
    session = load_session(file_in(line, r"gpttui --session (\S+\.json)"))
    assert session.prompt == "To be, or not" and session.model == "somewhere"
    assert session.appended == page.ids[-2:] and session.sampling.temperature == pytest.approx(0.7)
    kept = file_in(line, r"the traceback is in (\S+\.txt)").read_text()
    assert "deliberate" in kept and "in render" in kept
    assert not page.engine.alive


async def test_a_prompt_being_written_is_saved_beside_the_session() -> None:
    with pytest.raises(ZeroDivisionError):
        async with playground() as page:
            await page.pilot.press("slash", "ctrl+u", *"Half a tho")
            await page.until(lambda: str(page.play.tokens.draft).endswith("Half a tho"))
            await page.play.mount(Broken(ZeroDivisionError("deliberate")))
            await page.until(lambda: page.app.last_words)
    draft = file_in(page.app.last_words, r"the prompt you were writing is in (\S+\.txt)")
    assert draft.read_text() == page.play.tokens.draft
    assert load_session(file_in(page.app.last_words, r"--session (\S+\.json)")).prompt == "To be, or not"


async def test_a_worker_that_raises_is_told_of_as_what_it_raised() -> None:
    async def work() -> None:
        raise LookupError("deliberate, in the background")

    with pytest.raises(Exception, match="deliberate"):
        async with playground() as page:
            page.play.run_worker(work())
            await page.until(lambda: page.app.last_words)
    assert page.app.last_words.startswith("unexpected LookupError: deliberate, in the background; your session")
    assert "in work" in file_in(page.app.last_words, r"traceback is in (\S+)").read_text()


async def test_an_error_that_a_person_can_mend_speaks_for_itself() -> None:
    page = await broken(error=UserError("there is no paper left; add some"))
    assert page.app.last_words.startswith("there is no paper left; add some; your session is safe")


async def test_what_cannot_be_saved_is_said_and_hides_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise UserError("the disk is full; make room")

    monkeypatch.setattr(crash, "save_session", refuse)
    page = await broken("space", error=ZeroDivisionError("deliberate"))
    assert "session not saved (the disk is full; make room)" in page.app.last_words
    assert "the traceback is in" in page.app.last_words
    (home / "blocked").write_text("")
    monkeypatch.setenv("GPTTUI_HOME", str(home / "blocked"))
    page = await broken("space", error=ZeroDivisionError("deliberate"))
    assert page.app.last_words.startswith("unexpected ZeroDivisionError: deliberate")
    assert "its traceback could not be kept" in page.app.last_words


async def test_before_a_model_is_open_there_is_nothing_to_save() -> None:
    with pytest.raises(ZeroDivisionError):
        async with playground(wait=False, opening=Opening("missing")) as page:
            await page.until(lambda: "holds no model" in page.text)
            await page.play.mount(Broken(ZeroDivisionError("deliberate")))
            await page.until(lambda: page.app.last_words)
    assert page.app.last_words.startswith("unexpected ZeroDivisionError: deliberate; the traceback is in")
