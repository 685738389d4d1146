"""gpttui with a widget that breaks: `B` puts it on the screen. Run as `python -m tests.terminal.breaking`."""

from rich.text import Text
from textual.widget import Widget

from gpttui.cli.main import main
from gpttui.tui.keys import MORE, key
from gpttui.tui.screens.play import PlayScreen


class Broken(Widget):
    def render(self) -> Text:
        raise ZeroDivisionError("deliberate\nand [red]hostile \x1b[31m")


class BreakingScreen(PlayScreen):
    BINDINGS = [key("B", "break", "break", "Break", MORE)]  # noqa: RUF012

    async def action_break(self) -> None:
        await self.mount(Broken())


if __name__ == "__main__":
    import gpttui.tui.app

    gpttui.tui.app.PlayScreen = BreakingScreen  # type: ignore[misc]
    main()
