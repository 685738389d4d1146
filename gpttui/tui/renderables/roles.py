"""Whose words the tokens of a conversation are: a colour for each side, quiet ones for the chat template's own.

For: `TokensPane`. Not for: finding it out (`gpttui.chat.reading`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rich.style import Style

from gpttui.records import Turn
from gpttui.tui.palette import TOKEN_TEXT_DARK, TOKEN_TEXT_LIGHT, ColourDepth

TEMPLATE, ANSWER = "template", "assistant"
SIDES = {TEMPLATE: "chat template", "system": "system", "user": "user", ANSWER: "assistant"}
"""Roles, and what they are called."""
_DARK = ("#2b2b33", "#35353f"), ("#55402a", "#684f35"), ("#1f4b4d", "#285e60"), ("#3d3a5c", "#4b4772")
_LIGHT = ("#e7e7ea", "#dcdce1"), ("#f6dfc0", "#f1d0a4"), ("#c2e8e4", "#a9ddd7"), ("#d8d3f3", "#c8c1ec")
_BASIC = "white", "yellow", "cyan", "magenta"
_PLAIN = Style(dim=True), Style(italic=True), Style(underline=True), Style()


@lru_cache(maxsize=8)
def role_styles(depth: ColourDepth, dark: bool) -> dict[str, tuple[Style, Style]]:
    """For each role two styles that neighbouring tokens take in turns."""
    if depth is ColourDepth.NONE:
        pairs = [(style, style + Style(reverse=True)) for style in _PLAIN]
    elif depth is ColourDepth.BASIC:
        pairs = [(Style(color="black", bgcolor=back), Style(color=back)) for back in _BASIC]
    else:
        text = TOKEN_TEXT_DARK if dark else TOKEN_TEXT_LIGHT
        backs = _DARK if dark else _LIGHT
        pairs = [(Style(color=text, bgcolor=one), Style(color=text, bgcolor=two)) for one, two in backs]
    return dict(zip(SIDES, pairs, strict=True))


@dataclass(frozen=True, slots=True)
class Sides:
    """Who says what in a conversation."""

    turns: Sequence[Turn]
    n_prompt: int

    def at(self, position: int) -> str:
        """Whose the token at `position` is: behind the prompt, the model's."""
        if position >= self.n_prompt:
            return ANSWER
        return next((turn.role for turn in self.turns if turn.start <= position < turn.end), TEMPLATE)

    def styles(self, positions: Sequence[int], depth: ColourDepth, dark: bool) -> list[Style]:
        pairs = role_styles(depth, dark)
        return [pairs[self.at(position)][position % 2] for position in positions]


def legend(depth: ColourDepth, dark: bool, gap: Style) -> list[tuple[str, Style]]:
    """A sample of each."""
    styles = role_styles(depth, dark)
    return [piece for role, name in SIDES.items() for piece in ((f" {name} ", styles[role][0]), (" ", gap))]
