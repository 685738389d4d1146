"""What every screen of panes offers: to go round them, to enlarge, to explain and to write them (`PanesScreen`); and
one on a session (`SessionScreen`): to go on, to alter the model, to take the session along.

Not for: file formats (`gpttui.sessions`).
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.screen import ScreenResultType
from textual.widget import Widget

from gpttui import locations
from gpttui.errors import UserError
from gpttui.interventions import AblateHead, AblatePart
from gpttui.sessions.command import generate_command, session_command
from gpttui.tui.own_screen import OwnScreen
from gpttui.tui.selection import Selection

if TYPE_CHECKING:
    from gpttui.tui.session.link import SessionLink
    from gpttui.tui.widgets.deck import PaneDeck
    from gpttui.tui.widgets.hint_bar import HintBar, Tone


class PanesScreen(OwnScreen[ScreenResultType]):
    """A screen with a deck of panes."""

    deck: "PaneDeck"
    hints: "HintBar"

    @property
    def exported_name(self) -> str:
        """What the files are named after; empty where there is nothing yet."""
        raise NotImplementedError

    def tell(self, line: str, tone: "Tone" = "info") -> None:
        """Say a line, so that it stays to be read."""
        self.hints.say(line, tone)

    def action_pane(self, number: int) -> None:
        self.deck.go(number - 1)

    def action_turn(self, by: int) -> None:
        self.deck.turn(by)

    def action_zoom(self) -> None:
        self.deck.zoom()

    def action_help(self) -> None:
        from gpttui.tui.widgets.help import HelpScreen

        self.app.push_screen(HelpScreen(self.focused or self.deck.current, self.active_bindings))

    def action_export(self) -> None:
        from gpttui.tui.session.share_dialogs import ExportScreen

        pane = self.deck.current

        def chosen(suffix: str | None) -> None:
            if suffix is not None:
                self._export(pane, suffix)

        self.app.push_screen(ExportScreen(pane), chosen)

    def _export(self, pane: Widget, suffix: str) -> None:
        from gpttui.sessions.view_files import write_table
        from gpttui.tui import exports, tables
        from gpttui.tui.session import saving as sessions

        file = sessions.free_file(locations.exports_dir(), self.exported_name, suffix, pane.id or "pane")
        if suffix == ".svg":
            drawn = exports.picture(self, pane)
            self._write(file, lambda: exports.write_text(drawn, file))
        elif (table := tables.table_of(pane)) is not None:
            self._write(file, lambda: write_table(table, file))
        else:
            self.tell("This pane holds no numbers just now; as SVG it can be written all the same.", "warning")

    def action_screenshot(self) -> None:
        """The whole screen as SVG, beside the exports: Textual writes into ~/Downloads, which need not be there.

        Once it is painted: what a key has just put on it (an editor, say) has no styles to be drawn in before.
        """
        self.call_after_refresh(self._write_screenshot)

    def _write_screenshot(self) -> None:
        from gpttui.tui import exports
        from gpttui.tui.session.saving import free_file

        drawn = self.app.export_screenshot()
        file = free_file(locations.exports_dir(), self.exported_name, ".svg", "screen")
        self._write(file, lambda: exports.write_text(drawn, file))

    def _write(self, file: Path, write: Callable[[], None]) -> None:
        """In a thread: a square of a thousand tokens has a million numbers."""
        from gpttui.tui.session.saving import short

        async def work() -> None:
            try:
                await asyncio.to_thread(write)
            except UserError as error:
                self.tell(str(error), "error")
            else:
                self.tell(f"Wrote {short(file)}", "info")

        self.tell(f"Writing {short(file)} …", "info")
        self.run_worker(work(), group="export")


class SessionScreen(PanesScreen[None]):
    """A screen on a session, which can go on, be altered, saved, and told as a command."""

    link: "SessionLink"
    selection: Selection

    def state(self) -> dict[str, Any]:
        """What else than the session brings this screen back, for JSON."""
        return {}

    @property
    def exported_name(self) -> str:
        return self.link.card.id if self.link.card is not None else ""

    # ── A session file ───────────────────────────────────────────────────────────────────────────────────────────

    def save_now(self) -> Path:
        """Write a session file that brings this very screen back. Raises UserError where that is not possible."""
        from gpttui.tui.session import saving as sessions

        return sessions.save(sessions.session_now(self.link, self.selection, self._view()), locations.sessions_dir())

    def keep_last(self) -> None:
        """Keep it for `gpttui --last`."""
        from gpttui.tui.session import saving as sessions

        sessions.keep_last(self.link, self.selection, self._view())

    def _view(self) -> dict[str, Any]:
        """What brings the open screens back."""
        view: dict[str, Any] = {}
        for screen in self.app.screen_stack:
            view |= screen.state() if isinstance(screen, SessionScreen) else {}
        return view

    def action_save_session(self) -> None:
        from gpttui.tui.session.saving import short, weights_words

        try:
            file = self.save_now()
        except UserError as error:
            self.hints.say(str(error), "error")
            return
        missing = weights_words(self.link)
        tail = f", but {missing}" if missing else "; R: the command to open it"
        self.hints.say(f"Saved {short(file)}{tail}", "warning" if missing else "info")

    # ── The command that shows this again ────────────────────────────────────────────────────────────────────────

    def action_recipe(self) -> None:
        from gpttui.tui.session.saving import model_name
        from gpttui.tui.session.share_dialogs import RecipeScreen

        link = self.link
        try:
            again = session_command(str(self.save_now()))
        except UserError as error:
            self.hints.say(str(error), "error")
            return
        why_not = link.trail.not_by_command(link.prompt, link.changes, link.picked, link.conversation)
        text = ""
        if not why_not and link.card is not None and link.snapshot is not None:
            count = len(link.snapshot.ids) - link.snapshot.n_prompt
            name = model_name(link.card)
            told = link.sampling, link.seed, link.changes, link.conversation
            text = generate_command(name, link.prompt, count, *told, bare=link.bare)
        self.app.push_screen(RecipeScreen(again, text, why_not))

    # ── The next token ───────────────────────────────────────────────────────────────────────────────────────────

    def action_step(self) -> None:
        if self.goes_on():
            self.link.step()

    def goes_on(self, how: str = "here") -> bool:
        """Whether the model has more to write; where it has ended its text, what would make it go on is said."""
        ended = self.link.snapshot is not None and self.link.snapshot.ended
        if ended:
            again = "← takes its end back, / in the playground starts another."
            self.hints.say(f"The model has ended its text {how}. {again}", "info")
        return not ended

    def action_back(self) -> None:
        self.link.back()

    # ── What the model is altered by ─────────────────────────────────────────────────────────────────────────────

    def action_silence_head(self) -> None:
        self.link.toggle(AblateHead(self.selection.layer, self.selection.head))

    def action_silence_mlp(self) -> None:
        self.link.toggle(AblatePart(self.selection.layer, "mlp"))

    def action_undo_change(self) -> None:
        if self.link.changes:
            self.link.alter(self.link.changes[:-1])
        else:
            self.hints.say("Nothing of the model is changed.", "info")

    # ── A mark in the tree of continuations ──────────────────────────────────────────────────────────────────────

    def action_bookmark(self) -> None:
        trail = self.link.trail
        if trail.leaf < 0:
            self.hints.say("A bookmark marks a place behind the prompt: draw a token first.", "info")
            return
        name = trail.toggle_bookmark(trail.leaf)
        words = f"Bookmark {name} is here; b lists what was tried and jumps." if name else "This bookmark is gone."
        self.hints.say(words, "info")
