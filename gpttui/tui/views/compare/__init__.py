"""The view `compare`: one word in two texts."""

from gpttui.tui.session.pairs import KEPT, MARKS

__all__ = ["KEPT", "MARKS"]
