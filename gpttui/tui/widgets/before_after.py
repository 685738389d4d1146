"""What a training run changed: two texts from one seed, the probabilities that moved most, and both losses.

For: a run with its weights before and after, a fine-tuned one above all. Not for: computing any of it (the engine).
"""

from textwrap import wrap
from typing import ClassVar

import numpy as np
from textual.binding import BindingType
from textual.reactive import reactive

from gpttui.protocol.train import BeforeAfter
from gpttui.records import Array
from gpttui.sessions.view_files import Table
from gpttui.text import safe_text
from gpttui.tui.renderables.bars import bar
from gpttui.tui.renderables.labels import clip, fit, percent, so_many, token_label
from gpttui.tui.renderables.token_flow import TokenFlow
from gpttui.tui.tables import token_columns, token_texts
from gpttui.tui.widgets.pane import moving
from gpttui.tui.widgets.scrolled import Lines, ScrolledPane

WORKING = "the engine compares the weights before and after…"


class _ComparedPane(ScrolledPane):
    """Lines made from one comparison, scrolled with the arrows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        moving("up,k", "scroll_by(-1)", "up", "compared.up", "Scroll up"),
        moving("down,j", "scroll_by(1)", "down", "compared.down", "Scroll down"),
    ]

    found: reactive[BeforeAfter | None] = reactive(None)

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.waiting = WORKING

    watch_found = watch_tokenizer = ScrolledPane.lay_out

    def lines(self, width: int) -> Lines:
        return [] if self.found is None else self.told(self.found, max(8, width))

    def told(self, found: BeforeAfter, width: int) -> Lines:
        raise NotImplementedError

    def numbers(self, found: BeforeAfter) -> Table:
        raise NotImplementedError

    def table(self) -> Table | None:
        return None if self.found is None else self.numbers(self.found)


class WrittenPane(_ComparedPane):
    """Both texts; from where they part, tokens that differ are marked."""

    HELP: ClassVar[str] = """\
The same prompt (dim), the same seed, the same sampling: above written by the weights **before** the training, below \
by those **after**. Tokens that stand at the same place but differ are marked. Once one token differs the texts have \
different pasts, so much of what follows must differ too; the pane *Largest moves* compares both models on one text.

More: Howard and Ruder, *Universal language model fine-tuning for text classification* (2018)."""
    TITLES = ("Same prompt, same seed", "")

    def told(self, found: BeforeAfter, width: int) -> Lines:
        return [
            *self._text(found.before, found.before_ids, found.after_ids, found.n_prompt, width),
            [],
            *self._text(found.after, found.after_ids, found.before_ids, found.n_prompt, width),
        ]

    def numbers(self, found: BeforeAfter) -> Table:
        """Both texts, token by token."""
        texts = ((found.before_ids, found.after_ids), (found.after_ids, found.before_ids))
        return {
            "weights": [found.before] * len(found.before_ids) + [found.after] * len(found.after_ids),
            "position": np.concatenate([np.arange(1, len(ids) + 1) for ids, _ in texts]),
            **token_columns(self.tokenizer, np.concatenate([ids for ids, _ in texts])),
            "in_prompt": np.concatenate([np.arange(len(ids)) < found.n_prompt for ids, _ in texts]),
            "differs": np.concatenate([_differing(ids, other) for ids, other in texts]),
        }

    def _text(self, title: str, ids: Array, other: Array, n_prompt: int, width: int) -> Lines:
        flow = TokenFlow(self.tokenizer, width)
        flow.set_ids(ids)
        differs = _differing(ids, other)
        changed = int(differs[n_prompt:].sum())
        head = [(clip(safe_text(title), width - 20), "accent"), (f"  {changed} of {len(ids) - n_prompt} differ", "dim")]

        def tone(at: int) -> str:
            return "dim" if at < n_prompt else "accent" if differs[at] else ""

        return [head, *([(piece.text, tone(piece.token)) for piece in flow.line(y)] for y in range(flow.height))]


def _differing(ids: Array, other: Array) -> Array:
    """`[T]` whether another token stands at this place of the other text, or none."""
    common = min(len(ids), len(other))
    differs = np.ones(len(ids), dtype=bool)
    differs[:common] = ids[:common] != other[:common]
    return differs


class MovesPane(_ComparedPane):
    """One line for each probability that moved: where, which token, from what to what."""

    HELP: ClassVar[str] = """\
Both models read one text: the one written before, or, where that was noise from random weights, the one \
written after. At each of its tokens the probabilities of what comes \
next are compared, over the whole vocabulary at temperature 1; the **largest moves** stand here, at most two for each \
place. The context is what stands before it, then the token, then its probability before → after.

More: Hinton, Vinyals and Dean, *Distilling the knowledge in a neural network* (2015), on how much a model's small \
probabilities tell of it."""
    TITLES = ("Largest moves", "")

    def told(self, found: BeforeAfter, width: int) -> Lines:
        numbers = 17
        label_width = 8
        room = max(4, width - numbers - label_width - 8)
        lines: Lines = []
        for move in found.moves:
            ids = found.read_ids[max(0, move.position - 24) : move.position + 1]
            before = "".join(token_label(self.tokenizer, int(i)) for i in ids)
            up = move.after > move.before
            cells = bar(abs(move.after - move.before), 6).ljust(6)
            lines.append(
                [
                    (fit(before[-room:], room, right=True), "dim"),
                    (" ", ""),
                    (fit(token_label(self.tokenizer, move.token_id), label_width), "strong"),
                    (fit(percent(move.before), 7, right=True), ""),
                    (" → ", "dim"),
                    (fit(percent(move.after), 7), "strong"),
                    (cells, "bar" if up else "warn"),
                ]
            )
        return lines or [[("nothing moved", "dim")]]

    def numbers(self, found: BeforeAfter) -> Table:
        """Each move, and the text that both models had read there."""
        moves, read = found.moves, token_texts(self.tokenizer, found.read_ids)
        if not moves:
            return {}
        return {
            "position": [move.position + 1 for move in moves],
            "read": ["".join(read[: move.position + 1]) for move in moves],
            **token_columns(self.tokenizer, [move.token_id for move in moves]),
            "before": [move.before for move in moves],
            "after": [move.after for move in moves],
        }


class ForgottenPane(_ComparedPane):
    """Validation loss on the new and on the old text, before and after."""

    HELP: ClassVar[str] = """\
**Validation loss** in nats per token, lower is better, on text that was never trained on, measured here with the \
weights before and after. On the **new** text it shows what was learned. On the **old** one, which the model had \
learned from before, it shows what was **forgotten**: a loss that has risen. Where the old text is not on this \
machine, nothing is guessed.

More: McCloskey and Cohen, *Catastrophic interference in connectionist networks* (1989)."""
    TITLES = ("Learned and forgotten", "")

    def numbers(self, found: BeforeAfter) -> Table:
        """A row for the new text, and one for the old where it was measured."""
        rows = [(found.new_text, found.new_before_nats, found.new_after_nats, found.new_tokens)]
        if found.old_before_nats is not None and found.old_after_nats is not None:
            rows.append((found.old_text, found.old_before_nats, found.old_after_nats, found.old_tokens))
        names, before, after, tokens = zip(*rows, strict=True)
        return {
            "about": ("new text", "old text")[: len(rows)],
            "text": names,
            "validation_before_nats": before,
            "validation_after_nats": after,
            "tokens": tokens,
        }

    def told(self, found: BeforeAfter, width: int) -> Lines:
        new = found.new_text, found.new_before_nats, found.new_after_nats, found.new_tokens
        lines = self._losses("new text", *new, width)
        if found.old_before_nats is not None and found.old_after_nats is not None:
            old = found.old_text, found.old_before_nats, found.old_after_nats, found.old_tokens
            lines += [[], *self._losses("old text", *old, width)]
        elif found.old_note:
            lines += [[], *([(part, "warn")] for part in wrap(f"old text: {safe_text(found.old_note)}", width))]
        return lines

    def _losses(self, what: str, name: str, before: float, after: float, tokens: int, width: int) -> Lines:
        longest, cells = max(before, after, 1e-9), max(4, width - 18)
        tone, words = ("bar", "better") if after < before else ("warn", "worse")
        return [
            [(f"{what} ", "accent"), (clip(safe_text(name.rsplit("/", 1)[-1]), max(4, width - 12)), "dim")],
            [(fit("before", 8), "dim"), (f"{before:.3f} ", ""), (bar(before / longest, cells), "dim")],
            [(fit("after", 8), "dim"), (f"{after:.3f} ", "strong"), (bar(after / longest, cells), tone)],
            [(fit("", 8), "dim"), (f"{abs(after - before):.3f} {words}", tone), (f", over {so_many(tokens)}", "dim")],
        ]
