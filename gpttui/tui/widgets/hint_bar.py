"""A line of plain words: what to try next, what went wrong, what is being waited for. Never read as markup.

What a person must be able to read whole (a path, a reason) wraps, up to three lines; a hint stays on one.
"""

from typing import ClassVar, Literal

from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from gpttui.text import safe_text

Tone = Literal["hint", "info", "warning", "error"]
MARKS: dict[Tone, str] = {"hint": "›", "info": "·", "warning": "!", "error": "✗"}


class HintBar(Widget):
    """What the screen has to say, and how loudly."""

    DEFAULT_CSS = """
    HintBar {
        height: auto;
        min-height: 1;
        max-height: 3;
        padding: 0 1;
        color: $text-muted;
        & > .hint-bar--mark { color: $accent; text-style: bold; }
        &.-info { color: $foreground; }
        &.-warning { color: $text-warning; background: $warning-muted; }
        &.-error { color: $text-error; background: $error-muted; text-style: bold; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"hint-bar--mark"}

    line: reactive[str] = reactive("", layout=True)
    tone: reactive[Tone] = reactive("hint")
    standing: reactive[str] = reactive("", layout=True)
    """Said in place of any hint while it stands."""

    def say(self, line: str, tone: Tone = "hint") -> None:
        self.tone, self.line = tone, line

    def watch_tone(self, tone: Tone) -> None:
        for name in MARKS:
            self.set_class(name == tone, f"-{name}")

    def render(self) -> Text:
        line = self.standing if self.standing and self.tone == "hint" else self.line
        if not line:
            return Text(" ")
        mark_style = self.get_component_rich_style("hint-bar--mark", partial=True) if self.tone == "hint" else ""
        text = Text(no_wrap=self.tone == "hint", overflow="ellipsis" if self.tone == "hint" else "fold")
        text.append(f"{MARKS[self.tone]} ", mark_style)
        return text.append(safe_text(line))
