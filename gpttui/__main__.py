"""`python -m gpttui` and the `gpttui` command: hand over to the click group, turn known errors into one line."""

from gpttui.cli.main import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
