"""The app's last words when something broke in it: one line, the text saved first, the traceback in a file.

For: `GpttuiApp`. Not for: the engine's death, which the session link survives. Everything here may itself meet a screen
in pieces, so whatever fails is said, and the rest still happens.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual.screen import Screen
from textual.worker import WorkerFailed

from gpttui import locations
from gpttui.errors import UserError, one_line
from gpttui.sessions.tree import save_session
from gpttui.tui import tracebacks

if TYPE_CHECKING:
    from gpttui.tui.screens.play import PlayScreen


def last_words(error: BaseException, screens: Sequence[Screen[object]]) -> str:
    """What happened, where the text is now, where the traceback is."""
    from gpttui.tui.screens.play import PlayScreen

    while isinstance(error, WorkerFailed):
        error = error.error
    saved = [words for screen in screens if isinstance(screen, PlayScreen) for words in rescue(screen)]
    what = str(error) if isinstance(error, UserError) else f"unexpected {type(error).__name__}: {one_line(error)}"
    return "; ".join([what, *saved, tracebacks.keep(error)])


def rescue(play: "PlayScreen") -> list[str]:
    """Save the session, and the prompt being written. In words: where each is."""
    words = []
    stem = locations.sessions_dir() / f"rescued-{time.strftime('%Y%m%d-%H%M%S')}"
    for save in (_save_session, _save_draft):
        try:
            words.append(save(play, stem))
        except Exception as error:
            words.append(f"{save.__name__.removeprefix('_save_')} not saved ({one_line(error)})")
    return [line for line in words if line]


def _save_session(play: "PlayScreen", stem: Path) -> str:
    if play.link.snapshot is None:
        return ""
    from gpttui.tui.session.saving import session_now

    file = stem.with_suffix(".json")
    save_session(session_now(play.link, play.selection, {}), file)
    return f"your session is safe, go on with: gpttui --session {file}"


def _save_draft(play: "PlayScreen", stem: Path) -> str:
    draft = play.tokens.draft
    if not draft or draft == play.link.prompt:
        return ""
    file = stem.with_suffix(".txt")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(draft, encoding="utf-8", errors="surrogatepass")
    return f"the prompt you were writing is in {file}"
