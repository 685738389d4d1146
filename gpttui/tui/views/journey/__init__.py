"""The view `journey`: one token's way through the model, layer by layer."""

from gpttui.tui.session.remembered import remember

RESUME = remember("walk", tuple[int, int, int], of_model=True)
"""A walk while a part's own view is open: position, token, parts uncovered."""
