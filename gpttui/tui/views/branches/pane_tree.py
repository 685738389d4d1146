"""Every continuation that was tried, as a tree, and the one under the cursor in full with its bookmarks beside it.

For: the branches view. Not for: jumping and forgetting (the screen does), or growing (`gpttui.tui.session.trail`).
"""

import math
from collections import Counter
from dataclasses import dataclass
from textwrap import wrap
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import BindingType
from textual.message import Message
from textual.reactive import reactive

from gpttui.sessions.tree import Branches, model_words
from gpttui.sessions.view_files import Table
from gpttui.text import safe_text
from gpttui.tui.renderables.bars import bar
from gpttui.tui.renderables.labels import clip, fit, so_many, token_label
from gpttui.tui.tables import token_columns
from gpttui.tui.views.branches.draw_tree import MIXED, OTHER, Entry, chance, entries, legend, marked, nats
from gpttui.tui.widgets.lines import Line, LinesPane, Sheet
from gpttui.tui.widgets.pane import moving

PROB, JOINT, ODDS = 7, 12, 9
STAR, HERE = "★", "● "
NOTHING = "nothing tried yet"
ROOT = -1


class BranchesTree(LinesPane):
    """The prompt, and under it a line for each token that ever followed."""

    HELP: ClassVar[str] = """\
**What you see.** Every time you take a token back and another one comes, by another seed, another temperature, or \
because you picked it, the text *branches*. Nothing of it is lost: here is everything that was tried behind this \
prompt. Where the tree forks, two continuations part. The path that the text takes now is bright, ● is where it ends.

**p** is the probability that the model gave this token after those before it (the whole vocabulary, temperature 1). \
**joint** is the logarithm of the probability of *everything* from the prompt to here, in nats, and beside it that \
probability itself:

    log p(t₁ … tₙ) = Σ log p(tᵢ | t₁ … tᵢ₋₁)

A model writes a text by drawing token after token, so the joint probability of every single long text is tiny; what \
counts is how two branches compare. A difference of 0.69 nats is a factor of 2. `?`: not known, the token has left \
the model's window.

Silence a part, steer, or open a checkpoint, and the model is **another one**, with other probabilities. Only the text \
as it stands is measured anew; what was tried before keeps the figures that it got then, dim and marked **†**. They do \
not compare with those of now: siblings measured under two models may well sum to more than 100 %. A joint probability \
whose tokens were measured under several models is *mixed*: it would be nobody's. Jump there (`enter`), and that path \
is measured under the model of now.

`enter` (or a second click) **jumps**: the text is put back as it was there. `B` names a bookmark. `d` **prunes**: \
forgets the token under the cursor and all behind it. `t` joins tokens between two forks to one line, and splits them \
again. The tree goes into session files (`ctrl+o`).

More: Holtzman et al. 2020, "The curious case of neural text degeneration", on why the likeliest text is a dull one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        moving("d,delete", "prune", "prune", "branches_tree.prune", "Forget this token and all that follows it"),
        moving("home", "move(-99999)", "top", "branches_tree.top", "To the prompt"),
        moving("end", "here", "here", "branches_tree.here", "To where the text is now"),
    ]

    folded: reactive[bool] = reactive(False)

    @dataclass
    class Pruned(Message):
        """A person wants `node` and all below forgotten."""

        node: int

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.branches, self.leaf, self.prompt = Branches(), ROOT, ""
        self.shown = False
        """There is a text whose tree this is."""
        self._entries: list[Entry] = []
        self._tried = NOTHING

    def on_resize(self) -> None:
        self._seek = True
        self.refresh()

    def show(self, tree: Branches, leaf: int, prompt: str) -> None:
        """The tree has changed, or another is looked at. The cursor stays on its token, or goes along with the text."""
        node, followed = self.node, self.node == self.leaf or tree is not self.branches
        self.branches, self.leaf, self.prompt, self.shown = tree, leaf, prompt, True
        self._renew(leaf if followed or (node != ROOT and node not in tree.nodes) else node)

    def _renew(self, node: int) -> None:
        self._entries = list(entries(self.branches, self.leaf, folded=self.folded))
        ends = sum(not self.branches.child_ids(node) for node in self.branches.nodes)
        self._tried = f"{so_many(ends, 'continuation')}, {so_many(len(self.branches))}" if ends else NOTHING
        self.put(node)
        self._seek = True
        self.refresh()

    def put(self, node: int) -> None:
        """The cursor on the line that holds `node`."""
        found = (n + 1 for n, entry in enumerate(self._entries) if node in entry.nodes)
        self.cursor = next(found, 0)

    def watch_folded(self) -> None:
        self._renew(self.node)

    @property
    def node(self) -> int:
        """Under the cursor; -1 is the prompt."""
        at = self.cursor - 1
        return self._entries[at].nodes[-1] if 0 <= at < len(self._entries) else ROOT

    def action_prune(self) -> None:
        at = self.cursor - 1
        if 0 <= at < len(self._entries):
            self.post_message(self.Pruned(self._entries[at].nodes[0]))

    def action_here(self) -> None:
        self.put(self.leaf)
        self.post_message(self.Moved(self, self.cursor))

    def titles(self) -> tuple[str, str]:
        return f"Branches · {self._tried}", "enter: jump · B: bookmark · d: prune · t: tokens or stretches"

    def table(self) -> Table | None:
        """A row for each token that was tried; parent 0 is the prompt. nan: no joint probability of one model."""
        rows = list(self.branches.rows())
        if not rows:
            return None
        path = {node.id for node in self.branches.path(self.leaf)}
        return {
            "node": [row.node.id + 1 for row in rows],
            "parent": [row.node.parent + 1 for row in rows],
            "depth": [row.depth for row in rows],
            **token_columns(self.tokenizer, [row.node.token_id for row in rows]),
            "prob": [row.node.prob for row in rows],
            "joint_log_prob_nats": [
                -row.joint_bits * math.log(2) if len(row.models) == 1 else math.nan for row in rows
            ],
            "measured_under": [model_words(row.node.under) for row in rows],
            "measured_now": [row.node.under == self.branches.now for row in rows],
            "picked": [row.node.picked for row in rows],
            "in_text": [row.node.id in path for row in rows],
            "bookmark": [row.node.bookmark for row in rows],
        }

    # ── Drawing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def draw(self, width: int, height: int) -> Sheet | None:
        if not self.shown:
            return None
        sheet = Sheet()
        cells = max(0, min(14, width - 60))
        odds = ODDS if width >= 44 else 0
        signs = legend(self.branches)
        prob = PROB + bool(signs)
        room = max(8, width - 2 - prob - JOINT - odds - cells - 1)
        head = fit("  token", room + 2) + fit("p", prob, right=True) + " " + fit("", cells)
        head += fit("joint log p", JOINT, right=True) + (fit("joint p", odds, right=True) if odds else "")
        sheet.add((head, self.tone("dim")))
        if signs:
            sheet.add((clip(f"  {safe_text(signs)}", width), self.tone("warn")))
        here = HERE if self.leaf == ROOT else ""
        words = _one_line(self.prompt)
        label = fit(f"{here}prompt: {_tail(words, max(4, room - 12))}", room)
        sheet.choose((self.mark(0), self.tone("accent")), (label, self.tone("strong")))
        path = {node.id for node in self.branches.path(self.leaf)}
        for n, entry in enumerate(self._entries):
            sheet.choose((self.mark(n + 1), self.tone("accent")), *self._line(entry, path, room, cells, prob, odds))
        if not self._entries:
            sheet.add()
            sheet.add(("  Nothing was tried behind this prompt yet: space draws a token.", self.tone("dim")))
        return sheet

    def _line(self, entry: Entry, path: set[int], room: int, cells: int, prob: int, odds: int) -> Line:
        last = self.branches.nodes[entry.nodes[-1]]
        guides = entry.guides if cell_len(entry.guides) <= room // 2 else f"…{entry.guides[-(room // 2) :]}"
        words = "".join(token_label(self.tokenizer, self.branches.nodes[node].token_id) for node in entry.nodes)
        mark = f" {STAR} {safe_text(last.bookmark)}" if last.bookmark else ""
        here = HERE if last.id == self.leaf else ""
        left = room - cell_len(guides) - cell_len(here)
        mark = clip(mark, max(0, left - 4))
        text = clip(words, max(1, left - cell_len(mark)))
        pad = " " * max(0, left - cell_len(text) - cell_len(mark))
        on_path, now = last.id in path, self.branches.now
        ours, joint_ours = on_path and entry.models <= {now}, on_path and entry.joint_models <= {now}
        share = 0.0 if math.isnan(entry.bits) or len(entry.models) > 1 else 2.0**-entry.bits
        p, joint, odds_of = (
            marked(figure, models, now)
            for figure, models in (
                (chance(entry.bits), entry.models),
                (nats(entry.joint_bits), entry.joint_models),
                (chance(entry.joint_bits), entry.joint_models),
            )
        )
        line: Line = [
            (guides, self.tone("dim")),
            (here, self.tone("accent")),
            (text, self.tone("strong" if on_path else "")),
            (mark, self.tone("accent")),
            (pad + fit(p, prob, right=True) + " ", self.tone("" if ours else "dim")),
            (fit(bar(share, cells), cells), self.tone("bar" if ours else "dim")),
            (fit(joint, JOINT, right=True), self.tone("" if joint_ours else "dim")),
        ]
        return [*line, (fit("" if odds_of == MIXED else odds_of, odds, right=True), self.tone("dim"))]


class BranchText(LinesPane):
    """The continuation under the tree's cursor, and all bookmarks to jump to."""

    NAME: ClassVar[str] = "its text"
    HELP: ClassVar[str] = """\
**What you see.** The text up to the token under the tree's cursor, and how probable the model finds it: the joint \
log-probability, the same by token, and as a perplexity. A perplexity of 5 means that the model was, on average, as \
unsure as if it had had to choose among 5 equally probable tokens.

    perplexity = exp(-log p / n)        for n tokens

**†** after a figure: another model measured it, by its weights or its interventions, than the one of now. A branch \
measured partly under one and partly under another has no joint probability; it says how many tokens each measured. \
Jump there, and the model of now measures all.

Below are the **bookmarks** of this prompt: `↑` `↓` pick one, `enter` or a second click jumps to it. `B` in the \
playground marks the place where the text is; here it names the one under the cursor.

More: Jelinek et al. 1977, "Perplexity: a measure of the difficulty of speech recognition tasks"."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.branches, self.chosen, self.prompt = Branches(), ROOT, ""

    def show(self, tree: Branches, node: int, prompt: str) -> None:
        self.branches, self.chosen, self.prompt = tree, node, prompt
        self.cursor = max(0, min(self.cursor, len(tree.bookmarks) - 1))
        self.refresh()

    def titles(self) -> tuple[str, str]:
        return "This branch", "enter: jump to the bookmark" if self.branches.bookmarks else ""

    @property
    def node(self) -> int:
        """The bookmark under the cursor; -1 where there is none."""
        marks = self.branches.bookmarks
        return marks[self.cursor].id if self.cursor < len(marks) else ROOT

    def table(self) -> Table | None:
        """The branch token by token."""
        path = self.branches.path(self.chosen)
        if not path:
            return None
        return {
            **token_columns(self.tokenizer, [node.token_id for node in path]),
            "prob": [node.prob for node in path],
            "measured_under": [model_words(node.under) for node in path],
            "measured_now": [node.under == self.branches.now for node in path],
        }

    def draw(self, width: int, height: int) -> Sheet | None:
        sheet = Sheet()
        path, marks = self.branches.path(self.chosen), self.branches.bookmarks
        for words, name in self._figures():
            sheet.extend([[(line, self.tone(name))] for line in wrap(words, max(8, width))])
        ids = [node.token_id for node in path]
        drawn = self.tokenizer.decode(ids) if self.tokenizer is not None else ""
        roomy = height > 8
        room = max(1, height - len(sheet.lines) - (3 if roomy else 1) - len(marks))
        if roomy:
            sheet.add()
        sheet.extend(self._wrapped(_one_line(self.prompt), _one_line(drawn), width, room))
        if roomy:
            sheet.add()
        sheet.add(("bookmarks" if marks else "No bookmarks yet: B marks a place.", self.tone("dim")))
        for n, node in enumerate(marks):
            words = f"{STAR} {safe_text(node.bookmark)}"
            tail = f"{so_many(len(self.branches.path(node.id)))}, {self._joint(node.id)}"
            left = max(4, width - 3 - cell_len(tail))
            tone = self.tone("accent" if node.id == self.chosen else "")
            sheet.choose((self.mark(n), self.tone("accent")), (fit(words, left), tone), (f" {tail}", self.tone("dim")))
        return sheet

    def _joint(self, node: int) -> str:
        found = marked(nats(self.branches.joint_bits(node)), self.branches.models(node), self.branches.now)
        return found if found == MIXED else f"{found} nats"

    def _figures(self) -> list[tuple[str, str]]:
        """How probable the branch is, or why nobody can say: lines and their tones."""
        path, bits = self.branches.path(self.chosen), self.branches.joint_bits(self.chosen)
        if not path:
            return [("The prompt itself: nothing drawn yet.", "dim")]
        models, now, count = self.branches.models(self.chosen), self.branches.now, so_many(len(path))
        if len(models) > 1 and not math.isnan(bits):
            measured = Counter(model_words(node.under) for node in path)
            told = "; ".join(f"{many:,} under {safe_text(name)}" for name, many in measured.items())
            return [(f"{count}, {MIXED}: no joint probability.", "warn"), (f"Measured {told}.", "dim")]
        each = bits * math.log(2) / len(path)
        hard = "" if math.isnan(each) or each > 700 else f", perplexity {math.exp(each):.1f}"
        log_p, p = (marked(figure, models, now) for figure in (nats(bits), chance(bits)))
        found = [(f"{count}, log p = {log_p} nats, p = {p}", "")]
        found.append((f"{nats(bits / len(path))} nats a token{hard}", "dim"))
        if log_p.endswith(OTHER):
            found.append((f"{OTHER} measured under {safe_text(model_words(path[0].under))}", "warn"))
        return found

    def _wrapped(self, before: str, drawn: str, width: int, room: int) -> list[Line]:
        """The prompt dim, what follows bright; of a long text the end."""
        whole = f"{before} {drawn}".strip()
        lines = wrap(whole, max(8, width)) or [""]
        kept = lines[-room:]
        left = len(before) - sum(len(line) + 1 for line in lines[:-room])
        found: list[Line] = []
        for line in kept:
            at = max(0, min(len(line), left))
            found.append([(line[:at], self.tone("dim")), (line[at:], self.tone())])
            left -= len(line) + 1
        return found


def _one_line(text: str) -> str:
    return safe_text(" ".join(text.split()))


def _tail(text: str, width: int) -> str:
    return text if cell_len(text) <= width else f"…{text[-(width - 1) :]}"
