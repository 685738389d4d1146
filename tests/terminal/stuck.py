"""gpttui whose loop never comes back after `H`. Run as `python -m tests.terminal.stuck`."""

from pathlib import Path

from gpttui.cli.main import main
from gpttui.tui.keys import MORE, key
from gpttui.tui.screens.play import PlayScreen


class StuckScreen(PlayScreen):
    BINDINGS = [key("H", "hang", "hang", "Hang", MORE)]  # noqa: RUF012

    def action_hang(self) -> None:
        Path("hangs").touch()
        while True:
            pass


if __name__ == "__main__":
    import gpttui.tui.app

    gpttui.tui.app.PlayScreen = StuckScreen  # type: ignore[misc]
    main()
