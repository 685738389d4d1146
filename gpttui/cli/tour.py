"""`gpttui tour`: the playground with the guided tour open, or a lesson of a person's own."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gpttui.cli.options import verb
from gpttui.cli.output import note, table
from gpttui.cli.play import need_terminal, open_playground
from gpttui.errors import UserError

if TYPE_CHECKING:
    from gpttui.lessons.lesson import Chapter


@verb()
@click.argument("chapter", metavar="[CHAPTER|FILE.toml]", nargs=-1)
@click.option("--list", "listed", is_flag=True, help="List the chapters.")
@click.option("--check", "checked", is_flag=True, help="Play chapters or FILEs without a screen, by their own keys.")
def command(chapter: tuple[str, ...], listed: bool, checked: bool) -> int | None:
    """Open the guided tour: where you left it, at CHAPTER (a number or a name), or a lesson of your own."""
    from gpttui.lessons import lesson

    chapters = lesson.chapters()
    if listed:
        rows = [[str(found.number), found.id, found.lesson.title, found.lesson.about] for found in chapters]
        click.echo("\n".join(table([["", "name", "title", "about"], *rows])))
        return None
    if checked:
        return check([_chapter(name) for name in chapter] or chapters)
    if len(chapter) > 1:
        raise click.UsageError("one chapter at a time; several are for --check")
    name = ""
    for one in chapter:
        found = _chapter(one)
        chapters, name = [found] if one.endswith(".toml") else chapters, found.id
    if (code := need_terminal("the tour is for a terminal; `gpttui tour --list` lists its chapters")) is not None:
        return code
    return open_playground(None, None, None, None, tour=(chapters, name))


def _chapter(name: str) -> "Chapter":
    """A bundled chapter by number or name, or the lesson in a file. Raises UserError."""
    from gpttui.lessons import lesson

    if name.endswith(".toml"):
        return lesson.Chapter(1, Path(name).stem, lesson.open_lesson(Path(name)))
    return lesson.chapter(name)


def check(chapters: "list[Chapter]") -> int:
    """Play each; 1 where one is wrong, its fault on stderr."""
    import asyncio

    from gpttui import locations
    from gpttui.engine import launch
    from gpttui.engine.client import EngineClient
    from gpttui.storage import gallery
    from gpttui.tui.app import GpttuiApp
    from gpttui.tui.session.opening import Opening
    from gpttui.tui.tour import checking

    failed = 0
    for chapter in chapters:
        client = EngineClient(launch.default_command(), locations.engine_log_file())
        app = GpttuiApp(client, Opening(str(gallery.find(chapter.lesson.model))), animations=False)
        try:
            cards = asyncio.run(checking.play(app, chapter, chapter.id))
        except UserError as error:
            failed = 1
            note(str(error))
        else:
            click.echo(f"{chapter.id}: {cards} cards, all right")
    return failed
