"""Colour maps, token backgrounds and glyph ramps, and how many colours this terminal has.

For: everything that turns a number into a colour. Not for: the interface's own colours, which are theme variables.
Maps are tables of 32 steps (a finer one is not told apart in a terminal): cividis (Nuñez and others 2018) and
viridis (van der Walt and Smith 2015) for amounts, berlin and vik (Crameri 2018) for signed ones.
All four read the same with the common colour-vision deficiencies.
"""

from enum import IntEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.style import Style

from gpttui.records import Array

if TYPE_CHECKING:
    from textual.app import App

STEPS = 32

CIVIDIS = tuple(
    "#00224e #00285b #002e6a #053371 #1c396f #293f6e #33446d #3c4a6c #45506c #4d556c #555b6d #5c616e #646770 #6b6d72"
    " #727274 #787877 #807f78 #888578 #908b78 #979177 #a09875 #a89e73 #b0a571 #b9ab6d #c2b369 #cbb965 #d3c05f #dcc859"
    " #e6d051 #efd748 #f8df3c #fee838".split()
)
VIRIDIS = tuple(
    "#440154 #470d60 #48186a #482374 #472e7c #453882 #424186 #3e4a89 #3a548c #365d8d #32658e #2e6d8e #2b758e #287d8e"
    " #25848e #228c8d #1f948c #1e9c89 #20a386 #25ab82 #2eb37c #3aba76 #48c16e #58c765 #6ccd5a #7fd34e #93d741 #a8db34"
    " #c0df25 #d5e21a #eae51a #fde725".split()
)
BERLIN = tuple(
    "#9eb0ff #8caef6 #79abed #65a7e2 #4f9ed1 #3f92be #3584aa #2d7597 #276481 #21556e #1c475c #173a4b #122c38 #112028"
    " #11161b #140f10 #1d0b05 #260d01 #300f00 #3b1100 #481502 #561a05 #65230e #772f19 #8a3f2a #9a4d3b #aa5c4c #ba6b5f"
    " #cc7d73 #dd8d86 #ee9d9a #ffadad".split()
)
VIK = tuple(
    "#001261 #021f69 #022b71 #023779 #034582 #05528a #0e6093 #1e6f9d #3681a9 #4e92b4 #67a2c0 #80b2ca #9dc4d6 #b6d3e1"
    " #cfe0e8 #e5e7e8 #eee0d8 #ecd1c3 #e5c1ad #dfb298 #d7a081 #d1926d #cb835a #c57548 #be6533 #b55521 #a74310 #963107"
    " #832106 #741506 #670a07 #590008".split()
)

COLOUR_MAPS = {"cividis": CIVIDIS, "viridis": VIRIDIS}
"""What can be chosen for amounts, by the names in the settings."""

RAMP = " ░▒▓█"
"""Amounts without colour: five glyphs from nothing to full."""

TOKEN_DARK = ("#3d3a5c", "#1f4b4d", "#55402a", "#2f4a2c", "#57314a")
TOKEN_LIGHT = ("#d8d3f3", "#c2e8e4", "#f6dfc0", "#d3ebc5", "#f5d0e3")
"""Backgrounds of alternating tokens: apart from each other at 256 colours too, and text on them keeps 7:1 contrast."""

TOKEN_TEXT_DARK = "#eceaf4"
TOKEN_TEXT_LIGHT = "#1d1b26"


class ColourDepth(IntEnum):
    """What the terminal can show; compare with `<` and `>=`."""

    NONE = 0
    """NO_COLOR: attributes (bold, underline, reverse) and glyphs only."""
    BASIC = 1
    """The 16 colours of the terminal's own theme."""
    INDEXED = 2
    """256 colours."""
    TRUE = 3


def colour_depth(app: "App[Any]") -> ColourDepth:
    """The colours that `app` may use: what rich found out about the terminal, nothing under NO_COLOR."""
    if app.no_color:
        return ColourDepth.NONE
    found = {"truecolor": ColourDepth.TRUE, "256": ColourDepth.INDEXED}
    system = app.console.color_system
    return ColourDepth.NONE if system is None else found.get(system, ColourDepth.BASIC)


def colour_map(app: "App[Any]") -> tuple[str, ...]:
    """The 32 colours for amounts: the map that a person chose in the settings, cividis where nobody did."""
    return COLOUR_MAPS[getattr(app, "colour_map", "cividis")]


def level(value: float, top: float = 1.0) -> int:
    """`value` of [0, top] as a step of a 32-step map; beyond the ends it stays at the end; nan is 0."""
    if not value > 0 or top <= 0:
        return 0
    return min(STEPS - 1, int(value / top * STEPS))


def levels(values: Array, top: float = 1.0) -> Array:
    """`level` of every value: uint8 steps of the same shape."""
    scaled = np.nan_to_num(np.asarray(values, dtype=np.float32)) * (STEPS / top)
    steps: Array = np.clip(scaled, 0, STEPS - 1).astype(np.uint8)
    return steps


def ramp_glyph(step: int) -> str:
    """The glyph of a 32-step level. Only level 0 is blank, so that a small amount is not mistaken for none."""
    return RAMP[0] if step <= 0 else RAMP[1 + min(3, step * 4 // STEPS)]


def text_on(background: str) -> str:
    """Black or white, whichever reads better on a `#rrggbb` background (WCAG relative luminance)."""
    return "#000000" if luminance(background) > 0.18 else "#ffffff"


def luminance(colour: str) -> float:
    """WCAG 2 relative luminance of `#rrggbb`, 0 to 1."""
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


_BASIC_TOKENS = (Style(color="black", bgcolor="cyan"), Style(color="black", bgcolor="white"))
_PLAIN_TOKENS = (Style(), Style(reverse=True))
_BASIC_HEAT = (
    Style(),
    Style(color="bright_cyan"),
    Style(color="black", bgcolor="cyan"),
    Style(color="black", bgcolor="yellow"),
    Style(color="white", bgcolor="red", bold=True),
)
_PLAIN_HEAT = (
    Style(dim=True),
    Style(),
    Style(underline=True),
    Style(reverse=True),
    Style(reverse=True, underline=True),
)
"""Not bold: that tells drawn tokens from the prompt's."""


@lru_cache(maxsize=8)
def token_styles(depth: ColourDepth, dark: bool) -> tuple[Style, ...]:
    """Styles to cycle through so that neighbouring tokens always differ."""
    if depth is ColourDepth.NONE:
        return _PLAIN_TOKENS
    if depth is ColourDepth.BASIC:
        return _BASIC_TOKENS
    text = TOKEN_TEXT_DARK if dark else TOKEN_TEXT_LIGHT
    return tuple(Style(color=text, bgcolor=back) for back in (TOKEN_DARK if dark else TOKEN_LIGHT))


@lru_cache(maxsize=16)
def heat_styles(depth: ColourDepth, table: tuple[str, ...] = CIVIDIS) -> tuple[Style, ...]:
    """Text on each of the 32 steps; five kinds of text where there are no colours to step through."""
    if depth < ColourDepth.INDEXED:
        five = _PLAIN_HEAT if depth is ColourDepth.NONE else _BASIC_HEAT
        return tuple(five[RAMP.index(ramp_glyph(step))] for step in range(STEPS))
    return tuple(Style(color=text_on(back), bgcolor=back) for back in table)


def diverging(dark: bool) -> tuple[str, ...]:
    """The map for signed values whose middle disappears into the background."""
    return BERLIN if dark else VIK
