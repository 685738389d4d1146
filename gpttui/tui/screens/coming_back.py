"""How the playground comes back to a saved session: the model with its text, then the selection, then the screen.

For: `PlayScreen`, which has one and tells it when a model is open. Not for: reading the file (`gpttui.sessions`).
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpttui.errors import UserError
from gpttui.protocol import play as protocol
from gpttui.tui.renderables.labels import so_many
from gpttui.tui.selection import Selection
from gpttui.tui.session.link import SessionLink
from gpttui.tui.session.opening import Opening
from gpttui.tui.widgets.attention import AttentionPane
from gpttui.tui.widgets.deck import PaneDeck
from gpttui.tui.widgets.hint_bar import HintBar
from gpttui.tui.widgets.tokens import TokensPane

if TYPE_CHECKING:
    from gpttui.records import ModelCard
    from gpttui.sessions.tree import SessionFile


class ComingBack:
    """Of the session that the program was opened with.

    `select` moves the selection, `wait` says why panes are empty, `open_view` opens a view by its id.
    """

    def __init__(
        self,
        link: SessionLink,
        opening: Opening,
        panes: tuple[PaneDeck, TokensPane, AttentionPane],
        hints: HintBar,
        select: Callable[[Selection], None],
        wait: Callable[[str], None],
        open_view: Callable[[str], None],
    ) -> None:
        self.link, self.opening, self.hints = link, opening, hints
        self.deck, self.tokens, self.attention = panes
        self._select, self._wait, self._open_view = select, wait, open_view
        self._session: SessionFile | None = None
        """On its way."""
        self._not_back = ""
        """Why only the prompt of a session is opened."""

    def begin(self, session: "SessionFile") -> None:
        """Open the model with the session's text, settings and changes."""
        from gpttui.sessions.tree import weights_of

        self._session, path = session, self.opening.model
        changes, weights = tuple(session.interventions), weights_of(session, Path(path))
        self.link.resume(
            protocol.Restore(
                path,
                session.prompt,
                session.appended,
                session.picked,
                session.sampling,
                session.seed,
                changes=changes,
                draws=session.draws,
                run="" if weights is None else weights.run,
                step=-1 if weights is None else weights.step,
                conversation=session.conversation,
                bare=session.bare,
            ),
            self._refused,
        )

    def _refused(self, line: str) -> None:
        """The model cannot follow the file, which is named: its prompt is opened alone."""
        from gpttui.sessions.tree import not_back

        session, self._session = self._session, None
        assert session is not None
        self._not_back = f"{not_back(self._session_file, line)}. Its prompt opens alone."
        self.hints.say(self._not_back, "error")
        self._wait("loading the model…")
        self.link.open(self.opening.model, session.prompt, session.sampling, session.seed)

    @property
    def _session_file(self) -> str:
        from gpttui.tui.session.saving import short

        return short(Path(self.opening.session_file)) if self.opening.session_file else "the session"

    def opened(self, opened: protocol.Opened) -> None:
        """The model is open: the rest of what the session says, if there is one to come back to."""
        session, self._session = self._session, None
        if session is None:
            if self._not_back:
                self.hints.say(self._not_back, "error")
                self._not_back = ""
            return
        from gpttui.sessions.tree import check_session
        from gpttui.tui.session.saving import tree_of

        card = opened.card
        try:
            check_session(session, card.id, card.vocab_size, card.params)
        except UserError as error:
            self.hints.say(str(error), "error")
            return
        self.link.trail.adopt(tree_of(session), session.draws, self.link.picked)
        missing = self._select_again(session, card)
        self._show_again(session.view)
        count, altered = len(session.appended), len(session.interventions)
        told = [f"{so_many(count)} behind the prompt"]
        told += [opened.snapshot.weights] if opened.snapshot.weights else []
        told += [f"{so_many(altered, 'change')} to the model"] if altered else []
        self.hints.say(f"Your session is back: {', '.join(told)}{missing}.", "warning" if missing else "info")

    def _select_again(self, session: "SessionFile", card: "ModelCard") -> str:
        """Look where the session looked; what to tell of a head that this model lacks, in whose place is the first."""
        layer, head = session.layer, session.head
        there = 0 <= layer < card.n_layer and 0 <= head < card.n_head
        self._select(Selection(max(-1, session.position), *((layer, head) if there else ())))
        has = f"{card.id} has {card.n_layer} layers of {card.n_head} heads"
        return "" if there else f"; {self._session_file} names layer {layer + 1} head {head + 1}, but {has}"

    def _show_again(self, view: dict[str, Any]) -> None:
        """What a session file says of the screen; what means nothing to this version is passed over."""
        from gpttui.tui.session.remembered import COMING_BACK, FROM_FILE
        from gpttui.tui.views import table as views
        from gpttui.tui.widgets.tokens import COLOUR_MODES

        self.link.kept[FROM_FILE] = view.get("kept")
        if view.get("colour_mode") in COLOUR_MODES:
            self.tokens.colour_mode = view["colour_mode"]
        self.attention.overview = view.get("overview") is True
        if (view.get("zoomed") is True) != self.deck.zoomed:
            self.deck.zoom()
        panes = [pane.id for pane in self.deck.panes]
        if view.get("pane") in panes:
            self.deck.go(panes.index(view["pane"]))
        if view.get("view") in [shown.id for shown in views.VIEWS]:
            self.link.kept[COMING_BACK] = view
            self._open_view(view["view"])
