"""The picture of one pane, border and all, as SVG: the part of a screenshot that it takes up."""

import io
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.segment import Segment, Segments
from textual.screen import Screen
from textual.widget import Widget

from gpttui.errors import UserError
from gpttui.tui.textual_private import painted


def picture(screen: Screen[Any], pane: Widget) -> str:
    """The pane as it stands on the screen."""
    region = pane.region.intersection(screen.region)
    console = Console(
        width=max(1, region.width),
        height=max(1, region.height),
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        record=True,
        legacy_windows=False,
        safe_box=False,
    )
    lines = painted(screen)
    segments: list[Segment] = []
    for strip in lines[region.y : region.bottom]:
        segments += [*strip.crop(region.x, region.right), Segment.line()]
    console.print(Segments(segments), end="")
    return console.export_svg(title=f"gpttui {pane.id or ''}".rstrip())


def write_text(text: str, file: Path) -> None:
    """Raises UserError where the file cannot be written."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{file} cannot be written: {error.strerror}; choose another place") from error
