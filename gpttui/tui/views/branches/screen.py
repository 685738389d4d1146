"""Everything that was tried behind this prompt: a tree to look at, to jump in, to prune, with bookmarks."""

from typing import ClassVar

from textual import on
from textual.binding import BindingType

from gpttui.tui.keys import TEXT, key
from gpttui.tui.renderables.labels import so_many
from gpttui.tui.session.remembered import NUMBERS, NUMBERS_OR_NONE, YES_NO, Setting
from gpttui.tui.views.branches.pane_tree import ROOT, BranchesTree, BranchText
from gpttui.tui.views.frame import InsideScreen
from gpttui.tui.views.table import ViewContext
from gpttui.tui.widgets.lines import LinesPane
from gpttui.tui.widgets.pane import Pane


class BranchesScreen(InsideScreen):
    """The tree, and the branch under its cursor."""

    VIEW: ClassVar[str] = "branches"
    NEED: ClassVar[tuple[int, int]] = (40, 20)
    SETTINGS: ClassVar[tuple[Setting, ...]] = (Setting("folded", "forks.folded", YES_NO),)
    PLACES: ClassVar[tuple[Setting, ...]] = (
        Setting("node", "node", NUMBERS_OR_NONE),
        Setting("bookmark", "branch.cursor", NUMBERS),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        key("t", "fold", "tokens or stretches", "Tokens between two forks on one line, or each on its own", TEXT,
            id="branches_fold"),
        key("B", "bookmark", "bookmark", "Name the place under the cursor; no name: no bookmark", TEXT,
            id="branches_bookmark"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    BranchesScreen {
        #panes { grid-size: 1 2; grid-rows: 3fr 2fr; }
        & > .-wide #panes { grid-size: 2 1; grid-columns: 3fr 2fr; grid-rows: 1fr; }
    }
    """

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self.forks, self.branch = BranchesTree(id="tree"), BranchText(id="branch")
        self._back_at: int | None = None
        """The node to begin at; None: the text's own."""

    @property
    def panes(self) -> tuple[Pane, ...]:
        return self.forks, self.branch

    @property
    def node(self) -> int:
        """Under the tree's cursor."""
        return self.forks.node

    @node.setter
    def node(self, node: int) -> None:
        self._back_at = node

    def mark(self) -> None:
        trail = self.link.trail
        if self.snapshot is not None:
            self.forks.show(trail.tree, trail.leaf, self.link.prompt)
            if self._back_at is not None:
                self.forks.put(self._back_at)
                self._back_at = None
            self._show_text()

    def _show_text(self) -> None:
        self.branch.show(self.forks.branches, self.forks.node, self.link.prompt)

    @on(LinesPane.Moved)
    def _moved(self, event: LinesPane.Moved) -> None:
        if event.pane is self.forks:
            self._show_text()

    @on(LinesPane.Picked)
    def _picked(self, event: LinesPane.Picked) -> None:
        self.jump(self.forks.node if event.pane is self.forks else self.branch.node)

    def jump(self, node: int) -> None:
        """Put the text back as it was at `node`."""
        trail, path = self.link.trail, self.forks.branches.path(node)
        if node == trail.leaf:
            self.hints.say("The text is there already.", "info")
            return
        self.link.jump([step.token_id for step in path], [step.picked for step in path], trail.draws(node))
        words = "Back at the prompt" if node == ROOT else f"Jumped: {so_many(len(path))} behind the prompt"
        self.hints.say(f"{words}; escape shows it in the playground.", "info")

    def action_fold(self) -> None:
        self.forks.folded = not self.forks.folded
        self._show_text()

    @on(BranchesTree.Pruned)
    def _pruned(self, event: BranchesTree.Pruned) -> None:
        tree = self.forks.branches
        if any(node.id == event.node for node in tree.path(self.link.trail.leaf)):
            self.hints.say(
                "This is the text as it is now: jump to another branch first, then prune this one.", "warning"
            )
            return
        parent = tree.nodes[event.node].parent
        count = tree.prune(event.node)
        self.mark()
        self.forks.put(parent)
        self._show_text()
        self.hints.say(f"Forgotten: {so_many(count)}.", "info")

    async def action_bookmark(self) -> None:  # type: ignore[override]
        tree, node = self.forks.branches, self.forks.node
        if node == ROOT:
            self.hints.say("A bookmark marks a place behind the prompt: pick a token of the tree.", "info")
            return

        def done(name: str) -> None:
            if node in tree.nodes:
                tree.bookmark(node, name)
                self.mark()
                told = f"Bookmark {name.strip()}." if name.strip() else "No bookmark here."
                self.hints.say(told, "info")

        was = tree.nodes[node].bookmark
        await self.write(
            "Name of this bookmark", was or self.link.trail.free_name(), done, "Enter keeps it; empty: none."
        )
