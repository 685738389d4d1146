"""What the model writes as it learns: one prompt, continued every so many steps by the weights of that moment.

For: samples of a run, newest on top. Not for: the text being stepped (`TokensPane`).
"""

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import chop_cells
from textual.binding import BindingType
from textual.reactive import reactive

from gpttui.runs.events import SampleDrawn
from gpttui.sessions.view_files import Table
from gpttui.text import safe_text
from gpttui.tui.widgets.pane import moving
from gpttui.tui.widgets.scrolled import Lines, ScrolledPane

NO_SAMPLES = "the first sample comes with the first steps"


class SamplesPane(ScrolledPane):
    """Samples under their steps, scrolled from the newest downwards."""

    HELP: ClassVar[str] = """\
Every so many steps the training stops for a moment, and the model continues the **prompt** (dim) with the weights \
it has just then: newest on top. The seed is always the same, so what changes from one sample to the next is the \
model, not the luck of the draw. Temperature 0.8, no cuts.

At first all tokens are about equally likely and the text is noise. Then come frequent letters, then spaces and \
line breaks in likely places, then words, then grammar.

`↑` `↓` scroll.

More: Karpathy, *The unreasonable effectiveness of recurrent neural networks* (2015), shows such samples step by \
step."""

    BINDINGS: ClassVar[list[BindingType]] = [
        moving("up", "scroll_by(-1)", "newer", "samples.up", "Towards newer samples"),
        moving("down", "scroll_by(1)", "older", "samples.down", "Towards older samples"),
        moving("pageup", "scroll_by(-10)", "newer", "samples.page_up", "A page towards newer samples"),
        moving("pagedown", "scroll_by(10)", "older", "samples.page_down", "A page towards older samples"),
    ]

    samples: reactive[Sequence[SampleDrawn]] = reactive((), always_update=True)
    """Newest first."""
    marker: reactive[int | None] = reactive(None)
    """A step being looked at: the last sample drawn until then is marked."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.waiting = NO_SAMPLES
        self._newest = -1

    def lines(self, width: int) -> Lines:
        newest = self.samples[0].step if self.samples else -1
        if newest != self._newest and self.scroll_offset.y <= 2:
            self.scroll_to(y=0, animate=False, force=True)
        self._newest = newest
        marked = next((s.step for s in self.samples if self.marker is not None and s.step <= self.marker), None)
        return [line for sample in self.samples for line in _lines(sample, width, sample.step == marked)]

    watch_samples = watch_marker = ScrolledPane.lay_out

    def titles(self) -> tuple[str, str]:
        return "Samples", f"{len(self.samples):,} · newest on top" if self.samples else ""

    def table(self) -> Table | None:
        """All samples, newest first."""
        names = ("step", "prompt", "text")
        return {name: [getattr(sample, name) for sample in self.samples] for name in names} if self.samples else None


def _lines(sample: SampleDrawn, width: int, marked: bool) -> Lines:
    """The step, then prompt and continuation wrapped at `width` cells, then an empty line."""
    head = [(f"{'▶ ' if marked else ''}step {sample.step:,}", "accent")]
    prompt = safe_text(sample.prompt, keep="\n")
    lines: Lines = [head]
    row: list[tuple[str, str]] = []
    used = 0
    for text, name in ((prompt, "dim"), (safe_text(sample.text, keep="\n"), "")):
        for n, part in enumerate(text.split("\n")):
            if n:
                lines.append(row)
                row, used = [], 0
            while part:
                chunk = _fitting(part, width - used) or ("" if used else part[0])
                row.append((chunk, name))
                part = part[len(chunk) :]
                used += len(chunk)
                if part:
                    lines.append(row)
                    row, used = [], 0
    lines.append(row)
    while len(lines) > 1 and not any(text.strip() for text, _ in lines[-1]):
        lines.pop()
    while len(lines) > 1 and not any(text.strip() for text, _ in lines[1]):
        del lines[1]
    return [*lines, []]


def _fitting(text: str, width: int) -> str:
    """The beginning of `text` that fits into `width` cells, up to a space where there is one."""
    if width < 1:
        return ""
    chunk = chop_cells(text, width)[0]
    space = chunk.rfind(" ")
    return chunk[: space + 1] if len(chunk) < len(text) and space > 0 else chunk
